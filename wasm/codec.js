/**
 * The one interface every codec folder satisfies. A codec runs in a decoder worker, holds no state
 * between calls, and converts its library's own words ("reduce", "decode level") to the standard's.
 *
 * @typedef {object} ImageShape what DICOM says of the full image; checked against the stream before memory is taken
 * @property {number} rows
 * @property {number} columns
 * @property {number} samplesPerPixel
 * @property {number} bitsAllocated 1, 8, 16 or 32; 64 of floats
 * @property {number} bitsStored
 * @property {number} pixelRepresentation 0 unsigned, 1 signed two's complement
 * @property {number} [highBit] where it is absent or impossible, `bitsStored - 1`
 * @property {number} [planarConfiguration] 1: uncompressed samples lie colour by colour
 * @property {string} [photometricInterpretation] says whether uncompressed chroma is shared by two pixels, and how the
 *   components of a JPEG stream are to be read
 * @property {boolean} [isFloat] the pixels are those of Float Pixel Data, or with 64 bits of Double Float Pixel Data
 * @property {string} [valueRepresentation] of Pixel Data; 'OW' swaps the bytes of big-endian samples of up to 8 bits
 * @property {number} [firstBit] bits of the first byte that belong to the frame before; only with 1 bit allocated
 * @property {boolean} [hasOwnSize] the stream is another representation of the frame (a thumbnail): its size is its own,
 *   `rows` and `columns` are the most it may have
 * @property {boolean} [wantsCells] an overlay lies in bits outside of Bits Stored: `cells` are to come along
 *
 * @typedef {Uint8Array<ArrayBuffer> | Int8Array<ArrayBuffer> | Uint16Array<ArrayBuffer> | Int16Array<ArrayBuffer> |
 *   Uint32Array<ArrayBuffer> | Int32Array<ArrayBuffer> | Float32Array<ArrayBuffer>} StoredValues
 *
 * @typedef {object} Pixels stored values, row-major, samples interleaved; the caller owns `data` (never a view into a
 *   WASM heap). Below the full image the wavelet may overshoot: values can leave the range of Bits Stored, never that
 *   of the array, so lookup tables clamp.
 * @property {StoredValues} data elements of 8 bits for Bits Allocated 1 and 8, else of as many as are allocated; signed as
 *   Pixel Representation says. Colour is as in the stream (YBR stays YBR, a palette index stays one), except that the
 *   colour transform of JPEG 2000 is undone
 * @property {number} rows
 * @property {number} columns
 * @property {number} samplesPerPixel
 * @property {Uint8Array<ArrayBuffer> | Uint16Array<ArrayBuffer>} [cells] the pixel cells as they were coded, with all their
 *   bits, where they were wanted and have others than Bits Stored
 * @property {boolean} [isRounded] some of `data` are the nearest of 32 bits to floats of 64
 *
 * @typedef {object} Codec
 * @property {string} name
 * @property {() => boolean} warm one small decode, so that the first real one is not the slow one; true while another is of use
 * @property {() => number} heapBytes memory held; WASM memory grows and never shrinks
 * @property {(bytes: Uint8Array, resolutionLevel: number, decompositionLevels: number, image: ImageShape, maxSamples?: number) => Pixels} decode
 *   reconstructs resolution level `resolutionLevel` (0 is the smallest, `decompositionLevels` the full image) from a
 *   prefix of the codestream; that it is complete for this level is the caller's knowledge. A full image of more than
 *   `maxSamples`, or of what the codec itself can take, is `LimitExceeded`. Throws `CodecError`; after anything else
 *   that it throws (a trap) the instance must not be used again
 */

/** A refusal, with a name of `py/firstlight/errors.py` as its type. */
export class CodecError extends Error {
  /**
   * @param {'DecodeError' | 'MalformedCodestream' | 'LimitExceeded' | 'UnsupportedTransferSyntax'} type
   * @param {string} message
   * @param {{mayBeLegal?: boolean}} [options] `mayBeLegal`: the library refused what its wrapper found in order, so
   *   another library may read it
   */
  constructor(type, message, { mayBeLegal = false } = {}) {
    super(message);
    this.name = 'CodecError';
    this.type = type;
    this.mayBeLegal = mayBeLegal;
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

/**
 * Refuses any level but the only one that a codec without resolution levels has.
 *
 * @param {number} resolutionLevel
 * @param {number} decompositionLevels
 */
export function checkOnlyLevel(resolutionLevel, decompositionLevels) {
  if (resolutionLevel === 0 && decompositionLevels === 0) return;
  throw new CodecError(
    'DecodeError',
    `no resolution level ${resolutionLevel} of ${decompositionLevels}: this coding has one`,
  );
}

/**
 * Refuses a shape that no pixel can have, or more samples than are allowed.
 *
 * @param {ImageShape} image
 * @param {number} maxSamples
 * @returns {number} samples of the full image
 */
export function checkShape(image, maxSamples) {
  const { rows, columns, samplesPerPixel, bitsAllocated, bitsStored } = image;
  for (const count of [rows, columns, samplesPerPixel]) {
    if (!Number.isInteger(count) || count < 1) {
      throw new CodecError('DecodeError', `no image: ${columns} x ${rows} x ${samplesPerPixel}`);
    }
  }
  if (image.hasOwnSize) {
    throw new CodecError('UnsupportedTransferSyntax', 'this coding does not say its own size');
  }
  if (![1, 8, 16, 32].includes(bitsAllocated) && !(image.isFloat && bitsAllocated === 64)) {
    throw new CodecError('UnsupportedTransferSyntax', `${bitsAllocated} bits allocated`);
  }
  if (!image.isFloat && !(bitsStored >= 1 && bitsStored <= bitsAllocated)) {
    throw new CodecError('DecodeError', `${bitsStored} bits stored of ${bitsAllocated} allocated`);
  }
  return checkCount(image, maxSamples);
}

/**
 * Refuses a stream that is too large, or is not the image DICOM announces.
 *
 * @param {{rows: number, columns: number, samplesPerPixel: number}} found what the stream says of itself
 * @param {ImageShape} image
 * @param {number} maxSamples
 */
export function checkAnnounced(found, image, maxSamples) {
  checkCount(found, maxSamples);
  if (image.hasOwnSize) {
    if (found.rows > image.rows || found.columns > image.columns) {
      const most = `${image.columns} x ${image.rows}`;
      throw new CodecError('LimitExceeded', `${sizeOf(found)} samples where ${most} are the most`);
    }
    if (found.samplesPerPixel === image.samplesPerPixel) return;
  }
  if (sizeOf(found) === sizeOf(image)) return;
  throw new CodecError(
    'DecodeError',
    `${sizeOf(found)} samples where DICOM announces ${sizeOf(image)}`,
  );
}

/**
 * Refuses more samples than are allowed.
 *
 * @param {{rows: number, columns: number, samplesPerPixel: number}} size
 * @param {number} maxSamples
 * @returns {number} samples of the full image
 */
export function checkCount(size, maxSamples) {
  const samples = size.rows * size.columns * size.samplesPerPixel;
  if (samples <= maxSamples) return samples;
  throw new CodecError('LimitExceeded', `${sizeOf(size)} samples are more than ${maxSamples}`);
}

/** @param {{rows: number, columns: number, samplesPerPixel: number}} size */
function sizeOf({ rows, columns, samplesPerPixel }) {
  return `${columns} x ${rows} x ${samplesPerPixel}`;
}
