/** Draws planes on the CPU; keeps the values of the last one, so that a window costs no new ones. */

import { mapGreys } from './greys.js';
import { SliceLines } from './lines.js';
import { samplePlane } from './sample.js';
import { averageValues, sampleSlab } from './slab.js';

/**
 * @typedef {import('./sample.js').PlaneGrid} PlaneGrid
 *
 * @typedef {object} PlaneRequest
 * @property {import('./field.js').Field} field
 * @property {PlaneGrid} plane `columns` and `rows` times `average` each way
 * @property {import('./slab.js').SlabGrid | null} slab
 * @property {boolean} linear
 * @property {number} average so many values each way make a pixel
 * @property {import('./greys.js').Look} look
 *
 * @typedef {object} PlaneRenderer
 * @property {'canvas2d' | 'webgl2'} kind
 * @property {boolean} lost its context has gone; what it drew is worth nothing
 * @property {(request: PlaneRequest) => boolean} accepts
 * @property {(request: PlaneRequest) => CanvasImageSource} render valid until the next call
 * @property {() => void} release
 */

/** @implements {PlaneRenderer} */
export class CpuRenderer {
  /** @type {'canvas2d'} */
  kind = 'canvas2d';
  lost = false;
  #canvas = new OffscreenCanvas(1, 1);
  #context = /** @type {OffscreenCanvasRenderingContext2D} */ (
    this.#canvas.getContext('2d', { alpha: false })
  );
  /** @type {ImageData | null} */
  #image = null;
  #lines = new SliceLines();
  #key = '';
  /** @type {Float32Array} */
  #values = new Float32Array(0);
  /** @type {Float32Array} what the values are averaged from */
  #samples = new Float32Array(0);

  /** @returns {boolean} */
  accepts() {
    return true;
  }

  /**
   * @param {PlaneRequest} request
   * @returns {CanvasImageSource}
   */
  render(request) {
    const { plane, average, look } = request;
    const columns = plane.columns / average;
    const rows = plane.rows / average;
    if (this.#image?.width !== columns || this.#image.height !== rows) {
      this.#canvas.width = columns;
      this.#canvas.height = rows;
      this.#image = new ImageData(columns, rows);
    }
    mapGreys(this.values(request), look, new Uint32Array(this.#image.data.buffer));
    this.#context.putImageData(this.#image, 0, 0);
    return this.#canvas;
  }

  /**
   * The modality values that are drawn.
   *
   * @param {PlaneRequest} request
   */
  values({ field, plane, slab, linear, average }) {
    const key = JSON.stringify([field.version, plane, slab, linear, average]);
    if (key === this.#key) return this.#values;
    const size = plane.columns * plane.rows;
    if (this.#samples.length !== size) this.#samples = new Float32Array(size);
    if (slab) sampleSlab(field, plane, slab, linear, this.#samples);
    else samplePlane(field, plane, linear, this.#samples, this.#lines);
    const columns = plane.columns / average;
    const rows = plane.rows / average;
    this.#values =
      average > 1 ? averageValues(this.#samples, columns, rows, average) : this.#samples;
    this.#key = key;
    return this.#values;
  }

  release() {
    this.#image = null;
    this.#key = '';
    this.#values = this.#samples = new Float32Array(0);
    this.#canvas.width = this.#canvas.height = 1;
  }
}
