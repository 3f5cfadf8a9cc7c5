/** What is drawn above a plane: what of it is made up, and where the other planes are. */

/**
 * @typedef {import('./view.js').Point} Point
 * @typedef {import('./bands.js').VoxelStatus} VoxelStatus
 * @typedef {{status: VoxelStatus, polygon: Point[], edges: [Point, Point][]}} ShownBand in device px
 * @typedef {{ends: [Point, Point], orientation: import('./planes.js').Orientation}} PlaneLine
 */

/** Colours of what is not there yet, and of what will not come. */
const COLOURS = /** @type {Record<string, string>} */ ({
  interpolated: '#e0a030',
  missing: '#e0a030',
  failed: '#e5484d',
  gap: '#e5484d',
});

/** Colours of the planes as most viewers have them; a plane that is turned keeps its own. */
const PLANE_COLOURS = /** @type {Record<string, string>} */ ({
  axial: '#e5484d',
  coronal: '#46a758',
  sagittal: '#ffca16',
});
const OTHER_PLANE = '#3e9be9';

/** Widths and distances in CSS px. */
const TICK_WIDTH = 3;
const HATCH_EVERY = 9;
const LINE_WIDTH = 1;
const GAP_AROUND_POINT = 14;

/**
 * Thin marks at the rim beside what is interpolated, and a hatch over what cannot be had.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {ShownBand[]} bands
 * @param {number} pixelRatio
 */
export function drawBands(context, bands, pixelRatio) {
  context.save();
  for (const { status, polygon, edges } of bands) {
    const colour = COLOURS[status];
    if (!colour) continue;
    context.strokeStyle = colour;
    if (status === 'failed' || status === 'gap') hatch(context, polygon, pixelRatio);
    context.globalAlpha = 0.9;
    // half of the line lies outside the picture
    context.lineWidth = 2 * TICK_WIDTH * pixelRatio;
    context.save();
    trace(context, polygon);
    context.clip();
    for (const [from, to] of edges) {
      context.beginPath();
      context.moveTo(from.x, from.y);
      context.lineTo(to.x, to.y);
      context.stroke();
    }
    context.restore();
  }
  context.restore();
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Point[]} polygon
 * @param {number} pixelRatio
 */
function hatch(context, polygon, pixelRatio) {
  const xs = polygon.map(({ x }) => x);
  const ys = polygon.map(({ y }) => y);
  const [left, right] = [Math.min(...xs), Math.max(...xs)];
  const [top, bottom] = [Math.min(...ys), Math.max(...ys)];
  const every = HATCH_EVERY * pixelRatio;
  const height = bottom - top;
  context.save();
  trace(context, polygon);
  context.clip();
  context.globalAlpha = 0.55;
  context.lineWidth = pixelRatio;
  context.beginPath();
  // lines start at multiples, so that hatches of neighbours join
  for (let x = Math.floor((left - height) / every) * every; x < right; x += every) {
    context.moveTo(x, bottom);
    context.lineTo(x + height, top);
  }
  context.stroke();
  context.restore();
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Point[]} polygon
 */
function trace(context, polygon) {
  context.beginPath();
  for (const { x, y } of polygon) context.lineTo(x, y);
  context.closePath();
}

/**
 * Where the other planes cut this one; free around the point, so that what is there can be seen.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {PlaneLine[]} lines
 * @param {Point} point
 * @param {number} pixelRatio
 */
export function drawPlanes(context, lines, point, pixelRatio) {
  context.save();
  context.lineWidth = LINE_WIDTH * pixelRatio;
  context.globalAlpha = 0.8;
  const free = GAP_AROUND_POINT * pixelRatio;
  for (const { ends, orientation } of lines) {
    context.strokeStyle = PLANE_COLOURS[orientation] ?? OTHER_PLANE;
    for (const end of ends) {
      const length = Math.hypot(end.x - point.x, end.y - point.y);
      if (length <= free) continue;
      const part = free / length;
      context.beginPath();
      context.moveTo(point.x + (end.x - point.x) * part, point.y + (end.y - point.y) * part);
      context.lineTo(end.x, end.y);
      context.stroke();
    }
  }
  context.restore();
}
