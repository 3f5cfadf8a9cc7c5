/**
 * @typedef {{byteRange?: string, decodeLevel?: number}} Limit `sources/address.py` says what the words mean
 *
 * @typedef {object} Demand
 * @property {number} frameIndex what the eye is on
 * @property {number} direction -1, 0 or 1: where scrolling goes
 * @property {number} [speed] frames a second that it goes with; 0 while nothing moves
 * @property {number[]} [visible] all frames on screen, the eye's first
 * @property {boolean} [volume] every frame of the series is on screen
 * @property {number} [sidePx] longest side of the full image on screen, in device px
 * @property {[number, number, number, number]} [window] of a vast image the part that is on screen: left, top, right, bottom
 */

/** What the page wants of Python: kept while Python cannot hear it, told as it changes from then on. */
export class Wishes {
  /** @type {Demand} */
  demand;
  /** @type {Limit | null} */
  limit;
  #wholeSamples;
  #seriesIndex = 0;
  /** @type {Pick<Worker, 'postMessage'> | null} */
  #loader = null;

  /**
   * @param {Demand} demand
   * @param {{limit: Limit | null, wholeSamples?: number}} bounds
   */
  constructor(demand, { limit, wholeSamples }) {
    this.demand = demand;
    this.limit = limit;
    this.#wholeSamples = wholeSamples;
  }

  /** What Python is to know when it opens the source: of images of more than `wholeSamples` the finest levels come by window. */
  get first() {
    return { frameIndex: this.demand.frameIndex, wholeSamples: this.#wholeSamples };
  }

  /**
   * Python can hear now, and has been told what to open.
   *
   * @param {Worker} loader
   */
  sendTo(loader) {
    this.#loader = loader;
    if (this.limit) this.#sendLimit();
    if (this.#seriesIndex > 0) this.#sendSeries();
    this.#sendDemand();
  }

  /** @param {Demand} demand what is on screen, whole each time */
  want(demand) {
    this.demand = demand;
    this.#sendDemand();
  }

  /** @param {number} seriesIndex shown from its first frame on */
  select(seriesIndex) {
    this.demand = { frameIndex: 0, direction: 0 };
    this.#seriesIndex = seriesIndex;
    this.#sendSeries();
  }

  /** @param {Limit | null} limit of every frame from now on, null for none */
  bound(limit) {
    this.limit = limit;
    this.#sendLimit();
  }

  #sendDemand() {
    this.#loader?.postMessage({ kind: 'want', ...this.demand });
  }

  #sendSeries() {
    const order = { seriesIndex: this.#seriesIndex, frameIndex: 0 };
    this.#loader?.postMessage({ kind: 'select', ...order });
  }

  #sendLimit() {
    const { byteRange, decodeLevel } = this.limit ?? {};
    const level = decodeLevel === undefined ? undefined : String(decodeLevel);
    this.#loader?.postMessage({ kind: 'limit', byteRange, decodeLevel: level });
  }
}
