/** Directions in which a volume is cut, and what stands at the edges of the picture; pure. */

import { along, cross, dot, turn, unit } from './vectors.js';

/**
 * @typedef {import('./vectors.js').Vector} Vector
 * @typedef {'axial' | 'coronal' | 'sagittal' | 'acquired'} Orientation
 * @typedef {{right: Vector, down: Vector, normal: Vector}} Plane unit vectors in the patient; right-handed
 */

/**
 * As they are usually seen: axial from the feet, coronal from the front, sagittal from the left (PS3.3 C.7.6.1.1.1: +x to
 * the left, +y to the back, +z to the head).
 *
 * @type {Record<'axial' | 'coronal' | 'sagittal', [Vector, Vector]>}
 */
const USUAL = {
  axial: [
    [1, 0, 0],
    [0, 1, 0],
  ],
  coronal: [
    [1, 0, 0],
    [0, 0, -1],
  ],
  sagittal: [
    [0, 1, 0],
    [0, 0, -1],
  ],
};

const NAMES = {
  axial: 'Axial',
  coronal: 'Coronal',
  sagittal: 'Sagittal',
  acquired: 'As acquired',
};

/**
 * @param {Orientation} orientation
 * @param {import('./grid.js').VolumeGeometry} geometry
 * @returns {Plane}
 */
export function planeOf(orientation, geometry) {
  if (orientation !== 'acquired') return planeBy(...USUAL[orientation]);
  return planeBy(geometry.row, geometry.column);
}

/**
 * @param {Vector} right
 * @param {Vector} down made perpendicular to it
 * @returns {Plane}
 */
function planeBy(right, down) {
  const across = unit(right);
  const square = unit(along(down, across, -dot(down, across)));
  return { right: across, down: square, normal: cross(across, square) };
}

/**
 * @param {Plane} plane
 * @param {Vector} axis of length 1
 * @param {number} radians
 * @returns {Plane}
 */
export function turnPlane({ right, down }, axis, radians) {
  return planeBy(turn(right, axis, radians), turn(down, axis, radians));
}

/** Cosine above which two directions are the same one: 0.06 degrees. */
export const PARALLEL = 1 - 5e-7;

/**
 * What a plane is called: by the usual one that it is parallel to.
 *
 * @param {Plane} plane
 * @param {import('./grid.js').VolumeGeometry} geometry
 */
export function planeName({ normal }, geometry) {
  const parallel = (/** @type {Orientation} */ name) =>
    Math.abs(dot(planeOf(name, geometry).normal, normal)) > PARALLEL;
  const found = /** @type {Orientation[]} */ (Object.keys(NAMES)).find(parallel);
  return found ? NAMES[found] : 'Oblique';
}

/** Smallest part of a unit vector that is worth a letter: about 15 degrees. */
const WORTH_A_LETTER = 0.26;

/**
 * Directions in the patient at the edges of the picture (PS3.3 C.7.6.1.1.1), the main one first.
 *
 * @param {Plane} plane
 */
export function edgeLetters({ right, down }) {
  const back = (/** @type {Vector} */ side) => along([0, 0, 0], side, -1);
  return {
    left: letters(back(right)),
    right: letters(right),
    top: letters(back(down)),
    bottom: letters(down),
  };
}

/** @param {Vector} direction */
function letters(direction) {
  const names = ['LR', 'PA', 'HF'];
  return direction
    .map((part, axis) => ({ size: Math.abs(part), letter: names[axis][part > 0 ? 0 : 1] }))
    .filter(({ size }) => size > WORTH_A_LETTER)
    .sort((a, b) => b.size - a.size)
    .map(({ letter }) => letter)
    .join('');
}
