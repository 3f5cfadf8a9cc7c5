/** Planes of a volume: how they stand, where they meet, how they are turned and how thick they are. */

import { LAYOUTS, SLAB_NAMES } from './layouts.js';

/** @type {('mip' | 'minip' | 'mean')[]} */
const SLAB_MODES = ['mip', 'minip', 'mean'];

/** Thicknesses to choose from, and the one that a projection starts with, in mm. */
const SLAB_MM = [2, 5, 10, 20, 40, 80];
const USUAL_SLAB_MM = 10;

export class PlaneCommands {
  #active;
  #host;

  /**
   * @param {import('./active-view.js').ActiveView} active
   * @param {import('./active-view.js').ActiveViewHost} host
   */
  constructor(active, host) {
    this.#active = active;
    this.#host = host;
  }

  /**
   * @param {number} x CSS px from the corner of the pane
   * @param {number} y
   */
  pick(x, y) {
    const { panes } = this.#host.layouts;
    const [px, py] = [x * devicePixelRatio, y * devicePixelRatio];
    if (this.#active.plane) this.#active.plane.pick(px, py);
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
    this.#active.plane?.turn(fromX * ratio, fromY * ratio, toX * ratio, toY * ratio);
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
    const linked = this.#active.linked;
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
    const slab = this.#active.linked?.slab;
    return slab?.thicknessMm ? `${SLAB_NAMES[slab.mode]} ${slab.thicknessMm} mm` : '';
  }

  /** Thin, then each projection in turn. */
  nextSlabMode() {
    const linked = this.#active.linked;
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
    const linked = this.#active.linked;
    if (!linked) return;
    const { mode, thicknessMm } = linked.slab;
    const steps = [0, ...SLAB_MM];
    const next =
      direction > 0
        ? steps.find((mm) => mm > thicknessMm)
        : steps.findLast((mm) => mm < thicknessMm);
    if (next !== undefined) linked.slab = { mode, thicknessMm: next };
  }
}
