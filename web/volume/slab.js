/**
 * Values of thick planes, and of pixels that cover many voxels, on the CPU; pure.
 *
 * @typedef {import('./field.js').Field} Field
 * @typedef {import('./sample.js').PlaneGrid} PlaneGrid
 * @typedef {import('./vectors.js').Vector} Vector
 *
 * @typedef {'mip' | 'minip' | 'mean'} SlabMode
 * @typedef {{mode: SlabMode, offsets: Vector[]}} SlabGrid `offsets` from the plane to those that are combined
 */

import { samplePlane } from './sample.js';
import { along } from './vectors.js';

/**
 * Values of a slab: of the planes at its offsets the largest, the smallest or the mean.
 *
 * @param {Field} field
 * @param {PlaneGrid} plane
 * @param {SlabGrid} slab
 * @param {boolean} linear
 * @param {Float32Array} out
 */
export function sampleSlab(field, plane, { mode, offsets }, linear, out) {
  const size = plane.columns * plane.rows;
  const layer = new Float32Array(size);
  const counts = mode === 'mean' ? new Uint16Array(size) : null;
  out.fill(NaN);
  for (const offset of offsets) {
    samplePlane(field, { ...plane, origin: along(plane.origin, offset, 1) }, linear, layer);
    if (counts) sum(out, layer, counts);
    else keep(out, layer, mode === 'mip');
  }
  if (counts) for (let i = 0; i < size; i += 1) out[i] /= counts[i];
}

/**
 * @param {Float32Array} out
 * @param {Float32Array} layer
 * @param {boolean} largest
 */
function keep(out, layer, largest) {
  if (largest) {
    for (let i = 0; i < out.length; i += 1)
      if (!(out[i] >= layer[i])) out[i] = pick(layer[i], out[i]);
  } else {
    for (let i = 0; i < out.length; i += 1)
      if (!(out[i] <= layer[i])) out[i] = pick(layer[i], out[i]);
  }
}

/**
 * @param {number} value
 * @param {number} otherwise where the value is not one
 */
function pick(value, otherwise) {
  return value === value ? value : otherwise;
}

/**
 * @param {Float32Array} out
 * @param {Float32Array} layer
 * @param {Uint16Array} counts
 */
function sum(out, layer, counts) {
  for (let i = 0; i < out.length; i += 1) {
    const value = layer[i];
    if (value !== value) continue;
    out[i] = counts[i] ? out[i] + value : value;
    counts[i] += 1;
  }
}

/**
 * Averages squares; those at the rim average what they have.
 *
 * @param {Float32Array} values
 * @param {number} columns of the result
 * @param {number} rows of the result
 * @param {number} factor
 * @returns {Float32Array}
 */
export function averageValues(values, columns, rows, factor) {
  const out = new Float32Array(columns * rows);
  const wide = columns * factor;
  for (let row = 0, at = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1, at += 1) {
      let total = 0;
      let count = 0;
      for (let y = 0; y < factor; y += 1) {
        const from = (row * factor + y) * wide + column * factor;
        for (let i = from; i < from + factor; i += 1) {
          const value = values[i];
          if (value !== value) continue;
          total += value;
          count += 1;
        }
      }
      out[at] = count ? total / count : NaN;
    }
  }
  return out;
}
