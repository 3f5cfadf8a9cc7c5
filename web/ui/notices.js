/** What the reader ought to know of a series, said once, out of the way of the picture, until it is dismissed. */

import { make } from './dom.js';

/** @typedef {{text: string, action?: {label: string, act: () => void}}} Notice in plain words, and what can be done */

export class Notices {
  #list = make('ul');
  #dismiss = make('button', { type: 'button', 'aria-label': 'Dismiss notices', title: 'Dismiss' }, [
    '×',
  ]);
  element = make('div', { class: 'notices', role: 'status', hidden: '' }, [
    this.#list,
    this.#dismiss,
  ]);
  #key = '';
  /** @type {Set<string>} those that the reader has read */
  #dismissed = new Set();

  constructor() {
    this.#dismiss.addEventListener('click', () => this.dismiss());
  }

  /** @param {readonly Notice[]} notices */
  update(notices) {
    const shown = notices.filter(({ text }) => !this.#dismissed.has(text));
    const key = shown.map(({ text }) => text).join('\n');
    if (key === this.#key) return;
    this.#key = key;
    this.#list.replaceChildren(...shown.map(entry));
    this.element.hidden = shown.length === 0;
  }

  /** @returns {boolean} whether there was something to dismiss */
  dismiss() {
    if (this.element.hidden) return false;
    for (const text of this.#key.split('\n')) this.#dismissed.add(text);
    this.#key = '';
    this.#list.replaceChildren();
    this.element.hidden = true;
    return true;
  }

  /** Another series: what has been read of one says nothing of the next. */
  forget() {
    this.#dismissed.clear();
    this.update([]);
  }
}

/** @param {Notice} notice */
function entry({ text, action }) {
  const item = make('li', {}, [text]);
  if (!action) return item;
  const button = make('button', { type: 'button', class: 'act' }, [action.label]);
  button.addEventListener('click', action.act);
  item.append(' ', button);
  return item;
}
