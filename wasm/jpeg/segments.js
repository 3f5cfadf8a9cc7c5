/**
 * What a JPEG or JPEG-LS stream says of itself in its marker segments (ISO/IEC 10918-1 annex B, 14495-1 annex C), read
 * before any of it reaches a decoder: a decoder takes memory for whatever the frame header announces.
 */

import { CodecError, checkAnnounced } from '../codec.js';

/** @import { ImageShape } from '../codec.js' */

/**
 * @typedef {object} Segment
 * @property {number} marker its second byte
 * @property {number} start of the marker
 * @property {number} stop end of its parameters; for SOS the first byte of entropy-coded data
 *
 * @typedef {object} FrameHeader
 * @property {number} marker second byte of SOF
 * @property {number} precision bits a sample
 * @property {number} rows
 * @property {number} columns
 * @property {FrameComponent[]} components
 *
 * @typedef {object} FrameComponent
 * @property {number} id
 * @property {number} horizontal sampling factor
 * @property {number} vertical sampling factor
 * @property {number} quantizationTable
 */

export const SOF_BASELINE = 0xc0;
export const SOF_EXTENDED = 0xc1;
export const SOF_PROGRESSIVE = 0xc2;
export const SOF_LOSSLESS = 0xc3;
export const SOF_JPEG_LS = 0xf7;
export const DHT = 0xc4;
export const SOI = 0xd8;
export const EOI = 0xd9;
export const SOS = 0xda;
export const DQT = 0xdb;
export const DRI = 0xdd;
export const APP0 = 0xe0;
export const APP14 = 0xee;

const FRAME_COMPONENTS = 10; // offset of the first component, from SOF

/** @param {string} text */
export function malformed(text) {
  return new CodecError('MalformedCodestream', text);
}

/**
 * The segments from `start` to the next SOS, which is the last, or to EOI.
 *
 * @param {Uint8Array} bytes
 * @param {number} start
 * @returns {Segment[]}
 */
export function readSegments(bytes, start) {
  const segments = [];
  for (let at = start; ;) {
    if (bytes[at] !== 0xff) throw malformed(`no marker at byte ${at}`);
    while (bytes[at + 1] === 0xff) at += 1; // fill bytes
    const marker = bytes[at + 1];
    if (marker === EOI) return segments;
    const stop = at + 2 + uint16(bytes, at + 2);
    if (!(stop >= at + 4 && stop <= bytes.length)) {
      throw malformed('the stream ends within its headers');
    }
    segments.push({ marker, start: at, stop });
    if (marker === SOS) return segments;
    at = stop;
  }
}

/**
 * The segments before the first scan.
 *
 * @param {Uint8Array} bytes
 */
export function readHeaders(bytes) {
  if (bytes[0] !== 0xff || bytes[1] !== SOI) throw malformed('the stream does not begin with SOI');
  return readSegments(bytes, 2);
}

/**
 * @param {Uint8Array} bytes
 * @param {Segment[]} segments
 * @returns {FrameHeader}
 */
export function readFrameHeader(bytes, segments) {
  const found = segments.find(({ marker }) => isFrameHeader(marker));
  if (found === undefined) throw malformed('no frame header before the first scan');
  const { marker, start, stop } = found;
  const count = bytes[start + 9];
  if (count === 0 || stop !== start + FRAME_COMPONENTS + 3 * count) {
    throw malformed('the frame header does not hold its components');
  }
  return {
    marker,
    precision: bytes[start + 4],
    rows: uint16(bytes, start + 5),
    columns: uint16(bytes, start + 7),
    components: Array.from({ length: count }, (_, i) => {
      const at = start + FRAME_COMPONENTS + 3 * i;
      const [id, sampling, quantizationTable] = bytes.subarray(at, at + 3);
      return { id, horizontal: sampling >> 4, vertical: sampling & 15, quantizationTable };
    }),
  };
}

/**
 * Refuses a frame that is too large, is not the image DICOM announces, or does not fit what is allocated.
 *
 * @param {FrameHeader} frame
 * @param {ImageShape} image
 * @param {number} maxSamples
 */
export function checkFrame({ rows, columns, components, precision }, image, maxSamples) {
  checkAnnounced({ rows, columns, samplesPerPixel: components.length }, image, maxSamples);
  if (rows === 0 || columns === 0) throw malformed('the frame header describes an empty image');
  if (precision < 2 || precision > 16) throw malformed(`${precision} bits a sample`);
  const room = image.bitsAllocated > 8 ? 16 : 8;
  if (precision > room) {
    throw new CodecError('DecodeError', `${precision} bits a sample, ${room} allocated`);
  }
}

/** @param {number} marker */
function isFrameHeader(marker) {
  const isSof = marker >= 0xc0 && marker <= 0xcf && ![DHT, 0xc8, 0xcc].includes(marker);
  return isSof || marker === SOF_JPEG_LS;
}

/**
 * @param {Uint8Array} bytes
 * @param {number} at
 */
export function uint16(bytes, at) {
  return (bytes[at] << 8) | bytes[at + 1];
}
