/** Which mapper this machine draws faster with: told by its GPU's name and a measurement, at run time. */

import { Canvas2dMapper } from './canvas2d.js';
import { WebGl2Mapper } from './webgl2.js';

/** Names under which browsers draw WebGL on the CPU: there the table in JavaScript is always faster. */
export const SOFTWARE = /swiftshader|llvmpipe|softpipe|software|basic render|mesa offscreen/i;

/** Side of the square that is drawn for the measurement: about one viewport. */
const TRIAL_PX = 1024;

/** Draws for each mapper, of which the quickest counts; each has a table of its own, as in a window/level drag. */
const TRIALS = 4;

/**
 * The faster mapper.
 *
 * @returns {import('./canvas2d.js').Mapper}
 */
export function chooseMapper() {
  const plain = new Canvas2dMapper();
  const gpu = hardwareMapper();
  if (!gpu) return plain;
  const gpuIsFaster = trial(gpu) < trial(plain);
  (gpuIsFaster ? plain : gpu).release();
  return gpuIsFaster ? gpu : plain;
}

/**
 * Chooses when the page has nothing else to do: trying out the GPU takes its time.
 *
 * @param {{useMapper: (mapper: import('./canvas2d.js').Mapper) => void}} viewport
 */
export function chooseMapperWhenIdle(viewport) {
  const choose = () => viewport.useMapper(chooseMapper());
  if ('requestIdleCallback' in globalThis) requestIdleCallback(choose);
  else setTimeout(choose);
}

/** @returns {WebGl2Mapper | null} null where WebGL2 is absent, in software, or hides what it is */
function hardwareMapper() {
  try {
    const mapper = new WebGl2Mapper();
    if (mapper.renderer && !SOFTWARE.test(mapper.renderer)) return mapper;
    mapper.release();
  } catch {
    // no WebGL2: the 2D canvas serves
  }
  return null;
}

/**
 * @param {import('./canvas2d.js').Mapper} mapper
 * @returns {number} ms of the quickest draw, until its pixels can be read
 */
function trial(mapper) {
  const data = new Uint16Array(TRIAL_PX * TRIAL_PX);
  const buffer = { data, columns: TRIAL_PX, rows: TRIAL_PX, samplesPerPixel: 1 };
  const region = { x: 0, y: 0, width: TRIAL_PX, height: TRIAL_PX };
  const context = new OffscreenCanvas(TRIAL_PX, TRIAL_PX).getContext('2d');
  let quickest = Infinity;
  for (let i = 0; i < TRIALS; i += 1) {
    const started = performance.now();
    if (!context) return Infinity;
    mapper.draw(context, buffer, region, new Uint8Array(65536).fill(i), 0, 0);
    if (mapper.lost) return Infinity;
    context.getImageData(0, 0, 1, 1);
    quickest = Math.min(quickest, performance.now() - started);
  }
  return quickest;
}
