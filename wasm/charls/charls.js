/**
 * JPEG-LS (ISO/IEC 14495-1) over CharLS compiled to WASM. README.md lists what this wrapper corrects.
 */

import factory from '@cornerstonejs/codec-charls/decodewasmjs';
import { CodecError, checkOnlyLevel } from '../codec.js';
import {
  SOF_JPEG_LS,
  checkFrame,
  malformed,
  readFrameHeader,
  readHeaders,
} from '../jpeg/segments.js';
import { refuseThrown, startModule } from '../module.js';
import { interleaved, storedValues } from '../samples.js';

/** @import { CharlsModule } from '@cornerstonejs/codec-charls/decodewasmjs' */
/** @import { Codec, ImageShape, Pixels } from '../codec.js' */
/** @import { FrameHeader } from '../jpeg/segments.js' */

/** 800 MB of 16-bit samples; the module addresses 2 GiB. */
const MAX_SAMPLES = 400_000_000;

/** Goes after every stream: at the end of one that is cut the library waits for a marker, and for ever. */
const END_OF_IMAGE = [0xff, 0xd9];

const PLANAR = 0; // interleave mode "none": one scan a component

/**
 * @typedef {object} CharlsOptions
 * @property {string} [wasmUrl] where the WASM lies; beside the library's script when absent (Node)
 * @property {number} [maxSamples] larger pictures are refused
 */

/**
 * Fetches, compiles and starts the decoder.
 *
 * @param {CharlsOptions} [options]
 * @returns {Promise<Codec>}
 */
export async function loadCharls({ wasmUrl, maxSamples = MAX_SAMPLES } = {}) {
  return new Charls(await startModule(factory, { wasmUrl }), maxSamples);
}

/** @implements {Codec} */
class Charls {
  name = 'charls';
  #module;
  #maxSamples;

  /**
   * @param {CharlsModule} module
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
    const frame = readFrameHeader(bytes, readHeaders(bytes));
    if (frame.marker !== SOF_JPEG_LS) throw malformed('a JPEG stream, not JPEG-LS');
    checkFrame(frame, image, Math.min(maxSamples, this.#maxSamples));
    const { rows, columns, precision } = frame;
    const samplesPerPixel = frame.components.length;
    const samples = this.#decodeFrame(bytes, frame);
    return {
      data: storedValues(samples, 0, { precision, isSigned: false }, image),
      rows,
      columns,
      samplesPerPixel,
    };
  }

  /**
   * A decoder for each picture: one that is used again may hand back the picture before.
   *
   * @param {Uint8Array} bytes
   * @param {FrameHeader} frame
   */
  #decodeFrame(bytes, { rows, columns, components, precision }) {
    const decoder = new this.#module.JpegLSDecoder();
    try {
      const input = decoder.getEncodedBuffer(bytes.length + END_OF_IMAGE.length);
      input.set(bytes);
      input.set(END_OF_IMAGE, bytes.length);
      refuseThrown(
        () => decoder.decode(),
        (pointer) => String(this.#module.getExceptionMessage(pointer)),
      );
      const { buffer } = decoder.getDecodedBuffer(); // a copy, outside the heap
      const samples = precision > 8 ? new Uint16Array(buffer) : new Uint8Array(buffer);
      if (samples.length !== rows * columns * components.length) {
        throw new CodecError('DecodeError', 'the decoder returned another picture than announced');
      }
      return components.length > 1 && decoder.getInterleaveMode() === PLANAR
        ? interleaved(samples, components.length)
        : samples;
    } finally {
      decoder.delete();
    }
  }
}
