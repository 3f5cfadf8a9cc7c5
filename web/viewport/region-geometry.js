/** Where windows of an image lie that is too large to be loaded whole, and which level of it the screen can show; pure. */

import { apply, compose, levelToImage } from './geometry.js';

/**
 * @typedef {import('./geometry.js').Transform} Transform
 * @typedef {import('./geometry.js').Screen} Screen
 * @typedef {import('./geometry.js').Region} Region
 */

/**
 * The smallest level that has as many pixels as the screen shows of the full image.
 *
 * @param {{columns: number, rows: number}} full
 * @param {Transform} toScreen from image coordinates
 * @param {number} decompositionLevels
 */
export function screenLevel({ columns, rows }, toScreen, decompositionLevels) {
  const shown = Math.ceil(Math.max(columns * toScreen.scaleX, rows * toScreen.scaleY));
  let side = Math.max(columns, rows);
  let level = decompositionLevels;
  while (level > 0 && Math.ceil(side / 2) >= shown) {
    side = Math.ceil(side / 2);
    level -= 1;
  }
  return level;
}

/**
 * From pixels of a window of a resolution level to image coordinates.
 *
 * @param {{left: number, top: number, resolutionLevel: number, decompositionLevels: number}} region
 * @returns {Transform}
 */
export function regionToImage({ left, top, resolutionLevel, decompositionLevels }) {
  const corner = { scaleX: 1, scaleY: 1, offsetX: left, offsetY: top };
  return compose(levelToImage(decompositionLevels - resolutionLevel), corner);
}

/**
 * What a window of a level shows, in image coordinates: between the middles of its outermost pixels, and to the edge of
 * the image where it ends there. Beyond them its own values would be repeated.
 *
 * @param {import('../engine/regions.js').RegionPicture} region
 * @param {{columns: number, rows: number}} full
 * @returns {Region}
 */
export function regionArea(region, full) {
  const { left, top, columns, rows, resolutionLevel, decompositionLevels } = region;
  const size = 2 ** (decompositionLevels - resolutionLevel);
  const toImage = regionToImage(region);
  const first = apply(toImage, 0.5, 0.5);
  const last = apply(toImage, columns - 0.5, rows - 0.5);
  const x = left === 0 ? 0 : first.x;
  const y = top === 0 ? 0 : first.y;
  const right = left + columns >= Math.ceil(full.columns / size) ? full.columns : last.x;
  const bottom = top + rows >= Math.ceil(full.rows / size) ? full.rows : last.y;
  return { x, y, width: right - x, height: bottom - y };
}

/**
 * What of an image is on the screen, as parts of its columns and rows; null where that is all or nothing of it.
 *
 * @param {{columns: number, rows: number}} image
 * @param {Transform} imageToScreen
 * @param {Screen} screen
 * @returns {[left: number, top: number, right: number, bottom: number] | null}
 */
export function visiblePart(image, imageToScreen, screen) {
  const { offsetX, offsetY, scaleX, scaleY } = imageToScreen;
  const across = visibleSide(offsetX, image.columns * scaleX, screen.width);
  const down = visibleSide(offsetY, image.rows * scaleY, screen.height);
  if (!across || !down || (across.isAll && down.isAll)) return null;
  return [across.from, down.from, across.to, down.to];
}

/**
 * @param {number} start
 * @param {number} length
 * @param {number} screen
 */
function visibleSide(start, length, screen) {
  const from = Math.max(0, -start / length);
  const to = Math.min(1, (screen - start) / length);
  // whole pixels of the screen may cut off less than one
  return from < to ? { from, to, isAll: from * length < 1 && (1 - to) * length < 1 } : null;
}
