/** Draws one plane of a volume from what is held of it; says how good that is; never asks for bytes. */

import { drawBands, drawPlanes } from './marking.js';
import { crossing } from './outline.js';
import { PlanePainter } from './plane-painter.js';
import { PARALLEL, edgeLetters, planeName, planeOf, turnPlane } from './planes.js';
import { bandsShown, positionOf, probe, qualityShown, scrolled, touches } from './shown.js';
import { along, dot, minus, turn } from './vectors.js';
import * as views from './view.js';

/**
 * @typedef {import('./vectors.js').Vector} Vector
 * @typedef {import('./planes.js').Orientation} Orientation
 * @typedef {import('./cpu-renderer.js').PlaneRenderer} PlaneRenderer
 */

const BLACK = '#000';

export class MprViewport {
  #canvas;
  #context;
  #linked;
  #volume;
  #drawn;
  #painter = new PlanePainter(() => this.requestDraw());
  #screen = { width: 0, height: 0 };
  /** @type {Orientation} */
  #orientation;
  /** @type {views.View} */
  #view;
  #fitted = true;
  /** @type {number | null} */
  #pending = null;
  #released = false;

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {import('./linked.js').Linked} linked
   * @param {Orientation} orientation
   * @param {() => void} drawn called after every draw
   */
  constructor(canvas, linked, orientation, drawn) {
    this.#canvas = canvas;
    this.#context = /** @type {CanvasRenderingContext2D} */ (
      canvas.getContext('2d', { alpha: false })
    );
    this.#linked = linked;
    this.#volume = linked.volume;
    this.#drawn = drawn;
    this.#orientation = orientation;
    const plane = planeOf(orientation, this.#volume.geometry);
    this.#view = { plane, centre: linked.point, scale: 1 };
    linked.add(this);
  }

  /** When the last draw began, in ms since the epoch, and how long it held the page. */
  lastDraw = { startedMs: 0, elapsedMs: 0 };

  /** Whether the last draw found nothing to draw. */
  empty = true;

  get renderer() {
    return this.#painter.renderer;
  }

  get screen() {
    return this.#screen;
  }

  get window() {
    return this.#linked.window;
  }

  get fitted() {
    return this.#fitted;
  }

  get plane() {
    return this.#view.plane;
  }

  /** Millimetres that a device pixel covers. */
  get mmPerPx() {
    return 1 / this.#view.scale;
  }

  get orientation() {
    return this.#orientation;
  }

  set orientation(orientation) {
    this.#orientation = orientation;
    this.#view = { ...this.#view, plane: planeOf(orientation, this.#volume.geometry) };
    this.fit();
    this.#linked.changed('planes');
  }

  get name() {
    return planeName(this.plane, this.#volume.geometry);
  }

  get letters() {
    return edgeLetters(this.plane);
  }

  /** @param {PlaneRenderer} renderer */
  useRenderer(renderer) {
    this.#painter.useRenderer(renderer);
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
      this.#view = views.fit(this.plane, this.#volume.grid, this.#linked.point, this.#screen);
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
    const { scale } = views.fit(this.plane, this.#volume.grid, this.#linked.point, this.#screen);
    this.#view = views.zoomAbout(this.#view, this.#screen, factor, { x, y }, scale);
    this.#painter.moved();
    this.requestDraw();
  }

  /**
   * @param {number} dx device px
   * @param {number} dy
   */
  pan(dx, dy) {
    this.#fitted = false;
    this.#view = views.pan(this.#view, this.#volume.grid, dx, dy);
    this.#painter.moved();
    this.requestDraw();
  }

  /**
   * Moves the linked point along the normal, from slice to slice where the plane is one, else by about a voxel.
   *
   * @param {number} steps
   */
  scroll(steps) {
    this.#linked.point = scrolled(this.#volume, this.plane, this.#linked.point, steps);
  }

  /** Where along its normal the plane is: `mm` from the origin of the patient, `index` among `count` steps. */
  get position() {
    return positionOf(this.#volume, this.plane, this.#linked.point);
  }

  /**
   * Turns the plane about the linked point.
   *
   * @param {number} radians
   * @param {Vector} [axis] of length 1; its normal where absent
   */
  rotate(radians, axis = this.plane.normal) {
    const { point } = this.#linked;
    const plane = turnPlane(this.plane, axis, radians);
    const arm = turn(minus(this.#view.centre, point), axis, radians);
    this.#view = { ...this.#view, plane, centre: along(point, arm, 1) };
    this.#painter.moved();
    this.#linked.changed('planes');
  }

  /**
   * @param {Vector} point in the patient, mm
   * @returns {views.Point} device px
   */
  toScreen(point) {
    return views.toScreen(this.#view, this.#screen, point);
  }

  /**
   * @param {number} x device px
   * @param {number} y
   * @returns {Vector} in the patient, on the plane
   */
  toPatient(x, y) {
    return views.toPatient(this.#view, this.#screen, { x, y });
  }

  /**
   * @param {number} x device px
   * @param {number} y
   */
  pickPoint(x, y) {
    this.#linked.point = this.toPatient(x, y);
  }

  /**
   * What is drawn at a pixel, see `shown.js`.
   *
   * @param {number} x device px
   * @param {number} y
   */
  probe(x, y) {
    return probe(this.#volume, this.#view, this.toPatient(x, y), this.#linked);
  }

  /**
   * What is shown, by how good it is: fractions of the part of the plane that is on the screen and in the volume.
   */
  quality() {
    return qualityShown(this.#volume, this.#view, this.#screen, this.#slab);
  }

  /** The parts of what is shown that are not there or not final, in device px. */
  bands() {
    return bandsShown(this.#volume, this.#view, this.#screen, this.#slab);
  }

  get #slab() {
    return views.slabGrid(this.#view, this.#volume.grid, this.#linked.slab);
  }

  /** @param {import('./linked.js').What} what */
  linkedChanged(what) {
    if (what === 'volume') return; // `volumeChanged` tells which slice
    if (what === 'point') {
      const { plane, centre } = this.#view;
      this.#view = { ...this.#view, centre: views.through(centre, plane, this.#linked.point) };
    }
    if (what !== 'look') this.#painter.moved();
    this.requestDraw();
  }

  /** @param {number} slice that has changed, or -1 */
  volumeChanged(slice) {
    const isTouched =
      slice < 0 || this.empty || touches(this.#volume, this.#view, this.#screen, this.#slab, slice);
    if (!isTouched) return;
    this.#painter.moved();
    this.requestDraw();
  }

  /** Draws as finely as it goes from now on, until something moves. */
  atRest() {
    this.#painter.atRest();
  }

  /** Draws in the next animation frame, once, however often it is asked. */
  requestDraw() {
    if (this.#released) return;
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
    this.empty = !this.#painter.paint(
      context,
      this.#volume,
      this.#view,
      this.#screen,
      this.#linked,
    );
    const pixelRatio = globalThis.devicePixelRatio || 1;
    if (this.#linked.marks) drawBands(context, this.bands(), pixelRatio);
    if (this.#linked.crosshair) {
      drawPlanes(context, this.#planeLines(), this.toScreen(this.#linked.point), pixelRatio);
    }
    const elapsedMs = performance.now() - started;
    this.lastDraw = { startedMs: performance.timeOrigin + started, elapsedMs };
    this.#drawn();
  }

  /** Where the other planes cut this one. */
  #planeLines() {
    const { point } = this.#linked;
    return this.#linked.views.flatMap((other) => {
      const { normal } = other.plane;
      if (other === this || Math.abs(dot(normal, this.plane.normal)) > PARALLEL) return [];
      const distance = (/** @type {views.Point} */ { x, y }) =>
        dot(minus(this.toPatient(x, y), point), normal);
      const ends = crossing(distance, this.#screen);
      return ends ? [{ ends, orientation: other.orientation }] : [];
    });
  }

  release() {
    this.#released = true;
    if (this.#pending !== null) cancelAnimationFrame(this.#pending);
    this.#pending = null;
    this.#linked.remove(this);
    this.#painter.release();
  }
}
