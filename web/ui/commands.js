/** What gestures, keys and buttons do; the one place where a wish of the reader becomes a change. */

import { ActiveView } from './active-view.js';
import { RATES } from './cine.js';
import { rateLabel } from './measures.js';
import { PlaneCommands } from './plane-commands.js';
import { WindowCommands } from './window-commands.js';

/**
 * @typedef {import('./toolbar.js').Tool} Tool
 * @typedef {import('../engine/records.js').Series} Series
 * @typedef {import('../engine/records.js').SeriesSummary} SeriesSummary
 *
 * @typedef {object} CommandHost
 * @property {Tool} tool
 * @property {number} frameIndex
 * @property {Series | null} series
 * @property {SeriesSummary[]} seriesList
 * @property {(frameIndex: number) => void} goTo
 * @property {(tool: Tool) => void} chooseTool
 * @property {(seriesIndex: number) => void} selectSeries
 * @property {import('./cine.js').Cine} cine
 * @property {() => void} openFiles
 * @property {() => void} fullscreen
 * @property {() => void} help
 * @property {() => void} timeline
 * @property {import('./layouts.js').Layouts} layouts
 * @property {() => boolean} escape
 * @property {(dragging: boolean) => void} dragging
 */

/**
 * @implements {GestureTarget}
 * @implements {KeyTarget}
 * @implements {ToolbarHost}
 * @typedef {import('./gestures.js').GestureTarget} GestureTarget
 * @typedef {import('./keyboard.js').KeyTarget} KeyTarget
 * @typedef {import('./toolbar.js').ToolbarHost} ToolbarHost
 */
export class Commands {
  #viewport;
  #host;
  #active;
  #window;
  #planes;
  /** Menus. */
  presets = () => this.#window.menu();
  layouts = () => this.#planes.layouts();
  slabs = () => this.#planes.slabs();

  /**
   * @param {import('../viewport/viewport.js').Viewport} viewport
   * @param {CommandHost} host
   */
  constructor(viewport, host) {
    this.#viewport = viewport;
    this.#host = host;
    this.#active = new ActiveView(viewport, host);
    this.#window = new WindowCommands(viewport, this.#active, host);
    this.#planes = new PlaneCommands(this.#active, host);
    this.series = this.series.bind(this);
    this.rates = this.rates.bind(this);
  }

  get tool() {
    return this.#host.tool;
  }

  get frameIndex() {
    return this.#host.frameIndex;
  }

  /** How far scrolling goes: frames of the stack, or slices of the plane that is acted on. */
  get frameCount() {
    return this.#active.plane?.position.count ?? this.#host.series?.frames.length ?? 0;
  }

  beginWindow() {
    this.#window.begin();
  }

  /**
   * @param {number} dx CSS px since `beginWindow`
   * @param {number} dy
   */
  windowBy(dx, dy) {
    this.#window.by(dx, dy);
  }

  /**
   * @param {number} dx CSS px
   * @param {number} dy
   */
  pan(dx, dy) {
    this.#active.view.pan(dx * devicePixelRatio, dy * devicePixelRatio);
  }

  /**
   * @param {number} factor
   * @param {number} [x] CSS px from the corner of the stage; the middle where absent
   * @param {number} [y]
   */
  zoom(factor, x, y) {
    if (x === undefined || y === undefined) this.#active.view.zoom(factor);
    else this.#active.view.zoom(factor, x * devicePixelRatio, y * devicePixelRatio);
  }

  /** @param {number} frames or slices of the plane */
  scroll(frames) {
    this.#host.cine.pause();
    if (this.#active.plane) this.#active.plane.scroll(frames);
    else this.goTo(this.#host.frameIndex + frames);
  }

  /** @param {'first' | 'last'} end */
  goToEnd(end) {
    const plane = this.#active.plane;
    const last = this.frameCount - 1;
    if (plane) this.scroll(end === 'first' ? -plane.position.index : last - plane.position.index);
    else this.goTo(end === 'first' ? 0 : last);
  }

  /** @param {number} frameIndex */
  goTo(frameIndex) {
    this.#host.cine.pause();
    this.#host.goTo(frameIndex);
  }

  /**
   * @param {number} x CSS px from the corner of the pane
   * @param {number} y
   */
  pick(x, y) {
    this.#planes.pick(x, y);
  }

  /**
   * @param {number} fromX CSS px from the corner of the pane
   * @param {number} fromY
   * @param {number} toX
   * @param {number} toY
   */
  turn(fromX, fromY, toX, toY) {
    this.#planes.turn(fromX, fromY, toX, toY);
  }

  /** @param {Tool} tool */
  chooseTool(tool) {
    this.#host.chooseTool(tool);
  }

  /** The name of the window in force, where it is one of the presets. */
  get windowName() {
    return this.#window.name;
  }

  /** @param {number} index */
  preset(index) {
    this.#window.choose(index);
  }

  /** @returns {import('./menu.js').MenuItem[]} */
  series() {
    const { seriesList, series } = this.#host;
    return seriesList.map(({ index, description, modality, frameCount }) => ({
      label: description || `${modality} ${index + 1}`,
      hint: `${modality} ${frameCount}`,
      checked: index === series?.index,
      choose: () => this.#host.selectSeries(index),
    }));
  }

  nextLayout() {
    this.#planes.nextLayout();
  }

  /** What is in force, in a word; empty where slices are thin or there is none. */
  get slabName() {
    return this.#planes.slabName;
  }

  nextSlabMode() {
    this.#planes.nextSlabMode();
  }

  /** @param {1 | -1} direction */
  changeThickness(direction) {
    this.#planes.changeThickness(direction);
  }

  playOrPause() {
    this.#host.cine.toggle();
  }

  /** @param {1 | -1} direction */
  changeRate(direction) {
    this.#host.cine.changeRate(direction);
  }

  /** @returns {import('./menu.js').MenuItem[]} */
  rates() {
    const { cine } = this.#host;
    const { ownRate, chosenRate, rate } = cine;
    const choices = RATES.map((candidate) => ({
      label: rateLabel(candidate),
      checked: candidate === chosenRate || (ownRate === null && candidate === rate),
      choose: () => void (cine.chosenRate = candidate),
    }));
    const own = {
      label: 'as recorded',
      hint: rateLabel(ownRate ?? 0),
      checked: chosenRate === null,
      choose: () => void (cine.chosenRate = null),
    };
    const loop = {
      label: 'loop',
      hint: cine.loops ? 'on' : 'off',
      checked: cine.loops,
      choose: () => void (cine.loops = !cine.loops),
    };
    return [...(ownRate === null ? [] : [own]), ...choices, loop];
  }

  overlays() {
    this.#viewport.overlays = !this.#viewport.overlays;
  }

  timeline() {
    this.#host.timeline();
  }

  openFiles() {
    this.#host.openFiles();
  }

  reset() {
    this.#active.setWindow(null);
    this.#viewport.forgetAutoWindow();
    this.#viewport.inverted = false;
    this.#viewport.fit();
    this.#active.linked?.reset();
  }

  fit() {
    this.#active.view.fit();
  }

  invert() {
    this.#active.invert();
  }

  fullscreen() {
    this.#host.fullscreen();
  }

  help() {
    this.#host.help();
  }

  escape() {
    return this.#host.escape();
  }

  /** @param {boolean} dragging */
  dragging(dragging) {
    this.#host.dragging(dragging);
  }
}
