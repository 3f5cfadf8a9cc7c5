/** Whether planes of a volume are drawn on the GPU: told by its name and a measurement, when the page is idle. */

import { SOFTWARE } from '../viewport/choose.js';
import { CpuRenderer } from './cpu-renderer.js';
import { GpuVolume } from './gpu-volume.js';

/**
 * @typedef {import('./cpu-renderer.js').PlaneRenderer} PlaneRenderer
 * @typedef {import('./cpu-renderer.js').PlaneRequest} PlaneRequest
 * @typedef {import('./vectors.js').Vector} Vector
 */

export class VolumeGpu {
  #volume;
  /** @type {GpuVolume | null} */
  #gpu = null;
  #tried = false;

  /** @param {import('./volume.js').Volume} volume */
  constructor(volume) {
    this.#volume = volume;
  }

  /**
   * Tries both once, on a plane like the one given.
   *
   * @param {PlaneRequest} request
   * @returns {PlaneRenderer | null} null where the CPU is to go on
   */
  choose(request) {
    if (!this.#tried) {
      this.#tried = true;
      this.#gpu = this.#trial({ ...request, plane: leaning(request.plane) });
    }
    return this.#gpu && !this.#gpu.lost ? new GpuRenderer(this.#gpu) : null;
  }

  /** @param {PlaneRequest} request */
  #trial(request) {
    const gpu = hardware(this.#volume);
    if (!gpu) return null;
    if (gpu.accepts(request.field)) {
      // once before: uploads, and compilers that wait for the first use
      gpu.render(request);
      gpu.finish();
      const cpu = new CpuRenderer();
      const started = performance.now();
      cpu.values(request);
      const between = performance.now();
      gpu.render(request);
      gpu.finish();
      if (!gpu.lost && performance.now() - between < between - started) return gpu;
    }
    gpu.release();
    return null;
  }

  release() {
    this.#gpu?.release();
    this.#gpu = null;
  }
}

/** How much the plane of the trial leans, so that the CPU cannot take the short way of upright planes. */
const LEAN = 1e-3;

/** @param {import('./sample.js').PlaneGrid} plane */
function leaning(plane) {
  const [x, y, t] = plane.right;
  const [u, v, w] = plane.down;
  return {
    ...plane,
    right: /** @type {Vector} */ ([x + LEAN, y + LEAN, t + LEAN]),
    down: /** @type {Vector} */ ([u + LEAN, v + LEAN, w + LEAN]),
  };
}

/**
 * @param {import('./volume.js').Volume} volume
 * @returns {GpuVolume | null} null where WebGL2 is absent, in software, or hides what it is
 */
function hardware(volume) {
  try {
    const gpu = new GpuVolume(volume);
    if (gpu.renderer && !SOFTWARE.test(gpu.renderer)) return gpu;
    gpu.release();
  } catch {
    // no WebGL2: the CPU serves
  }
  return null;
}

/**
 * Planes of a volume that lies on the GPU.
 *
 * @implements {PlaneRenderer}
 */
export class GpuRenderer {
  /** @type {'webgl2'} */
  kind = 'webgl2';
  #volume;

  /** @param {GpuVolume} volume */
  constructor(volume) {
    this.#volume = volume;
  }

  get lost() {
    return this.#volume.lost;
  }

  /** @param {PlaneRequest} request */
  accepts({ field }) {
    return this.#volume.accepts(field);
  }

  /**
   * @param {PlaneRequest} request
   * @returns {CanvasImageSource}
   */
  render(request) {
    return this.#volume.render(request);
  }

  /** The texture is the volume's, not its. */
  release() {}
}
