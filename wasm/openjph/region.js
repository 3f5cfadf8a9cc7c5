/**
 * A window of one resolution level from the packets of its precincts: at each level the detail of little more than the
 * window, decoded as a small picture of its own, added to the picture of the level below. README.md tells why.
 */

import { CodecError } from '../codec.js';
import { checkSiz, readCodingStyle, readSiz } from '../codestream.js';
import { arrayType, storedValues } from '../samples.js';
import { RAIL, wideBase, wideDetail } from './region-wide.js';
import { synthesize } from './synthesis.js';

/** @import { Codec, ImageShape, Pixels } from '../codec.js' */
/** @import { Component } from '../codestream.js' */
/** @import { Box, Picture } from './synthesis.js' */

/**
 * @typedef {object} Region `RegionPlan.message` of `py/firstlight/j2k/region_plan.py`; headers are in base64
 * @property {Box} box the window, in samples of the order's resolution level
 * @property {boolean} colourTransform
 * @property {{level: number, start: number, stop: number, header: string, wide: string | null}} base
 * @property {RegionStep[]} steps
 *
 * @typedef {object} RegionStep
 * @property {Box} block
 * @property {Box} box
 * @property {number} byteCount
 * @property {string} header
 * @property {[offset: number, header: string][]} wide
 */

/** Out of the decoder come the samples as the wavelet leaves them, in all the bits that it hands out. */
const RAW = { bitsAllocated: 16, bitsStored: 16, pixelRepresentation: 1 };
const EOC = [0xff, 0xd9];

/**
 * @param {Codec} codec OpenJPH
 * @param {Uint8Array} bytes of `RegionPlan.extents`, one after the other
 * @param {Region} region
 * @param {ImageShape} image the whole of it
 * @param {number} [maxSamples] more samples than these are refused in any of the pictures on the way
 * @returns {Pixels} rows and columns are those of the window
 */
export function decodeRegion(codec, bytes, region, image, maxSamples) {
  const siz = readSiz(bytes);
  const samplesPerPixel = siz.components.length;
  checkSiz(siz, image, Infinity); // of the whole image; `maxSamples` is for what memory is taken for
  const decode = decoderOf(codec, samplesPerPixel, maxSamples);
  const { base, steps, box } = region;
  const wanted = steps.reduce((sum, { byteCount }) => sum + byteCount, base.stop);
  if (bytes.length !== wanted) {
    throw new CodecError('DecodeError', `${bytes.length} bytes of a window where it has ${wanted}`);
  }
  let picture = decodeBase(decode, bytes, base);
  let at = base.stop;
  for (const step of steps) {
    const packets = bytes.subarray(at, (at += step.byteCount));
    picture = synthesize(decodeDetail(decode, step, packets), picture, step.box);
  }
  if (steps.length === 0) picture = cropped(picture, box);
  if (region.colourTransform) undoColourTransform(picture.data);
  const [left, top, right, bottom] = box;
  return {
    data: asStored(picture.data, siz.components[0], image),
    rows: bottom - top,
    columns: right - left,
    samplesPerPixel,
  };
}

/**
 * @typedef {(stream: Uint8Array, size: Size, samplesPerPixel?: number) => Int16Array} Decode
 * @typedef {{rows: number, columns: number}} Size
 */

/**
 * @param {Codec} codec
 * @param {number} samplesPerPixel
 * @param {number | undefined} maxSamples
 * @returns {Decode}
 */
function decoderOf(codec, samplesPerPixel, maxSamples) {
  return (stream, { rows, columns }, samples = samplesPerPixel) => {
    const shape = { rows, columns, samplesPerPixel: samples, ...RAW };
    const levels = readCodingStyle(stream).decompositionLevels;
    return /** @type {Int16Array} */ (codec.decode(stream, levels, levels, shape, maxSamples).data);
  };
}

/**
 * @param {Decode} decode
 * @param {Uint8Array} bytes
 * @param {Region['base']} base
 * @returns {Picture}
 */
function decodeBase(decode, bytes, base) {
  const tileParts = bytes.subarray(base.start, base.stop);
  const header = fromBase64(base.header);
  const { rows, columns, components } = readSiz(header);
  const [size, samplesPerPixel] = [{ rows, columns }, components.length];
  /** @type {Int16Array | Int32Array} */
  let data = decode(joined(header, tileParts), size);
  if (hasRail(data)) {
    const wide = base.wide === null ? null : fromBase64(base.wide);
    data = wideBase(wide, tileParts, samplesPerPixel, (stream) => decode(stream, size, 3));
  }
  return { data, box: [0, 0, columns, rows], samplesPerPixel };
}

/**
 * @param {Decode} decode
 * @param {RegionStep} step
 * @param {Uint8Array} packets
 * @returns {Picture}
 */
function decodeDetail(decode, { header, wide, block }, packets) {
  const size = { rows: block[3] - block[1], columns: block[2] - block[0] };
  /** @param {string} text */
  const withHeader = (text) => decode(joined(fromBase64(text), packets, EOC), size);
  const plain = withHeader(header);
  const data = hasRail(plain) ? wideDetail(plain, wide, withHeader) : plain;
  return { data, box: block, samplesPerPixel: data.length / (size.rows * size.columns) };
}

/** @param {Int16Array} samples */
function hasRail(samples) {
  let carry = 0; // one end is the other's complement, and of all samples these alone carry into bit 15
  for (let i = 0; i < samples.length; i++) carry |= (samples[i] ^ (samples[i] >> 31)) + 1;
  return (carry & 0x8000) !== 0;
}

/**
 * @param {Picture} picture
 * @param {Box} box
 * @returns {Picture}
 */
function cropped({ data, box: whole, samplesPerPixel }, box) {
  const stride = (whole[2] - whole[0]) * samplesPerPixel;
  const length = (box[2] - box[0]) * samplesPerPixel;
  const crop = new Int32Array((box[3] - box[1]) * length);
  for (let y = box[1]; y < box[3]; y++) {
    const at = (y - whole[1]) * stride + (box[0] - whole[0]) * samplesPerPixel;
    crop.set(data.subarray(at, at + length), (y - box[1]) * length);
  }
  return { data: crop, box, samplesPerPixel };
}

/**
 * RCT (ISO/IEC 15444-1 G.2), in place.
 *
 * @param {Int16Array | Int32Array} data
 */
function undoColourTransform(data) {
  for (let i = 0; i + 2 < data.length; i += 3) {
    const [y, blue, red] = [data[i], data[i + 1], data[i + 2]];
    const green = y - ((blue + red) >> 2);
    data[i] = red + green;
    data[i + 1] = green;
    data[i + 2] = blue + green;
  }
}

/**
 * Level shift and clamp, as the library and its wrapper do for a whole picture.
 *
 * @param {Int16Array | Int32Array} data
 * @param {Component} component
 * @param {ImageShape} image
 */
function asStored(data, component, image) {
  const { precision, isSigned } = component;
  const isWide = precision > 8;
  const readAsUnsigned = isSigned && !isWide;
  const shift = isSigned && isWide ? 0 : 1 << (precision - 1);
  const Samples = arrayType(isWide, isSigned && isWide);
  const low = isSigned && isWide ? RAIL.low : 0;
  const high = low + (isWide ? 65535 : 255);
  const samples = new Samples(data.length);
  for (let i = 0; i < data.length; i++) {
    const sample = data[i] + shift;
    samples[i] = sample < low ? low : sample > high ? high : sample;
  }
  return storedValues(samples, readAsUnsigned ? shift : 0, component, image);
}

/** @param {...ArrayLike<number>} pieces */
function joined(...pieces) {
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

/** @param {string} text */
function fromBase64(text) {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}
