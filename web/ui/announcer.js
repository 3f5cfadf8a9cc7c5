/** What a screen reader is told of the stack: which frame is asked for, and how it stands with it. */

import { make, setText } from './dom.js';

/** A screen reader is told what holds for this long, not every step on the way. */
const ANNOUNCE_AFTER_MS = 700;

export class Announcer {
  element = make('div', { class: 'announcer', role: 'status', 'aria-live': 'polite' });
  #canvas;
  #timer = 0;

  /** @param {HTMLCanvasElement} canvas whose name it is, too */
  constructor(canvas) {
    this.#canvas = canvas;
  }

  /**
   * @param {string} which
   * @param {string} status
   */
  say(which, status) {
    const text = status ? `${which}: ${status}` : which;
    if (this.#canvas.ariaLabel === text) return;
    this.#canvas.ariaLabel = text;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => setText(this.element, text), ANNOUNCE_AFTER_MS);
  }

  stop() {
    clearTimeout(this.#timer);
  }
}

/** @param {import('./mark.js').MarkText | null} mark */
export function statusWords(mark) {
  if (!mark) return '';
  // the size in px changes with every level: too much to listen to
  return mark.kind === 'loading' ? 'loading' : `${mark.text} ${mark.detail}`.trim();
}
