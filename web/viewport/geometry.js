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

/**
 * A level is interpolated to at most this many times its pixels each way: beyond it nobody sees whether the window was
 * applied before or after, and the first picture shall cost little.
 */
const LARGEST_ENLARGEMENT = 6;

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
 * How a level is brought to about the resolution of the screen: so many pixels averaged into one, or one made so many,
 * in each direction. What is left to the canvas is a scale near 1, unless the level is very coarse.
 *
 * @param {number} scale the smaller one of the device px that a level pixel covers across and down
 * @returns {{average: number, enlarge: number}}
 */
export function resampling(scale) {
  // the margin keeps a factor that is whole but for rounding
  if (scale < 1) return { average: Math.max(1, Math.floor(1 / scale + 1e-9)), enlarge: 1 };
  return { average: 1, enlarge: Math.min(Math.round(scale), LARGEST_ENLARGEMENT) };
}

/**
 * The part of a buffer that is on the screen, rounded outwards; one pixel beyond the last column and row belongs to it
 * (a reduced level ends up to half a pixel before the image does, and its edge is repeated there).
 *
 * @param {Transform} bufferToScreen
 * @param {Screen} screen
 * @param {{columns: number, rows: number}} buffer
 * @param {number} [marginPx] device px more on each side
 * @returns {Region | null} null when nothing of it is visible
 */
export function visibleRegion(bufferToScreen, screen, buffer, marginPx = 0) {
  const back = inverse(bufferToScreen);
  const first = apply(back, -marginPx, -marginPx);
  const last = apply(back, screen.width + marginPx, screen.height + marginPx);
  const [x, width] = roundOut(first.x, last.x, buffer.columns + 1);
  const [y, height] = roundOut(first.y, last.y, buffer.rows + 1);
  return width > 0 && height > 0 ? { x, y, width, height } : null;
}

/**
 * @param {number} start
 * @param {number} stop
 * @param {number} size
 * @returns {[number, number]} first and number
 */
function roundOut(start, stop, size) {
  // one more pixel on each side: interpolation looks at neighbours
  const first = Math.max(0, Math.floor(start) - 1);
  const end = Math.min(size, Math.ceil(stop) + 1);
  return [first, end - first];
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
