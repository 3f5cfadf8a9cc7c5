/**
 * Maps stored values with a table, on the CPU: the first picture, colour, and all on machines without a GPU.
 *
 * @typedef {import('./resample.js').Buffer} Buffer
 * @typedef {import('./resample.js').StoredValues} StoredValues
 * @typedef {import('./geometry.js').Region} Region
 *
 * @typedef {object} Mapper turns a region of stored values into an image of the same size; the result is valid until
 *   the next call
 * @property {'canvas2d' | 'webgl2'} kind
 * @property {(buffer: Buffer) => boolean} accepts
 * @property {boolean} lost its context has gone and what it drew with it; the result of `map` is then worth nothing
 * @property {(buffer: Buffer, region: Region, table: Uint8Array) => CanvasImageSource} map beyond the last column and
 *   row the edge is repeated; `table` as `greyTable` makes it
 * @property {() => void} release
 */

const OPAQUE = 0xff000000;

/** @implements {Mapper} */
export class Canvas2dMapper {
  /** @type {'canvas2d'} */
  kind = 'canvas2d';
  #canvas = new OffscreenCanvas(1, 1);
  #context = /** @type {OffscreenCanvasRenderingContext2D} */ (
    this.#canvas.getContext('2d', { alpha: false })
  );
  /** @type {ImageData | null} */
  #image = null;

  lost = false;

  /** @returns {boolean} */
  accepts() {
    return true;
  }

  /**
   * @param {Buffer} buffer
   * @param {Region} region
   * @param {Uint8Array} table
   * @returns {CanvasImageSource}
   */
  map(buffer, region, table) {
    const { width, height } = region;
    if (this.#image?.width !== width || this.#image.height !== height) {
      this.#canvas.width = width;
      this.#canvas.height = height;
      this.#image = new ImageData(width, height);
    }
    const out = new Uint32Array(this.#image.data.buffer);
    if (buffer.samplesPerPixel === 1) mapGrey(buffer, region, table, out);
    else mapColour(buffer, region, table, out);
    this.#context.putImageData(this.#image, 0, 0);
    return this.#canvas;
  }

  release() {
    this.#image = null;
    this.#canvas.width = 1;
    this.#canvas.height = 1;
  }
}

/**
 * The same samples, of 8 or 16 bits, as unsigned bit patterns, which index the table; no copy.
 *
 * @param {StoredValues} data
 * @returns {Uint8Array | Uint16Array}
 */
export function bitPatterns(data) {
  if (data instanceof Uint8Array || data instanceof Uint16Array) return data;
  const type = data instanceof Int8Array ? Uint8Array : Uint16Array;
  return new type(/** @type {ArrayBuffer} */ (data.buffer), data.byteOffset, data.length);
}

/**
 * @param {Buffer} buffer
 * @param {Region} region
 * @param {Uint8Array} table
 * @param {Uint32Array} out RGBA, little-endian
 */
function mapGrey(buffer, region, table, out) {
  const patterns = bitPatterns(buffer.data);
  const colours = new Uint32Array(table.length);
  for (let i = 0; i < table.length; i += 1) colours[i] = OPAQUE | (table[i] * 0x010101);
  const inside = Math.min(region.width, buffer.columns - region.x);
  for (let y = 0; y < region.height; y += 1) {
    const row = Math.min(region.y + y, buffer.rows - 1) * buffer.columns;
    let from = row + region.x;
    let to = y * region.width;
    for (const stop = to + inside; to < stop; to += 1, from += 1) out[to] = colours[patterns[from]];
    out.fill(colours[patterns[row + buffer.columns - 1]], to, (y + 1) * region.width);
  }
}

/**
 * @param {Buffer} buffer three samples a pixel, interleaved
 * @param {Region} region
 * @param {Uint8Array} table
 * @param {Uint32Array} out RGBA, little-endian
 */
function mapColour(buffer, region, table, out) {
  const patterns = bitPatterns(buffer.data);
  const samples = buffer.samplesPerPixel;
  for (let y = 0, to = 0; y < region.height; y += 1) {
    const row = Math.min(region.y + y, buffer.rows - 1) * buffer.columns;
    for (let x = 0; x < region.width; x += 1, to += 1) {
      const from = (row + Math.min(region.x + x, buffer.columns - 1)) * samples;
      const red = table[patterns[from]];
      const green = table[patterns[from + 1]];
      out[to] = OPAQUE | (table[patterns[from + 2]] << 16) | (green << 8) | red;
    }
  }
}
