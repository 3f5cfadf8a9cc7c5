/**
 * The one interface every codec folder satisfies. A codec runs in a decoder worker, holds no state
 * between calls, and converts its library's own words ("reduce", "decode level") to the standard's.
 *
 * @typedef {object} ImageShape what DICOM says of the full image; checked against the stream before memory is taken
 * @property {number} rows
 * @property {number} columns
 * @property {number} samplesPerPixel
 * @property {number} bitsAllocated
 * @property {number} bitsStored
 * @property {number} pixelRepresentation 0 unsigned, 1 signed two's complement
 *
 * @typedef {object} Pixels stored values, row-major, samples interleaved; the caller owns `data` (never a view into a WASM heap)
 * @property {Uint8Array | Int8Array | Uint16Array | Int16Array} data
 * @property {number} rows
 * @property {number} columns
 * @property {number} samplesPerPixel
 *
 * @typedef {object} Codec
 * @property {string} name
 * @property {() => void} warm runs small decodes so that the first real one is not the slow one
 * @property {(bytes: Uint8Array, resolutionLevel: number, decompositionLevels: number, image: ImageShape) => Pixels} decode
 *   reconstructs resolution level `resolutionLevel` (0 is the smallest, `decompositionLevels` the full image) from a
 *   prefix of the codestream that is complete for it; throws `CodecError`
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
