/**
 * Sequential DCT with Huffman coding and 12 bits a sample (ISO/IEC 10918-1 annex F, process 4), which the library was
 * not built for.
 */

import { CodecError } from '../codec.js';
import { BitReader } from '../jpeg/huffman.js';
import { forEachScan } from '../jpeg/scans.js';
import { malformed } from '../jpeg/segments.js';
import { ZIGZAG, inverseDct } from './dct.js';

/** @import { HuffmanTable } from '../jpeg/huffman.js' */
/** @import { FrameComponent, FrameHeader, Segment } from '../jpeg/segments.js' */
/** @import { Definitions, Scan } from '../jpeg/scans.js' */

/**
 * @typedef {object} Plane the samples of one component, in whole blocks
 * @property {number} width of the plane in samples
 * @property {number} blockColumns blocks that hold samples of the image
 * @property {number} blockRows
 * @property {Uint16Array} samples
 * @property {FrameComponent} component
 */

/**
 * @param {Uint8Array} bytes
 * @param {Segment[]} headers
 * @param {FrameHeader} frame
 * @returns {Uint16Array<ArrayBuffer>} interleaved; shared chroma is repeated
 */
export function decodeExtended(bytes, headers, frame) {
  const most = {
    horizontal: Math.max(...frame.components.map((component) => component.horizontal)),
    vertical: Math.max(...frame.components.map((component) => component.vertical)),
  };
  const mcu = {
    columns: Math.ceil(frame.columns / (8 * most.horizontal)),
    rows: Math.ceil(frame.rows / (8 * most.vertical)),
  };
  const planes = frame.components.map((component) => createPlane(component, frame, most, mcu));
  forEachScan(bytes, headers, frame, false, (scan, definitions) =>
    decodeScan(bytes, scan, definitions, planes, mcu, frame.precision),
  );
  return gathered(planes, frame, most);
}

/**
 * @param {FrameComponent} component
 * @param {FrameHeader} frame
 * @param {{horizontal: number, vertical: number}} most
 * @param {{columns: number, rows: number}} mcu
 * @returns {Plane}
 */
function createPlane(component, frame, most, mcu) {
  const { horizontal, vertical } = component;
  if (![1, 2, 4].includes(horizontal) || ![1, 2, 4].includes(vertical)) {
    throw malformed(`sampling factors ${horizontal} x ${vertical}`);
  }
  const width = mcu.columns * horizontal * 8;
  return {
    width,
    blockColumns: Math.ceil((frame.columns * horizontal) / most.horizontal / 8),
    blockRows: Math.ceil((frame.rows * vertical) / most.vertical / 8),
    samples: new Uint16Array(width * mcu.rows * vertical * 8),
    component,
  };
}

/**
 * Goes through the blocks in the order of the scan (A.2): one component's rows, or of several a patch of each in turn.
 *
 * @param {Uint8Array} bytes
 * @param {Scan} scan
 * @param {Definitions} definitions
 * @param {Plane[]} planes
 * @param {{columns: number, rows: number}} mcu
 * @param {number} precision
 */
function decodeScan(bytes, scan, definitions, planes, mcu, precision) {
  const reader = new BitReader(bytes, scan.start);
  const isAlone = scan.components.length === 1;
  const parts = scan.components.map(({ index, dc, ac }) => {
    const plane = planes[index];
    const quantization = definitions.quantization.get(plane.component.quantizationTable);
    if (quantization === undefined) throw malformed('a quantization table is not there');
    const { horizontal, vertical } = isAlone ? { horizontal: 1, vertical: 1 } : plane.component;
    const block = new BlockDecoder(
      reader,
      dc,
      /** @type {HuffmanTable} */ (ac),
      quantization,
      precision,
    );
    return { plane, horizontal, vertical, block };
  });
  const columns = isAlone ? parts[0].plane.blockColumns : mcu.columns;
  const count = columns * (isAlone ? parts[0].plane.blockRows : mcu.rows);
  for (let unit = 0; unit < count; unit++) {
    if (scan.restartInterval > 0 && unit > 0 && unit % scan.restartInterval === 0) {
      reader.restart();
      for (const { block } of parts) block.restart();
    }
    const unitRow = Math.floor(unit / columns);
    const unitColumn = unit % columns;
    for (const { plane, horizontal, vertical, block } of parts) {
      for (let i = 0; i < horizontal * vertical; i++) {
        const row = unitRow * vertical + Math.floor(i / horizontal);
        const column = unitColumn * horizontal + (i % horizontal);
        block.decode(plane.samples, row * 8 * plane.width + column * 8, plane.width);
      }
    }
  }
  return reader.finish();
}

/** Decodes the blocks of one component in a scan. */
class BlockDecoder {
  #reader;
  #dc;
  #ac;
  #quantization;
  #precision;
  #previous = 0;
  #coefficients = new Float64Array(64);

  /**
   * @param {BitReader} reader
   * @param {HuffmanTable} dc
   * @param {HuffmanTable} ac
   * @param {number[]} quantization
   * @param {number} precision
   */
  constructor(reader, dc, ac, quantization, precision) {
    this.#reader = reader;
    this.#dc = dc;
    this.#ac = ac;
    this.#quantization = quantization;
    this.#precision = precision;
  }

  restart() {
    this.#previous = 0;
  }

  /**
   * @param {Uint16Array} samples
   * @param {number} start of the block's first sample
   * @param {number} width
   */
  decode(samples, start, width) {
    const coefficients = this.#coefficients.fill(0);
    const reader = this.#reader;
    this.#previous += reader.receiveExtended(checkedLength(reader.decode(this.#dc)));
    coefficients[0] = this.#previous * this.#quantization[0];
    for (let k = 1; k < 64; k++) {
      const symbol = reader.decode(this.#ac);
      const length = checkedLength(symbol & 15);
      if (length === 0) {
        if (symbol !== 0xf0) break; // end of block; 0xf0 are sixteen zeros
        k += 15;
        continue;
      }
      k += symbol >> 4;
      if (k > 63) throw new CodecError('DecodeError', 'a block of more than 64 coefficients');
      coefficients[ZIGZAG[k]] = reader.receiveExtended(length) * this.#quantization[k];
    }
    inverseDct(coefficients, this.#precision, samples, start, width);
  }
}

/** @param {number} length of a difference or a coefficient, in bits */
function checkedLength(length) {
  if (length <= 15) return length;
  throw new CodecError('DecodeError', `a coefficient of ${length} bits`);
}

/**
 * @param {Plane[]} planes
 * @param {FrameHeader} frame
 * @param {{horizontal: number, vertical: number}} most
 */
function gathered(planes, { rows, columns }, most) {
  const pixels = new Uint16Array(rows * columns * planes.length);
  planes.forEach(({ samples, width, component }, sample) => {
    const across = component.horizontal / most.horizontal;
    const down = component.vertical / most.vertical;
    let to = sample;
    for (let y = 0; y < rows; y++) {
      const line = Math.floor(y * down) * width;
      for (let x = 0; x < columns; x++, to += planes.length) {
        pixels[to] = samples[line + Math.floor(x * across)];
      }
    }
  });
  return pixels;
}
