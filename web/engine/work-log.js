/**
 * @typedef {{frameIndex: number, resolutionLevel: number, decompositionLevels: number, startedMs: number, elapsedMs: number,
 *   bytesIn: number}} Decode
 * @typedef {{frameIndex: number | null, resolutionLevel: number | null, plane?: string, startedMs: number, elapsedMs: number}} Draw
 *   `plane`: name of a plane through a volume, where `frameIndex` is null
 */

/** How many decodes and draws are kept at least: every level of each frame of a large series. */
const LENGTH = 30_000;

/** What was done on this page's threads, for `timeline()`; times in ms since the epoch. */
export class WorkLog {
  /** @type {Decode[]} */
  #decodes = [];
  /** @type {Draw[]} */
  #draws = [];

  /** @param {Decode} decode */
  decoded(decode) {
    keep(this.#decodes, decode);
  }

  /** @param {Draw} draw */
  drawn(draw) {
    keep(this.#draws, draw);
  }

  copy() {
    return { decodes: [...this.#decodes], draws: [...this.#draws] };
  }
}

/**
 * @template Item
 * @param {Item[]} list
 * @param {Item} item
 */
function keep(list, item) {
  list.push(item);
  // many at once: taking one off the front moves all others
  if (list.length > 1.2 * LENGTH) list.splice(0, list.length - LENGTH);
}
