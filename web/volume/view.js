/**
 * Where a plane of the volume lies on the screen; pure. Screen coordinates are device pixels of the canvas.
 *
 * @typedef {import('./vectors.js').Vector} Vector
 * @typedef {import('./planes.js').Plane} Plane
 * @typedef {import('./grid.js').Grid} Grid
 * @typedef {{width: number, height: number}} Screen
 * @typedef {{x: number, y: number}} Point device px
 * @typedef {{x: number, y: number, width: number, height: number}} Region device px
 */

import { along, dot, minus } from './vectors.js';

/** Device pixels that a millimetre may at most cover. */
const LARGEST_SCALE = 200;

/** Smallest zoom, as a part of the zoom that fits. */
const SMALLEST_PART_OF_FIT = 0.25;

/**
 * A plane through a point, and which part of it is on the screen: `centre` is at the middle, `scale` in device px for a mm.
 *
 * @typedef {object} View
 * @property {Plane} plane
 * @property {Vector} centre in the patient, on the plane
 * @property {number} scale
 */

/**
 * The view that shows the whole volume as large as it goes.
 *
 * @param {Plane} plane
 * @param {Grid} grid
 * @param {Vector} point that the plane goes through
 * @param {Screen} screen
 * @returns {View}
 */
export function fit(plane, grid, point, screen) {
  const [left, right] = extent(grid.corners, plane.right);
  const [top, bottom] = extent(grid.corners, plane.down);
  const scale = Math.min(
    screen.width / Math.max(right - left, 1e-6),
    screen.height / Math.max(bottom - top, 1e-6),
    LARGEST_SCALE,
  );
  const middle = along([0, 0, 0], plane.right, (left + right) / 2);
  const centre = along(middle, plane.down, (top + bottom) / 2);
  return { plane, centre: through(centre, plane, point), scale };
}

/**
 * @param {Vector[]} points
 * @param {Vector} direction
 * @returns {[number, number]} smallest and largest along it
 */
function extent(points, direction) {
  const places = points.map((point) => dot(point, direction));
  return [Math.min(...places), Math.max(...places)];
}

/**
 * @param {Vector} centre moved along the normal
 * @param {Plane} plane
 * @param {Vector} point
 * @returns {Vector} onto the plane through `point`
 */
export function through(centre, { normal }, point) {
  const distance = dot(minus(point, centre), normal);
  return distance === 0 ? centre : along(centre, normal, distance);
}

/**
 * @param {View} view
 * @param {Screen} screen
 * @param {Vector} point in the patient
 * @returns {Point}
 */
export function toScreen({ plane, centre, scale }, screen, point) {
  const offset = minus(point, centre);
  return {
    x: screen.width / 2 + dot(offset, plane.right) * scale,
    y: screen.height / 2 + dot(offset, plane.down) * scale,
  };
}

/**
 * @param {View} view
 * @param {Screen} screen
 * @param {Point} point
 * @returns {Vector} in the patient, on the plane
 */
export function toPatient({ plane, centre, scale }, screen, { x, y }) {
  const across = along(centre, plane.right, (x - screen.width / 2) / scale);
  return along(across, plane.down, (y - screen.height / 2) / scale);
}

/**
 * Zooms so that what is under a point of the screen stays there.
 *
 * @param {View} view
 * @param {Screen} screen
 * @param {number} factor above 1 magnifies
 * @param {Point} at
 * @param {number} fitted the scale that fits
 * @returns {View}
 */
export function zoomAbout(view, screen, factor, at, fitted) {
  const smallest = fitted * SMALLEST_PART_OF_FIT;
  const scale = Math.min(Math.max(view.scale * factor, smallest), LARGEST_SCALE);
  const fixed = toPatient(view, screen, at);
  const moved = toPatient({ ...view, scale }, screen, at);
  return { ...view, scale, centre: along(view.centre, minus(fixed, moved), 1) };
}

/**
 * Moves the picture; its edge never passes the centre, so it cannot be lost.
 *
 * @param {View} view
 * @param {Grid} grid
 * @param {number} dx device px
 * @param {number} dy
 * @returns {View}
 */
export function pan(view, grid, dx, dy) {
  let { centre } = view;
  for (const [direction, shift] of /** @type {[Vector, number][]} */ ([
    [view.plane.right, dx],
    [view.plane.down, dy],
  ])) {
    const [low, high] = extent(grid.corners, direction);
    const place = dot(centre, direction);
    const wished = Math.min(Math.max(place - shift / view.scale, low), high);
    centre = along(centre, direction, wished - place);
  }
  return { ...view, centre };
}

/**
 * The part of the screen that the volume can reach, in whole pixels.
 *
 * @param {View} view
 * @param {Screen} screen
 * @param {Grid} grid
 * @returns {Region | null}
 */
export function regionOf(view, screen, grid) {
  const points = grid.corners.map((corner) => toScreen(view, screen, corner));
  const xs = points.map(({ x }) => x);
  const ys = points.map(({ y }) => y);
  const left = Math.max(0, Math.floor(Math.min(...xs)));
  const top = Math.max(0, Math.floor(Math.min(...ys)));
  const width = Math.min(screen.width, Math.ceil(Math.max(...xs))) - left;
  const height = Math.min(screen.height, Math.ceil(Math.max(...ys))) - top;
  return width > 0 && height > 0 ? { x: left, y: top, width, height } : null;
}

/**
 * Pixels of a region in voxel coordinates.
 *
 * @param {View} view
 * @param {Screen} screen
 * @param {Grid} grid
 * @param {Region} region
 * @param {number} size device px that a pixel of the result covers each way
 * @param {number} average so many values each way make a pixel of the result
 * @returns {import('./sample.js').PlaneGrid}
 */
export function planeGrid(view, screen, grid, { x, y, width, height }, size, average) {
  const pitch = size / average;
  const first = toPatient(view, screen, { x: x + pitch / 2, y: y + pitch / 2 });
  const step = (/** @type {Vector} */ direction) =>
    clean(grid.directionToVoxel(along([0, 0, 0], direction, pitch / view.scale)));
  return {
    origin: grid.toVoxel(first),
    right: step(view.plane.right),
    down: step(view.plane.down),
    columns: Math.ceil(width / size) * average,
    rows: Math.ceil(height / size) * average,
  };
}

/** Part of a step below which it is rounding: over 10,000 pixels it would not add up to a thousandth of one. */
const ROUNDING = 1e-7;

/**
 * @param {Vector} step
 * @returns {Vector} without what is only rounding, so that planes along the slices are known as such
 */
function clean(step) {
  const most = Math.max(...step.map(Math.abs));
  return /** @type {Vector} */ (step.map((part) => (Math.abs(part) < most * ROUNDING ? 0 : part)));
}

/**
 * The planes that make up a slab: at most a voxel apart, both faces included.
 *
 * @param {View} view
 * @param {Grid} grid
 * @param {{mode: import('./slab.js').SlabMode, thicknessMm: number}} slab
 * @returns {import('./slab.js').SlabGrid | null} null where it is thin
 */
export function slabGrid({ plane }, grid, { mode, thicknessMm }) {
  const voxel = grid.voxelSize(plane.normal);
  if (!(thicknessMm > 0)) return null;
  const intervals = Math.min(Math.max(1, Math.ceil(thicknessMm / voxel - 1e-6)), MOST_LAYERS);
  const offsets = Array.from({ length: intervals + 1 }, (_, i) =>
    grid.directionToVoxel(along([0, 0, 0], plane.normal, (i / intervals - 0.5) * thicknessMm)),
  );
  return { mode, offsets };
}

/** More planes than this make up no slab that anybody looks at while it moves. */
const MOST_LAYERS = 512;
