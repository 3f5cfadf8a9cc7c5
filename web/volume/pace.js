/** How finely a plane is drawn while it moves, and when it rests; learnt from what draws have cost. */

/** A draw may take so long while something moves, in ms: three planes and the page share a frame's 16 ms and the next. */
const MOVING_MS = 12;

/** And so long at rest, once. */
const RESTING_MS = 250;

/** It rests after so long without a change, in ms. */
const REST_AFTER_MS = 150;

/** What a sample costs before anything has been drawn, in ms. */
const FIRST_GUESS_MS = 2e-5;

/** Coarser than this nothing is to be seen any more, in device px. */
const COARSEST_PX = 4;

/** Beyond so many device px for a voxel nobody sees whether the window was applied before or after interpolation. */
const LARGEST_ENLARGEMENT = 6;

/** A pixel is averaged from at most so many samples each way. */
const MOST_AVERAGED = 4;

export class Pace {
  #sampleMs = FIRST_GUESS_MS;
  #moving = false;
  #coarse = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #rest;

  /** @param {() => void} rest called when a finer draw is due */
  constructor(rest) {
    this.#rest = rest;
  }

  /** Something moves: the next draws are to be quick. */
  moved() {
    this.#moving = true;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#moving = false;
      if (this.#coarse) this.#rest();
    }, REST_AFTER_MS);
  }

  /** Nothing moves any more. */
  atRest() {
    clearTimeout(this.#timer);
    this.#moving = false;
  }

  /**
   * @param {number} voxelPx device px that a voxel covers
   * @param {number} samples of a draw with one for each device px
   * @param {boolean} linear
   * @returns {{size: number, average: number}} device px for a pixel; samples each way that are averaged for it
   */
  resolution(voxelPx, samples, linear) {
    const enlarge = linear ? Math.max(1, Math.floor(voxelPx / LARGEST_ENLARGEMENT)) : 1;
    const average = Math.min(Math.max(1, Math.floor(1 / voxelPx + 1e-9)), MOST_AVERAGED);
    const cost = (samples / enlarge ** 2) * average ** 2 * this.#sampleMs;
    const budget = this.#moving ? MOVING_MS : RESTING_MS;
    const coarser = Math.min(Math.max(1, Math.ceil(Math.sqrt(cost / budget))), COARSEST_PX);
    this.#coarse = this.#moving && coarser > 1;
    return {
      size: enlarge * coarser,
      average: coarser > 1 && this.#moving ? 1 : average,
    };
  }

  /**
   * @param {number} elapsedMs
   * @param {number} samples
   */
  took(elapsedMs, samples) {
    const one = elapsedMs / Math.max(1, samples);
    this.#sampleMs += (one - this.#sampleMs) / 4;
  }

  /** Another renderer draws from now on. */
  forget() {
    this.#sampleMs = FIRST_GUESS_MS;
  }

  stop() {
    clearTimeout(this.#timer);
  }
}
