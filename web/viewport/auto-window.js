/** A window for images that come without one; pure. */

import { modalityOf, paddingRange, storedRange, validWindow } from './voi.js';

/**
 * @typedef {import('../engine/records.js').ImageRecord} ImageRecord
 * @typedef {import('./resample.js').StoredValues} StoredValues
 */

/**
 * Parts of the values that an automatic window lets go below and above: a few dead or burnt pixels must not rule it,
 * nor the undershoot of a coarse level beside sharp edges.
 */
const TAIL = { low: 0.01, high: 0.003 };

/** It looks at about this many pixels at most. */
const SAMPLES = 2 ** 16;

/** Up to so many bits are made for the eye already: what they can hold is what is shown. */
const READY_BITS = 8;

/**
 * A window over what the values of one level span, or over all that up to eight bits can hold.
 *
 * @param {ImageRecord} record
 * @param {StoredValues} data stored values of one sample a pixel
 * @returns {import('./voi.js').Window}
 */
export function autoWindow(record, data) {
  const ends = record.bits_stored <= READY_BITS ? storedRange(record) : span(record, data);
  const modality = modalityOf(record);
  const [low, high] = [modality(ends.min), modality(ends.max)];
  const least = record.modality_lut ? 1 : Math.abs(record.rescale_slope);
  const width = Math.abs(high - low) || least;
  return validWindow({ center: (low + high) / 2, width }, 'LINEAR_EXACT');
}

/**
 * @param {ImageRecord} record
 * @param {StoredValues} data
 * @returns {{min: number, max: number}} of the values between the tails
 */
function span(record, data) {
  const isFloat = data instanceof Float32Array;
  const { min, max } = isFloat ? { min: -Infinity, max: Infinity } : storedRange(record);
  const { low, high } = paddingRange(record) ?? { low: Infinity, high: -Infinity };
  const step = Math.ceil(data.length / SAMPLES);
  const values = new Float64Array(Math.ceil(data.length / step));
  let count = 0;
  for (let i = 0; i < data.length; i += step) {
    const value = data[i];
    if (!Number.isFinite(value) || (value >= low && value <= high)) continue;
    values[count++] = Math.min(Math.max(value, min), max);
  }
  if (count === 0) return { min: 0, max: 0 };
  const sorted = values.subarray(0, count).sort();
  const at = (/** @type {number} */ part) => sorted[Math.min(Math.floor(count * part), count - 1)];
  return { min: at(TAIL.low), max: at(1 - TAIL.high) };
}
