/**
 * What a JPEG 2000 codestream says of itself in its first marker segments, read before any of it reaches a decoder:
 * a decoder takes memory for whatever SIZ announces.
 */

import { CodecError, checkAnnounced, checkCount, sizeAtLevel } from './codec.js';

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
 * @typedef {object} CodingStyle COD and what else of the main header decides who can decode (ISO/IEC 15444-1 A.6)
 * @property {number} decompositionLevels
 * @property {number} layers
 * @property {number} packets of a tile; infinite where precincts are defined, because then nobody counts them here
 * @property {boolean} hasRegion a component has a region of interest (RGN)
 * @property {number} blockCoding Ccap15: how HT code-blocks may be used (ISO/IEC 15444-15 A.3)
 * @property {number} mainHeaderBytes up to the first SOT
 * @property {number} tileParts of the tile that comes first, as its first SOT says; 0: it does not say
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
const CAP = 0xff50;
const COD = 0xff52;
const RGN = 0xff5e;
const SOT = 0xff90;
const SOT_BYTES = 12;
const PCAP_PART_15 = 1 << 17;
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
 * Walks the main header.
 *
 * @param {Uint8Array} codestream
 * @returns {CodingStyle}
 */
export function readCodingStyle(codestream) {
  const view = viewOf(codestream);
  const style = {
    ...{ decompositionLevels: -1, layers: 0, packets: Infinity, hasRegion: false, blockCoding: 0 },
    ...{ mainHeaderBytes: 0, tileParts: 0 },
  };
  for (let at = 2; at + SOT_BYTES <= codestream.length;) {
    const marker = view.getUint16(at);
    if (marker === SOT && style.decompositionLevels >= 0) {
      return { ...style, mainHeaderBytes: at, tileParts: view.getUint8(at + 11) };
    }
    const length = view.getUint16(at + 2);
    if (marker < 0xff00 || marker === SOT || length < 2) break;
    if (marker === COD) {
      style.layers = view.getUint16(at + 6);
      style.decompositionLevels = view.getUint8(at + 9);
      const hasPrecincts = (view.getUint8(at + 4) & 1) !== 0;
      const packets = view.getUint16(40) * (style.decompositionLevels + 1) * style.layers;
      style.packets = hasPrecincts ? Infinity : packets;
    }
    if (marker === RGN) style.hasRegion = true;
    if (marker === CAP) style.blockCoding = blockCodingAt(view, at);
    at += 2 + length;
  }
  throw new CodecError('MalformedCodestream', 'the main header is cut, or has no COD');
}

/**
 * @param {DataView} view
 * @param {number} at offset of CAP: Pcap has a bit for each part of the standard that Ccap fields follow for
 */
function blockCodingAt(view, at) {
  const parts = view.getUint32(at + 4);
  if ((parts & PCAP_PART_15) === 0) return 0;
  let field = at + 8;
  for (let part = 1; part < 15; part++) if ((parts >>> (32 - part)) & 1) field += 2;
  return field + 2 <= view.byteLength ? view.getUint16(field) : 0;
}

/**
 * Refuses other decomposition levels than the index of the codestream told, and a level that is not there.
 *
 * @param {number} levels what the codestream has
 * @param {number} resolutionLevel
 * @param {number} decompositionLevels
 * @returns {number} levels below the full image, the libraries' own way to count
 */
export function checkLevel(levels, resolutionLevel, decompositionLevels) {
  if (levels !== decompositionLevels) {
    throw new CodecError(
      'DecodeError',
      `${levels} decomposition levels, not ${decompositionLevels}`,
    );
  }
  if (!Number.isInteger(resolutionLevel) || resolutionLevel < 0 || resolutionLevel > levels) {
    throw new CodecError('DecodeError', `no resolution level ${resolutionLevel} of 0 to ${levels}`);
  }
  return levels - resolutionLevel;
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
  const found = { rows, columns, samplesPerPixel: components.length };
  checkCount(found, maxSamples);
  const tiles = tileCount(siz.horizontal) * tileCount(siz.vertical);
  if (tiles > MAX_TILES) {
    throw new CodecError('MalformedCodestream', `SIZ describes ${tiles} tiles`);
  }
  if (components.some((c) => c.xSubsampling !== 1 || c.ySubsampling !== 1)) {
    throw new CodecError('UnsupportedTransferSyntax', 'subsampled components');
  }
  checkAnnounced(found, image, maxSamples);
  checkComponents(components, image.bitsAllocated);
}

/**
 * @param {Component[]} components
 * @param {number} bitsAllocated
 */
function checkComponents(components, bitsAllocated) {
  const [{ precision, isSigned }] = components;
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
export function viewOf(bytes) {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
