/** Samples beyond 16 bits, which the library clamps: decoded again so that they lie within. */

import { CodecError } from '../codec.js';
import { viewOf } from '../codestream.js';

/** Where the library clamps; a sample that lies there may have been beyond. */
export const RAIL = { low: -32768, high: 32767 };

const [SOT, PLT, SOD] = [0xff90, 0xff58, 0xff93];
const SOT_BYTES = 12;
const PSOT = 6; // offset in SOT
const EMPTY_PACKET = Uint8Array.of(0);

/**
 * The detail of a level, from decodes of it with an LL that is the same everywhere, which adds this to each sample.
 *
 * @param {Int16Array} plain with an LL of 0
 * @param {[offset: number, header: string][]} wide
 * @param {(header: string) => Int16Array} decode
 * @returns {Int32Array}
 */
export function wideDetail(plain, wide, decode) {
  const data = Int32Array.from(plain);
  for (const { rail, sign } of [
    { rail: RAIL.high, sign: -1 },
    { rail: RAIL.low, sign: 1 },
  ]) {
    let open = indicesOf(plain, rail);
    const headers = wide.filter(([offset]) => Math.sign(offset) === sign);
    for (const [offset, header] of headers.sort((a, b) => Math.abs(a[0]) - Math.abs(b[0]))) {
      if (open.length === 0) break;
      const shifted = decode(header);
      for (const i of open) data[i] = shifted[i] - offset;
      open = open.filter((i) => shifted[i] === rail);
    }
    if (open.length > 0) throw beyond();
  }
  return data;
}

/**
 * @param {Int16Array} samples
 * @param {number} value
 */
function indicesOf(samples, value) {
  const found = [];
  for (let i = 0; i < samples.length; i++) if (samples[i] === value) found.push(i);
  return found;
}

/**
 * The base level, one component V at a time as a picture of three: Y0 = 0, Y1 = Y2 = V, so that the inverse RCT gives
 * G = -floor(V / 2) and R = V + G.
 *
 * @param {Uint8Array | null} header main header of such a picture, null where there is none
 * @param {Uint8Array} tileParts with PLT
 * @param {number} samplesPerPixel
 * @param {(stream: Uint8Array) => Int16Array} decode
 * @returns {Int32Array}
 */
export function wideBase(header, tileParts, samplesPerPixel, decode) {
  if (header === null) throw beyond();
  const packets = [...packetsOf(tileParts)];
  /** @type {Int32Array | undefined} */
  let data;
  for (let component = 0; component < samplesPerPixel; component++) {
    const own = packets.filter((_, i) => i % samplesPerPixel === component);
    const three = decode(threefold(header, own));
    data ??= new Int32Array((three.length / 3) * samplesPerPixel);
    for (let i = 0, at = component; i < three.length; i += 3, at += samplesPerPixel) {
      const [red, green] = [three[i], three[i + 1]];
      if (Math.max(red, green) === RAIL.high || Math.min(red, green) === RAIL.low) throw beyond();
      data[at] = red - green;
    }
  }
  return data ?? new Int32Array(0);
}

/**
 * @param {Uint8Array} header
 * @param {Uint8Array[]} packets
 */
function threefold(header, packets) {
  const sot = Uint8Array.of(0xff, 0x90, 0, 10, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, 0x93);
  const triples = packets.flatMap((packet) => [EMPTY_PACKET, packet, packet]);
  const psot = triples.reduce((sum, packet) => sum + packet.length, sot.length);
  viewOf(sot).setUint32(PSOT, psot);
  const pieces = [header, sot, ...triples];
  const stream = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 2));
  let at = 0;
  for (const piece of pieces) {
    stream.set(piece, at);
    at += piece.length;
  }
  stream.set([0xff, 0xd9], at);
  return stream;
}

/**
 * The packets of tile-parts, by their PLT (ISO/IEC 15444-1 A.7.3), as far as they are there.
 *
 * @param {Uint8Array} bytes
 * @returns {Generator<Uint8Array>}
 */
function* packetsOf(bytes) {
  const view = viewOf(bytes);
  let at = 0;
  while (at + SOT_BYTES < bytes.length && view.getUint16(at) === SOT) {
    at += SOT_BYTES;
    /** @type {Uint8Array[]} */
    const segments = [];
    while (at + 4 <= bytes.length && view.getUint16(at) !== SOD) {
      const stop = at + 2 + view.getUint16(at + 2);
      if (view.getUint16(at) === PLT) segments.push(bytes.subarray(at + 4, stop));
      at = stop;
    }
    at += 2;
    for (const length of lengthsOf(segments)) {
      if (at + length > bytes.length) return;
      yield bytes.subarray(at, (at += length));
    }
  }
}

/**
 * @param {Uint8Array[]} segments from Zplt on
 * @returns {Generator<number>}
 */
function* lengthsOf(segments) {
  let length = 0;
  for (const segment of segments.sort((a, b) => a[0] - b[0])) {
    for (const byte of segment.subarray(1)) {
      length = length * 128 + (byte & 0x7f);
      if (byte >= 0x80) continue;
      yield length;
      length = 0;
    }
  }
}

function beyond() {
  return new CodecError('DecodeError', 'values beyond 16 bits in a window');
}
