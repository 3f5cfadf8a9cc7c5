/** The scans of a Huffman-coded sequential or lossless JPEG stream, with the tables in force at each (ISO/IEC 10918-1 B.2). */

import { expandTable, readTables } from './huffman.js';
import { DHT, DQT, DRI, SOS, malformed, readSegments, uint16 } from './segments.js';

/** @import { FrameHeader, Segment } from './segments.js' */
/** @import { HuffmanTable } from './huffman.js' */

/**
 * @typedef {object} Scan
 * @property {number} start its first byte of entropy-coded data
 * @property {ScanComponent[]} components
 * @property {number} predictor Ss: the first coefficient, or the predictor of a lossless scan
 * @property {number} pointTransform Al
 * @property {number} restartInterval 0: none
 *
 * @typedef {object} ScanComponent
 * @property {number} index in the frame
 * @property {HuffmanTable} dc
 * @property {HuffmanTable | undefined} ac
 */

/** Tables and intervals, as the segments define them one after the other. */
export class Definitions {
  /** @type {Map<number, Uint8Array>} */
  #huffman = new Map();
  /** @type {Map<number, number[]>} in zigzag order */
  quantization = new Map();
  restartInterval = 0;
  #bytes;

  /** @param {Uint8Array} bytes */
  constructor(bytes) {
    this.#bytes = bytes;
  }

  /** @param {Segment[]} segments */
  take(segments) {
    for (const { marker, start, stop } of segments) {
      if (marker === DRI) this.restartInterval = uint16(this.#bytes, start + 4);
      else if (marker === DQT) this.#takeQuantization(start + 4, stop);
      else if (marker === DHT) {
        for (const [name, table] of readTables(this.#bytes, start + 4, stop)) {
          this.#huffman.set(name, table);
        }
      }
    }
  }

  /**
   * @param {number} start
   * @param {number} stop
   */
  #takeQuantization(start, stop) {
    for (let at = start; at < stop;) {
      const width = this.#bytes[at] >> 4 ? 2 : 1;
      const end = at + 1 + 64 * width;
      if (end > stop) throw malformed('a quantization table is longer than its segment');
      const first = at + 1;
      const values = Array.from({ length: 64 }, (_, i) =>
        width === 2 ? uint16(this.#bytes, first + 2 * i) : this.#bytes[first + i],
      );
      this.quantization.set(this.#bytes[at] & 15, values);
      at = end;
    }
  }

  /**
   * @param {Segment} segment SOS
   * @param {FrameHeader} frame
   * @param {boolean} isLossless without AC tables
   * @returns {Scan}
   */
  scan({ start, stop }, frame, isLossless) {
    const bytes = this.#bytes;
    const count = bytes[start + 4];
    if (count === 0 || stop !== start + 8 + 2 * count) {
      throw malformed('the scan header does not hold its components');
    }
    const components = Array.from({ length: count }, (_, i) => {
      const [id, tables] = bytes.subarray(start + 5 + 2 * i, start + 7 + 2 * i);
      const index = frame.components.findIndex((component) => component.id === id);
      if (index < 0) throw malformed(`a scan of component ${id}, which the frame has not`);
      const dc = expandTable(this.#huffman.get(tables >> 4));
      const ac = isLossless ? undefined : expandTable(this.#huffman.get(0x10 | (tables & 15)));
      return { index, dc, ac };
    });
    const predictor = bytes[stop - 3];
    const pointTransform = bytes[stop - 1] & 15;
    return {
      start: stop,
      components,
      predictor,
      pointTransform,
      restartInterval: this.restartInterval,
    };
  }
}

/**
 * Decodes scan after scan until every component of the frame has had its own.
 *
 * @param {Uint8Array} bytes
 * @param {Segment[]} headers the segments before the first scan and its SOS
 * @param {FrameHeader} frame
 * @param {boolean} isLossless
 * @param {(scan: Scan, definitions: Definitions) => number} decodeScan returns where the marker after the scan begins
 */
export function forEachScan(bytes, headers, frame, isLossless, decodeScan) {
  const definitions = new Definitions(bytes);
  const missing = new Set(frame.components.keys());
  let segments = headers;
  while (missing.size > 0) {
    definitions.take(segments);
    const last = segments.at(-1);
    if (last?.marker !== SOS) throw malformed('the stream ends before its last scan');
    const scan = definitions.scan(last, frame, isLossless);
    for (const { index } of scan.components) {
      if (!missing.delete(index)) throw malformed('two scans of one component');
    }
    const stop = decodeScan(scan, definitions);
    if (missing.size > 0) segments = readSegments(bytes, stop);
  }
}
