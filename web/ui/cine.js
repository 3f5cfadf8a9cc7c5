/** Plays the frames of a series, one after the other, as fast as they say or the reader wants; never one not held. */

/**
 * @typedef {object} CineHost
 * @property {number} frameCount
 * @property {number} frameIndex
 * @property {(frameIndex: number) => boolean} isHeld whether there is something of it to show
 * @property {(frameIndex: number) => number | undefined} frameTimeMs what the image says
 * @property {(frameIndex: number) => void} show
 * @property {() => void} changed it plays, pauses, waits or goes on waiting for another frame
 */

/** Where the image does not say how long a frame takes. */
const USUAL_MS = 100;

/** No screen shows more than this many frames a second, no reader sees them. */
const FASTEST = 60;

/** Frames a second to choose from. */
export const RATES = [1, 2, 5, 10, 15, 20, 25, 30, 45, FASTEST];

export class Cine {
  playing = false;
  loops = true;
  /** @type {number | null} the frame that is to be shown next and is not here yet */
  waitingFor = null;
  #host;
  /** @type {number | null} frames a second that the reader chose */
  #chosen = null;
  /** When the next frame is due, in ms of `performance.now()`. */
  #dueMs = 0;
  #request = 0;

  /** @param {CineHost} host */
  constructor(host) {
    this.#host = host;
  }

  /** Frames a second that the reader chose, or null for those of the image. */
  get chosenRate() {
    return this.#chosen;
  }

  set chosenRate(rate) {
    this.#chosen = rate;
    this.#dueMs = Math.min(this.#dueMs, performance.now() + this.#durationMs);
    this.#host.changed();
  }

  /** Frames a second that the image asks for, or null. */
  get ownRate() {
    const ms = this.#host.frameTimeMs(this.#host.frameIndex);
    return ms ? Math.min(FASTEST, 1000 / ms) : null;
  }

  /** Frames a second. */
  get rate() {
    return this.#chosen ?? this.ownRate ?? 1000 / USUAL_MS;
  }

  get #durationMs() {
    return 1000 / this.rate;
  }

  play() {
    if (this.playing || this.#host.frameCount < 2) return;
    this.playing = true;
    this.#dueMs = performance.now() + this.#durationMs;
    this.#request = requestAnimationFrame((now) => this.#tick(now));
    this.#host.changed();
  }

  pause() {
    if (!this.playing) return;
    this.playing = false;
    this.waitingFor = null;
    cancelAnimationFrame(this.#request);
    this.#host.changed();
  }

  toggle() {
    if (this.playing) this.pause();
    else this.play();
  }

  /** @param {1 | -1} direction to the next rate above or below */
  changeRate(direction) {
    const { rate } = this;
    const next =
      direction > 0
        ? RATES.find((candidate) => candidate > rate)
        : RATES.findLast((candidate) => candidate < rate);
    if (next) this.chosenRate = next;
  }

  /** @param {number} now ms */
  #tick(now) {
    if (now >= this.#dueMs) this.#advance(now);
    // asked for last, so that what has been shown is drawn before the next one replaces it
    if (this.playing) this.#request = requestAnimationFrame((later) => this.#tick(later));
  }

  /** @param {number} now ms */
  #advance(now) {
    const { frameIndex, frameCount } = this.#host;
    const isLast = frameIndex + 1 >= frameCount;
    if (isLast && !this.loops) {
      this.pause();
      return;
    }
    const next = isLast ? 0 : frameIndex + 1;
    if (!this.#host.isHeld(next)) {
      if (this.waitingFor === next) return;
      this.waitingFor = next;
      this.#host.changed();
      return;
    }
    this.waitingFor = null;
    // what is late stays late: frames are not hurried through to catch up
    this.#dueMs = Math.max(this.#dueMs + this.#durationMs, now);
    this.#host.show(next);
  }
}
