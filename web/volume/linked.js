/** What the viewports of one volume share: the point that all planes go through, the window, the slab. */

import { Windowing } from '../viewport/windowing.js';
import { planeOf } from './planes.js';
import { VolumeGpu } from './volume-gpu.js';

/**
 * @typedef {import('./vectors.js').Vector} Vector
 * @typedef {import('./volume.js').Volume} Volume
 * @typedef {import('./mpr-viewport.js').MprViewport} MprViewport
 * @typedef {{mode: import('./slab.js').SlabMode, thicknessMm: number}} Slab
 * @typedef {'point' | 'window' | 'slab' | 'planes' | 'look' | 'volume'} What
 */

/** @type {Slab} */
const THIN = { mode: 'mip', thicknessMm: 0 };

/** Event: `change`, with `detail.what`. */
export class Linked extends EventTarget {
  volume;
  /** @type {MprViewport[]} */
  views = [];
  gpu;
  #windowing = new Windowing();
  /** Which slice the image's own window is taken from. */
  #representative = -1;
  /** @type {Vector} */
  #point;
  /** @type {Slab} */
  #slab = THIN;
  #inverted = false;
  /** @type {'linear' | 'nearest'} */
  #interpolation = 'linear';
  #marks = true;
  #crosshair = true;

  /** @param {Volume} volume */
  constructor(volume) {
    super();
    this.volume = volume;
    this.gpu = new VolumeGpu(volume);
    this.#point = volume.centre;
    volume.addEventListener('change', this.#onVolume);
  }

  #onVolume = (/** @type {Event} */ event) => {
    const { slice } = /** @type {CustomEvent<{slice: number}>} */ (event).detail;
    for (const view of this.views) view.volumeChanged(slice);
    this.dispatchEvent(new CustomEvent('change', { detail: { what: 'volume' } }));
  };

  /** Ends following the volume; the viewports are released by whoever made them. */
  release() {
    this.volume.removeEventListener('change', this.#onVolume);
    this.gpu.release();
  }

  /** In the patient, mm; kept within the volume. */
  get point() {
    return this.#point;
  }

  set point(point) {
    const inside = this.volume.grid.clamp(point);
    if (inside.every((value, axis) => value === this.#point[axis])) return;
    this.#point = inside;
    this.changed('point');
  }

  /** The window in force: the reader's, the image's own, or one over its values; null while nothing is held. */
  get window() {
    const slice = this.#ownWindowOf();
    if (slice < 0) return null;
    if (slice !== this.#representative) this.#windowing.forgetAuto();
    this.#representative = slice;
    const { record, picture } = this.volume.slices[slice];
    return this.#windowing.inForce(record, picture);
  }

  /** The held slice nearest to the middle: the ends of a series are often empty. */
  #ownWindowOf() {
    const { slices } = this.volume;
    const middle = slices.length >> 1;
    for (let away = 0; away <= middle + 1; away += 1) {
      if (slices[middle - away]?.picture) return middle - away;
      if (slices[middle + away]?.picture) return middle + away;
    }
    return -1;
  }

  /** The window that the reader set, or null for the image's own. */
  get userWindow() {
    return this.#windowing.window;
  }

  set userWindow(window) {
    this.#windowing.window = window;
    this.changed('window');
  }

  /** @param {number} index of one of the image's VOI LUTs, to be used instead of a window */
  chooseLut(index) {
    this.#windowing.chooseLut(index);
    this.changed('window');
  }

  /** Lets the values decide the automatic window anew. */
  forgetAutoWindow() {
    this.#windowing.forgetAuto();
    this.changed('window');
  }

  get slab() {
    return this.#slab;
  }

  set slab(slab) {
    this.#slab = { mode: slab.mode, thicknessMm: Math.max(0, slab.thicknessMm) };
    this.changed('slab');
  }

  /** Whether the reader has turned black and white round. */
  get inverted() {
    return this.#inverted;
  }

  set inverted(inverted) {
    this.#inverted = inverted;
    this.changed('look');
  }

  /** Between samples and between slices. */
  get interpolation() {
    return this.#interpolation;
  }

  set interpolation(interpolation) {
    this.#interpolation = interpolation;
    this.changed('look');
  }

  /** What stands in for slices that are not held. */
  get filling() {
    return this.volume.filling;
  }

  set filling(filling) {
    this.volume.filling = filling;
  }

  /** Whether what is made up is marked. */
  get marks() {
    return this.#marks;
  }

  set marks(marks) {
    this.#marks = marks;
    this.changed('look');
  }

  /** Whether the other planes are drawn as lines. */
  get crosshair() {
    return this.#crosshair;
  }

  set crosshair(crosshair) {
    this.#crosshair = crosshair;
    this.changed('look');
  }

  /**
   * Turns the planes of the other viewports about the normal of one: their lines turn in its picture.
   *
   * @param {MprViewport} view
   * @param {number} radians
   */
  rotateOthers(view, radians) {
    const { normal } = view.plane;
    for (const other of this.views) if (other !== view) other.rotate(radians, normal);
  }

  /** Whether each plane is as its orientation says. */
  get orthogonal() {
    return this.views.every(({ orientation, plane }) => {
      const usual = planeOf(orientation, this.volume.geometry);
      return plane.normal.every((part, axis) => Math.abs(part - usual.normal[axis]) < 1e-9);
    });
  }

  /** Everything as it was at first. */
  reset() {
    this.#windowing.forget();
    this.#slab = THIN;
    this.#inverted = false;
    this.#point = this.volume.centre;
    for (const view of this.views) view.orientation = view.orientation;
    this.changed('planes');
  }

  /** @param {MprViewport} view */
  add(view) {
    this.views.push(view);
    this.changed('planes');
  }

  /** @param {MprViewport} view */
  remove(view) {
    this.views = this.views.filter((other) => other !== view);
    this.changed('planes');
  }

  /** @param {What} what */
  changed(what) {
    for (const view of this.views) view.linkedChanged(what);
    this.dispatchEvent(new CustomEvent('change', { detail: { what } }));
  }
}
