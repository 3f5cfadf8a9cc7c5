/** How grey values are shown: drags that change the window, and the presets of an image. */

import { autoWindow } from '../viewport/auto-window.js';
import { usableWindows } from '../viewport/voi.js';
import { windowLabel } from './measures.js';
import { presetLike, presetsOf } from './presets.js';

/**
 * @typedef {object} WindowHost
 * @property {import('../engine/records.js').Series | null} series
 * @property {number} frameIndex
 */

/** A drag over this many px changes the window by its own width. */
const WINDOW_DRAG_PX = 400;

export class WindowCommands {
  #stack;
  #active;
  #host;
  /** @type {{center: number, width: number, gain: number, least: number} | null} */
  #start = null;

  /**
   * @param {import('../viewport/viewport.js').Viewport} stack
   * @param {import('./active-view.js').ActiveView} active
   * @param {WindowHost} host
   */
  constructor(stack, active, host) {
    this.#stack = stack;
    this.#active = active;
    this.#host = host;
  }

  /** A drag starts. */
  begin() {
    const { window, record } = this.#active.view;
    if (!window || !record) return;
    const usual = usableWindows(record, this.#active.data).at(0)?.width ?? window.width;
    const least = window.function === 'LINEAR' ? 1 : Math.abs(record.rescale_slope);
    const gain = Math.max(usual, window.width) / WINDOW_DRAG_PX;
    this.#start = { center: window.center, width: window.width, gain, least };
  }

  /**
   * @param {number} dx widens to the right
   * @param {number} dy darkens downwards
   */
  by(dx, dy) {
    if (!this.#start || !this.#active.view.window) return;
    const { center, width, gain, least } = this.#start;
    this.#active.setWindow({
      center: center + dy * gain,
      width: Math.max(least, width + dx * gain),
    });
  }

  /** @returns {import('./presets.js').Preset[]} */
  #presetList() {
    const { series, frameIndex } = this.#host;
    const record = series?.frames[frameIndex];
    if (!record || !series || !this.#active.view.window) return [];
    const list = presetsOf(record, series.modality, this.#active.data);
    return this.#active.plane ? list.filter(({ lut }) => !lut) : list;
  }

  /** The name of the window in force, where it is one of the presets. */
  get name() {
    return presetLike(this.#presetList(), this.#active.view.window)?.label ?? '';
  }

  /** @param {number} index of a preset */
  choose(index) {
    const preset = this.#presetList()[index];
    if (!preset) return;
    const { center, width, lut } = preset;
    if (lut && !this.#active.plane) this.#stack.chooseLut(index);
    else this.#active.setWindow({ center, width });
  }

  /** @returns {import('./menu.js').MenuItem[]} */
  menu() {
    const list = this.#presetList();
    const current = presetLike(list, this.#active.view.window);
    const items = list.map((preset, index) => ({
      label: preset.label,
      key: index < 9 ? String(index + 1) : '',
      hint: preset.lut ? 'LUT' : windowLabel(preset),
      checked: preset === current,
      choose: () => this.choose(index),
    }));
    if (this.#active.plane) return items;
    const checked = this.#stack.window?.origin === 'auto';
    return [...items, { label: 'automatic', key: '', checked, choose: () => this.#automatic() }];
  }

  #automatic() {
    const { record, frame } = this.#stack;
    if (!record || !frame) return;
    const own = record.voi_luts.length + usableWindows(record, frame.data).length > 0;
    this.#active.setWindow(own ? autoWindow(record, frame.data) : null);
    if (!own) this.#stack.forgetAutoWindow();
  }
}
