/** The source that is opened: its session, what that says of the source as a whole, and why it could not be opened. */

import { openSession } from '../engine/session.js';
import { withResolvers } from './resolvers.js';

/**
 * @typedef {import('../engine/records.js').ErrorRecord} ErrorRecord
 * @typedef {import('../engine/records.js').FrameState} FrameState
 * @typedef {import('../engine/session.js').Session} Session
 *
 * @typedef {object} Source
 * @property {string} src
 * @property {import('../engine/configuration.js').Configuration} configuration
 * @property {import('../engine/credentials.js').CredentialRule[]} credentials
 * @property {File[]} files of `src` 'local:'
 * @property {number} maxSamples larger full images are refused
 * @property {number} [maxWholeSamples] of larger ones the finest levels come by window
 * @property {import('../engine/session.js').Limit | null} limit how much of every frame is wanted
 *
 * @typedef {object} OpenedHost
 * @property {() => void} seriesChanged
 * @property {(frameIndex: number) => void} pictureChanged a better picture of the frame is held
 * @property {(state: FrameState) => void} stateChanged
 * @property {() => void} wordsChanged what is said of the source, not what is shown of it
 * @property {() => void} failed `error` says why
 */

export class Opened {
  /** @type {Session | null} */
  session = null;
  /** @type {ErrorRecord | null} why the source as a whole could not be opened */
  error = null;
  /** Resolves when Python runs for this source; rejects when that cannot be opened. */
  ready = withResolvers();
  /** What loading does without, in words. @type {readonly string[]} */
  notices = [];
  #milestones;
  #host;

  /**
   * @param {import('./milestones.js').Milestones} milestones
   * @param {OpenedHost} host
   */
  constructor(milestones, host) {
    this.#milestones = milestones;
    this.#host = host;
  }

  /**
   * @param {Source} source
   * @param {{frameIndex: number, volume: boolean}} first what is shown of it first
   */
  open({ src, ...options }, first) {
    const session = openSession(src, { ...first, ...options });
    this.session = session;
    const { resolve, reject } = this.ready;
    session.addEventListener('ready', () => resolve());
    session.addEventListener('error', (event) => {
      const { error } = /** @type {CustomEvent} */ (event).detail;
      this.error = error;
      this.#milestones.sourceFailed(error);
      reject(error);
      this.#host.failed();
    });
    this.#followFrames(session);
    this.#followWords(session);
  }

  /** @param {Session} session */
  #followFrames(session) {
    session.addEventListener('series', () => this.#host.seriesChanged());
    session.addEventListener('frame', (event) => {
      this.#host.pictureChanged(/** @type {CustomEvent} */ (event).detail.frameIndex);
    });
    session.addEventListener('state', (event) => {
      this.#host.stateChanged(/** @type {CustomEvent} */ (event).detail);
    });
  }

  /** @param {Session} session */
  #followWords(session) {
    session.addEventListener('serieslist', () => this.#host.wordsChanged());
    session.addEventListener('stage', (event) => {
      this.#milestones.stageComplete(/** @type {CustomEvent} */ (event).detail);
      this.#host.wordsChanged();
    });
    session.addEventListener('configuration', (event) => {
      const { detail } = /** @type {CustomEvent<ErrorRecord>} */ (event);
      this.#milestones.sourceFailed(detail);
      this.#notice(`The configuration is not used: ${detail.message}`);
    });
    session.addEventListener('notice', (event) => {
      const { message, resource } = /** @type {CustomEvent<ErrorRecord>} */ (event).detail;
      const name = resource?.split('/').at(-1);
      this.#notice(name ? `Loading without ${name}: ${message}` : message);
    });
  }

  /** @param {string} text */
  #notice(text) {
    this.notices = [...this.notices, text];
    this.#host.wordsChanged();
  }

  close() {
    this.session?.close();
    this.session = null;
    this.error = null;
    this.notices = [];
    this.ready = withResolvers();
    this.#milestones.restart();
  }
}
