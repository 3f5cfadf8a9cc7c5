/**
 * Three numbers: points in mm and directions in the patient (to the left, to the back, to the head), or in voxels; pure.
 *
 * @typedef {[number, number, number]} Vector
 */

/**
 * @param {Vector} a
 * @param {Vector} b
 */
export function dot(a, b) {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

/**
 * @param {Vector} a
 * @param {Vector} b
 * @returns {Vector}
 */
export function cross(a, b) {
  return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
}

/**
 * @param {Vector} a
 * @param {Vector} b
 * @returns {Vector}
 */
export function minus(a, b) {
  return [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
}

/**
 * @param {Vector} start
 * @param {Vector} direction
 * @param {number} length
 * @returns {Vector} `start` moved by `length` times `direction`
 */
export function along(start, direction, length) {
  return [
    start[0] + length * direction[0],
    start[1] + length * direction[1],
    start[2] + length * direction[2],
  ];
}

/**
 * @param {Vector} vector
 * @returns {Vector} of length 1
 */
export function unit(vector) {
  return along([0, 0, 0], vector, 1 / Math.hypot(...vector));
}

/**
 * Turns a vector about an axis, right-handed.
 *
 * @param {Vector} vector
 * @param {Vector} axis of length 1
 * @param {number} radians
 * @returns {Vector}
 */
export function turn(vector, axis, radians) {
  const across = along([0, 0, 0], vector, Math.cos(radians));
  const around = along(across, cross(axis, vector), Math.sin(radians));
  return along(around, axis, dot(axis, vector) * (1 - Math.cos(radians)));
}
