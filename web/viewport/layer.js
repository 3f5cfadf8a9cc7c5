/** One picture of an image, brought to the screen's resolution: the whole of it, or a window of a finer level. */

import * as geometry from './geometry.js';
import { Looks } from './looks.js';
import { regionArea, regionToImage } from './region-geometry.js';
import { averageSquares, fitToScreen } from './resample.js';

/**
 * @typedef {import('../engine/records.js').ImageRecord} ImageRecord
 * @typedef {import('./painter.js').Picture} Picture
 * @typedef {import('./resample.js').Buffer} Buffer
 *
 * @typedef {object} Sheet a picture, and where it lies
 * @property {Buffer} buffer
 * @property {geometry.Transform} toImage from its pixels to image coordinates
 * @property {geometry.Region} area what it shows, in image coordinates
 *
 * @typedef {object} Fitted samples at the screen's resolution
 * @property {Buffer} source what they were made of
 * @property {string} scale for which they were made
 * @property {geometry.Region} region that they cover, in device px from the corner of the image
 * @property {Buffer} buffer
 *
 * @typedef {{buffer: Buffer, table: Uint8Array, region: geometry.Region, x: number, y: number}} Print what a mapper draws
 */

/** Made beyond each side of the screen, in device px, so that a small pan needs no new work. */
const MARGIN_PX = 128;

/** Everything is made once for a picture and zoom. */
export class Layer {
  #looks = new Looks();
  /** @type {{source: Buffer, factor: number, buffer: Buffer} | null} */
  #averaged = null;
  /** @type {Fitted | null} */
  #fitted = null;

  /**
   * @param {Sheet} sheet
   * @param {Picture} picture
   * @returns {Print | null} null where nothing of it is on the screen
   */
  print(sheet, picture) {
    const { record, toScreen, screen } = picture;
    const visible = onScreen(sheet, toScreen, screen);
    if (!visible) return null;
    const source = this.#looks.source(sheet.buffer, record);
    const fitted = this.#fit(source, sheet, picture, visible);
    const { buffer, table } = this.#looks.look(fitted.buffer, picture);
    const [dx, dy] = [fitted.region.x + toScreen.offsetX, fitted.region.y + toScreen.offsetY];
    const region = moved(visible, -dx, -dy);
    return { buffer, table, region, x: visible.x, y: visible.y };
  }

  /** Lets go of the pixels. */
  forget() {
    this.#averaged = null;
    this.#fitted = null;
    this.#looks.forget();
  }

  /**
   * Samples for every device pixel of a region: those held where they do, since a pan goes by whole pixels.
   *
   * @param {Buffer} source
   * @param {Sheet} sheet
   * @param {Picture} picture
   * @param {geometry.Region} visible
   * @returns {Fitted}
   */
  #fit(source, sheet, { toScreen, screen }, visible) {
    const { offsetX, offsetY, scaleX, scaleY } = toScreen;
    const scale = `${scaleX} ${scaleY}`;
    const held = this.#fitted;
    if (held?.source === source && held.scale === scale) {
      if (geometry.contains(held.region, moved(visible, -offsetX, -offsetY))) return held;
    }
    const wider = onScreen(sheet, toScreen, screen, MARGIN_PX) ?? visible;
    const { averaged, place } = this.#average(source, geometry.compose(toScreen, sheet.toImage));
    const buffer = fitToScreen(averaged, place, wider);
    this.#fitted = { source, scale, region: moved(wider, -offsetX, -offsetY), buffer };
    return this.#fitted;
  }

  /**
   * @param {Buffer} source
   * @param {geometry.Transform} toScreen of the source
   * @returns {{averaged: Buffer, place: geometry.Transform}} `place`: of what was averaged, on the screen
   */
  #average(source, toScreen) {
    const factor = geometry.averaging(Math.min(toScreen.scaleX, toScreen.scaleY));
    if (this.#averaged?.source !== source || this.#averaged.factor !== factor) {
      this.#averaged = { source, factor, buffer: averageSquares(source, factor) };
    }
    const squares = { scaleX: factor, scaleY: factor, offsetX: 0, offsetY: 0 };
    return { averaged: this.#averaged.buffer, place: geometry.compose(toScreen, squares) };
  }
}

/**
 * The device pixels of a sheet that are on the screen or within a margin around it.
 *
 * @param {Pick<Sheet, 'area'>} sheet
 * @param {geometry.Transform} toScreen
 * @param {geometry.Screen} screen
 * @param {number} [marginPx]
 */
export function onScreen({ area }, toScreen, screen, marginPx = 0) {
  const corner = { scaleX: 1, scaleY: 1, offsetX: area.x, offsetY: area.y };
  const place = geometry.compose(toScreen, corner);
  const size = { columns: area.width, rows: area.height };
  return geometry.coveredRegion(place, size, screen, marginPx);
}

/**
 * @param {import('../engine/frame-store.js').StoredFrame} frame
 * @param {ImageRecord} record
 * @returns {Sheet}
 */
export function wholeSheet(frame, record) {
  const area = { x: 0, y: 0, width: record.columns, height: record.rows };
  return { buffer: frame, toImage: geometry.pictureToImage(frame, record), area };
}

/**
 * @param {import('../engine/regions.js').RegionPicture} region
 * @param {ImageRecord} record
 * @returns {Sheet}
 */
export function regionSheet(region, record) {
  return {
    buffer: region,
    toImage: regionToImage(region),
    area: regionArea(region, record),
  };
}

/**
 * @param {geometry.Region} region
 * @param {number} x
 * @param {number} y
 * @returns {geometry.Region}
 */
function moved(region, x, y) {
  return { ...region, x: region.x + x, y: region.y + y };
}
