/**
 * Maps stored values with a table, on the CPU: the first picture, colour, and all on machines without a GPU.
 *
 * @typedef {import('./resample.js').Buffer} Buffer
 * @typedef {import('./resample.js').StoredValues} StoredValues
 * @typedef {import('./geometry.js').Region} Region
 *
 * @typedef {object} Mapper puts a region of stored values on a canvas, pixel for pixel
 * @property {'canvas2d' | 'webgl2'} kind
 * @property {(buffer: Buffer) => boolean} accepts
 * @property {boolean} lost its context has gone and what it drew with it; what `draw` drew is then worth nothing
 * @property {(context: Context, buffer: Buffer, region: Region, table: Uint8Array, x: number, y: number) => void} draw
 *   `region` lies in the buffer and goes to (x, y); `table` as `greyTable` makes it
 * @property {() => void} release
 *
 * @typedef {CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D} Context
 */

const OPAQUE = 0xff000000 | 0;

/** @implements {Mapper} */
export class Canvas2dMapper {
  /** @type {'canvas2d'} */
  kind = 'canvas2d';
  /** @type {ImageData | null} */
  #image = null;

  lost = false;

  /** @returns {boolean} */
  accepts() {
    return true;
  }

  /**
   * @param {Context} context
   * @param {Buffer} buffer
   * @param {Region} region
   * @param {Uint8Array} table
   * @param {number} x
   * @param {number} y
   */
  draw(context, buffer, region, table, x, y) {
    const { width, height } = region;
    if (this.#image?.width !== width || this.#image.height !== height) {
      this.#image = new ImageData(width, height);
    }
    const out = new Int32Array(this.#image.data.buffer);
    if (buffer.samplesPerPixel === 1) mapGrey(buffer, region, table, out);
    else mapColour(buffer, region, table, out);
    // straight to the canvas that is seen: through one of our own it would be copied twice more
    context.putImageData(this.#image, x, y);
  }

  release() {
    this.#image = null;
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
 * @param {Int32Array} out RGBA, little-endian
 */
function mapGrey(buffer, region, table, out) {
  const patterns = bitPatterns(buffer.data);
  for (let y = 0, to = 0; y < region.height; y += 1) {
    let from = (region.y + y) * buffer.columns + region.x;
    for (const stop = to + region.width; to < stop; to += 1, from += 1) {
      // multiplied here: a table of colours would not stay in the processor's cache
      out[to] = OPAQUE | (table[patterns[from]] * 0x010101);
    }
  }
}

/**
 * @param {Buffer} buffer three samples a pixel, interleaved
 * @param {Region} region
 * @param {Uint8Array} table
 * @param {Int32Array} out RGBA, little-endian
 */
function mapColour(buffer, region, table, out) {
  const patterns = bitPatterns(buffer.data);
  const samples = buffer.samplesPerPixel;
  for (let y = 0, to = 0; y < region.height; y += 1) {
    let from = ((region.y + y) * buffer.columns + region.x) * samples;
    for (const stop = to + region.width; to < stop; to += 1, from += samples) {
      const red = table[patterns[from]];
      const green = table[patterns[from + 1]];
      out[to] = OPAQUE | (table[patterns[from + 2]] << 16) | (green << 8) | red;
    }
  }
}
