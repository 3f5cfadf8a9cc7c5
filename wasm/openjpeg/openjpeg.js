/**
 * JPEG 2000 (ISO/IEC 15444-1), and the HTJ2K that OpenJPH refuses, over OpenJPEG compiled to WASM. README.md lists what
 * this wrapper corrects.
 */

import factory from '@cornerstonejs/codec-openjpeg/decodewasmjs';
import { CodecError, sizeAtLevel } from '../codec.js';
import {
  checkLevel,
  checkLevelSize,
  checkSiz,
  findCodestream,
  readCodingStyle,
  readSiz,
} from '../codestream.js';
import { startModule } from '../module.js';
import { arrayType, storedValues } from '../samples.js';
import { copyRepaired, findEnding } from './repair.js';

/** @import { J2KDecoder, OpenjpegModule } from '@cornerstonejs/codec-openjpeg/decodewasmjs' */
/** @import { Codec, ImageShape, Pixels } from '../codec.js' */
/** @import { Siz } from '../codestream.js' */
/** @import { Ending } from './repair.js' */

/** The library takes about ten bytes a sample, and the module addresses 2 GiB. */
const MAX_SAMPLES = 120_000_000;

const SSIZ = 42; // offset of the first component's Ssiz, from SOC
const SSIZ_STEP = 3;
const SSIZ_SIGN = 0x80;
const ALL_LAYERS = 0;

/**
 * @typedef {object} OpenjpegOptions
 * @property {string} [wasmUrl] where the WASM lies; beside the library's script when absent (Node)
 * @property {number} [maxSamples] larger pictures are refused
 */

/**
 * Fetches, compiles and starts the decoder.
 *
 * @param {OpenjpegOptions} [options]
 * @returns {Promise<Codec>}
 */
export async function loadOpenjpeg({ wasmUrl, maxSamples = MAX_SAMPLES } = {}) {
  /** @type {string[]} */
  const complaints = [];
  /** @param {string} text */
  const keep = (text) => void complaints.push(text);
  const module = await startModule(factory, { wasmUrl, print: keep, printErr: keep });
  return new Openjpeg(module, complaints, maxSamples);
}

/** @implements {Codec} */
class Openjpeg {
  name = 'openjpeg';
  #module;
  #complaints;
  #maxSamples;

  /**
   * @param {OpenjpegModule} module
   * @param {string[]} complaints where the module writes why it failed, and what it does
   * @param {number} maxSamples
   */
  constructor(module, complaints, maxSamples) {
    this.#module = module;
    this.#complaints = complaints;
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
    const codestream = findCodestream(bytes);
    const siz = readSiz(codestream);
    const limit = Math.min(maxSamples, this.#maxSamples);
    checkSiz(siz, image, limit);
    checkRoom(siz, limit);
    const style = readCodingStyle(codestream);
    const levels = style.decompositionLevels;
    const levelsBelow = checkLevel(levels, resolutionLevel, decompositionLevels);
    checkLevelSize(siz, levelsBelow);
    const [component] = siz.components;
    // the library clamps signed samples of 8 bits to 0..255; as unsigned ones they come out whole, plus a level shift
    const readAsUnsigned = component.isSigned && component.precision <= 8;
    const ending = findEnding(codestream, style.mainHeaderBytes);
    const samples = this.#reconstruct(codestream, ending, siz, levelsBelow, readAsUnsigned);
    const levelShift = readAsUnsigned ? 2 ** (component.precision - 1) : 0;
    return {
      data: storedValues(samples, levelShift, component, image),
      rows: sizeAtLevel(siz.rows, levelsBelow),
      columns: sizeAtLevel(siz.columns, levelsBelow),
      samplesPerPixel: siz.components.length,
    };
  }

  /**
   * A decoder for each picture: one that is used again may hand back the picture before.
   *
   * @param {Uint8Array} codestream
   * @param {Ending} ending
   * @param {Siz} siz
   * @param {number} levelsBelow
   * @param {boolean} readAsUnsigned
   */
  #reconstruct(codestream, ending, siz, levelsBelow, readAsUnsigned) {
    const decoder = new this.#module.J2KDecoder();
    try {
      const input = copyRepaired(codestream, ending, (bytes) => decoder.getEncodedBuffer(bytes));
      if (readAsUnsigned) {
        for (let i = 0; i < siz.components.length; i++) input[SSIZ + SSIZ_STEP * i] &= ~SSIZ_SIGN;
      }
      this.#complaints.length = 0;
      decoder.decodeSubResolution(levelsBelow, ALL_LAYERS);
      return this.#samplesOf(decoder, siz, levelsBelow);
    } finally {
      decoder.delete();
    }
  }

  /**
   * The library throws nothing: it prints the reason and returns no samples.
   *
   * @param {J2KDecoder} decoder
   * @param {Siz} siz
   * @param {number} levelsBelow
   */
  #samplesOf(decoder, { rows, columns, components }, levelsBelow) {
    const { buffer } = decoder.getDecodedBuffer(); // a copy, outside the heap
    const isWide = components[0].precision > 8;
    const levelRows = sizeAtLevel(rows, levelsBelow);
    const levelColumns = sizeAtLevel(columns, levelsBelow);
    const length = levelRows * levelColumns * components.length;
    if (buffer.byteLength < length * (isWide ? 2 : 1)) {
      throw new CodecError('DecodeError', this.#reason());
    }
    const Samples = arrayType(isWide, isWide && decoder.getFrameInfo().isSigned);
    const samples = new Samples(buffer);
    return samples.length === length ? samples : samples.slice(0, length);
  }

  #reason() {
    const errors = this.#complaints.filter((text) => text.startsWith('[ERROR]'));
    return errors.map((text) => text.slice('[ERROR]'.length).trim()).join('; ') || 'no picture';
  }
}

/**
 * Refuses what the module would leave out or read outside of its picture: it writes one component, or three of 8 bits,
 * and counts rows and columns from the origin of the reference grid instead of from the image's corner.
 *
 * @param {Siz} siz
 * @param {number} maxSamples
 */
function checkRoom({ components, horizontal, vertical }, maxSamples) {
  const count = components.length;
  if (count !== 1 && !(count === 3 && components[0].precision <= 8)) {
    throw new CodecError(
      'UnsupportedTransferSyntax',
      `${count} components of ${components[0].precision} bits in JPEG 2000`,
    );
  }
  if (horizontal.stop * vertical.stop * count > maxSamples) {
    throw new CodecError('LimitExceeded', 'the image lies too far from its reference grid');
  }
}
