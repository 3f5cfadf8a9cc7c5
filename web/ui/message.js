/** What stands in the middle of the stage: that nothing is held yet, or what has failed and why. */

import { make, setText } from './dom.js';

/**
 * @typedef {import('../engine/records.js').ErrorRecord} ErrorRecord
 */

export class Message {
  #title = make('h2');
  #type = make('code', { class: 'error-type' });
  #reason = make('span');
  #resource = make('p', { class: 'resource' });
  #retry = make('button', { type: 'button', class: 'retry' }, ['Retry']);
  #failure = make('div', { class: 'failure', role: 'alert', hidden: '' }, [
    this.#title,
    make('p', {}, [this.#type, ' ', this.#reason]),
    this.#resource,
    this.#retry,
  ]);
  #loading = make('p', { class: 'loading', hidden: '' });
  element = make('div', { class: 'message' }, [this.#loading, this.#failure]);
  /** @type {() => void} */
  #onRetry = () => {};

  constructor() {
    this.#retry.addEventListener('click', () => this.#onRetry());
  }

  /** @param {string} text */
  showLoading(text) {
    this.#failure.hidden = true;
    this.#loading.hidden = false;
    setText(this.#loading, text);
  }

  /**
   * @param {string} title
   * @param {ErrorRecord | null} error
   * @param {{compact: boolean, retry: (() => void) | null}} options `compact` where a picture is shown above which it must
   *   not lie; `retry` null where that would change nothing
   */
  showFailure(title, error, { compact, retry }) {
    this.#onRetry = retry ?? (() => {});
    this.#retry.hidden = retry === null;
    this.#loading.hidden = true;
    setText(this.#title, title);
    setText(this.#type, error?.type ?? 'Unknown');
    setText(this.#reason, error?.message ?? '');
    const range = error?.range ? ` · bytes ${error.range}` : '';
    setText(this.#resource, error?.resource ? `${error.resource}${range}` : '');
    this.#failure.classList.toggle('compact', compact);
    this.#failure.hidden = false;
  }

  hide() {
    this.#loading.hidden = true;
    this.#failure.hidden = true;
  }
}
