/** The corners: what is shown, how it is windowed, how large it is; and where the patient's sides are. */

import { make, setText } from './dom.js';
import { edgeLetters, scaleBar, spacingCaveat, windowLabel } from './measures.js';

/**
 * @typedef {object} Annotated
 * @property {import('../engine/records.js').Series} series
 * @property {number} frameIndex
 * @property {number} shownIndex frame whose picture is shown
 * @property {import('../viewport/viewport.js').ShownWindow | null} window
 * @property {string} windowName
 * @property {boolean} inverted
 * @property {import('../viewport/geometry.js').Transform} toScreen from image coordinates to device px
 * @property {number} pixelRatio device px a CSS px
 * @property {number} widthPx of the stage, in CSS px
 */

/** Longest scale bar: a part of the stage, and no more than this many CSS px. */
const BAR_PART = 0.25;
const BAR_PX = 160;

export class Annotations {
  #description = make('div', { class: 'line strong' });
  #modality = make('div', { class: 'line' });
  #frame = make('div', { class: 'line' });
  #window = make('div', { class: 'line' });
  #zoom = make('div', { class: 'line' });
  #bar = make('div', { class: 'scale-bar' });
  #barLabel = make('div', { class: 'scale-label' });
  #scale = make('div', { class: 'scale' }, [this.#barLabel, this.#bar]);
  #edges = {
    left: make('div', { class: 'edge left' }),
    right: make('div', { class: 'edge right' }),
    top: make('div', { class: 'edge top' }),
    bottom: make('div', { class: 'edge bottom' }),
  };
  /** Below which other facts of the same corner stand. */
  corner = make('div', { class: 'corner bottom right' }, [this.#scale]);
  elements = [
    make('div', { class: 'corner top left' }, [this.#description, this.#modality]),
    make('div', { class: 'corner bottom left' }, [this.#frame, this.#window, this.#zoom]),
    this.corner,
    ...Object.values(this.#edges),
  ];

  /** @param {Annotated | null} shown null clears all */
  update(shown) {
    for (const element of this.elements) element.hidden = shown === null;
    if (shown === null) return;
    const { series, frameIndex, shownIndex, toScreen, pixelRatio } = shown;
    const record = series.frames[shownIndex];
    setText(this.#description, series.description);
    const number = series.number === null ? '' : ` · series ${series.number}`;
    setText(this.#modality, `${series.modality}${number}`);
    const count = series.frames.length;
    const other = shownIndex === frameIndex ? '' : ` · showing ${shownIndex + 1}`;
    setText(this.#frame, count > 1 ? `${frameIndex + 1} / ${count}${other}` : '');
    setText(this.#window, windowLine(shown));
    setText(this.#zoom, `${Math.round(toScreen.scaleX * 100)} %`);
    this.#updateScale(record, toScreen.scaleX / pixelRatio, shown.widthPx);
    this.#updateEdges(record.image_orientation_patient);
  }

  /**
   * @param {import('../engine/records.js').ImageRecord} record
   * @param {number} pxPerColumn CSS px
   * @param {number} widthPx
   */
  #updateScale({ pixel_spacing: spacing, pixel_spacing_source: source }, pxPerColumn, widthPx) {
    const known = spacing !== undefined && spacing[1] > 0;
    this.#scale.hidden = !known;
    if (!known) return;
    const longest = Math.min(widthPx * BAR_PART, BAR_PX);
    const { lengthPx, label } = scaleBar(spacing[1] / pxPerColumn, longest);
    this.#bar.style.width = `${lengthPx}px`;
    setText(this.#barLabel, [label, spacingCaveat(source)].filter(Boolean).join(' '));
  }

  /** @param {number[] | undefined} orientation */
  #updateEdges(orientation) {
    const letters = orientation?.length === 6 ? edgeLetters(orientation) : null;
    for (const side of /** @type {const} */ (['left', 'right', 'top', 'bottom'])) {
      setText(this.#edges[side], letters?.[side] ?? '');
    }
  }
}

/** @param {Annotated} shown */
function windowLine({ window, windowName, inverted }) {
  const parts = [];
  if (window) {
    if (!window.lut) parts.push(windowLabel(window));
    const name = window.origin === 'auto' ? 'auto' : windowName;
    if (name) parts.push(name);
  }
  if (inverted) parts.push('inverted');
  return parts.join(' · ');
}
