/**
 * HTJ2K (ISO/IEC 15444-15) over OpenJPH compiled to WASM. README.md lists what this wrapper corrects.
 */

import factory from '@cornerstonejs/codec-openjph';
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
import { unscramble } from './samples.js';
import { WARM_IMAGE, WARM_LEVELS, warmStream } from './warm-stream.js';

/** @import { OpenjphModule } from '@cornerstonejs/codec-openjph' */
/** @import { Codec, ImageShape, Pixels } from '../codec.js' */
/** @import { CodingStyle, Siz } from '../codestream.js' */

/** 800 MB of 16-bit samples; the module addresses 2 GiB and needs about the same again for itself. */
const MAX_SAMPLES = 400_000_000;

/** Small decodes after which V8 has compiled the hot functions for good (bench: README.md). */
const WARM_RUNS = 30;

/** Ccap15: anything but code-blocks that are all HT, of one set of passes each, homogeneous, without region. */
const FOREIGN_BLOCKS = 0xf800;

const SSIZ = 42; // offset of the first component's Ssiz, from SOC
const SSIZ_STEP = 3;
const SSIZ_SIGN = 0x80;

/**
 * @typedef {object} OpenjphOptions
 * @property {string} [wasmUrl] where the WASM lies; beside the library's script when absent (Node)
 * @property {number} [maxSamples] larger pictures are refused
 * @property {(text: string) => void} [log] the library's warnings
 */

/**
 * Fetches, compiles and starts the decoder.
 *
 * @param {OpenjphOptions} [options]
 * @returns {Promise<Codec>}
 */
export async function loadOpenjph({ wasmUrl, maxSamples = MAX_SAMPLES, log = () => {} } = {}) {
  /** @type {string[]} */
  const complaints = [];
  const module = await startModule(factory, {
    wasmUrl,
    print: log,
    printErr: (text) => void complaints.push(text),
  });
  return new Openjph(module, complaints, maxSamples);
}

/** @implements {Codec} */
class Openjph {
  name = 'openjph';
  #module;
  #complaints;
  #maxSamples;
  #decoder;
  #warmRuns = 0;

  /**
   * @param {OpenjphModule} module
   * @param {string[]} complaints where the module writes why it failed
   * @param {number} maxSamples
   */
  constructor(module, complaints, maxSamples) {
    this.#module = module;
    this.#complaints = complaints;
    this.#maxSamples = maxSamples;
    this.#decoder = new module.HTJ2KDecoder();
  }

  heapBytes() {
    return this.#module.HEAPU8.length;
  }

  warm() {
    if (this.#warmRuns < WARM_RUNS) {
      this.#warmRuns += 1;
      this.decode(warmStream(), WARM_LEVELS, WARM_LEVELS, WARM_IMAGE);
    }
    return this.#warmRuns < WARM_RUNS;
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
    checkSiz(siz, image, Math.min(maxSamples, this.#maxSamples));
    refuseUndecodable(siz, readCodingStyle(codestream));
    const component = siz.components[0];
    // the library clamps signed samples of 8 bits to 0..255; as unsigned ones they come out whole, plus a level shift
    const readAsUnsigned = component.isSigned && component.precision <= 8;
    this.#complaints.length = 0;
    const levelsBelow = this.#open(
      codestream,
      siz,
      readAsUnsigned,
      resolutionLevel,
      decompositionLevels,
    );
    checkLevelSize(siz, levelsBelow);
    const samples = this.#reconstruct(levelsBelow, siz);
    return {
      data: storedValues(
        samples,
        readAsUnsigned ? 2 ** (component.precision - 1) : 0,
        component,
        image,
      ),
      rows: sizeAtLevel(siz.rows, levelsBelow),
      columns: sizeAtLevel(siz.columns, levelsBelow),
      samplesPerPixel: siz.components.length,
    };
  }

  /**
   * Hands the codestream to the library and has its headers read.
   *
   * @param {Uint8Array} codestream
   * @param {Siz} siz
   * @param {boolean} readAsUnsigned
   * @param {number} resolutionLevel
   * @param {number} decompositionLevels
   * @returns {number} levels below the full image: the library's own way to count
   */
  #open(codestream, siz, readAsUnsigned, resolutionLevel, decompositionLevels) {
    const decoder = this.#decoder;
    const input = decoder.getEncodedBuffer(codestream.length);
    input.set(codestream);
    if (readAsUnsigned) {
      for (let i = 0; i < siz.components.length; i++) input[SSIZ + SSIZ_STEP * i] &= ~SSIZ_SIGN;
    }
    decoder.readHeader();
    this.#refuseFailure('MalformedCodestream');
    return checkLevel(decoder.getNumDecompositions(), resolutionLevel, decompositionLevels);
  }

  /**
   * Decodes, and copies the samples out of the heap, which the next growth would move.
   *
   * @param {number} levelsBelow
   * @param {Siz} siz
   */
  #reconstruct(levelsBelow, { rows, columns, components }) {
    const decoder = this.#decoder;
    decoder.decodeSubResolution(levelsBelow);
    this.#refuseFailure('DecodeError');
    const frame = decoder.getFrameInfo();
    const isWide = frame.bitsPerSample > 8;
    const levelRows = sizeAtLevel(rows, levelsBelow);
    const levelColumns = sizeAtLevel(columns, levelsBelow);
    const length = levelRows * levelColumns * components.length;
    const decoded = decoder.getDecodedBuffer();
    // a failure that the library did not notice leaves the previous picture in its buffer
    if (
      frame.width !== columns ||
      frame.height !== rows ||
      frame.componentCount !== components.length ||
      decoded.length !== length * (isWide ? 2 : 1)
    ) {
      throw new CodecError(
        'DecodeError',
        'the decoder returned another picture than the codestream announces',
      );
    }
    const Samples = arrayType(isWide, isWide && frame.isSigned);
    const samples = new Samples(
      /** @type {ArrayBuffer} */ (decoded.buffer),
      decoded.byteOffset,
      length,
    );
    return components.length === 1 || frame.isUsingColorTransform
      ? samples.slice()
      : unscramble(samples, levelRows, levelColumns, components.length);
  }

  /**
   * The library throws nothing: it keeps a word, and prints the reason.
   *
   * @param {'MalformedCodestream' | 'DecodeError'} type
   */
  #refuseFailure(type) {
    const message = this.#decoder.getLastErrorMessage();
    if (message === '' && this.#decoder.getIsHeaderValid()) return;
    throw new CodecError(
      type,
      this.#complaints.join('; ') || message || 'the headers cannot be read',
      { mayBeLegal: true },
    );
  }
}

/**
 * Refuses what the standard allows and the library does not decode; some of it without a word, to a wrong picture.
 *
 * @param {Siz} siz
 * @param {CodingStyle} style
 */
function refuseUndecodable({ isHighThroughput }, style) {
  const { layers, hasRegion, blockCoding, tileParts, packets } = style;
  const reason = [
    [!isHighThroughput, 'a JPEG 2000 Part 1 codestream, not HTJ2K'],
    [layers > 1, `${layers} quality layers`],
    [hasRegion, 'a region of interest'],
    [(blockCoding & FOREIGN_BLOCKS) !== 0, 'code-blocks that are not all alike (CAP)'],
    [tileParts > packets, 'a packet in several tile-parts'],
  ].find(([applies]) => applies);
  if (reason === undefined) return;
  throw new CodecError('UnsupportedTransferSyntax', String(reason[1]), { mayBeLegal: true });
}
