/**
 * The one interface every codec folder satisfies. A codec runs in a decoder worker, holds no state
 * between calls, and converts its library's own words ("reduce", "decode level") to the standard's.
 *
 * @typedef {object} ImageShape what DICOM says of the full image; checked against the stream before memory is taken
 * @property {number} rows
 * @property {number} columns
 * @property {number} samplesPerPixel
 * @property {number} bitsAllocated 1, 8 or 16
 * @property {number} bitsStored
 * @property {number} pixelRepresentation 0 unsigned, 1 signed two's complement
 *
 * @typedef {Uint8Array<ArrayBuffer> | Int8Array<ArrayBuffer> | Uint16Array<ArrayBuffer> | Int16Array<ArrayBuffer>} StoredValues
 *
 * @typedef {object} Pixels stored values, row-major, samples interleaved; the caller owns `data` (never a view into a
 *   WASM heap). Below the full image the wavelet may overshoot: values can leave the range of Bits Stored, never that
 *   of the array, so lookup tables clamp.
 * @property {StoredValues} data 8-bit elements for Bits Allocated 1 and 8, else 16-bit; signed as Pixel Representation says
 * @property {number} rows
 * @property {number} columns
 * @property {number} samplesPerPixel
 *
 * @typedef {object} Codec
 * @property {string} name
 * @property {() => boolean} warm one small decode, so that the first real one is not the slow one; true while another is of use
 * @property {() => number} heapBytes memory held; WASM memory grows and never shrinks
 * @property {(bytes: Uint8Array, resolutionLevel: number, decompositionLevels: number, image: ImageShape) => Pixels} decode
 *   reconstructs resolution level `resolutionLevel` (0 is the smallest, `decompositionLevels` the full image) from a
 *   prefix of the codestream; that it is complete for this level is the caller's knowledge. Throws `CodecError`;
 *   after anything else that it throws (a trap) the instance must not be used again
 */

/** A refusal, with a name of `py/firstlight/errors.py` as its type. */
export class CodecError extends Error {
  /**
   * @param {'DecodeError' | 'MalformedCodestream' | 'LimitExceeded' | 'UnsupportedTransferSyntax'} type
   * @param {string} message
   */
  constructor(type, message) {
    super(message);
    this.name = 'CodecError';
    this.type = type;
  }
}

/**
 * Size of one side at a resolution level (ISO/IEC 15444-1 B.5).
 *
 * @param {number} full size of the full image
 * @param {number} levelsBelow decomposition levels minus the resolution level
 */
export function sizeAtLevel(full, levelsBelow) {
  return Math.ceil(full / 2 ** levelsBelow);
}
