/** Puts one frame on a canvas: brings it to the screen's resolution, maps it to grey, puts it in place. */

import { Canvas2dMapper } from './canvas2d.js';
import * as geometry from './geometry.js';
import { Layer, onScreen, regionSheet, wholeSheet } from './layer.js';
import { OverlayPainter } from './overlays.js';
import { regionArea } from './region-geometry.js';

/**
 * @typedef {import('../engine/records.js').ImageRecord} ImageRecord
 * @typedef {import('../engine/frame-store.js').StoredFrame} StoredFrame
 * @typedef {import('../engine/regions.js').RegionPicture} RegionPicture
 * @typedef {import('./canvas2d.js').Mapper} Mapper
 *
 * @typedef {object} Picture
 * @property {ImageRecord} record
 * @property {StoredFrame} frame
 * @property {readonly RegionPicture[]} regions windows of finer levels, drawn over it, the finest last
 * @property {import('./voi.js').Window | null} window null for colour
 * @property {boolean} inverted
 * @property {boolean} overlays whether they are drawn
 * @property {geometry.Transform} toScreen from image coordinates to device px
 * @property {geometry.Screen} screen
 */

export class Painter {
  /** @type {Mapper} */
  #mapper = new Canvas2dMapper();
  /** @type {Mapper} for what the GPU does not take: colour, and what exceeds its textures */
  #plainMapper = this.#mapper;
  #overlays = new OverlayPainter();
  #whole = new Layer();
  /** @type {Map<RegionPicture, Layer>} */
  #regions = new Map();

  /** What maps grey images. */
  get renderer() {
    return this.#mapper.kind;
  }

  /** @param {Mapper} mapper */
  useMapper(mapper) {
    if (this.#mapper !== this.#plainMapper) this.#mapper.release();
    this.#mapper = mapper;
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {Picture} picture
   */
  paint(context, picture) {
    const { record, frame, toScreen } = picture;
    this.#paintImage(context, picture);
    if (!picture.overlays || record.overlays.length === 0) return;
    context.save();
    context.beginPath();
    const { offsetX, offsetY, scaleX, scaleY } = toScreen;
    context.rect(offsetX, offsetY, record.columns * scaleX, record.rows * scaleY);
    context.clip();
    this.#overlays.paint(context, record, frame, toScreen);
    context.restore();
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {Picture} picture
   */
  #paintImage(context, picture) {
    const { record, frame, regions } = picture;
    for (const region of this.#regions.keys()) {
      if (!regions.includes(region)) this.#regions.delete(region);
    }
    const covering = regionInView(picture);
    if (!covering) this.#paintLayer(context, picture, this.#whole, wholeSheet(frame, record));
    // what lies under one that fills the screen is not seen
    for (const region of regions.slice(covering ? regions.indexOf(covering) : 0)) {
      const layer = this.#regions.get(region) ?? new Layer();
      this.#regions.set(region, layer);
      this.#paintLayer(context, picture, layer, regionSheet(region, record));
    }
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {Picture} picture
   * @param {Layer} layer
   * @param {import('./layer.js').Sheet} sheet
   */
  #paintLayer(context, picture, layer, sheet) {
    const print = layer.print(sheet, picture);
    if (!print) return;
    const { buffer, region, table, x, y } = print;
    // the GPU has gone (sleep, driver reset, too many contexts): the CPU takes over for good
    if (this.#mapper.lost) this.useMapper(this.#plainMapper);
    const mapper = this.#mapper.accepts(buffer) ? this.#mapper : this.#plainMapper;
    mapper.draw(context, buffer, region, table, x, y);
    if (mapper.lost) this.#plainMapper.draw(context, buffer, region, table, x, y);
  }

  /** Lets go of the pixels, not of the mapper. */
  forget() {
    this.#whole.forget();
    this.#regions.clear();
    this.#overlays.forget();
  }

  release() {
    this.forget();
    this.#mapper.release();
    this.#plainMapper.release();
  }
}

/**
 * The finest window of a level that has all of the image that is on the screen.
 *
 * @param {Pick<Picture, 'record' | 'regions' | 'toScreen' | 'screen'>} picture
 * @returns {RegionPicture | undefined}
 */
export function regionInView({ record, regions, toScreen, screen }) {
  if (regions.length === 0) return undefined;
  const whole = { area: { x: 0, y: 0, width: record.columns, height: record.rows } };
  const seen = onScreen(whole, toScreen, screen);
  return regions.findLast((region) => {
    const covered = onScreen({ area: regionArea(region, record) }, toScreen, screen);
    return seen && covered && geometry.contains(covered, seen);
  });
}
