/**
 * Uncompressed pixels (PS3.5 8.1, 8.2, A.1 to A.3, A.4.11): bytes put in order, nothing decoded. README.md.
 */

import { CodecError, checkOnlyLevel, checkShape } from '../codec.js';
import { cellType, fromCells, interleaved, unpackBits } from '../samples.js';

/** @import { Codec, ImageShape, Pixels, StoredValues } from '../codec.js' */

/** What the other codecs allow. */
const MAX_SAMPLES = 400_000_000;

const HAS_SHARED_CHROMA = ['YBR_FULL_422', 'YBR_PARTIAL_422'];

/**
 * @param {{isBigEndian: boolean, maxSamples?: number}} options
 * @returns {Codec}
 */
export function createNative({ isBigEndian, maxSamples = MAX_SAMPLES }) {
  return {
    name: isBigEndian ? 'native-be' : 'native-le',
    warm: () => false,
    heapBytes: () => 0,
    decode: (bytes, resolutionLevel, decompositionLevels, image, most = maxSamples) => {
      checkOnlyLevel(resolutionLevel, decompositionLevels);
      return readNative(bytes, image, isBigEndian, Math.min(most, maxSamples));
    },
  };
}

/**
 * @param {Uint8Array} bytes
 * @param {ImageShape} image
 * @param {boolean} isBigEndian
 * @param {number} maxSamples
 * @returns {Pixels}
 */
export function readNative(bytes, image, isBigEndian, maxSamples) {
  const samples = checkShape(image, maxSamples);
  const { rows, columns, samplesPerPixel, bitsAllocated, isFloat } = image;
  if (isFloat && bitsAllocated < 32) {
    throw new CodecError('UnsupportedTransferSyntax', `floats of ${bitsAllocated} bits`);
  }
  const hasSharedChroma = isSharingChroma(image);
  const stored = hasSharedChroma ? (samples / 3) * 2 : samples;
  const firstBit = bitsAllocated === 1 ? (image.firstBit ?? 0) : 0;
  // big-endian words hold two samples of 8 bits each, the second one first (PS3.5 8.1.1)
  const isSwapped = isBigEndian && bitsAllocated <= 8 && image.valueRepresentation === 'OW';
  const unit = isSwapped ? 2 : 1;
  const needed = Math.ceil((firstBit + stored * bitsAllocated) / 8 / unit) * unit;
  if (bytes.length < needed) {
    throw new CodecError('DecodeError', `${bytes.length} bytes where the image has ${needed}`);
  }
  const ordered = isSwapped ? swapped(bytes.subarray(0, needed), 2) : bytes;
  const { data, ...rest } =
    bitsAllocated === 1
      ? { data: unpackBits(ordered, firstBit, stored) }
      : readCells(ordered, stored, isBigEndian, image);
  return { data: arranged(data, image, hasSharedChroma), rows, columns, samplesPerPixel, ...rest };
}

/** @param {ImageShape} image */
function isSharingChroma({
  photometricInterpretation = '',
  samplesPerPixel,
  columns,
  bitsAllocated,
}) {
  if (!HAS_SHARED_CHROMA.includes(photometricInterpretation) || samplesPerPixel !== 3) return false;
  if (columns % 2 === 0 && bitsAllocated >= 8) return true;
  throw new CodecError('DecodeError', `${photometricInterpretation} with ${columns} columns`);
}

/**
 * @param {Uint8Array} bytes
 * @param {number} count
 * @param {boolean} isBigEndian
 * @param {ImageShape} image
 */
function readCells(bytes, count, isBigEndian, image) {
  const Cells = cellType(image);
  const raw = bytes.subarray(0, count * Cells.BYTES_PER_ELEMENT);
  const { buffer } = isBigEndian ? swapped(raw, Cells.BYTES_PER_ELEMENT) : raw.slice();
  return fromCells(new Cells(/** @type {ArrayBuffer} */ (buffer)), image);
}

/**
 * @param {StoredValues} data
 * @param {ImageShape} image
 * @param {boolean} hasSharedChroma
 */
function arranged(data, image, hasSharedChroma) {
  if (hasSharedChroma) return withRepeatedChroma(data);
  const { samplesPerPixel, planarConfiguration } = image;
  return samplesPerPixel > 1 && planarConfiguration === 1
    ? interleaved(data, samplesPerPixel)
    : data;
}

/**
 * Y Y Cb Cr for two pixels becomes Y Cb Cr for each (PS3.3 C.7.6.3.1.2).
 *
 * @param {StoredValues} shared
 * @returns {StoredValues}
 */
function withRepeatedChroma(shared) {
  const Cells = /** @type {Uint8ArrayConstructor} */ (shared.constructor);
  const pixels = new Cells((shared.length / 2) * 3);
  for (let from = 0, to = 0; from < shared.length; from += 4, to += 6) {
    pixels[to] = shared[from];
    pixels[to + 3] = shared[from + 1];
    pixels[to + 1] = pixels[to + 4] = shared[from + 2];
    pixels[to + 2] = pixels[to + 5] = shared[from + 3];
  }
  return pixels;
}

/**
 * A copy with the bytes of each cell in reverse; a last cell that is cut is filled up with zero.
 *
 * @param {Uint8Array} bytes
 * @param {number} cellBytes
 */
function swapped(bytes, cellBytes) {
  const copy = new Uint8Array(Math.ceil(bytes.length / cellBytes) * cellBytes);
  copy.set(bytes);
  if (cellBytes === 1) return copy;
  for (let at = 0; at < copy.length; at += cellBytes) {
    for (let low = at, high = at + cellBytes - 1; low < high; low++, high--) {
      [copy[low], copy[high]] = [copy[high], copy[low]];
    }
  }
  return copy;
}
