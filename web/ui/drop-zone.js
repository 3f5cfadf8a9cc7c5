/** What an empty viewer shows, and any viewer while files hover above it. */

import { make } from './dom.js';
import { chooseFiles } from './local-files.js';

export class DropZone {
  element;

  /** @param {(files: File[]) => void} open */
  constructor(open) {
    const button = (/** @type {string} */ text, /** @type {boolean} */ folder) => {
      const element = make('button', { type: 'button' }, [text]);
      element.addEventListener('click', () => chooseFiles({ folder }, open));
      return element;
    };
    const buttons = [button('Open files', false), button('Open a folder', true)];
    this.element = make('div', { class: 'drop', hidden: '' }, [
      make('div', { class: 'drop-card' }, [
        make('p', { class: 'drop-title' }, ['Drop DICOM files or folders here']),
        make('p', {}, ['They are read on this machine and sent nowhere.']),
        make('div', { class: 'drop-buttons' }, buttons),
      ]),
    ]);
  }

  /** @param {{empty: boolean, hovering: boolean}} state */
  update({ empty, hovering }) {
    this.element.hidden = !empty && !hovering;
    this.element.classList.toggle('hovering', hovering);
  }
}
