/**
 * What a JPEG 2000 codestream says of itself in its first marker segments, read before any of it reaches a decoder:
 * a decoder takes memory for whatever SIZ announces.
 */

import { CodecError, sizeAtLevel } from './codec.js';

/** @import { ImageShape } from './codec.js' */

/**
 * @typedef {object} Siz image and tile size (ISO/IEC 15444-1 A.5.1)
 * @property {boolean} isHighThroughput bit 14 of Rsiz: Part 15 capabilities are needed
 * @property {number} rows
 * @property {number} columns
 * @property {Axis} horizontal
 * @property {Axis} vertical
 * @property {Component[]} components
 *
 * @typedef {object} Axis on the reference grid (ISO/IEC 15444-1 B.2, B.3)
 * @property {number} start
 * @property {number} stop
 * @property {number} tileStart
 * @property {number} tileSize
 *
 * @typedef {object} Component
 * @property {number} precision bits a sample
 * @property {boolean} isSigned
 * @property {number} xSubsampling
 * @property {number} ySubsampling
 */

const SOC_SIZ = 0xff4fff51;
const SIZ_COMPONENTS = 42; // offset of the first component, from SOC
const JP2_SIGNATURE = 0x6a502020; // 'jP  '
const JP2_CODESTREAM = 0x6a703263; // 'jp2c'
const MAX_TILES = 65535; // Isot has 16 bits

/**
 * The codestream in `bytes`: all of them, or what a JP2 or JPH file (ISO/IEC 15444-1 annex I, 15444-15 annex D) has in
 * its codestream box. Returns a view, no copy.
 *
 * @param {Uint8Array} bytes
 */
export function findCodestream(bytes) {
  const view = viewOf(bytes);
  if (bytes.length >= 4 && view.getUint32(0) === SOC_SIZ) return bytes;
  if (bytes.length < 12 || view.getUint32(4) !== JP2_SIGNATURE) {
    throw new CodecError('MalformedCodestream', 'neither a codestream nor a JP2 or JPH file');
  }
  for (let at = 0; at + 16 <= bytes.length;) {
    const type = view.getUint32(at + 4);
    const isLong = view.getUint32(at) === 1;
    if (type === JP2_CODESTREAM) return bytes.subarray(at + (isLong ? 16 : 8));
    const length = isLong ? Number(view.getBigUint64(at + 8)) : view.getUint32(at);
    if (length < 8) break;
    at += length;
  }
  throw new CodecError(
    'MalformedCodestream',
    'the JP2 or JPH file has no codestream box, or ends before it',
  );
}

/**
 * @param {Uint8Array} codestream
 * @returns {Siz}
 */
export function readSiz(codestream) {
  const view = viewOf(codestream);
  if (codestream.length < SIZ_COMPONENTS || view.getUint32(0) !== SOC_SIZ) {
    throw new CodecError(
      'MalformedCodestream',
      'the codestream does not begin with SOC and a whole SIZ',
    );
  }
  const horizontal = axisAt(view, 8);
  const vertical = axisAt(view, 12);
  const count = view.getUint16(40);
  if (
    count === 0 ||
    view.getUint16(4) !== 38 + 3 * count ||
    codestream.length < SIZ_COMPONENTS + 3 * count
  ) {
    throw new CodecError('MalformedCodestream', `SIZ does not hold its ${count} components`);
  }
  return {
    isHighThroughput: (view.getUint16(6) & 0x4000) !== 0,
    rows: vertical.stop - vertical.start,
    columns: horizontal.stop - horizontal.start,
    horizontal,
    vertical,
    components: Array.from({ length: count }, (_, i) => componentAt(view, SIZ_COMPONENTS + 3 * i)),
  };
}

/**
 * @param {DataView} view
 * @param {number} at offset of Xsiz or Ysiz; XOsiz, XTsiz and XTOsiz follow at steps of two fields
 * @returns {Axis}
 */
function axisAt(view, at) {
  const axis = {
    stop: view.getUint32(at),
    start: view.getUint32(at + 8),
    tileSize: view.getUint32(at + 16),
    tileStart: view.getUint32(at + 24),
  };
  const { start, stop, tileStart, tileSize } = axis;
  if (stop <= start || tileSize === 0 || tileStart > start || tileStart + tileSize <= start) {
    throw new CodecError('MalformedCodestream', 'SIZ describes an empty image or tile');
  }
  return axis;
}

/**
 * @param {DataView} view
 * @param {number} at
 * @returns {Component}
 */
function componentAt(view, at) {
  const ssiz = view.getUint8(at);
  return {
    precision: (ssiz & 0x7f) + 1,
    isSigned: ssiz >= 0x80,
    xSubsampling: view.getUint8(at + 1),
    ySubsampling: view.getUint8(at + 2),
  };
}

/**
 * Refuses a codestream that is too large, is not the image DICOM announces, or has components of different kinds.
 *
 * @param {Siz} siz
 * @param {ImageShape} image
 * @param {number} maxSamples
 */
export function checkSiz(siz, image, maxSamples) {
  const { rows, columns, components } = siz;
  const found = `${columns} x ${rows} x ${components.length}`;
  const announced = `${image.columns} x ${image.rows} x ${image.samplesPerPixel}`;
  if (rows * columns * components.length > maxSamples) {
    throw new CodecError('LimitExceeded', `${found} samples are more than ${maxSamples}`);
  }
  const tiles = tileCount(siz.horizontal) * tileCount(siz.vertical);
  if (tiles > MAX_TILES) {
    throw new CodecError('MalformedCodestream', `SIZ describes ${tiles} tiles`);
  }
  if (found !== announced) {
    throw new CodecError('DecodeError', `${found} samples where DICOM announces ${announced}`);
  }
  checkComponents(components, image.bitsAllocated);
}

/**
 * @param {Component[]} components
 * @param {number} bitsAllocated
 */
function checkComponents(components, bitsAllocated) {
  const [{ precision, isSigned }] = components;
  if (components.some((c) => c.xSubsampling !== 1 || c.ySubsampling !== 1)) {
    throw new CodecError('UnsupportedTransferSyntax', 'subsampled components');
  }
  if (components.some((c) => c.precision !== precision || c.isSigned !== isSigned)) {
    throw new CodecError('UnsupportedTransferSyntax', 'components of different precision');
  }
  const bits = Math.max(precision, bitsAllocated);
  if (bits > 16) throw new CodecError('UnsupportedTransferSyntax', `${bits} bits a sample`);
  const room = bitsAllocated > 8 ? 16 : 8;
  if (precision > room) {
    throw new CodecError('DecodeError', `${precision} bits a sample, ${room} allocated`);
  }
}

/**
 * Refuses a level whose size is not that of the full image halved and rounded up: it is smaller by a row or a column
 * where the image area does not begin at the origin of the reference grid. OpenJPH counts in the other way, and then
 * waits forever for the missing line.
 *
 * @param {Siz} siz
 * @param {number} levelsBelow
 */
export function checkLevelSize({ horizontal, vertical }, levelsBelow) {
  for (const { start, stop } of [horizontal, vertical]) {
    const size = sizeAtLevel(stop, levelsBelow) - sizeAtLevel(start, levelsBelow);
    if (size !== sizeAtLevel(stop - start, levelsBelow)) {
      throw new CodecError('DecodeError', 'the image offset makes this resolution level smaller');
    }
  }
}

/** @param {Axis} axis */
function tileCount({ stop, tileStart, tileSize }) {
  return Math.ceil((stop - tileStart) / tileSize);
}

/** @param {Uint8Array} bytes */
function viewOf(bytes) {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
