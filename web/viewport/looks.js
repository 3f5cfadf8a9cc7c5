/** What turns the samples of a frame into what is seen: colour first, then a table; each made once. */

import { readingOf, toRgb } from './colour.js';
import { colourTable, greyInputs, greyTable } from './voi.js';
import { IDENTITY, greysOf, isWide } from './wide.js';

/**
 * @typedef {import('../engine/records.js').ImageRecord} ImageRecord
 * @typedef {import('./resample.js').Buffer} Buffer
 * @typedef {import('./painter.js').Picture} Picture
 * @typedef {{buffer: Buffer, table: Uint8Array}} Look what a mapper is given
 */

export class Looks {
  /** @type {{frame: Buffer, record: ImageRecord, buffer: Buffer, largest: number} | null} */
  #rgb = null;
  /** @type {{inputs: unknown[], table: Uint8Array} | null} */
  #table = null;
  /** @type {{inputs: unknown[], greys: Buffer} | null} */
  #greys = null;

  /**
   * What is brought to the screen's resolution: stored values of grey images, else red, green and blue. An index into
   * a palette cannot be averaged.
   *
   * @param {Buffer} frame that `readingOf` does not refuse
   * @param {ImageRecord} record
   * @returns {Buffer}
   */
  source(frame, record) {
    const reading = readingOf(record, frame.samplesPerPixel);
    if (!('model' in reading) || reading.model === 'grey') return frame;
    if (this.#rgb?.frame !== frame || this.#rgb.record !== record) {
      this.#rgb = { frame, record, ...toRgb(frame, record, reading.model) };
    }
    return this.#rgb.buffer;
  }

  /**
   * @param {Buffer} buffer made of what `source` gave
   * @param {Picture} picture
   * @returns {Look} the same objects as long as they are the same
   */
  look(buffer, { record, window, inverted }) {
    if (window && isWide(buffer.data)) {
      const inputs = [buffer, inverted, ...greyInputs(record, window)];
      if (!isSame(this.#greys?.inputs, inputs)) {
        this.#greys = { inputs, greys: greysOf(buffer, record, window, inverted) };
      }
      const buffer8 = /** @type {{greys: Buffer}} */ (this.#greys).greys;
      return { buffer: buffer8, table: IDENTITY };
    }
    const bits = buffer.data.BYTES_PER_ELEMENT === 1 ? 8 : 16;
    const signed = buffer.data instanceof Int8Array || buffer.data instanceof Int16Array;
    const largest = this.#rgb?.largest ?? 2 ** bits - 1;
    const inputs = window
      ? [bits, signed, inverted, ...greyInputs(record, window)]
      : [bits, inverted, largest];
    if (!isSame(this.#table?.inputs, inputs)) {
      const table = window
        ? greyTable(record, window, { bits, signed, inverted })
        : colourTable(largest, bits, inverted);
      this.#table = { inputs, table };
    }
    return { buffer, table: /** @type {{table: Uint8Array}} */ (this.#table).table };
  }

  forget() {
    this.#rgb = null;
    this.#greys = null;
  }
}

/**
 * @param {unknown[] | undefined} before
 * @param {unknown[]} now
 */
function isSame(before, now) {
  return before?.length === now.length && now.every((value, i) => Object.is(value, before[i]));
}
