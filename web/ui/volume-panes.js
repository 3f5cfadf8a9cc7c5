/** Three planes through the volume of a series, linked with one another and with the stack beside them. */

import { followSession } from '../volume/feed.js';
import { Linked } from '../volume/linked.js';
import { Pane } from './pane.js';

/**
 * @typedef {import('../engine/session.js').Session} Session
 * @typedef {import('../viewport/viewport.js').Viewport} Viewport
 * @typedef {{center: number, width: number} | null} UserWindow
 *
 * @typedef {object} PanesHost
 * @property {import('./gestures.js').GestureTarget} commands
 * @property {Viewport} stack
 * @property {HTMLElement} stage of the stack
 * @property {number} frameIndex
 * @property {string} tool
 * @property {(frameIndex: number) => void} frameReached the linked point has moved to the slice of another frame
 * @property {(draw: {plane: string, startedMs: number, elapsedMs: number}) => void} planeDrawn
 * @property {(slices: number) => void} volumeDrawn every slice is shown at some level, for the first time
 * @property {() => void} changed something that the bars and corners say
 */

const ORIENTATIONS = /** @type {const} */ (['axial', 'coronal', 'sagittal']);

export class VolumePanes {
  linked;
  /** @type {Pane[]} */
  panes = [];
  #feed;
  #session;
  #container;
  #host;
  /** @type {Pane | null} null: the stack */
  #active = null;
  #cross;
  /** @type {Set<Pane> | null} panes that have not drawn since every slice is there; null before */
  #toDraw = null;
  #told = false;
  #stops = new AbortController();

  /**
   * @param {Session} session
   * @param {HTMLElement} container
   * @param {PanesHost} host
   * @returns {VolumePanes | null} null where the series makes no volume
   */
  static of(session, container, host) {
    const feed = followSession(session);
    return feed && new VolumePanes(session, feed, container, host);
  }

  /**
   * @param {Session} session
   * @param {NonNullable<ReturnType<typeof followSession>>} feed
   * @param {HTMLElement} container
   * @param {PanesHost} host
   */
  constructor(session, feed, container, host) {
    this.#session = session;
    this.#feed = feed;
    this.#container = container;
    this.#host = host;
    this.linked = new Linked(feed.volume);
    this.linked.userWindow = host.stack.userWindow;
    this.linked.inverted = host.stack.inverted;
    // at the first frame is who has not moved yet: the middle shows more than an end
    if (host.frameIndex > 0) this.showFrame(host.frameIndex);
    else host.frameReached(feed.volume.slices[feed.volume.sliceAt(this.linked.point)].frameIndex);
    const { signal } = this.#stops;
    for (const orientation of ORIENTATIONS) this.panes.push(this.#makePane(orientation));
    this.#activate(this.panes[0]);
    this.#cross = new StackCross(host.stage);
    for (const name of ['pointerdown', 'wheel']) {
      const options = { capture: true, passive: true, signal };
      host.stage.addEventListener(name, () => this.#activate(null), options);
    }
    this.linked.addEventListener('change', (event) => this.#onLinked(event), { signal });
  }

  /** @param {typeof ORIENTATIONS[number]} orientation */
  #makePane(orientation) {
    const series = this.#session.series;
    const pane = new Pane(this.linked, orientation, {
      commands: this.#host.commands,
      modality: series?.modality ?? '',
      record: series?.frames[0],
      reversible: series?.reversible ?? false,
      activated: (one) => this.#activate(one),
      enlarge: (one) => this.#enlarge(one),
      drawn: (one) => this.#onDrawn(one),
    });
    this.#container.append(pane.element);
    pane.connect();
    return pane;
  }

  /** The plane that keys, buttons and the newest gesture act on; null where that is the stack. */
  get active() {
    return this.#active?.target ?? null;
  }

  /** @param {Pane | null} pane */
  #activate(pane) {
    if (pane === this.#active) return;
    this.#active = pane;
    for (const one of this.panes) one.element.classList.toggle('active', one === pane);
    this.#host.stage.classList.toggle('active', pane === null);
    this.#host.changed();
  }

  /** One pane alone, or all of them again. @param {Pane} pane */
  #enlarge(pane) {
    const alone = !pane.element.classList.contains('alone');
    pane.element.classList.toggle('alone', alone);
    this.#container.classList.toggle('one-alone', alone);
  }

  /** @param {Event} event */
  #onLinked(event) {
    const { what } = /** @type {CustomEvent} */ (event).detail;
    if (what === 'volume') return; // every picture that arrives: the update that follows it anyway is enough
    const { stack } = this.#host;
    if (what === 'window') stack.userWindow = this.linked.userWindow;
    if (what === 'look') stack.inverted = this.linked.inverted;
    if (what === 'point') {
      const { volume } = this.#feed;
      this.#host.frameReached(volume.slices[volume.sliceAt(this.linked.point)].frameIndex);
    }
    this.#host.changed();
  }

  #checkWhole() {
    if (this.#told || this.#toDraw) return;
    const { interpolated, slices } = this.#feed.volume.counts();
    if (interpolated > 0 || slices === 0) return;
    this.#toDraw = new Set(this.panes.filter((pane) => pane.isVisible));
    // one that the last slice does not touch would not draw
    for (const { view } of this.#toDraw) view.requestDraw();
  }

  /** @param {Pane} pane */
  #onDrawn(pane) {
    const { name, lastDraw } = pane.view;
    this.#host.planeDrawn({ plane: name, ...lastDraw });
    if (this.#toDraw === null || this.#told) return;
    this.#toDraw.delete(pane);
    if (this.#toDraw.size > 0) return;
    this.#told = true;
    this.#host.volumeDrawn(this.#feed.volume.slices.length);
  }

  /** The stack has been scrolled: the planes follow. @param {number} frameIndex */
  showFrame(frameIndex) {
    const { volume } = this.#feed;
    const slice = volume.sliceOf(frameIndex);
    if (slice < 0 || volume.sliceAt(this.linked.point) === slice) return;
    this.linked.point = volume.pointOn(slice, this.linked.point);
  }

  /** The stack has been given another window or polarity: the planes follow. */
  takeLook() {
    const { userWindow, inverted } = this.#host.stack;
    if (!sameWindow(userWindow, this.linked.userWindow)) this.linked.userWindow = userWindow;
    if (inverted !== this.linked.inverted) this.linked.inverted = inverted;
  }

  /**
   * Puts the linked point where the stack was pointed at.
   *
   * @param {number} x device px
   * @param {number} y
   */
  pickOnStack(x, y) {
    const { volume } = this.#feed;
    const { offsetX, offsetY, scaleX, scaleY } = this.#host.stack.imageToScreen;
    const slice = volume.sliceOf(this.#host.frameIndex);
    if (slice < 0) return;
    this.linked.point = volume.patientPoint((x - offsetX) / scaleX, (y - offsetY) / scaleY, slice);
  }

  /** Brings what stands around the pictures up to date. */
  update() {
    this.#checkWhole();
    for (const pane of this.panes) pane.update(this.#host.tool);
    const { volume } = this.#feed;
    const shown = volume.sliceOf(this.#host.frameIndex) >= 0 && this.linked.crosshair;
    const at = shown ? volume.imagePoint(this.linked.point) : null;
    this.#cross.update(at, this.#host.stack);
  }

  /** Longest side of a full slice on the screen, in device px, in the pane that shows it largest. */
  get sidePx() {
    const { columns, rows, spacing } = this.#feed.volume.geometry;
    const longest = Math.max(columns * spacing[1], rows * spacing[0]);
    const visible = this.panes.filter((pane) => pane.isVisible);
    return visible.reduce((side, { view }) => Math.max(side, longest / view.mmPerPx), 0);
  }

  release() {
    this.#stops.abort();
    this.#cross.release();
    this.#host.stage.classList.remove('active');
    for (const pane of this.panes) pane.release();
    this.#container.classList.remove('one-alone');
    this.linked.release();
    this.#feed.stop();
  }
}

/** Where the linked point lies in the stack. */
class StackCross {
  #across = document.createElement('div');
  #down = document.createElement('div');

  /** @param {HTMLElement} stage */
  constructor(stage) {
    this.#across.className = 'cross across';
    this.#down.className = 'cross down';
    stage.append(this.#across, this.#down);
  }

  /**
   * @param {{x: number, y: number} | null} point image coordinates; null hides it
   * @param {Viewport} viewport
   */
  update(point, viewport) {
    this.#across.hidden = this.#down.hidden = point === null;
    if (!point) return;
    const { offsetX, offsetY, scaleX, scaleY } = viewport.imageToScreen;
    const x = (offsetX + point.x * scaleX) / devicePixelRatio;
    const y = (offsetY + point.y * scaleY) / devicePixelRatio;
    this.#across.style.transform = `translateY(${y}px)`;
    this.#down.style.transform = `translateX(${x}px)`;
  }

  release() {
    this.#across.remove();
    this.#down.remove();
  }
}

/**
 * @param {UserWindow} a
 * @param {UserWindow} b
 */
function sameWindow(a, b) {
  return a === b || (a?.center === b?.center && a?.width === b?.width);
}
