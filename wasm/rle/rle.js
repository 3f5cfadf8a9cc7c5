/**
 * RLE Lossless (PS3.5 annex G): byte planes, packed by runs.
 */

import { CodecError, checkOnlyLevel, checkShape } from '../codec.js';
import { cellType, fromCells, unpackBits } from '../samples.js';

/** @import { Codec, ImageShape } from '../codec.js' */

/** What the other codecs allow. */
const MAX_SAMPLES = 400_000_000;

const HEADER_BYTES = 64;
const MAX_SEGMENTS = 15;

/**
 * @param {{maxSamples?: number}} [options]
 * @returns {Codec}
 */
export function createRle({ maxSamples = MAX_SAMPLES } = {}) {
  return {
    name: 'rle',
    warm: () => false,
    heapBytes: () => 0,
    decode: (bytes, resolutionLevel, decompositionLevels, image, most = maxSamples) => {
      checkOnlyLevel(resolutionLevel, decompositionLevels);
      const count = checkShape(image, Math.min(most, maxSamples));
      const { rows, columns, samplesPerPixel } = image;
      return { rows, columns, samplesPerPixel, ...readRle(bytes, image, count) };
    },
  };
}

/**
 * @param {Uint8Array} bytes
 * @param {ImageShape} image
 * @param {number} count samples of the image
 */
function readRle(bytes, image, count) {
  const { samplesPerPixel, bitsAllocated } = image;
  if (bitsAllocated === 1) {
    const packed = new Uint8Array(Math.ceil(count / 8));
    unpackRuns(readSegments(bytes, 1)[0], packed, 0, 1);
    return { data: unpackBits(packed, 0, count) };
  }
  const sampleBytes = bitsAllocated / 8;
  const segments = readSegments(bytes, samplesPerPixel * sampleBytes);
  const ordered = new Uint8Array(count * sampleBytes);
  segments.forEach((segment, index) => {
    const sample = Math.floor(index / sampleBytes);
    // the first segment of a sample has its most significant bytes, the array has them last
    const byte = sampleBytes - 1 - (index % sampleBytes);
    unpackRuns(segment, ordered, sample * sampleBytes + byte, samplesPerPixel * sampleBytes);
  });
  const Cells = cellType(image);
  return fromCells(new Cells(ordered.buffer), image);
}

/**
 * The segments that the header lists (PS3.5 G.5).
 *
 * @param {Uint8Array} bytes
 * @param {number} expected
 */
function readSegments(bytes, expected) {
  if (bytes.length < HEADER_BYTES) {
    throw new CodecError('DecodeError', 'the RLE header is cut');
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const count = view.getUint32(0, true);
  if (count !== expected || count > MAX_SEGMENTS) {
    throw new CodecError('DecodeError', `${count} RLE segments where the image has ${expected}`);
  }
  const starts = Array.from({ length: count }, (_, i) => view.getUint32(4 + 4 * i, true));
  return starts.map((start, i) => {
    const stop = starts[i + 1] ?? bytes.length;
    if (start < HEADER_BYTES || stop < start || stop > bytes.length) {
      throw new CodecError('DecodeError', `RLE segment ${i + 1} lies outside of its frame`);
    }
    return bytes.subarray(start, stop);
  });
}

/**
 * Unpacks one segment into every `step`-th byte from `first` on (PS3.5 G.3.2). Runs may cross rows, and what a segment
 * holds beyond the image is padding.
 *
 * @param {Uint8Array} packed
 * @param {Uint8Array} out
 * @param {number} first
 * @param {number} step
 */
function unpackRuns(packed, out, first, step) {
  let from = 0;
  let to = first;
  while (to < out.length) {
    if (from >= packed.length) throw new CodecError('DecodeError', 'an RLE segment is cut');
    const control = packed[from++];
    if (control === 128) continue;
    const isRun = control > 128;
    const length = isRun ? 257 - control : control + 1;
    if (from + (isRun ? 1 : length) > packed.length) {
      throw new CodecError('DecodeError', 'an RLE segment is cut');
    }
    const stop = Math.min(to + length * step, out.length);
    if (isRun) {
      for (; to < stop; to += step) out[to] = packed[from];
      from += 1;
    } else {
      for (let i = from; to < stop; to += step) out[to] = packed[i++];
      from += length;
    }
  }
}
