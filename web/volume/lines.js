/** What coronal and sagittal planes need: one line of every held slice, sampled again only when its picture changes. */

import { bracket, nearer } from './field.js';
import { lineOf } from './sample.js';

/**
 * @typedef {import('./field.js').Field} Field
 * @typedef {import('./field.js').Held} Held
 * @typedef {import('./sample.js').PlaneGrid} PlaneGrid
 */

export class SliceLines {
  #key = '';
  #linear = true;
  /** @type {PlaneGrid | null} */
  #plane = null;
  /** @type {Map<number, {data: Held['data'], line: Float32Array}>} by index of the slice */
  #lines = new Map();

  /**
   * @param {PlaneGrid} plane all rows of which lie over the same line
   * @param {boolean} linear
   */
  use(plane, linear) {
    const [x, y] = plane.origin;
    const key = `${linear} ${x} ${y} ${plane.right} ${plane.columns}`;
    if (key !== this.#key) this.#lines.clear();
    this.#key = key;
    this.#linear = linear;
    this.#plane = plane;
  }

  /**
   * @param {Field} field
   * @param {number} t mm along the normal
   * @param {Float32Array} out
   * @param {number} at
   * @param {number} from first pixel of the line
   * @param {number} to the one after the last
   */
  blend(field, t, out, at, from, to) {
    const { first, second, weight } = bracket(field, t);
    const used = this.#linear ? weight : nearer(weight);
    const a = this.#line(field.held[used === 1 ? second : first]);
    if (used === 0 || used === 1) {
      out.set(a.subarray(from, to), at);
      return;
    }
    const b = this.#line(field.held[second]);
    for (let i = from; i < to; i += 1) out[at + i - from] = a[i] + (b[i] - a[i]) * used;
  }

  /** @param {Held} held */
  #line(held) {
    const kept = this.#lines.get(held.slice);
    if (kept && kept.data === held.data) return kept.line;
    const { origin, right, columns } = /** @type {PlaneGrid} */ (this.#plane);
    const line = kept?.line ?? new Float32Array(columns);
    lineOf(held, origin, right, this.#linear, line, 0, columns);
    this.#lines.set(held.slice, { data: held.data, line });
    return line;
  }
}
