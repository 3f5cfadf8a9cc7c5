/**
 * Values of a plane, on the CPU; pure. Rows of the plane are cut where it passes from between two held slices to the
 * next two, so that the innermost loops know their slices.
 *
 * @typedef {import('./field.js').Field} Field
 * @typedef {import('./field.js').Held} Held
 * @typedef {import('./vectors.js').Vector} Vector
 *
 * @typedef {object} PlaneGrid pixels of a plane in voxel coordinates
 * @property {Vector} origin centre of the first pixel
 * @property {Vector} right to the next one in the row
 * @property {Vector} down to the next row
 * @property {number} columns
 * @property {number} rows
 */

import { along } from './vectors.js';
import { bracket, nearer } from './field.js';
import { firstAfter } from './grid.js';
import { SliceLines } from './lines.js';

/**
 * @param {Field} field
 * @param {PlaneGrid} plane
 * @param {boolean} linear else the nearest samples
 * @param {Float32Array} out modality values; NaN outside the volume, or where nothing is held
 * @param {SliceLines} [lines] keeps what an upright plane needs of each slice
 */
export function samplePlane(field, plane, linear, out, lines) {
  if (field.held.length === 0) {
    out.fill(NaN);
    return;
  }
  const { columns, rows, right, down } = plane;
  // every row of the plane lies in one slice, and all of them over the same line: a coronal or sagittal plane
  const upright = right[2] === 0 && down[0] === 0 && down[1] === 0;
  const kept = upright ? (lines ?? new SliceLines()) : null;
  kept?.use(plane, linear);
  const single = right[2] === 0 && down[2] === 0 ? onSlice(field, plane.origin[2]) : null;
  for (let row = 0; row < rows; row += 1) {
    const start = along(plane.origin, down, row);
    const [from, to] = inside(start, right, field.bounds, columns);
    const at = row * columns;
    out.fill(NaN, at, at + from);
    out.fill(NaN, at + to, at + columns);
    if (from >= to) continue;
    if (kept) kept.blend(field, start[2], out, at + from, from, to);
    else if (!linear || field.replicate) steppedRow(field, start, right, linear, out, at, from, to);
    else if (single)
      lineOf(single, along(start, right, from), right, true, out, at + from, to - from);
    else leaningRow(field, start, right, out, at, from, to);
  }
}

/**
 * @param {Field} field
 * @param {number} t mm along the normal
 * @returns {Held | null} the one slice that a plane there shows
 */
function onSlice(field, t) {
  const { first, second, weight } = bracket(field, t);
  const negligible = first === second || weight * (1 - weight) < NEGLIGIBLE;
  return negligible ? field.held[weight > 0.5 ? second : first] : null;
}

/** Part of a neighbouring slice that is only rounding of positions. */
const NEGLIGIBLE = 1e-6;

/**
 * The pixels of a row that lie in the volume.
 *
 * @param {Vector} start
 * @param {Vector} step
 * @param {[Vector, Vector]} bounds
 * @param {number} count
 * @returns {[number, number]} first, and the one after the last
 */
function inside(start, step, [low, high], count) {
  let from = 0;
  let to = count - 1;
  for (let axis = 0; axis < 3; axis += 1) {
    if (step[axis] === 0) {
      if (!(start[axis] >= low[axis] && start[axis] <= high[axis])) return [0, 0];
      continue;
    }
    const a = (low[axis] - start[axis]) / step[axis];
    const b = (high[axis] - start[axis]) / step[axis];
    from = Math.max(from, Math.ceil(Math.min(a, b)));
    to = Math.min(to, Math.floor(Math.max(a, b)));
  }
  return from <= to ? [from, to + 1] : [0, 0];
}

/**
 * A row of which each part has its own rule: the nearest slice, where none is interpolated.
 *
 * @param {Field} field
 * @param {Vector} start
 * @param {Vector} step
 * @param {boolean} linear
 * @param {Float32Array} out
 * @param {number} at index of the row's first pixel in `out`
 * @param {number} from
 * @param {number} to
 */
function steppedRow(field, start, step, linear, out, at, from, to) {
  const { held, positions } = field;
  for (let i = from; i < to;) {
    const point = along(start, step, i);
    const { first, second } = bracket(field, point[2]);
    const end = step[2] === 0 ? to : Math.min(to, Math.max(i + 1, leaves(field, start, step, i)));
    const [a, b] = [held[first], held[second]];
    const perMm = first === second ? 0 : 1 / (positions[second] - positions[first]);
    const weight = (point[2] - positions[first]) * perMm;
    if (linear && (!perMm || b.slice === a.slice + 1)) {
      leaningRow(field, start, step, out, at, i, end);
    } else {
      nearestSlices(a, b, point, step, weight, step[2] * perMm, linear, out, at + i, end - i);
    }
    i = end;
  }
}

/**
 * @param {Field} field
 * @param {Vector} start
 * @param {Vector} step
 * @param {number} i pixel of a row
 * @returns {number} the first one after it that lies beyond the next held slice
 */
function leaves({ positions }, start, step, i) {
  const after = firstAfter(positions, start[2] + step[2] * i);
  const next = positions[step[2] > 0 ? after : after - 1];
  return next === undefined ? Infinity : Math.ceil((next - start[2]) / step[2]);
}

/**
 * Each pixel from the nearer one of two slices.
 *
 * @param {Held} a
 * @param {Held} b
 * @param {Vector} point
 * @param {Vector} step
 * @param {number} weight of `b` at the first pixel
 * @param {number} slope of the weight
 * @param {boolean} linear within the slice
 * @param {Float32Array} out
 * @param {number} at
 * @param {number} count
 */
function nearestSlices(a, b, point, step, weight, slope, linear, out, at, count) {
  for (let i = 0; i < count;) {
    const one = nearer(weight + slope * i);
    let end = i + 1;
    while (end < count && nearer(weight + slope * end) === one) end += 1;
    lineOf(one ? b : a, along(point, step, i), step, linear, out, at + i, end - i);
    i = end;
  }
}

/**
 * A line of one slice.
 *
 * @param {Held} held
 * @param {Vector} point
 * @param {Vector} step
 * @param {boolean} linear
 * @param {Float32Array} out
 * @param {number} at
 * @param {number} count
 */
export function lineOf(held, point, step, linear, out, at, count) {
  const { data, columns, rows, slope, intercept, scaleX, scaleY } = held;
  const x = point[0] * scaleX + held.offsetX;
  const y = point[1] * scaleY + held.offsetY;
  const dx = step[0] * scaleX;
  const dy = step[1] * scaleY;
  const lastX = columns - 1;
  const lastY = rows - 1;
  if (!linear) {
    for (let i = 0; i < count; i += 1) {
      const u = Math.min(Math.max(x + dx * i, 0), lastX) + 0.5;
      const v = Math.min(Math.max(y + dy * i, 0), lastY) + 0.5;
      out[at + i] = data[(v | 0) * columns + (u | 0)] * slope + intercept;
    }
    return;
  }
  for (let i = 0; i < count; i += 1) {
    const u = Math.min(Math.max(x + dx * i, 0), lastX);
    const v = Math.min(Math.max(y + dy * i, 0), lastY);
    const left = u | 0;
    const top = v | 0;
    const across = left < lastX ? 1 : 0;
    const from = top * columns + left;
    const under = top < lastY ? from + columns : from;
    const p = u - left;
    const above = data[from] + (data[from + across] - data[from]) * p;
    const below = data[under] + (data[under + across] - data[under]) * p;
    out[at + i] = (above + (below - above) * (v - top)) * slope + intercept;
  }
}

/**
 * A row that leans through the slices: the one loop that everything oblique waits for, so it makes no objects.
 *
 * @param {Field} field
 * @param {Vector} start
 * @param {Vector} step
 * @param {Float32Array} out
 * @param {number} at index of the row's first pixel in `out`
 * @param {number} from
 * @param {number} to
 */
function leaningRow({ held, positions }, start, step, out, at, from, to) {
  const last = positions.length - 1;
  const [x, y, t] = start;
  const [dx, dy, dt] = step;
  let after = firstAfter(positions, t + dt * from);
  let known = -1;
  let a = held[0];
  let b = held[0];
  let [base, perMm] = [0, 0];
  for (let i = from; i < to; i += 1) {
    const place = t + dt * i;
    while (after <= last && positions[after] <= place) after += 1;
    while (after > 0 && positions[after - 1] > place) after -= 1;
    if (after !== known) {
      known = after;
      a = held[after > 0 ? after - 1 : 0];
      b = held[after <= last ? after : last];
      base = a.position;
      perMm = a === b ? 0 : 1 / (b.position - base);
    }
    const weight = (place - base) * perMm;
    const value = sampleOf(a, x + dx * i, y + dy * i);
    out[at + i] =
      weight === 0 ? value : value + (sampleOf(b, x + dx * i, y + dy * i) - value) * weight;
  }
}

/**
 * @param {Held} held
 * @param {number} x voxel coordinates
 * @param {number} y
 */
function sampleOf(held, x, y) {
  const { data, columns } = held;
  const lastX = columns - 1;
  const lastY = held.rows - 1;
  let u = x * held.scaleX + held.offsetX;
  let v = y * held.scaleY + held.offsetY;
  u = u > 0 ? (u < lastX ? u : lastX) : 0;
  v = v > 0 ? (v < lastY ? v : lastY) : 0;
  const left = u | 0;
  const top = v | 0;
  const across = left < lastX ? 1 : 0;
  const one = top * columns + left;
  const under = top < lastY ? one + columns : one;
  const p = u - left;
  const above = data[one] + (data[one + across] - data[one]) * p;
  const below = data[under] + (data[under + across] - data[under]) * p;
  return (above + (below - above) * (v - top)) * held.slope + held.intercept;
}
