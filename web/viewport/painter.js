/** Puts one frame on a canvas: brings it to about the screen's resolution, maps it to grey, scales it into place. */

import { Canvas2dMapper } from './canvas2d.js';
import * as geometry from './geometry.js';
import { Looks } from './looks.js';
import { OverlayPainter } from './overlays.js';
import { averageSquares, interpolate } from './resample.js';

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
 * @typedef {object} Prepared samples near the screen's resolution, and where they lie
 * @property {Buffer} source
 * @property {string} key what they were made for
 * @property {Buffer} buffer
 * @property {geometry.Region | null} region of the level that they cover; null for all of it
 * @property {geometry.Transform} toLevel from pixels of the buffer to pixels of the level
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
  /** @type {Prepared | null} */
  #prepared = null;
  /** @type {{buffer: Buffer, table: Uint8Array, region: geometry.Region, image: CanvasImageSource} | null} */
  #mapped = null;

  /** What maps grey images. */
  get renderer() {
    return this.#mapper.kind;
  }

  /** @param {Mapper} mapper */
  useMapper(mapper) {
    if (this.#mapper !== this.#plainMapper) this.#mapper.release();
    this.#mapper = mapper;
    this.#mapped = null;
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {Picture} picture
   */
  paint(context, picture) {
    const { record, frame, toScreen } = picture;
    context.save();
    context.beginPath();
    const { offsetX, offsetY, scaleX, scaleY } = toScreen;
    context.rect(offsetX, offsetY, record.columns * scaleX, record.rows * scaleY);
    context.clip();
    this.#paintImage(context, picture);
    if (picture.overlays) this.#overlays.paint(context, record, frame, toScreen);
    context.restore();
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {Picture} picture
   */
  #paintImage(context, picture) {
    const { record, frame, toScreen, screen } = picture;
    const levelsBelow = frame.decompositionLevels - frame.resolutionLevel;
    const levelToScreen = geometry.compose(toScreen, geometry.levelToImage(levelsBelow));
    const source = this.#looks.source(frame, record);
    const prepared = this.#prepare(source, levelToScreen, screen);
    if (!prepared) return;
    const place = geometry.compose(levelToScreen, prepared.toLevel);
    const { image, region } = this.#map(prepared.buffer, place, picture);
    context.imageSmoothingQuality = 'low';
    const corner = geometry.apply(place, region.x, region.y);
    const { width, height } = region;
    context.drawImage(image, corner.x, corner.y, width * place.scaleX, height * place.scaleY);
  }

  /** Lets go of the pixels, not of the mapper. */
  forget() {
    this.#prepared = null;
    this.#mapped = null;
    this.#looks.forget();
    this.#overlays.forget();
  }

  release() {
    this.forget();
    this.#mapper.release();
    this.#plainMapper.release();
  }

  /**
   * @param {Buffer} source
   * @param {geometry.Transform} levelToScreen
   * @param {geometry.Screen} screen
   * @returns {Prepared | null} null when nothing of it is visible
   */
  #prepare(source, levelToScreen, screen) {
    const visible = geometry.visibleRegion(levelToScreen, screen, source);
    if (!visible) return null;
    const scale = Math.min(levelToScreen.scaleX, levelToScreen.scaleY);
    const { average, enlarge } = geometry.resampling(scale);
    const key = `${average} ${enlarge}`;
    const held = this.#prepared;
    if (held?.source === source && held.key === key) {
      if (!held.region || geometry.contains(held.region, visible)) return held;
    }
    // colour has no window: there the canvas interpolates as well
    const grey = source.samplesPerPixel === 1;
    const wider = geometry.visibleRegion(levelToScreen, screen, source, MARGIN_PX);
    const region = grey && enlarge > 1 ? wider : null;
    const buffer = region ? interpolate(source, region, enlarge) : averageSquares(source, average);
    const size = region ? 1 / enlarge : average;
    const { x, y } = region ?? { x: 0, y: 0 };
    const toLevel = { scaleX: size, scaleY: size, offsetX: x, offsetY: y };
    this.#prepared = { source, key, buffer, region, toLevel };
    return this.#prepared;
  }

  /**
   * @param {Buffer} prepared
   * @param {geometry.Transform} place of the buffer on the screen
   * @param {Picture} picture
   */
  #map(prepared, place, picture) {
    const { screen } = picture;
    const { buffer, table } = this.#looks.look(prepared, picture);
    // the GPU has gone (sleep, driver reset, too many contexts): the CPU takes over for good
    if (this.#mapper.lost) this.useMapper(this.#plainMapper);
    const held = this.#mapped;
    const whole = { x: 0, y: 0, width: buffer.columns + 1, height: buffer.rows + 1 };
    if (held?.buffer === buffer && held.table === table) {
      const visible = geometry.visibleRegion(place, screen, buffer) ?? whole;
      if (geometry.contains(held.region, visible)) return held;
    }
    const region = geometry.visibleRegion(place, screen, buffer, MARGIN_PX) ?? whole;
    const mapper = this.#mapper.accepts(buffer) ? this.#mapper : this.#plainMapper;
    let image = mapper.map(buffer, region, table);
    if (mapper.lost) image = this.#plainMapper.map(buffer, region, table);
    this.#mapped = { buffer, table, region, image };
    return this.#mapped;
  }
}
