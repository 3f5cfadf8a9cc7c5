/** One plane through the volume: its canvas, what stands in its corners, and what gestures on it do. */

import { MprViewport } from '../volume/mpr-viewport.js';
import { make, setText } from './dom.js';
import { Gestures } from './gestures.js';
import { SLAB_NAMES } from './layouts.js';
import { scaleBar, windowLabel } from './measures.js';
import { describePlane } from './plane-mark.js';
import { Mark } from './mark.js';
import { numberText, unitOf } from './probe.js';

/**
 * @typedef {import('../volume/linked.js').Linked} Linked
 * @typedef {import('../engine/records.js').ImageRecord} ImageRecord
 *
 * @typedef {object} PaneHost
 * @property {import('./gestures.js').GestureTarget} commands
 * @property {string} modality
 * @property {ImageRecord | undefined} record of the first slice
 * @property {boolean} reversible
 * @property {(pane: Pane) => void} activated
 * @property {(pane: Pane) => void} enlarge
 * @property {(pane: Pane) => void} drawn
 *
 * @typedef {object} PlaneTarget what commands act on
 * @property {{center: number, width: number, function: string} | null} window
 * @property {{center: number, width: number} | null} userWindow
 * @property {boolean} inverted
 * @property {ImageRecord | null} record
 * @property {{index: number, count: number}} position
 * @property {(steps: number) => void} scroll
 * @property {(factor: number, x?: number, y?: number) => void} zoom
 * @property {(dx: number, dy: number) => void} pan
 * @property {() => void} fit
 * @property {() => void} reset
 * @property {(x: number, y: number) => void} pick device px
 * @property {(fromX: number, fromY: number, toX: number, toY: number) => void} turn
 */

/** Longest scale bar: a part of the pane, and no more than this many CSS px. */
const BAR_PART = 0.25;
const BAR_PX = 120;

/** What the probe says of a value that is not simply there. @type {Record<string, string>} */
const STATUS_WORDS = {
  final: '',
  reduced: 'loading',
  interpolated: 'interpolated, slice not here yet',
  failed: 'interpolated, slice has failed',
  gap: 'interpolated, no slice here',
  missing: 'nothing here yet',
};

export class Pane {
  #host;
  #linked;
  #canvas = make('canvas', { role: 'img' });
  #name = make('span', { class: 'plane-name' });
  #slab = make('span', { class: 'plane-slab' });
  #position = make('div', { class: 'line' });
  #window = make('div', { class: 'line' });
  #probe = make('div', { class: 'probe', hidden: '' });
  #barLabel = make('div', { class: 'scale-label' });
  #bar = make('div', { class: 'scale-bar' });
  #edges = {
    left: make('div', { class: 'edge left' }),
    right: make('div', { class: 'edge right' }),
    top: make('div', { class: 'edge top' }),
    bottom: make('div', { class: 'edge bottom' }),
  };
  #mark = new Mark();
  #resized = new ResizeObserver(() => this.#resize());
  /** @type {{x: number, y: number} | null} device px */
  #pointer = null;
  #widthPx = 0;
  element;
  view;
  /** @type {PlaneTarget} */
  target;

  /**
   * @param {Linked} linked
   * @param {'axial' | 'coronal' | 'sagittal'} orientation
   * @param {PaneHost} host
   */
  constructor(linked, orientation, host) {
    this.#host = host;
    this.#linked = linked;
    const name = orientation[0].toUpperCase() + orientation.slice(1);
    const attributes = { role: 'group', 'aria-label': `${name} plane`, tabindex: '0' };
    this.element = make('div', { class: 'pane', ...attributes }, [
      this.#canvas,
      ...Object.values(this.#edges),
      make('div', { class: 'corner top left' }, [
        make('div', { class: 'line strong' }, [this.#name, this.#slab]),
      ]),
      make('div', { class: 'corner bottom left' }, [this.#position, this.#window]),
      make('div', { class: 'corner bottom right' }, [
        this.#probe,
        make('div', { class: 'scale' }, [this.#barLabel, this.#bar]),
      ]),
      this.#mark.element,
    ]);
    this.element.dataset.plane = orientation;
    this.view = new MprViewport(this.#canvas, linked, orientation, () => this.#drawn());
    this.target = this.#makeTarget();
    this.#listen();
    new Gestures(this.element, host.commands, () => host.enlarge(this));
  }

  connect() {
    this.#resize();
    this.#resized.observe(this.element);
  }

  release() {
    this.#resized.disconnect();
    this.view.release();
    this.element.remove();
  }

  get isVisible() {
    return this.view.screen.width > 0 && this.view.screen.height > 0;
  }

  #listen() {
    for (const name of ['pointerdown', 'wheel']) {
      const options = { capture: true, passive: true };
      this.element.addEventListener(name, () => this.#host.activated(this), options);
    }
    this.element.addEventListener('focus', () => this.#host.activated(this));
    this.element.addEventListener('pointermove', (event) => {
      if (event.pointerType === 'touch') return; // a finger hides what it points at
      const box = this.element.getBoundingClientRect();
      const ratio = devicePixelRatio;
      this.#pointer = {
        x: (event.clientX - box.left) * ratio,
        y: (event.clientY - box.top) * ratio,
      };
      this.#updateProbe();
    });
    this.element.addEventListener('pointerleave', () => {
      this.#pointer = null;
      this.#updateProbe();
    });
  }

  /** @returns {PlaneTarget} */
  #makeTarget() {
    const linked = this.#linked;
    const { view } = this;
    const record = this.#host.record ?? null;
    return {
      get window() {
        return linked.window;
      },
      get userWindow() {
        return linked.userWindow;
      },
      set userWindow(window) {
        linked.userWindow = window;
      },
      get inverted() {
        return linked.inverted;
      },
      set inverted(inverted) {
        linked.inverted = inverted;
      },
      get position() {
        return view.position;
      },
      record,
      scroll: (steps) => view.scroll(steps),
      zoom: (factor, x, y) => view.zoom(factor, x, y),
      pan: (dx, dy) => view.pan(dx, dy),
      fit: () => view.fit(),
      reset: () => linked.reset(),
      pick: (x, y) => view.pickPoint(x, y),
      turn: (fromX, fromY, toX, toY) => {
        const centre = view.toScreen(linked.point);
        const before = Math.atan2(fromY - centre.y, fromX - centre.x);
        const after = Math.atan2(toY - centre.y, toX - centre.x);
        linked.rotateOthers(view, after - before);
      },
    };
  }

  #resize() {
    const { clientWidth, clientHeight } = this.element;
    const ratio = devicePixelRatio;
    this.#widthPx = clientWidth;
    this.view.resize(Math.round(clientWidth * ratio), Math.round(clientHeight * ratio));
  }

  #drawn() {
    this.update(this.element.dataset.tool ?? '');
    this.#host.drawn(this);
  }

  /** @param {string} tool */
  update(tool) {
    if (this.element.dataset.tool !== tool) this.element.dataset.tool = tool;
    if (!this.isVisible) return;
    const { view } = this;
    setText(this.#name, view.name);
    if (this.element.dataset.name !== view.name) this.element.dataset.name = view.name;
    const { mode, thicknessMm } = this.#linked.slab;
    setText(this.#slab, thicknessMm > 0 ? `${SLAB_NAMES[mode]} ${thicknessMm} mm` : '');
    const { index, count, mm } = view.position;
    setText(this.#position, `${index + 1} / ${count}   ${numberText(Number(mm.toFixed(1)))} mm`);
    const { window } = this.#linked;
    setText(this.#window, window ? windowLabel(window) : '');
    for (const side of /** @type {const} */ (['left', 'right', 'top', 'bottom'])) {
      setText(this.#edges[side], view.letters[side]);
    }
    this.#updateScale();
    const mark = describePlane(view.quality(), this.#host.reversible);
    this.#mark.update(mark, mark.detail);
    const label = `${view.name}, ${index + 1} of ${count}: ${mark.text} ${mark.detail}`.trim();
    if (this.#canvas.ariaLabel !== label) this.#canvas.ariaLabel = label;
    this.#updateProbe();
  }

  #updateScale() {
    const longest = Math.min(this.#widthPx * BAR_PART, BAR_PX);
    const { lengthPx, label } = scaleBar(this.view.mmPerPx * devicePixelRatio, longest);
    const width = `${lengthPx}px`;
    if (this.#bar.style.width !== width) this.#bar.style.width = width;
    setText(this.#barLabel, label);
  }

  #updateProbe() {
    const probed = this.#pointer && this.view.probe(this.#pointer.x, this.#pointer.y);
    this.#probe.hidden = !probed || probed.value === null;
    if (!probed || probed.value === null) return;
    const { record, modality } = this.#host;
    const unit = record ? unitOf(record, modality) : '';
    const value = numberText(Number(probed.value.toFixed(1)));
    const lines = [[value, unit].filter(Boolean).join(' '), placeText(probed.point)];
    const status = STATUS_WORDS[probed.status];
    if (status) lines.unshift(status);
    setText(this.#probe, lines.join('\n'));
  }
}

/**
 * @param {readonly number[]} point patient mm: to the left, to the back, to the head
 * @returns {string} as in 'L 12.3  P 40.0  H 8.5'
 */
function placeText(point) {
  const names = ['RL', 'AP', 'FH'];
  return point
    .map((mm, axis) => `${names[axis][Number(mm >= 0)]} ${Math.abs(mm).toFixed(1)}`)
    .join('  ');
}
