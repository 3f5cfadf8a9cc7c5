/** Samples of 32 bits, whole or floating: too many values for a table, so each pixel is computed; pure. */

import { greyFunction, paddingRange } from './voi.js';

/**
 * @typedef {import('./resample.js').Buffer} Buffer
 * @typedef {import('./resample.js').StoredValues} StoredValues
 */

/** The grey that is there already. */
export const IDENTITY = Uint8Array.from({ length: 256 }, (_, grey) => grey);

/** @param {StoredValues} data */
export function isWide(data) {
  return data.BYTES_PER_ELEMENT > 2;
}

/**
 * The greys of a buffer, to be mapped with `IDENTITY`. What is not a number is black, as padding is.
 *
 * @param {Buffer} buffer one sample a pixel
 * @param {import('../engine/records.js').ImageRecord} record
 * @param {import('./voi.js').Window} window
 * @param {boolean} inverted
 * @returns {Buffer}
 */
export function greysOf(buffer, record, window, inverted) {
  const { data } = buffer;
  const greyOf = greyFunction(record, window, inverted);
  const { low, high } = paddingRange(record) ?? { low: Infinity, high: -Infinity };
  const greys = new Uint8Array(data.length);
  for (let i = 0; i < data.length; i += 1) {
    const value = data[i];
    if (!(value >= low && value <= high) && value === value) greys[i] = greyOf(value);
  }
  return { ...buffer, data: greys };
}
