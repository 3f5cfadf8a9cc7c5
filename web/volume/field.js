/**
 * The slices that are held, as the samplers want them; pure.
 *
 * @typedef {import('../engine/frame-store.js').StoredFrame} StoredFrame
 * @typedef {import('../engine/records.js').ImageRecord} ImageRecord
 * @typedef {import('./vectors.js').Vector} Vector
 *
 * @typedef {object} Held one slice: its own level, where its samples lie, and what they mean
 * @property {import('../viewport/resample.js').StoredValues} data
 * @property {number} columns
 * @property {number} rows
 * @property {number} slice index in the volume
 * @property {number} position mm along the normal
 * @property {number} slope
 * @property {number} intercept
 * @property {number} scaleX sample of the level = scale * voxel coordinate + offset, both from the centre of the first
 * @property {number} offsetX
 * @property {number} scaleY
 * @property {number} offsetY
 *
 * @typedef {object} Field
 * @property {Held[]} held sorted by position
 * @property {Float64Array} positions of them
 * @property {[Vector, Vector]} bounds in voxel coordinates
 * @property {boolean} replicate where slices are missing, the nearest one that is held stands in
 * @property {number} version differs from that of any other field of the same volume
 */

import { inverse, pictureToImage } from '../viewport/geometry.js';
import { modalityOf } from '../viewport/voi.js';
import { firstAfter } from './grid.js';

/**
 * @param {StoredFrame} picture
 * @param {ImageRecord} record
 * @param {number} slice
 * @param {number} position
 * @returns {Held}
 */
export function heldSlice(picture, record, slice, position) {
  const { scaleX, scaleY, offsetX, offsetY } = inverse(pictureToImage(picture, record));
  const { columns, rows } = picture;
  const { data, slope, intercept } = meaning(picture, record);
  // image coordinates count from the outer corner of the first pixel
  const centred = (/** @type {number} */ scale, /** @type {number} */ offset) =>
    offset + scale / 2 - 0.5;
  // written out: the samplers' inner loops need objects of one plain shape
  return {
    data,
    columns,
    rows,
    slice,
    position,
    slope,
    intercept,
    scaleX,
    offsetX: centred(scaleX, offsetX),
    scaleY,
    offsetY: centred(scaleY, offsetY),
  };
}

/**
 * A Modality LUT is applied once: between its entries there is nothing to interpolate afterwards.
 *
 * @param {StoredFrame} picture
 * @param {ImageRecord} record
 */
function meaning({ data }, record) {
  if (!record.modality_lut) {
    return { data, slope: record.rescale_slope, intercept: record.rescale_intercept };
  }
  const modality = modalityOf(record);
  return { data: Float32Array.from(data, modality), slope: 1, intercept: 0 };
}

/** @typedef {{first: number, second: number, weight: number}} Bracket indices of held slices; `weight` is the second's */

/**
 * The held slices around a position.
 *
 * @param {Field} field not empty
 * @param {number} t mm along the normal
 * @returns {Bracket}
 */
export function bracket({ held, positions, replicate }, t) {
  const after = firstAfter(positions, t);
  if (after === 0) return { first: 0, second: 0, weight: 0 };
  const first = after - 1;
  if (after === positions.length) return { first, second: first, weight: 0 };
  const weight = (t - positions[first]) / (positions[after] - positions[first]);
  const adjacent = held[after].slice === held[first].slice + 1;
  return { first, second: after, weight: replicate && !adjacent ? nearer(weight) : weight };
}

/** @param {number} weight of the second */
export function nearer(weight) {
  return weight > 0.5 ? 1 : 0;
}

/**
 * The value at one point: the reference for both samplers.
 *
 * @param {Field} field
 * @param {Vector} voxel
 * @param {boolean} linear else the nearest sample
 * @returns {number} modality value, NaN outside or where nothing is held
 */
export function valueAt(field, [x, y, t], linear) {
  const [low, high] = field.bounds;
  const outside = [x, y, t].some((value, axis) => !(value >= low[axis] && value <= high[axis]));
  if (outside || field.held.length === 0) return NaN;
  const { first, second, weight } = bracket(field, t);
  const used = linear ? weight : nearer(weight);
  const a = used < 1 ? inSlice(field.held[first], x, y, linear) : 0;
  const b = used > 0 ? inSlice(field.held[second], x, y, linear) : 0;
  return a * (1 - used) + b * used;
}

/**
 * @param {Held} held
 * @param {number} x
 * @param {number} y
 * @param {boolean} linear
 */
function inSlice({ data, columns, rows, slope, intercept, ...place }, x, y, linear) {
  const u = within(x * place.scaleX + place.offsetX, columns);
  const v = within(y * place.scaleY + place.offsetY, rows);
  if (!linear) return data[Math.floor(v + 0.5) * columns + Math.floor(u + 0.5)] * slope + intercept;
  const [left, top] = [Math.floor(u), Math.floor(v)];
  const right = Math.min(left + 1, columns - 1);
  const bottom = Math.min(top + 1, rows - 1) * columns;
  const row = top * columns;
  const above = data[row + left] + (data[row + right] - data[row + left]) * (u - left);
  const below = data[bottom + left] + (data[bottom + right] - data[bottom + left]) * (u - left);
  return (above + (below - above) * (v - top)) * slope + intercept;
}

/**
 * @param {number} place
 * @param {number} size
 */
function within(place, size) {
  return Math.min(Math.max(place, 0), size - 1);
}
