/** A retrieve configuration on its way to Python, and the retrievers in it that stay on the page. */

/**
 * @typedef {string | RetrieveConfiguration} Configuration a stock name, the URL of a JSON, JSON text, or an object
 *
 * @typedef {object} RetrieveConfiguration `docs/configuration.md`; Python reads and checks it
 * @property {(configuration: object) => Retriever} [create]
 *
 * @typedef {object} Retriever takes the place of stages
 * @property {(frames: number[], listener: Listener) => unknown} loadImages called once, with all frames of the series
 * @property {(frameIndex: number, quality: string) => void} [retrieved]
 * @property {(frameIndex: number, error: import('./records.js').ErrorRecord) => void} [failed]
 *
 * @typedef {object} Listener
 * @property {(frameIndex: number, options?: object) => Promise<Outcome>} request
 *   the requests of a frame run one after the other
 * @property {() => void} done there will be no further requests
 *
 * @typedef {{quality: string | null, error: import('./records.js').ErrorRecord | null}} Outcome
 *
 * @typedef {{create: Function, configuration: object}} Factory
 */

/** Under this key Python finds the number of a function (`FUNCTION_KEY` in Python). */
const FUNCTION_KEY = 'firstlightFunction';

/** Those of which Python goes on with what the prelude has begun. */
const LIKE_PRELUDE = ['null', '""', '"adaptive"'];

/**
 * @typedef {object} Written
 * @property {string} json what Python reads
 * @property {Factory[]} factories the functions in it
 * @property {boolean} isUsual the prelude may begin with the first frame
 * @property {import('./records.js').ErrorRecord | null} error why it cannot be handed over; then it counts as none
 *
 * @param {Configuration | null | undefined} configuration
 * @returns {Written}
 */
export function writeConfiguration(configuration) {
  try {
    const written = forPython(configuration);
    return { ...written, isUsual: LIKE_PRELUDE.includes(written.json), error: null };
  } catch (cause) {
    const message = `configuration: ${cause instanceof Error ? cause.message : cause}`;
    const error = {
      type: 'ConfigurationError',
      message,
      resource: null,
      frame_index: null,
      range: null,
    };
    return { json: 'null', factories: [], isUsual: true, error };
  }
}

/**
 * @param {any} configuration
 * @returns {{json: string, factories: Factory[]}}
 */
function forPython(configuration) {
  if (typeof configuration === 'string') {
    return { json: JSON.stringify(absoluteAddress(configuration.trim())), factories: [] };
  }
  /** @type {Factory[]} */
  const factories = [];
  const json = JSON.stringify(configuration ?? null, function (key, value) {
    if (typeof value !== 'function') return value;
    // Only this one can be called from afar; Python says of any other that it cannot be one.
    if (key !== 'create') return 'function';
    factories.push({ create: value, configuration: this });
    return { [FUNCTION_KEY]: factories.length - 1 };
  });
  return { json, factories };
}

/**
 * Names of stock configurations have none of the signs of an address.
 *
 * @param {string} text
 */
function absoluteAddress(text) {
  if (text.startsWith('{') || !/[/.:]/.test(text)) return text;
  return new URL(text, document.baseURI).href;
}

/** The retrievers of a session; the latest is the one of the series that is shown. */
export class Retrievers {
  #factories;
  #post;
  #number = 0;
  /** @type {Retriever | null} */
  #retriever = null;
  /** @type {Map<number, ((outcome: Outcome) => void)[]>} who waits for each frame, in the order of asking */
  #waiting = new Map();

  /**
   * @param {Factory[]} factories
   * @param {(message: object) => void} post to Python
   */
  constructor(factories, post) {
    this.#factories = factories;
    this.#post = post;
  }

  /** @param {any} record `PageRetrievers` of Python says what it may be */
  onRecord({ retriever, step, frameIndex, frameCount, quality = null, error = null, ...rest }) {
    if (step === 'start') this.#start(retriever, this.#factories[rest.function], frameCount);
    else if (retriever === this.#number) this.#settled(frameIndex, { quality, error });
  }

  /**
   * @param {number} number
   * @param {Factory} factory
   * @param {number} frameCount
   */
  async #start(number, { create, configuration }, frameCount) {
    this.#number = number;
    this.#waiting.clear();
    const tell = (/** @type {object} */ facts) =>
      this.#post({
        kind: 'retriever',
        retriever: number,
        frameIndex: -1,
        details: 'null',
        ...facts,
      });
    try {
      const retriever = create.call(configuration, configuration);
      this.#retriever = retriever;
      await retriever.loadImages(
        Array.from({ length: frameCount }, (_, index) => index),
        {
          request: (/** @type {number} */ frameIndex, options = {}) => {
            const index = Number.isInteger(frameIndex) ? frameIndex : -1; // which Python refuses
            const details = forPython(options).json;
            const outcome = new Promise((resolve) => this.#wait(index, resolve));
            tell({ step: 'request', frameIndex: index, details });
            return outcome;
          },
          done: () => tell({ step: 'done' }),
        },
      );
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      tell({ step: 'crashed', details: JSON.stringify(message) });
    }
  }

  /**
   * @param {number} frameIndex
   * @param {(outcome: any) => void} resolve
   */
  #wait(frameIndex, resolve) {
    const waiting = this.#waiting.get(frameIndex) ?? [];
    waiting.push(resolve);
    this.#waiting.set(frameIndex, waiting);
  }

  /**
   * @param {number} frameIndex
   * @param {Outcome} outcome
   */
  #settled(frameIndex, outcome) {
    this.#waiting.get(frameIndex)?.shift()?.(outcome);
    if (outcome.error) this.#retriever?.failed?.(frameIndex, outcome.error);
    else this.#retriever?.retrieved?.(frameIndex, String(outcome.quality));
  }
}
