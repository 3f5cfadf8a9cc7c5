/** What lies under a point of the image; pure. */

import { apply, inverse, pictureToImage } from './geometry.js';
import { modalityOf } from './voi.js';

/**
 * @typedef {object} Probed
 * @property {number} row of the full image, from 0
 * @property {number} column
 * @property {number[]} stored one value for each sample
 * @property {number | null} modality null where that is no scale of its own: colour, no rescale
 * @property {boolean} reduced the values are those of a coarser level
 */

/**
 * @param {import('../engine/records.js').ImageRecord} record
 * @param {import('../engine/frame-store.js').StoredFrame} frame
 * @param {{x: number, y: number}} point in image coordinates
 * @returns {Probed | null} null beside the image
 */
export function probe(record, frame, point) {
  const column = Math.floor(point.x);
  const row = Math.floor(point.y);
  if (!(column >= 0 && row >= 0 && column < record.columns && row < record.rows)) return null;
  // the middle of the pixel, so that one pixel has one value
  const centre = { x: column + 0.5, y: row + 0.5 };
  const at = apply(inverse(pictureToImage(frame, record)), centre.x, centre.y);
  const x = Math.min(Math.max(Math.floor(at.x), 0), frame.columns - 1);
  const y = Math.min(Math.max(Math.floor(at.y), 0), frame.rows - 1);
  const samples = frame.samplesPerPixel;
  const from = (y * frame.columns + x) * samples;
  const stored = Array.from(frame.data.subarray(from, from + samples));
  return {
    row,
    column,
    stored,
    modality: modalityValue(record, stored),
    reduced: frame.columns !== record.columns || frame.rows !== record.rows,
  };
}

/**
 * @param {import('../engine/records.js').ImageRecord} record
 * @param {number[]} stored
 */
function modalityValue(record, stored) {
  const { rescale_slope: slope, rescale_intercept: intercept, modality_lut: lut } = record;
  const isScale = lut !== undefined || slope !== 1 || intercept !== 0 || record.rescale_type !== '';
  const isGrey = stored.length === 1 && record.photometric_interpretation !== 'PALETTE COLOR';
  return isScale && isGrey ? modalityOf(record)(stored[0]) : null;
}
