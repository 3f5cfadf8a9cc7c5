/** Puts one frame on a canvas: brings it to the screen's resolution, maps it to grey, puts it in place. */

import { Canvas2dMapper } from './canvas2d.js';
import * as geometry from './geometry.js';
import { Looks } from './looks.js';
import { OverlayPainter } from './overlays.js';
import { averageSquares, fitToScreen } from './resample.js';

/**
 * @typedef {import('../engine/records.js').ImageRecord} ImageRecord
 * @typedef {import('../engine/frame-store.js').StoredFrame} StoredFrame
 * @typedef {import('./canvas2d.js').Mapper} Mapper
 * @typedef {import('./resample.js').Buffer} Buffer
 *
 * @typedef {object} Picture
 * @property {ImageRecord} record
 * @property {StoredFrame} frame
 * @property {import('./voi.js').Window | null} window null for colour
 * @property {boolean} inverted
 * @property {boolean} overlays whether they are drawn
 * @property {geometry.Transform} toScreen from image coordinates to device px
 * @property {geometry.Screen} screen
 *
 * @typedef {object} Fitted samples at the screen's resolution
 * @property {Buffer} source what they were made of
 * @property {string} scale for which they were made
 * @property {geometry.Region} region that they cover, in device px from the corner of the image
 * @property {Buffer} buffer
 */

/** Made beyond each side of the screen, in device px, so that a small pan needs no new work. */
const MARGIN_PX = 128;

export class Painter {
  /** @type {Mapper} */
  #mapper = new Canvas2dMapper();
  /** @type {Mapper} for what the GPU does not take: colour, and what exceeds its textures */
  #plainMapper = this.#mapper;
  #looks = new Looks();
  #overlays = new OverlayPainter();
  /** @type {{source: Buffer, factor: number, buffer: Buffer} | null} */
  #averaged = null;
  /** @type {Fitted | null} */
  #fitted = null;

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
    const { record, frame, toScreen, screen } = picture;
    const visible = geometry.coveredRegion(toScreen, record, screen);
    if (!visible) return;
    const source = this.#looks.source(frame, record);
    const fitted = this.#fit(source, picture, visible);
    const { buffer, table } = this.#looks.look(fitted.buffer, picture);
    const region = moved(
      visible,
      -fitted.region.x - toScreen.offsetX,
      -fitted.region.y - toScreen.offsetY,
    );
    // the GPU has gone (sleep, driver reset, too many contexts): the CPU takes over for good
    if (this.#mapper.lost) this.useMapper(this.#plainMapper);
    const mapper = this.#mapper.accepts(buffer) ? this.#mapper : this.#plainMapper;
    mapper.draw(context, buffer, region, table, visible.x, visible.y);
    if (mapper.lost) this.#plainMapper.draw(context, buffer, region, table, visible.x, visible.y);
  }

  /** Lets go of the pixels, not of the mapper. */
  forget() {
    this.#averaged = null;
    this.#fitted = null;
    this.#looks.forget();
    this.#overlays.forget();
  }

  release() {
    this.forget();
    this.#mapper.release();
    this.#plainMapper.release();
  }

  /**
   * Samples for every device pixel of a region: those held where they do, since a pan goes by whole pixels.
   *
   * @param {Buffer} source
   * @param {Picture} picture
   * @param {geometry.Region} visible
   * @returns {Fitted}
   */
  #fit(source, { record, frame, toScreen, screen }, visible) {
    const { offsetX, offsetY, scaleX, scaleY } = toScreen;
    const scale = `${scaleX} ${scaleY}`;
    const held = this.#fitted;
    if (held?.source === source && held.scale === scale) {
      if (geometry.contains(held.region, moved(visible, -offsetX, -offsetY))) return held;
    }
    const wider = geometry.coveredRegion(toScreen, record, screen, MARGIN_PX) ?? visible;
    const levelToScreen = geometry.compose(toScreen, geometry.pictureToImage(frame, record));
    const { averaged, place } = this.#average(source, levelToScreen);
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
 * @param {geometry.Region} region
 * @param {number} x
 * @param {number} y
 * @returns {geometry.Region}
 */
function moved(region, x, y) {
  return { ...region, x: region.x + x, y: region.y + y };
}
