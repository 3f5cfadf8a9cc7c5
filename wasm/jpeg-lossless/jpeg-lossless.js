/**
 * Lossless JPEG with Huffman coding (ISO/IEC 10918-1 annex H, process 14). README.md says why this one is our own.
 */

import { CodecError, checkOnlyLevel } from '../codec.js';
import { BitReader } from '../jpeg/huffman.js';
import { forEachScan } from '../jpeg/scans.js';
import {
  SOF_LOSSLESS,
  checkFrame,
  malformed,
  readFrameHeader,
  readHeaders,
} from '../jpeg/segments.js';
import { storedValues } from '../samples.js';

/** @import { HuffmanTable } from '../jpeg/huffman.js' */
/** @import { FrameHeader } from '../jpeg/segments.js' */
/** @import { Scan } from '../jpeg/scans.js' */
/** @import { Codec, ImageShape, Pixels } from '../codec.js' */

/** What the other codecs allow. */
const MAX_SAMPLES = 400_000_000;

/**
 * @param {{maxSamples?: number}} [options]
 * @returns {Codec}
 */
export function createJpegLossless({ maxSamples = MAX_SAMPLES } = {}) {
  return {
    name: 'jpeg-lossless',
    warm: () => false,
    heapBytes: () => 0,
    decode: (bytes, resolutionLevel, decompositionLevels, image, most = maxSamples) => {
      checkOnlyLevel(resolutionLevel, decompositionLevels);
      return decode(bytes, image, Math.min(most, maxSamples));
    },
  };
}

/**
 * @param {Uint8Array} bytes
 * @param {ImageShape} image
 * @param {number} maxSamples
 * @returns {Pixels}
 */
function decode(bytes, image, maxSamples) {
  const headers = readHeaders(bytes);
  const frame = readFrameHeader(bytes, headers);
  if (frame.marker !== SOF_LOSSLESS) {
    throw new CodecError('UnsupportedTransferSyntax', 'a JPEG stream that is not lossless');
  }
  checkFrame(frame, image, maxSamples);
  if (
    frame.components.some(
      (c) =>
        c.horizontal !== frame.components[0].horizontal ||
        c.vertical !== frame.components[0].vertical,
    )
  ) {
    throw new CodecError('UnsupportedTransferSyntax', 'subsampled components, lossless');
  }
  const { rows, columns, precision } = frame;
  const samplesPerPixel = frame.components.length;
  const samples = new Uint16Array(rows * columns * samplesPerPixel);
  forEachScan(bytes, headers, frame, true, (scan) => decodeScan(bytes, scan, frame, samples));
  return {
    data: storedValues(samples, 0, { precision, isSigned: false }, image),
    rows,
    columns,
    samplesPerPixel,
  };
}

/**
 * Fills the samples of the scan's components, row by row: a scan of several has one of each in turn.
 *
 * @param {Uint8Array} bytes
 * @param {Scan} scan
 * @param {FrameHeader} frame
 * @param {Uint16Array} samples
 */
function decodeScan(bytes, scan, frame, samples) {
  const { predictor, pointTransform, restartInterval } = scan;
  if (predictor < 1 || predictor > 7) throw malformed(`predictor ${predictor}`);
  if (pointTransform >= frame.precision) throw malformed(`point transform ${pointTransform}`);
  if (restartInterval % frame.columns !== 0) throw malformed('a restart within a row');
  const restartRows = restartInterval / frame.columns;
  const reader = new BitReader(bytes, scan.start);
  const step = frame.components.length;
  const stride = frame.columns * step;
  const start = 1 << (frame.precision - pointTransform - 1);
  for (let row = 0; row < frame.rows; row++) {
    const isFirst = restartRows === 0 ? row === 0 : row % restartRows === 0;
    if (isFirst && row > 0) reader.restart();
    const rowStart = row * stride;
    for (let at = rowStart; at < rowStart + stride; at += step) {
      for (const { index, dc } of scan.components) {
        const here = at + index;
        const isLeft = at === rowStart;
        const predicted = isFirst
          ? isLeft
            ? start
            : samples[here - step]
          : isLeft
            ? samples[here - stride]
            : predict(samples, here, step, stride, predictor);
        samples[here] = predicted + difference(reader, dc); // modulo 2^16, as H.1.2.1 has it
      }
    }
  }
  if (pointTransform > 0) shift(samples, scan, step);
  return reader.finish();
}

/**
 * @param {Uint16Array} samples
 * @param {number} here
 * @param {number} step to the sample on the left
 * @param {number} stride to the sample above
 * @param {number} predictor table H.1
 */
function predict(samples, here, step, stride, predictor) {
  const a = samples[here - step];
  const b = samples[here - stride];
  const c = samples[here - stride - step];
  switch (predictor) {
    case 1:
      return a;
    case 2:
      return b;
    case 3:
      return c;
    case 4:
      return a + b - c;
    case 5:
      return a + ((b - c) >> 1);
    case 6:
      return b + ((a - c) >> 1);
    default:
      return (a + b) >> 1;
  }
}

/**
 * @param {BitReader} reader
 * @param {HuffmanTable} table
 */
function difference(reader, table) {
  const length = reader.decode(table);
  if (length > 16) throw new CodecError('DecodeError', `a difference of ${length} bits`);
  return length === 16 ? 32768 : reader.receiveExtended(length);
}

/**
 * @param {Uint16Array} samples
 * @param {Scan} scan
 * @param {number} step
 */
function shift(samples, { components, pointTransform }, step) {
  for (const { index } of components) {
    for (let at = index; at < samples.length; at += step) samples[at] <<= pointTransform;
  }
}
