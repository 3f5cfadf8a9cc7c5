/** A series as one block, made of what is held of its slices; no pixel is copied, none is asked for. */

import { isInverse } from '../viewport/voi.js';
import { bandsOf, statusAt } from './bands.js';
import { heldSlice, valueAt } from './field.js';
import { Grid } from './grid.js';

/**
 * @typedef {import('../engine/frame-store.js').StoredFrame & {quality?: string | null}} Picture
 * @typedef {import('../engine/records.js').ImageRecord} ImageRecord
 * @typedef {import('../engine/records.js').FrameState} FrameState
 * @typedef {import('./bands.js').SliceStatus} SliceStatus
 * @typedef {import('./bands.js').VoxelStatus} VoxelStatus
 * @typedef {import('./field.js').Field} Field
 * @typedef {import('./grid.js').VolumeGeometry} VolumeGeometry
 * @typedef {import('./vectors.js').Vector} Vector
 *
 * @typedef {object} Slice
 * @property {number} frameIndex
 * @property {number} position mm along the normal
 * @property {ImageRecord} record
 * @property {Picture | undefined} picture
 * @property {import('./field.js').Held | null} held
 * @property {string} state status of the frame
 * @property {SliceStatus} status
 */

const FULL = 'FULL_RESOLUTION';

/** Event: `change`, with `detail.slice`, or -1 for more than one. */
export class Volume extends EventTarget {
  grid;
  /** @type {Slice[]} */
  slices;
  #sliceOf;
  /** @type {'linear' | 'replicate'} */
  #filling = 'linear';
  /** @type {Field | null} */
  #field = null;
  /** @type {import('./bands.js').Band[] | null} */
  #bands = null;
  #version = 0;

  /**
   * @param {VolumeGeometry} geometry
   * @param {ImageRecord[]} records of all frames of the series
   */
  constructor(geometry, records) {
    super();
    this.grid = new Grid(geometry);
    this.slices = geometry.frames.map((frameIndex, slice) => ({
      frameIndex,
      position: geometry.positions[slice],
      record: records[frameIndex],
      picture: undefined,
      held: null,
      state: 'waiting',
      status: 'interpolated',
    }));
    this.#sliceOf = new Map(geometry.frames.map((frameIndex, slice) => [frameIndex, slice]));
  }

  get geometry() {
    return this.grid.geometry;
  }

  /** What stands in for slices that are not held: `linear` between the nearest ones, or `replicate` the nearest. */
  get filling() {
    return this.#filling;
  }

  set filling(filling) {
    if (filling === this.#filling) return;
    this.#filling = filling;
    this.#changed(-1);
  }

  /**
   * Takes what is held of a frame now: a better picture, none any more, another state.
   *
   * @param {number} frameIndex
   * @param {Picture | undefined} picture referred to, not copied
   * @param {FrameState} [state]
   */
  update(frameIndex, picture, state) {
    const index = this.sliceOf(frameIndex);
    if (index < 0) return;
    const slice = this.slices[index];
    if (state) slice.state = state.status;
    const status = statusOf(picture, slice.state);
    if (picture === slice.picture && status === slice.status) return;
    if (picture !== slice.picture) {
      slice.picture = picture;
      slice.held = picture ? heldSlice(picture, slice.record, index, slice.position) : null;
    }
    slice.status = status;
    this.#changed(index);
  }

  /** @param {number} slice */
  #changed(slice) {
    this.#version += 1;
    this.#field = null;
    this.#bands = null;
    this.dispatchEvent(new CustomEvent('change', { detail: { slice } }));
  }

  /**
   * What is held, for the samplers; the same object until something changes.
   *
   * @returns {Field}
   */
  get field() {
    if (!this.#field) {
      const held = this.slices.flatMap((slice) => slice.held ?? []);
      this.#field = {
        held,
        positions: Float64Array.from(held, ({ position }) => position),
        bounds: this.grid.bounds,
        replicate: this.#filling === 'replicate',
        version: this.#version,
      };
    }
    return this.#field;
  }

  /** How good it is along its normal. */
  get bands() {
    this.#bands ??= bandsOf(
      this.geometry,
      this.slices.map(({ status }) => status),
      this.field.held.length > 0,
    );
    return this.#bands;
  }

  /** Slices in each status. */
  counts() {
    const counts = { final: 0, reduced: 0, interpolated: 0, failed: 0, slices: this.slices.length };
    for (const { status } of this.slices) counts[status] += 1;
    return counts;
  }

  /** Bytes of the pictures it refers to. */
  get heldBytes() {
    return this.slices.reduce((bytes, { picture }) => bytes + (picture?.data.byteLength ?? 0), 0);
  }

  /** @returns {Vector} in the patient */
  get centre() {
    return this.grid.centre;
  }

  /** Whether the smallest value is white. */
  get inverse() {
    return isInverse(this.slices[0].record);
  }

  /**
   * @param {number} frameIndex
   * @returns {number} -1 where the frame is no slice of it
   */
  sliceOf(frameIndex) {
    return this.#sliceOf.get(frameIndex) ?? -1;
  }

  /**
   * @param {Vector} point in the patient
   * @returns {number} index of the slice nearest to it
   */
  sliceAt(point) {
    return this.grid.sliceNear(this.grid.toVoxel(point)[2]);
  }

  /**
   * @param {number} slice
   * @param {Vector} point in the patient
   * @returns {Vector} over the same pixel, on that slice
   */
  pointOn(slice, point) {
    const [x, y] = this.grid.toVoxel(point);
    return this.grid.toPatient([x, y, this.slices[slice].position]);
  }

  /**
   * @param {Vector} point in the patient
   * @returns {{x: number, y: number, slice: number}} image coordinates (`viewport/geometry.js`) on the nearest slice
   */
  imagePoint(point) {
    const [x, y, t] = this.grid.toVoxel(point);
    return { x: x + 0.5, y: y + 0.5, slice: this.grid.sliceNear(t) };
  }

  /**
   * @param {number} x image coordinates
   * @param {number} y
   * @param {number} slice
   * @returns {Vector} in the patient
   */
  patientPoint(x, y, slice) {
    return this.grid.toPatient([x - 0.5, y - 0.5, this.slices[slice].position]);
  }

  /**
   * @param {Vector} point in the patient
   * @returns {VoxelStatus}
   */
  statusAt(point) {
    const [x, y, t] = this.grid.toVoxel(point);
    const { columns, rows } = this.geometry;
    const inside = x >= -0.5 && y >= -0.5 && x <= columns - 0.5 && y <= rows - 0.5;
    return inside ? statusAt(this.bands, t) : 'outside';
  }

  /**
   * @param {Vector} point in the patient
   * @returns {number | null} the stored value nearest to it in the nearest slice, null where that is not held
   */
  storedAt(point) {
    const [x, y, t] = this.grid.toVoxel(point);
    const { held, picture } = this.slices[this.grid.sliceNear(t)];
    if (!held || !picture) return null;
    const column = Math.floor(x * held.scaleX + held.offsetX + 0.5);
    const row = Math.floor(y * held.scaleY + held.offsetY + 0.5);
    const right = Math.min(Math.max(column, 0), picture.columns - 1);
    return picture.data[Math.min(Math.max(row, 0), picture.rows - 1) * picture.columns + right];
  }

  /**
   * @param {Vector} point in the patient
   * @param {boolean} [linear] between samples, else the nearest
   */
  valueAt(point, linear = true) {
    const status = this.statusAt(point);
    if (status === 'outside') return null;
    const value = valueAt(this.field, this.grid.toVoxel(point), linear);
    const slice = this.sliceAt(point);
    const { picture, frameIndex } = this.slices[slice];
    return {
      value: Number.isNaN(value) ? null : value,
      ...{ status, slice, frameIndex },
      level: picture?.resolutionLevel ?? null,
      levels: picture?.decompositionLevels ?? null,
    };
  }
}

/**
 * @param {Picture | undefined} picture
 * @param {string} state status of the frame
 * @returns {SliceStatus}
 */
function statusOf(picture, state) {
  if (!picture) return state === 'failed' ? 'failed' : 'interpolated';
  if (picture.resolutionLevel !== picture.decompositionLevels) return 'reduced';
  const settled = state === 'lossless' || state === 'complete';
  return settled || (picture.quality ?? FULL) === FULL ? 'final' : 'reduced';
}
