/** What gestures, keys and buttons do; the one place where a wish of the reader becomes a change. */

import { autoWindow } from '../viewport/auto-window.js';
import { usableWindows } from '../viewport/voi.js';
import { rateLabel, windowLabel } from './measures.js';
import { RATES } from './cine.js';
import { LAYOUTS, SLAB_NAMES } from './layouts.js';
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
 * @property {() => void} timeline
 * @property {import('./layouts.js').Layouts} layouts
 * @property {() => boolean} escape
 * @property {(dragging: boolean) => void} dragging
 */

/** @type {('mip' | 'minip' | 'mean')[]} */
const SLAB_MODES = ['mip', 'minip', 'mean'];

/** Thicknesses to choose from, and the one that a projection starts with, in mm. */
const SLAB_MM = [2, 5, 10, 20, 40, 80];
const USUAL_SLAB_MM = 10;

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
    this.layouts = this.layouts.bind(this);
    this.slabs = this.slabs.bind(this);
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
    return this.#plane?.position.count ?? this.#host.series?.frames.length ?? 0;
  }

  /** The plane that was last pointed at, or null where that is the stack. */
  get #plane() {
    return this.#host.layouts.panes?.active ?? null;
  }

  get #linked() {
    return this.#host.layouts.panes?.linked ?? null;
  }

  get #view() {
    return this.#plane ?? this.#viewport;
  }

  /** Values that windows are for, where those matter. */
  get #data() {
    return this.#plane ? undefined : this.#viewport.frame?.data;
  }

  /** @param {{center: number, width: number} | null} window */
  #setWindow(window) {
    this.#view.userWindow = window;
    if (!this.#plane) this.#host.layouts.panes?.takeLook();
  }

  beginWindow() {
    const { window, record } = this.#view;
    if (!window || !record) return;
    const usual = usableWindows(record, this.#data).at(0)?.width ?? window.width;
    const least = window.function === 'LINEAR' ? 1 : Math.abs(record.rescale_slope);
    const gain = Math.max(usual, window.width) / WINDOW_DRAG_PX;
    this.#windowStart = { center: window.center, width: window.width, gain, least };
  }

  /**
   * @param {number} dx widens to the right
   * @param {number} dy darkens downwards
   */
  windowBy(dx, dy) {
    if (!this.#windowStart || !this.#view.window) return;
    const { center, width, gain, least } = this.#windowStart;
    this.#setWindow({
      center: center + dy * gain,
      width: Math.max(least, width + dx * gain),
    });
  }

  /**
   * @param {number} dx CSS px
   * @param {number} dy
   */
  pan(dx, dy) {
    this.#view.pan(dx * devicePixelRatio, dy * devicePixelRatio);
  }

  /**
   * @param {number} factor
   * @param {number} [x] CSS px from the corner of the stage; the middle where absent
   * @param {number} [y]
   */
  zoom(factor, x, y) {
    if (x === undefined || y === undefined) this.#view.zoom(factor);
    else this.#view.zoom(factor, x * devicePixelRatio, y * devicePixelRatio);
  }

  /** @param {number} frames or slices of the plane */
  scroll(frames) {
    this.#host.cine.pause();
    if (this.#plane) this.#plane.scroll(frames);
    else this.goTo(this.#host.frameIndex + frames);
  }

  /** @param {'first' | 'last'} end */
  goToEnd(end) {
    const plane = this.#plane;
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
    const { panes } = this.#host.layouts;
    const [px, py] = [x * devicePixelRatio, y * devicePixelRatio];
    if (this.#plane) this.#plane.pick(px, py);
    else panes?.pickOnStack(px, py);
  }

  /**
   * @param {number} fromX CSS px from the corner of the pane
   * @param {number} fromY
   * @param {number} toX
   * @param {number} toY
   */
  turn(fromX, fromY, toX, toY) {
    const ratio = devicePixelRatio;
    this.#plane?.turn(fromX * ratio, fromY * ratio, toX * ratio, toY * ratio);
  }

  /** @param {Tool} tool */
  chooseTool(tool) {
    this.#host.chooseTool(tool);
  }

  /** @returns {import('./presets.js').Preset[]} */
  #presetList() {
    const { series, frameIndex } = this.#host;
    const record = series?.frames[frameIndex];
    if (!record || !series || !this.#view.window) return [];
    const list = presetsOf(record, series.modality, this.#data);
    return this.#plane ? list.filter(({ lut }) => !lut) : list;
  }

  /** The name of the window in force, where it is one of the presets. */
  get windowName() {
    return presetLike(this.#presetList(), this.#view.window)?.label ?? '';
  }

  /** @param {number} index */
  preset(index) {
    const preset = this.#presetList()[index];
    if (!preset) return;
    const { center, width, lut } = preset;
    if (lut && !this.#plane) this.#viewport.chooseLut(index);
    else this.#setWindow({ center, width });
  }

  /** @returns {import('./menu.js').MenuItem[]} */
  presets() {
    const list = this.#presetList();
    const current = presetLike(list, this.#view.window);
    const items = list.map((preset, index) => ({
      label: preset.label,
      key: index < 9 ? String(index + 1) : '',
      hint: preset.lut ? 'LUT' : windowLabel(preset),
      checked: preset === current,
      choose: () => this.preset(index),
    }));
    if (this.#plane) return items;
    const checked = this.#viewport.window?.origin === 'auto';
    return [...items, { label: 'automatic', key: '', checked, choose: () => this.#automatic() }];
  }

  #automatic() {
    const { record, frame } = this.#viewport;
    if (!record || !frame) return;
    const own = record.voi_luts.length + usableWindows(record, frame.data).length > 0;
    this.#setWindow(own ? autoWindow(record, frame.data) : null);
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

  /** @returns {import('./menu.js').MenuItem[]} */
  layouts() {
    const { layouts } = this.#host;
    return LAYOUTS.map(([name, label]) => ({
      label,
      checked: name === layouts.wanted,
      choose: () => void (layouts.wanted = name),
    }));
  }

  nextLayout() {
    const { layouts } = this.#host;
    const at = LAYOUTS.findIndex(([name]) => name === layouts.wanted);
    layouts.wanted = LAYOUTS[(at + 1) % LAYOUTS.length][0];
  }

  /** @returns {import('./menu.js').MenuItem[]} */
  slabs() {
    const linked = this.#linked;
    if (!linked) return [];
    const { mode, thicknessMm } = linked.slab;
    const off = {
      label: 'thin',
      checked: thicknessMm === 0,
      choose: () => void (linked.slab = { mode, thicknessMm: 0 }),
    };
    const modes = SLAB_MODES.map((one) => ({
      label: SLAB_NAMES[one],
      hint: `${thicknessMm || USUAL_SLAB_MM} mm`,
      checked: one === mode && thicknessMm > 0,
      choose: () => void (linked.slab = { mode: one, thicknessMm: thicknessMm || USUAL_SLAB_MM }),
    }));
    const sizes = SLAB_MM.map((mm) => ({
      label: `${mm} mm`,
      checked: mm === thicknessMm,
      choose: () => void (linked.slab = { mode, thicknessMm: mm }),
    }));
    return [off, ...modes, ...sizes];
  }

  /** What is in force, in a word; empty where slices are thin or there is none. */
  get slabName() {
    const slab = this.#linked?.slab;
    return slab?.thicknessMm ? `${SLAB_NAMES[slab.mode]} ${slab.thicknessMm} mm` : '';
  }

  /** Thin, then each projection in turn. */
  nextSlabMode() {
    const linked = this.#linked;
    if (!linked) return;
    const { mode, thicknessMm } = linked.slab;
    const at = thicknessMm === 0 ? -1 : SLAB_MODES.indexOf(mode);
    const next = SLAB_MODES[at + 1];
    linked.slab = next
      ? { mode: next, thicknessMm: thicknessMm || USUAL_SLAB_MM }
      : { mode: SLAB_MODES[0], thicknessMm: 0 };
  }

  /** @param {1 | -1} direction */
  changeThickness(direction) {
    const linked = this.#linked;
    if (!linked) return;
    const { mode, thicknessMm } = linked.slab;
    const steps = [0, ...SLAB_MM];
    const next =
      direction > 0
        ? steps.find((mm) => mm > thicknessMm)
        : steps.findLast((mm) => mm < thicknessMm);
    if (next !== undefined) linked.slab = { mode, thicknessMm: next };
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
    this.#setWindow(null);
    this.#viewport.forgetAutoWindow();
    this.#viewport.inverted = false;
    this.#viewport.fit();
    this.#linked?.reset();
  }

  fit() {
    this.#view.fit();
  }

  invert() {
    this.#view.inverted = !this.#view.inverted;
    if (!this.#plane) this.#host.layouts.panes?.takeLook();
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
