/**
 * @typedef {object} StoredFrame the best picture held of a frame: stored values as decoded
 * @property {import('../../wasm/codec.js').StoredValues} data row-major, samples interleaved
 * @property {number} rows
 * @property {number} columns
 * @property {number} samplesPerPixel
 * @property {Uint8Array | Uint16Array} [cells] the pixel cells with all their bits, where an overlay lies in those
 * @property {boolean} [isRounded] some of `data` are the nearest of 32 bits to floats of 64
 * @property {number} resolutionLevel
 * @property {number} decompositionLevels
 * @property {string | null} [quality] name of Python's `Quality`; without one it follows from the levels
 * @property {number | null} [representation] of the frame; 0, and nothing, is the frame itself
 */

/** What pictures may count as, the worst first: `py/firstlight/retrieve/status.py`. */
const QUALITIES = ['SUBRESOLUTION', 'LOSSY', 'FULL_RESOLUTION'];

/** @param {StoredFrame} frame */
function rank({ quality, resolutionLevel, decompositionLevels }) {
  const isFull = resolutionLevel === decompositionLevels;
  return QUALITIES.indexOf(quality || (isFull ? 'FULL_RESOLUTION' : 'SUBRESOLUTION'));
}

/**
 * Of pictures that are worth the same, the later has been decoded from more bytes.
 *
 * @param {StoredFrame} frame
 * @param {StoredFrame} held
 */
function replaces(frame, held) {
  const [better, worse] = [rank(frame), rank(held)];
  if (better !== worse) return better > worse;
  return better > 0 || frame.rows * frame.columns >= held.rows * held.columns;
}

/** Decoded arrays by frame. Python decides what is dropped; nothing here is ever replaced by less. */
export class FrameStore {
  /** @type {Map<number, StoredFrame>} */
  #frames = new Map();

  /**
   * @param {number} frameIndex
   * @param {StoredFrame} frame
   * @returns {boolean} false when a better picture is held already
   */
  put(frameIndex, frame) {
    const held = this.#frames.get(frameIndex);
    if (held !== undefined && !replaces(frame, held)) return false;
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
    for (const { data, cells } of this.#frames.values()) {
      total += data.byteLength + (cells?.byteLength ?? 0);
    }
    return total;
  }
}
