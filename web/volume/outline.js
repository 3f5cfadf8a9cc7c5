/** The part of a plane that lies in the volume, and parts of it by position along the volume's normal; pure. */

import { toPatient } from './view.js';

/**
 * @typedef {import('./vectors.js').Vector} Vector
 * @typedef {import('./view.js').Point} Point
 * @typedef {{x: number, y: number, voxel: Vector}} Corner device px, and the same place in the volume
 */

/**
 * The polygon in which a plane cuts the volume, as far as it is on the screen.
 *
 * @param {import('./view.js').View} view
 * @param {import('./view.js').Screen} screen
 * @param {import('./grid.js').Grid} grid
 * @param {import('./view.js').Region} region of the screen
 * @returns {Corner[]} empty where they do not meet
 */
export function outlineOf(view, screen, grid, { x, y, width, height }) {
  const corner = (/** @type {number} */ px, /** @type {number} */ py) => ({
    x: px,
    y: py,
    voxel: grid.toVoxel(toPatient(view, screen, { x: px, y: py })),
  });
  const [right, bottom] = [x + width, y + height];
  let polygon = [corner(x, y), corner(right, y), corner(right, bottom), corner(x, bottom)];
  const [low, high] = grid.bounds;
  for (const axis of [0, 1, 2]) {
    polygon = cut(polygon, ({ voxel }) => voxel[axis] - low[axis] + TOUCH);
    polygon = cut(polygon, ({ voxel }) => high[axis] + TOUCH - voxel[axis]);
  }
  return polygon;
}

/** A plane that lies in a face of the volume belongs to it. */
const TOUCH = 1e-9;

/**
 * The part of an outline that lies between two positions along the normal.
 *
 * @param {Corner[]} outline
 * @param {number} from mm
 * @param {number} to
 * @returns {{polygon: Corner[], edges: [Corner, Corner][]} | null} `edges`: where it meets the rim of the outline; null
 *   where nothing of it lies there
 */
export function partOf(outline, from, to) {
  const above = cut(outline, ({ voxel }) => voxel[2] - from);
  const polygon = cut(above, ({ voxel }) => to - voxel[2]);
  if (polygon.length < 3) return null;
  const flat = outline.every(({ voxel }) => Math.abs(voxel[2] - outline[0].voxel[2]) < 1e-6);
  const onCut = (/** @type {Corner} */ { voxel }) =>
    Math.abs(voxel[2] - from) < 1e-6 || Math.abs(voxel[2] - to) < 1e-6;
  const edges = polygon
    .map((one, i) => /** @type {[Corner, Corner]} */ ([one, polygon[(i + 1) % polygon.length]]))
    .filter(([one, next]) => flat || !(onCut(one) && onCut(next) && level(one, next)));
  return { polygon, edges };
}

/**
 * @param {Corner} one
 * @param {Corner} other
 */
function level(one, other) {
  return Math.abs(one.voxel[2] - other.voxel[2]) < 1e-6;
}

/**
 * The part of a convex polygon where a linear function is not negative.
 *
 * @param {Corner[]} polygon
 * @param {(corner: Corner) => number} side
 * @returns {Corner[]}
 */
function cut(polygon, side) {
  return polygon.flatMap((one, i) => {
    const next = polygon[(i + 1) % polygon.length];
    const [here, there] = [side(one), side(next)];
    const kept = here >= 0 ? [one] : [];
    if (here >= 0 === there >= 0) return kept;
    return [...kept, between(one, next, here / (here - there))];
  });
}

/**
 * @param {Corner} one
 * @param {Corner} other
 * @param {number} part
 * @returns {Corner}
 */
function between(one, other, part) {
  const mix = (/** @type {number} */ a, /** @type {number} */ b) => a + (b - a) * part;
  const [x, y, t] = one.voxel.map((value, axis) => mix(value, other.voxel[axis]));
  return { x: mix(one.x, other.x), y: mix(one.y, other.y), voxel: [x, y, t] };
}

/**
 * Where another plane cuts this one: a line across a rectangle of the screen.
 *
 * @param {(point: Point) => number} distance of a point of the screen from the other plane; linear
 * @param {import('./view.js').Screen} screen
 * @returns {[Point, Point] | null} null where it does not cross the screen
 */
export function crossing(distance, { width, height }) {
  const corners = [
    { x: 0, y: 0 },
    { x: width, y: 0 },
    { x: width, y: height },
    { x: 0, y: height },
  ];
  /** @type {Point[]} */
  const found = [];
  corners.forEach((one, i) => {
    const next = corners[(i + 1) % 4];
    const [here, there] = [distance(one), distance(next)];
    if (here > 0 === there > 0) return;
    const part = here / (here - there);
    found.push({ x: one.x + (next.x - one.x) * part, y: one.y + (next.y - one.y) * part });
  });
  return found.length === 2 ? [found[0], found[1]] : null;
}
