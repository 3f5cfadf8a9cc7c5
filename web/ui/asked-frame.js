/** The frame of the stack that is asked for, and the one whose picture the viewport is given for it. */

/**
 * @typedef {object} AskedFrameHost
 * @property {import('../engine/session.js').Session | null} session
 * @property {import('./screen.js').Screen} screen
 */

export class AskedFrame {
  #host;
  #index = 0;
  #seriesIndex = -1;
  /** What the viewport was last given. @type {{record: unknown, picture: unknown, regions: unknown}} */
  #given = { record: null, picture: undefined, regions: undefined };

  /** @param {AskedFrameHost} host */
  constructor(host) {
    this.#host = host;
  }

  get index() {
    return this.#index;
  }

  /**
   * @param {number} frameIndex the nearest one that there is, where there is no such frame
   * @returns {number} how many frames that is from the one before, signed
   */
  moveTo(frameIndex) {
    const last = (this.#host.session?.series?.frames.length ?? Infinity) - 1;
    const next = Math.max(0, Math.min(Math.trunc(frameIndex) || 0, last));
    const moved = next === this.#index ? 0 : next - this.#index;
    this.#index = next;
    return moved;
  }

  /** Back to the first frame, which is no scrolling. */
  startOver() {
    this.#index = 0;
  }

  /** @returns {boolean} whether the series of the session is another than before */
  takeSeries() {
    const series = this.#host.session?.series;
    if (!series || series.index === this.#seriesIndex) return false;
    if (this.#seriesIndex >= 0) this.#host.screen.viewport.clear();
    this.#given = { record: null, picture: undefined, regions: undefined };
    this.#seriesIndex = series.index;
    this.#index = Math.min(this.#index, series.frames.length - 1);
    return true;
  }

  /** The source is closed: nothing of it stays on the screen. */
  clear() {
    this.#seriesIndex = -1;
    this.#host.screen.viewport.clear();
  }

  /** The frame whose picture is shown: the one asked for, or its neighbour that stands in for it. */
  get shownIndex() {
    const { session } = this.#host;
    const index = this.#index;
    if (!session?.series || session.frame(index) !== undefined) return index;
    const { replicaOf } = session.frameState(index);
    const held = typeof replicaOf === 'number' && session.frame(replicaOf) !== undefined;
    return held ? replicaOf : index;
  }

  /** @param {number} index */
  isOnScreen(index) {
    return index === this.#index || index === this.shownIndex;
  }

  /** Gives the viewport what is held; nothing where it has that already. */
  show() {
    const { session, screen } = this.#host;
    const index = this.shownIndex;
    const record = session?.series?.frames[index] ?? null;
    const picture = session?.frame(index);
    const regions = session?.regions(index);
    const given = this.#given;
    const isSame = picture === given.picture && regions === given.regions;
    if (record === given.record && isSame && record !== null) return;
    this.#given = { record, picture, regions };
    screen.viewport.show(record, picture, regions);
  }
}
