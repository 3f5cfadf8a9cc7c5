/**
 * Between the patient and the voxels of a volume; pure.
 *
 * Voxel coordinates are [x, y, t]: x and y count columns and rows of the full image from the centre of its first pixel,
 * whatever level is held; t is mm along the normal from the first slice. Slices may be at any distance, and shifted
 * against each other (gantry tilt).
 *
 * @typedef {import('./vectors.js').Vector} Vector
 *
 * @typedef {object} VolumeGeometry as `py/firstlight/volume` publishes it
 * @property {number[]} frames
 * @property {number[]} positions
 * @property {Vector} origin
 * @property {Vector} row
 * @property {Vector} column
 * @property {Vector} normal
 * @property {Vector} step
 * @property {[number, number, number]} spacing between rows, between columns, between slices
 * @property {number} rows
 * @property {number} columns
 * @property {number} slices
 * @property {boolean} regular
 * @property {[number, number][]} gaps
 */

import { along, dot, minus } from './vectors.js';

export class Grid {
  geometry;
  /** mm by which the first pixel moves for each mm of normal */
  #lean;

  /** @param {VolumeGeometry} geometry */
  constructor(geometry) {
    this.geometry = geometry;
    this.#lean = along([0, 0, 0], geometry.step, 1 / geometry.spacing[2]);
  }

  /** How far slices reach beyond the first and the last position, in mm. */
  get margin() {
    return this.geometry.spacing[2] / 2;
  }

  /** The smallest and largest voxel coordinates that belong to the volume: pixels and slices have an extent. */
  get bounds() {
    const { columns, rows, positions } = this.geometry;
    /** @type {[Vector, Vector]} */
    const bounds = [
      [-0.5, -0.5, -this.margin],
      [columns - 0.5, rows - 0.5, /** @type {number} */ (positions.at(-1)) + this.margin],
    ];
    return bounds;
  }

  /**
   * @param {Vector} point in the patient, mm
   * @returns {Vector} voxel coordinates
   */
  toVoxel(point) {
    return this.directionToVoxel(minus(point, this.geometry.origin));
  }

  /**
   * @param {Vector} direction in the patient, mm
   * @returns {Vector} in voxel coordinates
   */
  directionToVoxel(direction) {
    const { row, column, normal, spacing } = this.geometry;
    const t = dot(direction, normal);
    const inSlice = along(direction, this.#lean, -t);
    // row and column may be off the right angle by rounding: solve for both
    const skew = dot(row, column);
    const a = dot(inSlice, row);
    const b = dot(inSlice, column);
    const scale = 1 - skew * skew;
    return [(a - b * skew) / scale / spacing[1], (b - a * skew) / scale / spacing[0], t];
  }

  /**
   * @param {Vector} voxel
   * @returns {Vector} in the patient, mm
   */
  toPatient([x, y, t]) {
    const { origin, row, column, spacing } = this.geometry;
    const slice = along(origin, this.#lean, t);
    return along(along(slice, row, x * spacing[1]), column, y * spacing[0]);
  }

  /** The eight corners, in the patient. */
  get corners() {
    const [low, high] = this.bounds;
    return Array.from({ length: 8 }, (_, i) =>
      this.toPatient([(i & 1 ? high : low)[0], (i & 2 ? high : low)[1], (i & 4 ? high : low)[2]]),
    );
  }

  /** The middle of the volume: of the slice nearest to it, and of a pixel. */
  get centre() {
    const { columns, rows, positions } = this.geometry;
    const middle = positions[this.sliceNear(/** @type {number} */ (positions.at(-1)) / 2)];
    return this.toPatient([Math.floor(columns / 2), Math.floor(rows / 2), middle]);
  }

  /**
   * @param {Vector} point in the patient
   * @returns {Vector} the nearest of the volume
   */
  clamp(point) {
    const voxel = this.toVoxel(point);
    const { columns, rows, positions } = this.geometry;
    const last = [columns - 1, rows - 1, /** @type {number} */ (positions.at(-1))];
    const inside = voxel.map((value, axis) => Math.min(Math.max(value, 0), last[axis]));
    return inside.every((value, axis) => value === voxel[axis])
      ? point
      : this.toPatient(/** @type {Vector} */ (inside));
  }

  /**
   * @param {number} t mm along the normal
   * @returns {number} index of the slice nearest to it
   */
  sliceNear(t) {
    const { positions } = this.geometry;
    const after = firstAfter(positions, t);
    if (after === 0) return 0;
    if (after === positions.length) return after - 1;
    return t - positions[after - 1] <= positions[after] - t ? after - 1 : after;
  }

  /**
   * The size of a voxel along a direction: the way through it by the nearest pair of its faces.
   *
   * @param {Vector} direction in the patient, of length 1
   * @returns {number} mm
   */
  voxelSize(direction) {
    const [x, y, t] = this.directionToVoxel(direction).map(Math.abs);
    const { spacing } = this.geometry;
    return 1 / Math.max(x, y, t / spacing[2]);
  }
}

/**
 * @param {ArrayLike<number>} ascending
 * @param {number} value
 * @returns {number} index of the first that is larger; their number where none is
 */
export function firstAfter(ascending, value) {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ascending[middle] > value) high = middle;
    else low = middle + 1;
  }
  return low;
}
