/** Puts the plane of a view on a canvas: as finely as there is time for, by whichever renderer is faster. */

import { CpuRenderer } from './cpu-renderer.js';
import { Pace } from './pace.js';
import { planeGrid, regionOf, slabGrid } from './view.js';

/**
 * @typedef {import('./cpu-renderer.js').PlaneRequest} PlaneRequest
 * @typedef {import('./cpu-renderer.js').PlaneRenderer} PlaneRenderer
 * @typedef {import('./linked.js').Linked} Linked
 * @typedef {import('./view.js').View} View
 * @typedef {import('./view.js').Screen} Screen
 * @typedef {import('./volume.js').Volume} Volume
 */

export class PlanePainter {
  #cpu = new CpuRenderer();
  /** @type {PlaneRenderer} */
  #renderer = this.#cpu;
  #chosen = false;
  #released = false;
  #changed;
  #pace;

  /** @param {() => void} changed called when it can be drawn better than it was */
  constructor(changed) {
    this.#changed = changed;
    this.#pace = new Pace(changed);
  }

  /** What draws. */
  get renderer() {
    return this.#renderer.kind;
  }

  /** @param {PlaneRenderer} renderer */
  useRenderer(renderer) {
    this.#renderer = renderer;
    this.#chosen = true;
    this.#pace.forget();
  }

  /** Something moves: the next draws are to be quick. */
  moved() {
    this.#pace.moved();
  }

  /** Nothing moves any more. */
  atRest() {
    this.#pace.atRest();
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {Volume} volume
   * @param {View} view
   * @param {Screen} screen
   * @param {Linked} linked
   * @returns {boolean} whether there was anything to draw
   */
  paint(context, volume, view, screen, linked) {
    const region = regionOf(view, screen, volume.grid);
    const { window } = linked;
    if (!region || !window || volume.field.held.length === 0) return false;
    const linear = linked.interpolation === 'linear';
    const slab = slabGrid(view, volume.grid, linked.slab);
    const layers = slab?.offsets.length ?? 1;
    const samples = region.width * region.height * layers;
    const { size, average } = this.#pace.resolution(voxelPx(volume, view), samples, linear);
    const plane = planeGrid(view, screen, volume.grid, region, size, average);
    const look = { window, inverted: volume.inverse !== linked.inverted };
    const request = { field: volume.field, plane, slab, linear, average, look };
    const started = performance.now();
    const image = this.#render(request);
    this.#pace.took(performance.now() - started, plane.columns * plane.rows * layers);
    context.imageSmoothingEnabled = size > 1 && linear;
    context.imageSmoothingQuality = 'low';
    const [width, height] = [plane.columns, plane.rows].map((count) => (count / average) * size);
    context.drawImage(image, region.x, region.y, width, height);
    if (volume.field.held.length === volume.slices.length) this.#choose(request, linked);
    return true;
  }

  /**
   * @param {PlaneRequest} request
   * @returns {CanvasImageSource}
   */
  #render(request) {
    // the GPU has gone, or cannot hold these samples: the CPU takes over
    if (this.#renderer !== this.#cpu && !this.#renderer.lost && this.#renderer.accepts(request)) {
      const image = this.#renderer.render(request);
      if (!this.#renderer.lost) return image;
    }
    this.#renderer = this.#cpu;
    return this.#cpu.render(request);
  }

  /**
   * Once there is something of every slice, when the page has nothing else to do.
   *
   * @param {PlaneRequest} request
   * @param {Linked} linked
   */
  #choose(request, linked) {
    if (this.#chosen) return;
    this.#chosen = true;
    const choose = () => {
      const renderer = this.#released ? null : linked.gpu.choose(request);
      if (!renderer) return;
      this.useRenderer(renderer);
      this.#changed();
    };
    if ('requestIdleCallback' in globalThis) requestIdleCallback(choose);
    else setTimeout(choose);
  }

  release() {
    this.#released = true;
    this.#pace.stop();
    this.#cpu.release();
  }
}

/**
 * @param {Volume} volume
 * @param {View} view
 * @returns {number} device px that a voxel covers, in the direction in which it covers less
 */
function voxelPx({ grid }, { plane, scale }) {
  return Math.min(grid.voxelSize(plane.right), grid.voxelSize(plane.down)) * scale;
}
