/** The card of keys and gestures. */

import { make } from './dom.js';
import { LEGEND, drawGrade } from './quality.js';

/** @type {[string, string][]} */
const LINES = [
  ['Drag', 'the chosen tool; window and level at first'],
  ['Right or Ctrl drag', 'zoom'],
  ['Middle or Shift drag', 'pan'],
  ['Wheel', 'frames; zoom when there is one frame, or with Ctrl'],
  ['Two fingers', 'zoom and pan'],
  ['Double click', 'reset; a plane alone, or all again'],
  ['↑ ↓ ← → Page Home End', 'frames'],
  ['+ −', 'zoom'],
  ['1 … 9', 'window presets'],
  ['W P Z S', 'tool: window, pan, zoom, scroll'],
  ['Space', 'play or pause'],
  ['[ ]', 'play slower, faster'],
  ['I', 'invert'],
  ['O', 'overlays on or off'],
  ['T', 'timeline of requests, decodes and draws'],
  ['L', 'layout: stack, three planes, both'],
  ['C X', 'tool: move the crosshair, turn the other planes'],
  ['M  , .', 'slab: MIP, MinIP, mean; thinner, thicker'],
  ['F', 'fit'],
  ['R or 0', 'reset'],
  ['?', 'this card'],
];

/** Size of a sample in the legend, in CSS px. */
const SAMPLE = { width: 22, height: 10 };

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
        make('h2', { class: 'legend-title' }, ['The map of frames']),
        make('dl', { class: 'legend' }, LEGEND.flatMap(legendLine)),
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

/**
 * @param {[import('./quality.js').Grade, string]} line
 * @returns {HTMLElement[]}
 */
function legendLine([grade, text]) {
  const ratio = Math.max(1, Math.round(devicePixelRatio));
  const width = SAMPLE.width * ratio;
  const height = SAMPLE.height * ratio;
  const canvas = make('canvas', { width: String(width), height: String(height) });
  canvas.style.width = `${SAMPLE.width}px`;
  canvas.style.height = `${SAMPLE.height}px`;
  const context = canvas.getContext('2d');
  // three of a kind, as they stand in the map; those that load become finer
  const bar = (width - 2 * ratio) / 3;
  for (const part of [0, 0.5, 1]) {
    const x = Math.round(part * 2 * (bar + ratio));
    if (context) drawGrade(context, { grade, part }, { x, y: 0, width: Math.floor(bar), height });
  }
  return [make('dt', {}, [canvas]), make('dd', {}, [text])];
}
