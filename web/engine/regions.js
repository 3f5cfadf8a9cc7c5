/**
 * @typedef {object} RegionPicture a window of a resolution level of a frame: stored values as decoded
 * @property {import('../../wasm/codec.js').StoredValues} data row-major, samples interleaved
 * @property {number} left of the window, in pixels of the level
 * @property {number} top
 * @property {number} columns
 * @property {number} rows
 * @property {number} samplesPerPixel
 * @property {number} resolutionLevel
 * @property {number} decompositionLevels
 *
 * @typedef {import('./frame-store.js').StoredFrame} StoredFrame
 */

/** So many are kept: what is seen now, and what may be after the next pan or zoom. */
const MOST = 3;

/** What a store without any gives, always the same. @type {readonly RegionPicture[]} */
const NONE = [];

/** Windows of the one vast frame that is looked at; its levels below them are in the `FrameStore`. */
export class RegionStore {
  #frameIndex = -1;
  /** @type {readonly RegionPicture[]} the finest last; never changed, so that another one is told by its identity */
  #regions = NONE;

  /**
   * @param {number} frameIndex
   * @param {StoredFrame} picture as the decoder gave it
   * @param {[left: number, top: number, right: number, bottom: number]} box
   */
  put(frameIndex, picture, [left, top]) {
    const { data, columns, rows, samplesPerPixel } = picture;
    const { resolutionLevel, decompositionLevels } = picture;
    const size = { left, top, columns, rows, samplesPerPixel };
    const region = { data, ...size, resolutionLevel, decompositionLevels };
    const others = frameIndex === this.#frameIndex ? this.#regions : NONE;
    const kept = others.filter((other) => !replaces(region, other)).slice(1 - MOST);
    this.#frameIndex = frameIndex;
    this.#regions = [...kept, region].sort((a, b) => a.resolutionLevel - b.resolutionLevel);
  }

  /**
   * @param {number} frameIndex
   * @returns {readonly RegionPicture[]} to be drawn in this order
   */
  of(frameIndex) {
    return frameIndex === this.#frameIndex ? this.#regions : NONE;
  }

  /** @param {number} frameIndex */
  delete(frameIndex) {
    if (frameIndex === this.#frameIndex) this.clear();
  }

  clear() {
    this.#frameIndex = -1;
    this.#regions = NONE;
  }

  /** Bytes of all arrays held. */
  get bytes() {
    return this.#regions.reduce((sum, { data }) => sum + data.byteLength, 0);
  }
}

/**
 * Whether one shows all of another, no coarser.
 *
 * @param {RegionPicture} region
 * @param {RegionPicture} other
 */
function replaces(region, other) {
  const size = 2 ** (region.resolutionLevel - other.resolutionLevel);
  return (
    size >= 1 &&
    region.left <= other.left * size &&
    region.top <= other.top * size &&
    region.left + region.columns >= (other.left + other.columns - 1) * size &&
    region.top + region.rows >= (other.top + other.rows - 1) * size
  );
}
