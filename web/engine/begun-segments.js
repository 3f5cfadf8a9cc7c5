/**
 * @typedef {object} Adoption a segment that Python takes over; the names are Python's
 * @property {number} segment
 * @property {string} url
 * @property {number} start
 * @property {number | null} stop
 * @property {number} [shown_level]
 * @property {number} [stored_bytes]
 * @property {any[]} [heard] what the transport has told of it: `opened`, and the last of what came after
 * @property {[frameIndex: number, level: number, storedBytes: number][]} [shown] of a heads file, whose frames are many
 */

/** The segments a prelude starts, in the numbers below Python's 1000 that are its own. */
export const DESCRIPTOR = 0;
export const FRAME = 1;
export const METADATA = 2;
export const HEADS = 3;
const SEGMENTS_PER_PRELUDE = 4;

/** What a prelude has begun and Python has not taken over. */
export class BegunSegments {
  #first;
  #post;
  #begun;
  /** @type {Map<number, Adoption>} by part */
  #adoptions = new Map();
  /** @type {Map<number, any[]>} by part, `Adoption.heard` */
  #heard = new Map();

  /**
   * @param {number} epoch from 1, of the session on its threads
   * @param {(message: object) => void} post to the transport
   * @param {string | null} begun what is being fetched already, as the first segment
   */
  constructor(epoch, post, begun) {
    this.#first = (epoch - 1) * SEGMENTS_PER_PRELUDE + 1;
    this.#post = post;
    this.#begun = begun;
  }

  /** @param {number} part */
  number(part) {
    return this.#first + part;
  }

  /** @param {number} segment */
  partOf(segment) {
    return segment - this.#first;
  }

  /** @param {number} part */
  has(part) {
    return this.#adoptions.has(part);
  }

  /**
   * @param {number} part
   * @param {string} url
   * @param {number} [start]
   * @param {number | null} [stop]
   * @param {number[]} [milestones]
   */
  fetch(part, url, start = 0, stop = null, milestones = []) {
    const segment = this.number(part);
    this.#adoptions.set(part, { segment, url, start, stop });
    // Its messages came while nobody listened: they are told again.
    if (part === DESCRIPTOR && this.#begun === url) return this.#post({ kind: 'adopt', segment });
    const whole = part === DESCRIPTOR || part === METADATA;
    const order = { segment, url, start, stop, milestones, version: null, priority: 'high', whole };
    this.#post({ kind: 'fetch', ...order });
  }

  /** @param {any} message of the transport */
  hear(message) {
    const part = this.partOf(message.segment);
    const [opened = message] = this.#heard.get(part) ?? [];
    this.#heard.set(part, opened === message ? [message] : [opened, message]);
  }

  /**
   * Gives away those of some parts.
   *
   * @param {number[]} parts
   * @returns {Adoption[]}
   */
  take(parts) {
    return parts.flatMap((part) => {
      const adoption = this.#adoptions.get(part);
      this.#adoptions.delete(part);
      return adoption ? { ...adoption, heard: this.#heard.get(part) ?? [] } : [];
    });
  }

  /** Lets go of what nobody has taken; and of what was begun for nothing. */
  release() {
    for (const { segment } of this.#adoptions.values()) this.#post({ kind: 'release', segment });
    this.#adoptions.clear();
  }

  /** @param {string} src what is opened; something else may have been begun */
  expect(src) {
    if (this.#begun === null || this.#begun === src) return;
    this.#post({ kind: 'release', segment: this.number(DESCRIPTOR) });
  }
}
