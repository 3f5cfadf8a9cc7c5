/** The card of keys and gestures. */

import { make } from './dom.js';

/** @type {[string, string][]} */
const LINES = [
  ['Drag', 'the chosen tool; window and level at first'],
  ['Right or Ctrl drag', 'zoom'],
  ['Middle or Shift drag', 'pan'],
  ['Wheel', 'frames; zoom when there is one frame, or with Ctrl'],
  ['Two fingers', 'zoom and pan'],
  ['Double click', 'reset'],
  ['↑ ↓ ← → Page Home End', 'frames'],
  ['+ −', 'zoom'],
  ['1 … 9', 'window presets'],
  ['W P Z S', 'tool: window, pan, zoom, scroll'],
  ['Space', 'play or pause'],
  ['[ ]', 'play slower, faster'],
  ['I', 'invert'],
  ['O', 'overlays on or off'],
  ['F', 'fit'],
  ['R or 0', 'reset'],
  ['?', 'this card'],
];

export class Help {
  #close = make('button', { type: 'button', class: 'close', 'aria-label': 'Close' }, ['×']);
  element = make(
    'div',
    { class: 'help', role: 'dialog', 'aria-label': 'Keys and gestures', hidden: '' },
    [
      make('div', { class: 'card' }, [
        this.#close,
        make('h2', {}, ['Keys and gestures']),
        make(
          'dl',
          {},
          LINES.flatMap(([keys, effect]) => [make('dt', {}, [keys]), make('dd', {}, [effect])]),
        ),
      ]),
    ],
  );

  /** @param {() => void} closed gives the focus back */
  constructor(closed) {
    this.closed = closed;
    this.#close.addEventListener('click', () => this.hide());
    this.element.addEventListener('click', ({ target }) => {
      if (target === this.element) this.hide();
    });
  }

  toggle() {
    if (!this.element.hidden) return this.hide();
    this.element.hidden = false;
    this.#close.focus();
  }

  /** @returns {boolean} whether there was something to hide */
  hide() {
    if (this.element.hidden) return false;
    this.element.hidden = true;
    this.closed();
    return true;
  }
}
