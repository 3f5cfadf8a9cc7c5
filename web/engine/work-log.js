/** How many decodes and draws are kept. */
const LENGTH = 5000;

/** What was done on this page's threads, for `timeline()`; times in ms since the epoch. */
export class WorkLog {
  /** @type {object[]} */
  #decodes = [];
  /** @type {object[]} */
  #draws = [];

  /** @param {{frameIndex: number, resolutionLevel: number, startedMs: number, elapsedMs: number, bytesIn: number}} decode */
  decoded(decode) {
    keep(this.#decodes, decode);
  }

  /** @param {{frameIndex: number, resolutionLevel: number, startedMs: number, elapsedMs: number}} draw */
  drawn(draw) {
    keep(this.#draws, draw);
  }

  copy() {
    return { decodes: [...this.#decodes], draws: [...this.#draws] };
  }
}

/**
 * @param {object[]} list
 * @param {object} item
 */
function keep(list, item) {
  list.push(item);
  if (list.length > LENGTH) list.shift();
}
