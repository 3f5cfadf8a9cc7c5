/** Has the browser compile what the first picture needs, while its bytes are on their way. */

import { Canvas2dMapper } from './canvas2d.js';
import { averageSquares, fitToScreen } from './resample.js';
import { greyTable } from './voi.js';

/** Side of the synthetic picture: small, and yet enough rounds of each loop for the compiler to take notice. */
const SIDE_PX = 64;
const ROUNDS = 2;

/** What of a record decides the table. */
const RECORD = /** @type {import('../engine/records.js').ImageRecord} */ ({
  bits_stored: 12,
  pixel_representation: 0,
  rescale_slope: 1,
  rescale_intercept: 0,
  photometric_interpretation: 'MONOCHROME2',
});

/** @type {import('./voi.js').Window} */
const WINDOW = { center: 2048, width: 4096, function: 'LINEAR' };

/**
 * Draws a synthetic picture; about 15 ms in a page that has drawn nothing before.
 *
 * @param {CanvasRenderingContext2D} context whose canvas is drawn anew in the same task
 */
export function warmUp(context) {
  const mapper = new Canvas2dMapper();
  const region = { x: 0, y: 0, width: SIDE_PX, height: SIDE_PX };
  const place = { scaleX: 1.3, scaleY: 1.3, offsetX: 0, offsetY: 0 };
  const side = { columns: SIDE_PX, rows: SIDE_PX, samplesPerPixel: 1 };
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const Values of [Uint16Array, Int16Array]) {
      const source = { ...side, data: new Values(SIDE_PX ** 2) };
      const signed = Values === Int16Array;
      const table = greyTable(RECORD, WINDOW, { bits: 16, signed, inverted: false });
      averageSquares(source, 2);
      mapper.draw(context, fitToScreen(source, place, region), region, table, 0, 0);
    }
  }
}
