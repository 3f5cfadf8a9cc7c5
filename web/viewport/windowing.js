/** Which window is in force: what the reader chose, what the image says, or what its values span. */

import { autoWindow } from './auto-window.js';
import { isGrey } from './colour.js';
import { lutWindow, usableWindows, validWindow, voiFunctionOf } from './voi.js';

/**
 * @typedef {import('../engine/records.js').ImageRecord} ImageRecord
 * @typedef {import('../engine/frame-store.js').StoredFrame} StoredFrame
 * @typedef {import('./voi.js').Window & {origin: 'user' | 'dicom' | 'auto'}} ShownWindow
 */

export class Windowing {
  /** @type {{center: number, width: number} | null} */
  #window = null;
  /** @type {number | null} which VOI LUT the reader has chosen */
  #lut = null;
  /** @type {import('./voi.js').Window | null} kept while a series sharpens and scrolls, so that greys do not jump */
  #auto = null;

  /** The window that the reader set, or null for the image's own. */
  get window() {
    return this.#window;
  }

  set window(window) {
    this.#window = window;
    this.#lut = null;
  }

  /** @param {number} index of one of the image's VOI LUTs, to be used instead of a window */
  chooseLut(index) {
    this.#window = null;
    this.#lut = index;
  }

  /** Lets the next frame decide the automatic window anew. */
  forgetAuto() {
    this.#auto = null;
  }

  forget() {
    this.window = null;
    this.#auto = null;
  }

  /**
   * The reader's, else the image's VOI LUT, else its first window, else one over the values of what is held.
   *
   * @param {ImageRecord | null} record
   * @param {StoredFrame | undefined} frame
   * @returns {ShownWindow | null} null where windows mean nothing (colour) or nothing is held
   */
  inForce(record, frame) {
    if (!record || !isGrey(record, frame?.samplesPerPixel)) return null;
    const lut = record.voi_luts[this.#lut ?? 0] ?? record.voi_luts.at(0);
    if (lut && !this.#window) {
      return { ...lutWindow(lut), origin: this.#lut === null ? 'dicom' : 'user' };
    }
    const own = usableWindows(record, frame?.data).at(0);
    const chosen = this.#window ?? own;
    if (chosen) {
      // an automatic window is LINEAR_EXACT, which has no least width; what the reader makes of it stays so
      const window = validWindow(chosen, own ? voiFunctionOf(record, frame?.data) : 'LINEAR_EXACT');
      return { ...window, origin: this.#window ? 'user' : 'dicom' };
    }
    if (frame) this.#auto ??= autoWindow(record, frame.data);
    return this.#auto && { ...this.#auto, origin: 'auto' };
  }
}
