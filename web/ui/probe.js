/** The corner that tells what lies under the pointer. */

import { make, setText } from './dom.js';

/**
 * @typedef {import('../viewport/viewport.js').Viewport} Viewport
 * @typedef {import('../viewport/probe.js').Probed} Probed
 * @typedef {import('../engine/records.js').ImageRecord} ImageRecord
 */

export class Probe {
  #viewport;
  #value = make('span', { class: 'probe-value' });
  #stored = make('span');
  #place = make('div', { class: 'line' });
  element = make('div', { class: 'probe', hidden: '' }, [
    make('div', { class: 'line' }, [this.#value, this.#stored]),
    this.#place,
  ]);
  /** @type {{x: number, y: number} | null} device px */
  #pointer = null;
  /** @type {number | null} */
  #pending = null;
  #modality = '';

  /**
   * @param {HTMLElement} stage
   * @param {Viewport} viewport
   */
  constructor(stage, viewport) {
    this.#viewport = viewport;
    stage.addEventListener('pointermove', (event) => {
      // a finger hides what it points at
      if (event.pointerType === 'touch') return;
      const box = stage.getBoundingClientRect();
      const ratio = devicePixelRatio;
      const [x, y] = [event.clientX - box.left, event.clientY - box.top];
      this.#pointer = { x: x * ratio, y: y * ratio };
      // once a frame: text that changes here would have whoever asks for a place next lay out the page
      this.#pending ??= requestAnimationFrame(() => {
        this.#pending = null;
        this.update(this.#modality);
      });
    });
    stage.addEventListener('pointerleave', () => {
      this.#pointer = null;
      this.update(this.#modality);
    });
  }

  /** @param {string} modality of the series */
  update(modality) {
    this.#modality = modality;
    const { record, frame } = this.#viewport;
    const probed = this.#pointer && this.#viewport.probe(this.#pointer.x, this.#pointer.y);
    this.element.hidden = !probed;
    if (!probed || !record || !frame) return;
    const text = probedText(probed, record, modality);
    setText(this.#value, text.value);
    setText(this.#stored, text.stored);
    const level = probed.reduced
      ? `  level ${probed.resolutionLevel}/${probed.decompositionLevels}`
      : '';
    setText(this.#place, `row ${probed.row}  column ${probed.column}${level}`);
  }
}

/**
 * @param {Probed} probed
 * @param {ImageRecord} record
 * @param {string} modality
 * @returns {{value: string, stored: string}}
 */
export function probedText({ stored, modality: value, reduced }, record, modality) {
  const about = reduced ? '≈ ' : '';
  if (value !== null) {
    const unit = unitOf(record, modality);
    const main = `${about}${numberText(value)}${unit && ` ${unit}`}`;
    return { value: main, stored: `stored ${numberText(stored[0])}` };
  }
  const names = sampleNames(record.photometric_interpretation, stored.length);
  const parts = stored.map((sample, i) => `${names[i]}${numberText(sample)}`);
  return { value: about + parts.join('  '), stored: '' };
}

/**
 * The unit of modality values: that of Rescale Type, of which US says that there is none; Hounsfield units for CT
 * where it is absent (PS3.3 C.11.1.1.2).
 *
 * @param {ImageRecord} record
 * @param {string} modality
 */
export function unitOf({ rescale_type: type, modality_lut: lut }, modality) {
  const named = lut?.explanation ?? type;
  if (named === '' && modality === 'CT') return 'HU';
  return named === 'US' ? '' : named;
}

/**
 * @param {string} photometric
 * @param {number} count
 * @returns {string[]}
 */
function sampleNames(photometric, count) {
  if (count === 3) return photometric.startsWith('YBR') ? ['Y ', 'Cb ', 'Cr '] : ['R ', 'G ', 'B '];
  return photometric === 'PALETTE COLOR' ? ['index '] : [''];
}

/** @param {number} value */
export function numberText(value) {
  const text = Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(5)));
  return text.replace('-', '\u2212');
}
