/**
 * JPEG baseline and extended (ISO/IEC 10918-1, processes 1, 2 and 4): 8 bits over libjpeg-turbo compiled to WASM, 12 bits
 * in `extended.js`. README.md lists what this wrapper corrects.
 */

import factory from '@cornerstonejs/codec-libjpeg-turbo-8bit/decodewasmjs';
import { CodecError, checkOnlyLevel } from '../codec.js';
import {
  APP0,
  APP14,
  SOF_BASELINE,
  SOF_EXTENDED,
  SOF_PROGRESSIVE,
  checkFrame,
  readFrameHeader,
  readHeaders,
} from '../jpeg/segments.js';
import { refuseThrown, startModule } from '../module.js';
import { storedValues } from '../samples.js';
import { decodeExtended } from './extended.js';

/** @import { LibjpegTurboModule } from '@cornerstonejs/codec-libjpeg-turbo-8bit/decodewasmjs' */
/** @import { Codec, ImageShape, Pixels } from '../codec.js' */
/** @import { FrameHeader, Segment } from '../jpeg/segments.js' */

/** JPEG addresses no more than 65,535 x 65,535; this much of it leaves room in 2 GiB. */
const MAX_SAMPLES = 400_000_000;

const ADOBE_TRANSFORM = 15; // offset of the transform flag from APP14: 1 says YCbCr

/**
 * @typedef {object} LibjpegTurboOptions
 * @property {string} [wasmUrl] where the WASM lies; beside the library's script when absent (Node)
 * @property {number} [maxSamples] larger pictures are refused
 */

/**
 * Fetches, compiles and starts the decoder.
 *
 * @param {LibjpegTurboOptions} [options]
 * @returns {Promise<Codec>}
 */
export async function loadLibjpegTurbo({ wasmUrl, maxSamples = MAX_SAMPLES } = {}) {
  return new LibjpegTurbo(await startModule(factory, { wasmUrl }), maxSamples);
}

/** @implements {Codec} */
class LibjpegTurbo {
  name = 'libjpeg-turbo';
  #module;
  #maxSamples;

  /**
   * @param {LibjpegTurboModule} module
   * @param {number} maxSamples
   */
  constructor(module, maxSamples) {
    this.#module = module;
    this.#maxSamples = maxSamples;
  }

  heapBytes() {
    return this.#module.HEAPU8.length;
  }

  warm() {
    return false;
  }

  /**
   * @param {Uint8Array} bytes
   * @param {number} resolutionLevel
   * @param {number} decompositionLevels
   * @param {ImageShape} image
   * @param {number} [maxSamples]
   * @returns {Pixels}
   */
  decode(bytes, resolutionLevel, decompositionLevels, image, maxSamples = this.#maxSamples) {
    checkOnlyLevel(resolutionLevel, decompositionLevels);
    const headers = readHeaders(bytes);
    const frame = readFrameHeader(bytes, headers);
    checkFrame(frame, image, Math.min(maxSamples, this.#maxSamples));
    const { rows, columns, precision } = frame;
    const samples = this.#decodeFrame(bytes, headers, frame, image);
    return {
      data: storedValues(samples, 0, { precision, isSigned: false }, image),
      rows,
      columns,
      samplesPerPixel: frame.components.length,
    };
  }

  /**
   * @param {Uint8Array} bytes
   * @param {Segment[]} headers
   * @param {FrameHeader} frame
   * @param {ImageShape} image
   */
  #decodeFrame(bytes, headers, frame, image) {
    const { marker, precision } = frame;
    const count = frame.components.length;
    if (precision === 12 && marker === SOF_EXTENDED) return decodeExtended(bytes, headers, frame);
    if (precision !== 8 || ![SOF_BASELINE, SOF_EXTENDED, SOF_PROGRESSIVE].includes(marker)) {
      const process = marker.toString(16);
      throw new CodecError(
        'UnsupportedTransferSyntax',
        `JPEG with frame header ${process} and ${precision} bits a sample`,
      );
    }
    if (count === 1) return this.#decode8([bytes], frame);
    if (count === 3) return this.#decode8(withoutGuessing(bytes, headers, image), frame);
    throw new CodecError('UnsupportedTransferSyntax', `JPEG with ${count} samples a pixel`);
  }

  /**
   * @param {Uint8Array[]} pieces
   * @param {FrameHeader} frame
   */
  #decode8(pieces, { rows, columns, components }) {
    const decoder = new this.#module.JPEGDecoder();
    try {
      const input = decoder.getEncodedBuffer(pieces.reduce((sum, { length }) => sum + length, 0));
      let at = 0;
      for (const piece of pieces) {
        input.set(piece, at);
        at += piece.length;
      }
      // the module does not give the text that the pointer stands for
      refuseThrown(
        () => decoder.decode(),
        () => 'the JPEG stream is cut or damaged',
      );
      const decoded = decoder.getDecodedBuffer();
      if (decoded.length !== rows * columns * components.length) {
        throw new CodecError('DecodeError', 'the decoder returned another picture than announced');
      }
      return decoded.slice(); // out of the heap, which the next growth would move
    } finally {
      decoder.delete();
    }
  }
}

/**
 * The stream with an Adobe segment of ours in place of all that the library guesses the colour space from, so that it
 * converts only where Photometric Interpretation asks for RGB of a stream that says it is YCbCr.
 *
 * @param {Uint8Array} bytes
 * @param {Segment[]} headers
 * @param {ImageShape} image
 * @returns {Uint8Array[]}
 */
function withoutGuessing(bytes, headers, { photometricInterpretation }) {
  const isHint = /** @param {Segment} segment */ ({ marker }) =>
    marker === APP0 || marker === APP14;
  const isConverted = photometricInterpretation === 'RGB' && saysYcc(bytes, headers);
  const adobe = Uint8Array.of(
    ...[0xff, APP14, 0, 14, 0x41, 0x64, 0x6f, 0x62, 0x65], // "Adobe"
    ...[0, 100, 0, 0, 0, 0, isConverted ? 1 : 0],
  );
  const kept = headers.filter((segment) => !isHint(segment));
  const rest = bytes.subarray(headers.at(-1)?.stop);
  return [
    bytes.subarray(0, 2),
    adobe,
    ...kept.map(({ start, stop }) => bytes.subarray(start, stop)),
    rest,
  ];
}

/**
 * Whether the stream itself says that its components are YCbCr: by its Adobe segment, or else by a JFIF segment.
 *
 * @param {Uint8Array} bytes
 * @param {Segment[]} headers
 */
function saysYcc(bytes, headers) {
  /** @param {number} marker @param {string} name */
  const find = (marker, name) =>
    headers.find(
      ({ marker: other, start }) =>
        other === marker &&
        String.fromCharCode(...bytes.subarray(start + 4, start + 4 + name.length)) === name,
    );
  const adobe = find(APP14, 'Adobe');
  if (adobe !== undefined && adobe.start + ADOBE_TRANSFORM < adobe.stop) {
    return bytes[adobe.start + ADOBE_TRANSFORM] === 1;
  }
  return find(APP0, 'JFIF') !== undefined;
}
