/** Huffman tables and the bits of entropy-coded segments (ISO/IEC 10918-1 annexes C and F.2.2). */

import { CodecError } from '../codec.js';
import { malformed } from './segments.js';

const LENGTHS = 16; // the longest code, and so many counts lead a table
const MAX_FILLED = 64; // zero bits that a lookup may see beyond the end before the stream counts as cut

/**
 * Every 16 bits that may come next, with the length of the code they begin with and its value.
 *
 * @typedef {Uint16Array} HuffmanTable `length << 8 | value`, 0 where no code begins so
 */

/**
 * What a DHT segment defines, by class and destination (`class << 4 | destination`); not yet expanded, because a hostile
 * stream may define many and use none.
 *
 * @param {Uint8Array} bytes
 * @param {number} start first byte after the segment's length
 * @param {number} stop
 * @returns {Map<number, Uint8Array>} the counts of each length, then the values
 */
export function readTables(bytes, start, stop) {
  const tables = new Map();
  for (let at = start; at < stop;) {
    const counts = bytes.subarray(at + 1, at + 1 + LENGTHS);
    const end = at + 1 + LENGTHS + counts.reduce((sum, count) => sum + count, 0);
    if (end > stop) throw malformed('a Huffman table is longer than its segment');
    tables.set(bytes[at], bytes.subarray(at + 1, end));
    at = end;
  }
  return tables;
}

/**
 * @param {Uint8Array | undefined} definition
 * @returns {HuffmanTable}
 */
export function expandTable(definition) {
  if (definition === undefined) throw malformed('a scan names a Huffman table that is not there');
  const table = new Uint16Array(1 << LENGTHS);
  let value = LENGTHS;
  let code = 0;
  for (let length = 1; length <= LENGTHS; length++) {
    const span = 1 << (LENGTHS - length);
    for (let i = 0; i < definition[length - 1]; i++) {
      if (code + span > table.length) throw malformed('a Huffman table has too many codes');
      table.fill((length << 8) | definition[value++], code, code + span);
      code += span;
    }
  }
  return table;
}

/** Reads the bits between two markers, without the bytes stuffed after 0xFF. */
export class BitReader {
  #bytes;
  #at;
  #bits = 0;
  #count = 0;
  #filled = 0;

  /**
   * @param {Uint8Array} bytes
   * @param {number} at
   */
  constructor(bytes, at) {
    this.#bytes = bytes;
    this.#at = at;
  }

  /** @param {HuffmanTable} table */
  decode(table) {
    if (this.#count < 16) this.#fill();
    const entry = table[(this.#bits >>> (this.#count - 16)) & 0xffff];
    if (entry === 0) throw new CodecError('DecodeError', 'the stream has a code of no table');
    this.#count -= entry >> 8;
    return entry & 0xff;
  }

  /**
   * The next `length` bits as a difference (F.2.2.1): half of the values are negative.
   *
   * @param {number} length 0 to 15
   */
  receiveExtended(length) {
    if (length === 0) return 0;
    if (this.#count < 16) this.#fill();
    this.#count -= length;
    const value = (this.#bits >>> this.#count) & ((1 << length) - 1);
    return value < 1 << (length - 1) ? value - (1 << length) + 1 : value;
  }

  #fill() {
    const bytes = this.#bytes;
    while (this.#count <= 16) {
      let byte = bytes[this.#at];
      if (byte === undefined || (byte === 0xff && bytes[this.#at + 1] !== 0)) {
        byte = 0;
        this.#filled += 8;
        if (this.#filled > MAX_FILLED) this.#refuseCut();
      } else {
        this.#at += byte === 0xff ? 2 : 1;
      }
      this.#bits = (this.#bits << 8) | byte;
      this.#count += 8;
    }
  }

  #refuseCut() {
    throw new CodecError('DecodeError', 'the entropy-coded data end early');
  }

  /** Goes on after the restart marker that has to come now. */
  restart() {
    this.#check();
    let at = this.#at;
    while (this.#bytes[at] === 0xff && this.#bytes[at + 1] === 0xff) at += 1;
    const marker = this.#bytes[at + 1];
    if (this.#bytes[at] !== 0xff || marker < 0xd0 || marker > 0xd7) {
      throw new CodecError('DecodeError', 'no restart marker where one has to be');
    }
    this.#at = at + 2;
    this.#bits = this.#count = this.#filled = 0;
  }

  /** Ends the scan: where the marker after it begins. */
  finish() {
    this.#check();
    return this.#at;
  }

  /** Refuses a stream of which more bits were used than it has. */
  #check() {
    if (this.#filled > this.#count) this.#refuseCut();
  }
}
