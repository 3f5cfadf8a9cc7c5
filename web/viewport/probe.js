/** What lies under a point of the image; pure. */

import { apply, inverse, pictureToImage } from './geometry.js';
import { regionArea, regionToImage } from './region-geometry.js';
import { modalityOf } from './voi.js';

/**
 * @typedef {object} Probed
 * @property {number} row of the full image, from 0
 * @property {number} column
 * @property {number[]} stored one value for each sample
 * @property {number | null} modality null where that is no scale of its own: colour, no rescale
 * @property {boolean} reduced the values are those of a coarser level
 * @property {number} resolutionLevel whose values they are
 * @property {number} decompositionLevels
 */

/**
 * @param {import('../engine/records.js').ImageRecord} record
 * @param {import('../engine/frame-store.js').StoredFrame} frame
 * @param {{x: number, y: number}} point in image coordinates
 * @param {readonly import('../engine/regions.js').RegionPicture[]} [regions] windows of finer levels, the finest last
 * @returns {Probed | null} null beside the image
 */
export function probe(record, frame, point, regions = []) {
  const column = Math.floor(point.x);
  const row = Math.floor(point.y);
  if (!(column >= 0 && row >= 0 && column < record.columns && row < record.rows)) return null;
  // the middle of the pixel, so that one pixel has one value
  const centre = { x: column + 0.5, y: row + 0.5 };
  const region = regions.findLast((one) => isIn(regionArea(one, record), centre));
  const picture = region ?? frame;
  const toImage = region ? regionToImage(region) : pictureToImage(frame, record);
  const at = apply(inverse(toImage), centre.x, centre.y);
  const x = Math.min(Math.max(Math.floor(at.x), 0), picture.columns - 1);
  const y = Math.min(Math.max(Math.floor(at.y), 0), picture.rows - 1);
  const samples = picture.samplesPerPixel;
  const from = (y * picture.columns + x) * samples;
  const stored = Array.from(picture.data.subarray(from, from + samples));
  const { resolutionLevel, decompositionLevels } = picture;
  return {
    row,
    column,
    stored,
    modality: modalityValue(record, stored),
    reduced: region
      ? resolutionLevel < decompositionLevels
      : frame.columns !== record.columns || frame.rows !== record.rows,
    resolutionLevel,
    decompositionLevels,
  };
}

/**
 * @param {import('./geometry.js').Region} area
 * @param {{x: number, y: number}} point
 */
function isIn({ x, y, width, height }, point) {
  return point.x >= x && point.y >= y && point.x <= x + width && point.y <= y + height;
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
