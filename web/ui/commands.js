/** What gestures, keys and buttons do; the one place where a wish of the reader becomes a change. */

import { autoWindow } from '../viewport/auto-window.js';
import { usableWindows } from '../viewport/voi.js';
import { rateLabel, windowLabel } from './measures.js';
import { RATES } from './cine.js';
import { presetLike, presetsOf } from './presets.js';

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
 * @property {() => boolean} escape
 * @property {(dragging: boolean) => void} dragging
 */

/** A drag over this many px changes the window by its own width. */
const WINDOW_DRAG_PX = 400;

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
  /** @type {{center: number, width: number, gain: number, least: number} | null} */
  #windowStart = null;

  /**
   * @param {import('../viewport/viewport.js').Viewport} viewport
   * @param {CommandHost} host
   */
  constructor(viewport, host) {
    this.#viewport = viewport;
    this.#host = host;
    this.presets = this.presets.bind(this);
    this.series = this.series.bind(this);
    this.rates = this.rates.bind(this);
  }

  get tool() {
    return this.#host.tool;
  }

  get frameIndex() {
    return this.#host.frameIndex;
  }

  get frameCount() {
    return this.#host.series?.frames.length ?? 0;
  }

  beginWindow() {
    const { window, record, frame } = this.#viewport;
    if (!window || !record) return;
    const usual = usableWindows(record, frame?.data).at(0)?.width ?? window.width;
    const least = window.function === 'LINEAR' ? 1 : Math.abs(record.rescale_slope);
    const gain = Math.max(usual, window.width) / WINDOW_DRAG_PX;
    this.#windowStart = { center: window.center, width: window.width, gain, least };
  }

  /**
   * @param {number} dx widens to the right
   * @param {number} dy darkens downwards
   */
  windowBy(dx, dy) {
    if (!this.#windowStart || !this.#viewport.window) return;
    const { center, width, gain, least } = this.#windowStart;
    this.#viewport.userWindow = {
      center: center + dy * gain,
      width: Math.max(least, width + dx * gain),
    };
  }

  /**
   * @param {number} dx CSS px
   * @param {number} dy
   */
  pan(dx, dy) {
    this.#viewport.pan(dx * devicePixelRatio, dy * devicePixelRatio);
  }

  /**
   * @param {number} factor
   * @param {number} [x] CSS px from the corner of the stage; the middle where absent
   * @param {number} [y]
   */
  zoom(factor, x, y) {
    if (x === undefined || y === undefined) this.#viewport.zoom(factor);
    else this.#viewport.zoom(factor, x * devicePixelRatio, y * devicePixelRatio);
  }

  /** @param {number} frames */
  scroll(frames) {
    this.goTo(this.#host.frameIndex + frames);
  }

  /** @param {number} frameIndex */
  goTo(frameIndex) {
    this.#host.cine.pause();
    this.#host.goTo(Math.min(Math.max(frameIndex, 0), this.frameCount - 1));
  }

  /** @param {Tool} tool */
  chooseTool(tool) {
    this.#host.chooseTool(tool);
  }

  /** @returns {import('./presets.js').Preset[]} */
  #presetList() {
    const { series, frameIndex } = this.#host;
    const record = series?.frames[frameIndex];
    if (!record || !series || !this.#viewport.window) return [];
    return presetsOf(record, series.modality, this.#viewport.frame?.data);
  }

  /** The name of the window in force, where it is one of the presets. */
  get windowName() {
    return presetLike(this.#presetList(), this.#viewport.window)?.label ?? '';
  }

  /** @param {number} index */
  preset(index) {
    const preset = this.#presetList()[index];
    if (!preset) return;
    const { center, width, lut } = preset;
    if (lut) this.#viewport.chooseLut(index);
    else this.#viewport.userWindow = { center, width };
  }

  /** @returns {import('./menu.js').MenuItem[]} */
  presets() {
    const list = this.#presetList();
    const current = presetLike(list, this.#viewport.window);
    const items = list.map((preset, index) => ({
      label: preset.label,
      key: index < 9 ? String(index + 1) : '',
      hint: preset.lut ? 'LUT' : windowLabel(preset),
      checked: preset === current,
      choose: () => this.preset(index),
    }));
    const checked = this.#viewport.window?.origin === 'auto';
    return [...items, { label: 'automatic', key: '', checked, choose: () => this.#automatic() }];
  }

  #automatic() {
    const { record, frame } = this.#viewport;
    if (!record || !frame) return;
    const own = record.voi_luts.length + usableWindows(record, frame.data).length > 0;
    this.#viewport.userWindow = own ? autoWindow(record, frame.data) : null;
    if (!own) this.#viewport.forgetAutoWindow();
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

  openFiles() {
    this.#host.openFiles();
  }

  reset() {
    this.#viewport.userWindow = null;
    this.#viewport.forgetAutoWindow();
    this.#viewport.inverted = false;
    this.#viewport.fit();
  }

  fit() {
    this.#viewport.fit();
  }

  invert() {
    this.#viewport.inverted = !this.#viewport.inverted;
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
