/** Overlay planes (PS3.3 C.9.2), drawn above the picture in colours of their own. */

import { bytesOf } from '../engine/records.js';

/**
 * @typedef {import('../engine/records.js').Overlay} Overlay
 * @typedef {import('../engine/records.js').ImageRecord} ImageRecord
 * @typedef {import('../engine/frame-store.js').StoredFrame} Frame
 */

/** Told apart by people who do not see all colours, and found on black, grey and white. */
const COLOURS = ['#ffb454', '#59c2ff', '#d2a6ff', '#b8cc52', '#ff8f9e', '#73d0c4'];

/** A region of interest is looked through, a graphic is not. */
const OPACITY = { G: 1, R: 0.45 };

/** Larger planes take more memory than a drawing is worth. */
const LARGEST_PX = 2 ** 26;

export class OverlayPainter {
  /** @type {Map<Overlay, OffscreenCanvas | null>} of the image shown last */
  #drawn = new Map();
  /** @type {Frame | null} */
  #frame = null;

  /**
   * @param {CanvasRenderingContext2D} context clipped to the image
   * @param {ImageRecord} record
   * @param {Frame} frame
   * @param {import('./geometry.js').Transform} toScreen from image coordinates to device px
   */
  paint(context, record, frame, { offsetX, offsetY, scaleX, scaleY }) {
    if (this.#frame !== frame) this.#drawn.clear();
    this.#frame = frame;
    for (const [index, overlay] of record.overlays.entries()) {
      if (!this.#drawn.has(overlay)) {
        const bits = bitsOf(overlay, frame, record);
        const colour = COLOURS[index % COLOURS.length];
        this.#drawn.set(overlay, bits && drawnIn(colour, overlay, bits));
      }
      const canvas = this.#drawn.get(overlay);
      if (!canvas) continue;
      const [row, column] = overlay.origin ?? [1, 1];
      context.globalAlpha = OPACITY[overlay.overlay_type ?? 'G'] ?? 1;
      context.imageSmoothingEnabled = Math.min(scaleX, scaleY) < 1;
      context.imageSmoothingQuality = 'high';
      context.drawImage(
        canvas,
        offsetX + (column - 1) * scaleX,
        offsetY + (row - 1) * scaleY,
        canvas.width * scaleX,
        canvas.height * scaleY,
      );
    }
  }

  forget() {
    this.#drawn.clear();
    this.#frame = null;
  }
}

/**
 * @param {Overlay} overlay
 * @param {Frame} frame
 * @param {ImageRecord} record
 * @returns {((index: number) => number) | null} whether a pixel of the plane is set; null where that is not known
 */
function bitsOf({ rows, columns, data, bit_position: position }, frame, record) {
  if (!(rows * columns <= LARGEST_PX)) return null;
  if (data) {
    const bytes = bytesOf(data);
    return (index) => (bytes[index >> 3] >> (index & 7)) & 1;
  }
  const { cells } = frame;
  const fits = columns === record.columns && cells?.length === rows * columns;
  return cells && fits && position !== undefined ? (index) => (cells[index] >> position) & 1 : null;
}

/**
 * @param {string} colour as #rrggbb
 * @param {{rows: number, columns: number}} size
 * @param {(index: number) => number} isSet
 */
function drawnIn(colour, { rows, columns }, isSet) {
  const canvas = new OffscreenCanvas(columns, rows);
  const image = new ImageData(columns, rows);
  const pixels = new Uint32Array(image.data.buffer);
  const [red, green, blue] = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
  const ink = (0xff000000 | (blue << 16) | (green << 8) | red) >>> 0;
  for (let index = 0; index < pixels.length; index += 1) if (isSet(index)) pixels[index] = ink;
  canvas.getContext('2d')?.putImageData(image, 0, 0);
  return canvas;
}
