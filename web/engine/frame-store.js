/**
 * @typedef {object} StoredFrame the best picture held of a frame: stored values as decoded
 * @property {Uint8Array | Int8Array | Uint16Array | Int16Array} data row-major, samples interleaved
 * @property {number} rows
 * @property {number} columns
 * @property {number} samplesPerPixel
 * @property {number} resolutionLevel
 * @property {number} decompositionLevels
 */

/** Decoded arrays by frame. Python decides what is dropped; nothing here is ever replaced by less. */
export class FrameStore {
  /** @type {Map<number, StoredFrame>} */
  #frames = new Map();

  /**
   * @param {number} frameIndex
   * @param {StoredFrame} frame
   * @returns {boolean} false when a picture as good is held already
   */
  put(frameIndex, frame) {
    const held = this.#frames.get(frameIndex);
    if (held !== undefined && held.resolutionLevel >= frame.resolutionLevel) return false;
    this.#frames.set(frameIndex, frame);
    return true;
  }

  /** @param {number} frameIndex */
  get(frameIndex) {
    return this.#frames.get(frameIndex);
  }

  /** @param {number} frameIndex */
  delete(frameIndex) {
    this.#frames.delete(frameIndex);
  }

  clear() {
    this.#frames.clear();
  }

  /** Bytes of all arrays held. */
  get bytes() {
    let total = 0;
    for (const { data } of this.#frames.values()) total += data.byteLength;
    return total;
  }
}
