/**
 * Where an image lies on the screen; pure.
 *
 * Image coordinates count pixels of the full image from the outer corner of its first pixel, whatever resolution
 * level is drawn: x to the right in columns, y down in rows, so the centre of pixel (0, 0) is (0.5, 0.5). Screen
 * coordinates are device pixels of the canvas.
 *
 * @typedef {{columns: number, rows: number, aspect: number}} Shape `aspect`: height of a pixel over its width
 * @typedef {{width: number, height: number}} Screen
 * @typedef {{scale: number, x: number, y: number}} View device px per image column, and the image point at the centre
 * @typedef {{scaleX: number, scaleY: number, offsetX: number, offsetY: number}} Transform to = offset + scale * from
 * @typedef {{x: number, y: number, width: number, height: number}} Region
 */

/** Device pixels that one image column may at most cover; beyond it nothing more can be seen. */
const LARGEST_SCALE = 64;

/** Smallest zoom, as a part of the zoom that fits. */
const SMALLEST_PART_OF_FIT = 0.25;

/**
 * The shape of an image: by its spacing, else by Pixel Aspect Ratio (PS3.3 C.7.6.3.1.7), else of square pixels.
 *
 * @param {import('../engine/records.js').ImageRecord} record
 * @returns {Shape}
 */
export function shapeOf({ columns, rows, pixel_spacing: spacing, pixel_aspect_ratio: ratio }) {
  const sides = [spacing, ratio].find((pair) => pair && pair[0] > 0 && pair[1] > 0);
  return { columns, rows, aspect: sides ? sides[0] / sides[1] : 1 };
}

/**
 * The view that shows the whole image as large as it goes.
 *
 * @param {Shape} shape
 * @param {Screen} screen
 * @returns {View}
 */
export function fit(shape, screen) {
  const scale = Math.min(
    screen.width / shape.columns,
    screen.height / (shape.rows * shape.aspect),
    LARGEST_SCALE,
  );
  return { scale, x: shape.columns / 2, y: shape.rows / 2 };
}

/**
 * From image to screen coordinates.
 *
 * @param {View} view
 * @param {Shape} shape
 * @param {Screen} screen
 * @returns {Transform}
 */
export function imageToScreen(view, shape, screen) {
  const scaleX = view.scale;
  const scaleY = view.scale * shape.aspect;
  return {
    scaleX,
    scaleY,
    offsetX: screen.width / 2 - view.x * scaleX,
    offsetY: screen.height / 2 - view.y * scaleY,
  };
}

/**
 * @param {Transform} transform
 * @param {number} x
 * @param {number} y
 */
export function apply(transform, x, y) {
  return {
    x: transform.offsetX + transform.scaleX * x,
    y: transform.offsetY + transform.scaleY * y,
  };
}

/**
 * @param {Transform} transform
 * @returns {Transform}
 */
export function inverse({ scaleX, scaleY, offsetX, offsetY }) {
  return {
    scaleX: 1 / scaleX,
    scaleY: 1 / scaleY,
    offsetX: -offsetX / scaleX,
    offsetY: -offsetY / scaleY,
  };
}

/**
 * First `inner`, then `outer`.
 *
 * @param {Transform} outer
 * @param {Transform} inner
 * @returns {Transform}
 */
export function compose(outer, inner) {
  return {
    scaleX: outer.scaleX * inner.scaleX,
    scaleY: outer.scaleY * inner.scaleY,
    offsetX: outer.offsetX + outer.scaleX * inner.offsetX,
    offsetY: outer.offsetY + outer.scaleY * inner.offsetY,
  };
}

/**
 * Zooms so that the image point under (x, y) on the screen stays there.
 *
 * @param {View} view
 * @param {Shape} shape
 * @param {Screen} screen
 * @param {number} factor above 1 magnifies
 * @param {number} x
 * @param {number} y
 * @returns {View}
 */
export function zoomAbout(view, shape, screen, factor, x, y) {
  const smallest = fit(shape, screen).scale * SMALLEST_PART_OF_FIT;
  const scale = Math.min(Math.max(view.scale * factor, smallest), LARGEST_SCALE);
  const point = apply(inverse(imageToScreen(view, shape, screen)), x, y);
  return {
    scale,
    x: point.x - (x - screen.width / 2) / scale,
    y: point.y - (y - screen.height / 2) / (scale * shape.aspect),
  };
}

/**
 * Moves the image by (dx, dy) on the screen; its edge never passes the centre, so it cannot be lost.
 *
 * @param {View} view
 * @param {Shape} shape
 * @param {number} dx
 * @param {number} dy
 * @returns {View}
 */
export function pan(view, shape, dx, dy) {
  const x = view.x - dx / view.scale;
  const y = view.y - dy / (view.scale * shape.aspect);
  return {
    scale: view.scale,
    x: Math.min(Math.max(x, 0), shape.columns),
    y: Math.min(Math.max(y, 0), shape.rows),
  };
}

/**
 * From pixels of a resolution level to image coordinates.
 *
 * The low-pass filters of ISO/IEC 15444-1 are symmetric about even samples: sample i of a level that is `levelsBelow`
 * levels below the full image describes the neighbourhood of full sample i * 2^levelsBelow, not of the middle of the
 * 2^levelsBelow samples from there on. Placing it there is what keeps edges still while the image sharpens.
 *
 * @param {number} levelsBelow
 * @returns {Transform}
 */
export function levelToImage(levelsBelow) {
  const size = 2 ** levelsBelow;
  const offset = (1 - size) / 2;
  return { scaleX: size, scaleY: size, offsetX: offset, offsetY: offset };
}

/**
 * From pixels of a picture to image coordinates: of a resolution level, or of a smaller representation of the frame,
 * each pixel of which describes a block of the full image, or of a level of such a one.
 *
 * @param {{columns: number, rows: number, resolutionLevel: number, decompositionLevels: number}} picture
 * @param {{columns: number, rows: number}} full
 * @returns {Transform}
 */
export function pictureToImage({ columns, rows, resolutionLevel, decompositionLevels }, full) {
  const levelsBelow = decompositionLevels - resolutionLevel;
  const blocks = {
    scaleX: blockSize(full.columns, columns, levelsBelow),
    scaleY: blockSize(full.rows, rows, levelsBelow),
    offsetX: 0,
    offsetY: 0,
  };
  return compose(blocks, levelToImage(levelsBelow));
}

/**
 * @param {number} full pixels of the frame
 * @param {number} held pixels of the picture
 * @param {number} levelsBelow
 * @returns {number} whole where that explains the size; 1 for levels of the frame itself
 */
function blockSize(full, held, levelsBelow) {
  const level = 2 ** levelsBelow;
  const part = full / (held * level);
  const near = Math.max(1, Math.round(part));
  // sizes are rounded up at every step, so the true number may be one more
  const explains = (/** @type {number} */ whole) =>
    Math.ceil(Math.ceil(full / whole) / level) === held;
  return [near, near + 1].find(explains) ?? part;
}

/**
 * How many pixels of a picture are averaged into one, in each direction, before the rest is interpolated: what is left
 * is a scale above one half, for which the pixels on either side are enough.
 *
 * @param {number} scale the smaller one of the device px that a pixel covers across and down
 */
export function averaging(scale) {
  // the margin keeps a factor that is whole but for rounding
  return Math.max(1, Math.floor(1 / scale + 1e-9));
}

/**
 * The device pixels whose middle the image covers, and that are on the screen or within a margin around it.
 *
 * @param {Transform} imageToScreen
 * @param {{columns: number, rows: number}} image
 * @param {Screen} screen
 * @param {number} [marginPx] device px more on each side
 * @returns {Region | null} null where there are none
 */
export function coveredRegion(imageToScreen, image, screen, marginPx = 0) {
  const { offsetX, offsetY, scaleX, scaleY } = imageToScreen;
  const [x, width] = covered(offsetX, image.columns * scaleX, screen.width, marginPx);
  const [y, height] = covered(offsetY, image.rows * scaleY, screen.height, marginPx);
  return width > 0 && height > 0 ? { x, y, width, height } : null;
}

/**
 * @param {number} start
 * @param {number} length at least a pixel of it counts
 * @param {number} screen
 * @param {number} margin
 * @returns {[number, number]} first and number
 */
function covered(start, length, screen, margin) {
  const first = Math.round(start);
  const stop = Math.max(Math.round(start + length), first + 1);
  const from = Math.max(first, -margin);
  return [from, Math.min(stop, screen + margin) - from];
}

/**
 * @param {Region} outer
 * @param {Region} inner
 */
export function contains(outer, inner) {
  return (
    inner.x >= outer.x &&
    inner.y >= outer.y &&
    inner.x + inner.width <= outer.x + outer.width &&
    inner.y + inner.height <= outer.y + outer.height
  );
}
