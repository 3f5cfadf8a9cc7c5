/** Where scrolling goes and how fast: what prefetch follows. */

/** Moves further apart than this are not one motion; after so long without a move nothing moves. */
const REST_MS = 400;

/** How much of the newest move counts; the rest is what the motion was before. */
const NEWEST = 0.4;

/** Speeds are told in steps of a doubling, so that a steady scroll is one demand, not many. */
const LARGEST_SPEED = 256;

export class Scrolling {
  #direction = 0;
  /** Frames a second. */
  #speed = 0;
  #lastMs = -Infinity;
  #timer = 0;
  #rested;

  /** @param {() => void} rested nothing moves any more */
  constructor(rested) {
    this.#rested = rested;
  }

  /** @param {number} frames signed */
  moved(frames) {
    const now = performance.now();
    const elapsed = Math.max(now - this.#lastMs, 1);
    const direction = Math.sign(frames);
    const goesOn = direction === this.#direction && elapsed < REST_MS;
    const newest = (Math.abs(frames) * 1000) / Math.min(elapsed, REST_MS);
    this.#speed = goesOn ? this.#speed + NEWEST * (newest - this.#speed) : 1000 / REST_MS;
    this.#direction = direction;
    this.#lastMs = now;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#speed = 0;
      this.#rested();
    }, REST_MS);
  }

  /** The direction outlasts the motion: who goes on most likely goes on that way. */
  get motion() {
    const speed = this.#speed && 2 ** Math.round(Math.log2(this.#speed));
    return { direction: this.#direction, speed: Math.min(speed, LARGEST_SPEED) };
  }

  stop() {
    clearTimeout(this.#timer);
    this.#direction = 0;
    this.#speed = 0;
  }
}
