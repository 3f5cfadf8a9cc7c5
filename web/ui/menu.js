/** A button that opens a short list to choose from. */

import { icon, make } from './dom.js';

/**
 * @typedef {{label: string, key?: string, hint?: string, checked: boolean, choose: () => void}} MenuItem
 */

export class Menu {
  #label = make('span', { class: 'menu-label' });
  #button;
  #list = make('div', { class: 'menu-list', role: 'menu', hidden: '' });
  element;
  #items;

  /**
   * @param {import('./dom.js').IconName} iconName
   * @param {string} title
   * @param {() => MenuItem[]} items asked for each time that the menu opens
   */
  constructor(iconName, title, items) {
    this.#items = items;
    this.#button = make(
      'button',
      {
        type: 'button',
        title,
        'aria-label': title,
        'aria-haspopup': 'menu',
        'aria-expanded': 'false',
      },
      [icon(iconName), this.#label],
    );
    this.element = make('div', { class: 'menu' }, [this.#button, this.#list]);
    this.#button.addEventListener('click', () => this.toggle());
    this.element.addEventListener('keydown', (event) => this.#onKey(event));
    this.element.addEventListener('focusout', ({ relatedTarget }) => {
      if (!this.element.contains(/** @type {Node | null} */ (relatedTarget))) this.#hide();
    });
  }

  /** @param {string} text beside the icon, where there is room */
  set label(text) {
    if (this.#label.textContent !== text) this.#label.textContent = text;
  }

  toggle() {
    if (!this.#list.hidden) return this.#hide();
    this.#list.replaceChildren(...this.#items().map((item) => this.#entry(item)));
    this.#list.hidden = false;
    this.#button.setAttribute('aria-expanded', 'true');
    const checked =
      this.#list.querySelector('[aria-checked="true"]') ?? this.#list.firstElementChild;
    /** @type {HTMLElement | null} */ (checked)?.focus();
  }

  #hide() {
    this.#list.hidden = true;
    this.#button.setAttribute('aria-expanded', 'false');
  }

  /** @param {MenuItem} item */
  #entry({ label, key, hint = '', checked, choose }) {
    const entry = make(
      'button',
      { type: 'button', role: 'menuitemradio', 'aria-checked': String(checked), tabindex: '-1' },
      [
        ...(key === undefined ? [] : [make('span', { class: 'key' }, [key])]),
        make('span', { class: 'label' }, [label]),
        make('span', { class: 'hint' }, [hint]),
      ],
    );
    entry.addEventListener('click', () => {
      choose();
      this.#button.focus();
      this.#hide();
    });
    return entry;
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    if (this.#list.hidden) return;
    const entries = /** @type {HTMLElement[]} */ ([...this.#list.children]);
    const at = entries.findIndex((entry) => entry.matches(':focus'));
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) entries[(at + step + entries.length) % entries.length]?.focus();
    else if (event.key === 'Escape') this.#button.focus();
    else if (event.key !== 'Enter' && event.key !== ' ') return;
    if (event.key === 'Escape') this.#hide();
    if (step || event.key === 'Escape') event.preventDefault();
    event.stopPropagation();
  }
}
