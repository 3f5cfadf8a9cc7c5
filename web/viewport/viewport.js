/** Draws the best that is held of the frame asked for; says what it drew; never asks for bytes. */

import { isShowable, readingOf } from './colour.js';
import * as geometry from './geometry.js';
import { Painter, regionInView } from './painter.js';
import { probe } from './probe.js';
import { screenLevel, visiblePart } from './region-geometry.js';
import { warmUp } from './warm.js';
import { Windowing } from './windowing.js';

/**
 * @typedef {import('../engine/records.js').ImageRecord} ImageRecord
 * @typedef {import('../engine/frame-store.js').StoredFrame} StoredFrame
 * @typedef {import('../engine/regions.js').RegionPicture} RegionPicture
 * @typedef {import('./windowing.js').ShownWindow} ShownWindow
 */

const BLACK = '#000';

export class Viewport {
  #canvas;
  #context;
  #painter = new Painter();
  #screen = { width: 0, height: 0 };
  /** @type {ImageRecord | null} */
  #record = null;
  /** @type {StoredFrame | undefined} */
  #frame;
  /** @type {readonly RegionPicture[]} */
  #regions = [];
  /** @type {geometry.Shape} */
  #shape = { columns: 1, rows: 1, aspect: 1 };
  /** @type {geometry.View} */
  #view = { scale: 1, x: 0.5, y: 0.5 };
  #fitted = true;
  #windowing = new Windowing();
  #inverted = false;
  #overlays = true;
  /** @type {number | null} */
  #pending = null;
  #drawn;
  #warming;

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {() => void} drawn called after every draw
   */
  constructor(canvas, drawn) {
    this.#canvas = canvas;
    this.#context = /** @type {CanvasRenderingContext2D} */ (
      canvas.getContext('2d', { alpha: false })
    );
    this.#drawn = drawn;
    this.#warming = setTimeout(() => this.#warm());
  }

  /** Which renderer draws grey images. */
  get renderer() {
    return this.#painter.renderer;
  }

  /** When the last draw began, in ms since the epoch, and how long it held the page. */
  lastDraw = { startedMs: 0, elapsedMs: 0 };

  /** The attributes of the image shown. */
  get record() {
    return this.#record;
  }

  /** What is on the screen, or will be after the draw under way. */
  get frame() {
    return this.#frame;
  }

  /** The finest window of a level that has all that is on the screen; undefined where `frame` alone has. */
  get region() {
    if (!this.#record) return undefined;
    const { imageToScreen: toScreen } = this;
    const [record, regions, screen] = [this.#record, this.#regions, this.#screen];
    return regionInView({ record, regions, toScreen, screen });
  }

  /** The resolution level that the screen can show, 0 while nothing is held. */
  get screenLevel() {
    if (!this.#frame) return 0;
    const { decompositionLevels } = this.#frame;
    return screenLevel(this.#shape, this.imageToScreen, decompositionLevels);
  }

  /**
   * What of the image is on the screen, as parts of its columns and rows; null where that is all or nothing of it.
   *
   * @returns {[left: number, top: number, right: number, bottom: number] | null}
   */
  get visiblePart() {
    return visiblePart(this.#shape, this.imageToScreen, this.#screen);
  }

  get view() {
    return this.#view;
  }

  get fitted() {
    return this.#fitted;
  }

  get screen() {
    return this.#screen;
  }

  /** @param {import('./canvas2d.js').Mapper} mapper */
  useMapper(mapper) {
    this.#painter.useMapper(mapper);
    this.requestDraw();
  }

  /**
   * @param {ImageRecord | null} record null shows nothing
   * @param {StoredFrame | undefined} frame undefined while nothing of it is held
   * @param {readonly RegionPicture[]} [regions] windows of finer levels of it, the finest last
   */
  show(record, frame, regions = []) {
    this.#frame = record && frame && isShowable(record, frame) ? frame : undefined;
    this.#regions = this.#frame ? regions : [];
    if (record && record !== this.#record) {
      const shape = geometry.shapeOf(record);
      const same = JSON.stringify(shape) === JSON.stringify(this.#shape);
      this.#shape = shape;
      if (!same || this.#fitted) this.fit();
    }
    this.#record = record;
    this.requestDraw();
  }

  /**
   * @param {number} width device px
   * @param {number} height device px
   */
  resize(width, height) {
    if (width === this.#screen.width && height === this.#screen.height) return;
    this.#canvas.width = width;
    this.#canvas.height = height;
    this.#screen = { width, height };
    if (this.#fitted) this.fit();
    // at once, not in the next animation frame: setting the size has cleared the canvas
    this.draw();
  }

  fit() {
    this.#fitted = true;
    if (this.#screen.width > 0 && this.#screen.height > 0) {
      this.#view = geometry.fit(this.#shape, this.#screen);
    }
    this.requestDraw();
  }

  /**
   * @param {number} factor
   * @param {number} [x] device px; the centre where absent
   * @param {number} [y]
   */
  zoom(factor, x = this.#screen.width / 2, y = this.#screen.height / 2) {
    this.#fitted = false;
    this.#view = geometry.zoomAbout(this.#view, this.#shape, this.#screen, factor, x, y);
    this.requestDraw();
  }

  /**
   * @param {number} dx device px
   * @param {number} dy
   */
  pan(dx, dy) {
    this.#fitted = false;
    this.#view = geometry.pan(this.#view, this.#shape, dx, dy);
    this.requestDraw();
  }

  /** From image coordinates to device pixels of the canvas; whole pixels, so that 1:1 stays sharp. */
  get imageToScreen() {
    const exact = geometry.imageToScreen(this.#view, this.#shape, this.#screen);
    const { offsetX, offsetY } = exact;
    return { ...exact, offsetX: Math.round(offsetX), offsetY: Math.round(offsetY) };
  }

  get inverted() {
    return this.#inverted;
  }

  set inverted(inverted) {
    this.#inverted = inverted;
    this.requestDraw();
  }

  /** Whether overlays are drawn. */
  get overlays() {
    return this.#overlays;
  }

  set overlays(overlays) {
    this.#overlays = overlays;
    this.requestDraw();
  }

  /** Why the image shown cannot be, or an empty string. */
  get refusal() {
    const reading = this.#record && readingOf(this.#record);
    return reading && 'refusal' in reading ? reading.refusal : '';
  }

  /** The window that the reader set, or null for the image's own. */
  get userWindow() {
    return this.#windowing.window;
  }

  set userWindow(window) {
    this.#windowing.window = window;
    this.requestDraw();
  }

  /** @param {number} index of one of the image's VOI LUTs, to be used instead of a window */
  chooseLut(index) {
    this.#windowing.chooseLut(index);
    this.requestDraw();
  }

  /** Lets the next frame shown decide the automatic window anew. */
  forgetAutoWindow() {
    this.#windowing.forgetAuto();
    this.requestDraw();
  }

  /** The window in force, null where windows mean nothing (colour) or nothing is held. */
  get window() {
    return this.#windowing.inForce(this.#record, this.#frame);
  }

  /**
   * @param {number} x device px
   * @param {number} y
   * @returns {import('./probe.js').Probed | null} null where there is no picture
   */
  probe(x, y) {
    if (!this.#record || !this.#frame) return null;
    const point = geometry.apply(geometry.inverse(this.imageToScreen), x, y);
    return probe(this.#record, this.#frame, point, this.#regions);
  }

  /** Draws in the next animation frame, once, however often it is asked. */
  requestDraw() {
    this.#pending ??= requestAnimationFrame(() => this.draw());
  }

  draw() {
    if (this.#pending !== null) cancelAnimationFrame(this.#pending);
    this.#pending = null;
    const { width, height } = this.#screen;
    if (width === 0 || height === 0) return;
    const started = performance.now();
    const context = this.#context;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.fillStyle = BLACK;
    context.fillRect(0, 0, width, height);
    if (this.#record && this.#frame) {
      this.#painter.paint(context, {
        record: this.#record,
        frame: this.#frame,
        regions: this.#regions,
        window: this.window,
        inverted: this.#inverted,
        overlays: this.#overlays,
        toScreen: this.imageToScreen,
        screen: this.#screen,
      });
    }
    const elapsedMs = performance.now() - started;
    this.lastDraw = { startedMs: performance.timeOrigin + started, elapsedMs };
    this.#drawn();
  }

  /** Lets go of the pixels and of what the reader has set; `show` starts again. */
  clear() {
    this.show(null, undefined);
    this.#windowing.forget();
    this.#inverted = false;
    this.fit();
    this.#painter.forget();
  }

  /** Before the first picture is there: it then costs half. */
  #warm() {
    if (this.#frame) return;
    warmUp(this.#context);
    this.#context.fillStyle = BLACK;
    this.#context.fillRect(0, 0, this.#canvas.width, this.#canvas.height);
  }

  release() {
    clearTimeout(this.#warming);
    if (this.#pending !== null) cancelAnimationFrame(this.#pending);
    this.#pending = null;
    this.#painter.release();
  }
}
