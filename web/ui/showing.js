/** What is opened and shown: one session, the frame asked for, and what follows from every change and draw. */

import { openSession } from '../engine/session.js';
import { chooseMapperWhenIdle } from '../viewport/choose.js';
import { Cine } from './cine.js';
import { chooseFiles } from './local-files.js';
import { Milestones, isSettled } from './milestones.js';
import { withResolvers } from './resolvers.js';
import { Screen } from './screen.js';
import { TOOL_NAMES } from './toolbar.js';

/**
 * @typedef {import('./toolbar.js').Tool} Tool
 * @typedef {import('../engine/records.js').ErrorRecord} ErrorRecord
 * @typedef {import('../engine/records.js').FrameState} FrameState
 * @typedef {import('../engine/session.js').Session} Session
 *
 * @typedef {object} Source
 * @property {string} src
 * @property {string} configuration
 * @property {import('../engine/credentials.js').CredentialRule[]} credentials
 * @property {File[]} files of `src` 'local:'
 *
 * @typedef {object} ShowingHost the element around it
 * @property {() => Source} source read when it is opened
 * @property {(files: File[]) => void} openLocal
 * @property {() => void} focus
 * @property {() => Promise<void>} fullscreen
 */

export class Showing {
  screen;
  cine;
  /** @type {Session | null} */
  session = null;
  /** @type {ErrorRecord | null} why the source as a whole could not be opened */
  error = null;
  /** Resolves when Python runs for this source; rejects when that cannot be opened. */
  ready = withResolvers();
  #host;
  #milestones;
  #isConnected = false;
  #opening = false;
  #frameIndex = 0;
  #direction = 0;
  /** @type {Tool} */
  #tool = 'window';
  #seriesIndex = -1;
  #statesChanged = true;
  #demanded = '';
  #mapperChosen = false;

  /**
   * @param {ShadowRoot} root
   * @param {EventTarget} events on which what has been drawn is told
   * @param {ShowingHost} host
   */
  constructor(root, events, host) {
    this.#host = host;
    this.#milestones = new Milestones(events);
    this.cine = new Cine(this.#cineHost());
    this.screen = new Screen(root, this.#screenHost());
  }

  /** @returns {import('./cine.js').CineHost} */
  #cineHost() {
    const showing = this;
    return {
      get frameCount() {
        return showing.session?.series?.frames.length ?? 0;
      },
      get frameIndex() {
        return showing.#frameIndex;
      },
      isHeld: (index) => {
        const { session } = this;
        // a failed frame is shown as such: cine does not wait for it for ever
        return (
          session?.frame(index) !== undefined || session?.frameState(index).status === 'failed'
        );
      },
      frameTimeMs: (index) => this.session?.series?.frames[index]?.frame_time_ms,
      show: (index) => (this.frameIndex = index),
      changed: () => this.#refresh(),
    };
  }

  /** @returns {import('./screen.js').ScreenHost} */
  #screenHost() {
    const showing = this;
    const { openLocal } = this.#host;
    return {
      cine: this.cine,
      get tool() {
        return showing.#tool;
      },
      get frameIndex() {
        return showing.#frameIndex;
      },
      get series() {
        return showing.session?.series ?? null;
      },
      get seriesList() {
        return showing.session?.seriesList ?? [];
      },
      goTo: (frameIndex) => (this.frameIndex = frameIndex),
      chooseTool: (tool) => (this.tool = tool),
      selectSeries: (index) => this.#selectSeries(index),
      fullscreen: () => void this.#host.fullscreen(),
      drawn: () => this.#drawn(),
      openLocal,
      openFiles: () => chooseFiles({ folder: false }, openLocal),
      retryFrame: (frameIndex) => this.session?.retry(frameIndex),
      retrySource: () => this.reopen(),
      focus: () => this.#host.focus(),
    };
  }

  connect() {
    this.#isConnected = true;
    this.screen.connect();
    this.reopen();
  }

  disconnect() {
    this.#isConnected = false;
    this.screen.disconnect();
    this.#close();
  }

  get frameIndex() {
    return this.#frameIndex;
  }

  set frameIndex(frameIndex) {
    const last = (this.session?.series?.frames.length ?? Infinity) - 1;
    const next = Math.max(0, Math.min(Math.trunc(frameIndex) || 0, last));
    if (next === this.#frameIndex) return;
    this.#direction = this.cine.playing ? 1 : Math.sign(next - this.#frameIndex);
    this.#frameIndex = next;
    this.#statesChanged = true;
    this.#refresh();
  }

  get tool() {
    return this.#tool;
  }

  set tool(tool) {
    if (!TOOL_NAMES.includes(tool)) return;
    this.#tool = tool;
    this.screen.viewport.requestDraw();
  }

  /** From its first frame: what was shown before is of another source. */
  startOver() {
    this.#frameIndex = 0;
    this.reopen();
  }

  /** Opens once, however much changes in the same task. */
  reopen() {
    if (this.#opening) return;
    this.#opening = true;
    queueMicrotask(() => {
      this.#opening = false;
      this.#close();
      const { src, files } = this.#host.source();
      if (this.#isConnected && src && (src !== 'local:' || files.length > 0)) this.#open();
      this.#refresh();
    });
  }

  #open() {
    const { src, ...options } = this.#host.source();
    const session = openSession(src, { frameIndex: this.#frameIndex, ...options });
    this.session = session;
    const { resolve, reject } = this.ready;
    session.addEventListener('ready', () => resolve());
    session.addEventListener('serieslist', () => this.screen.viewport.requestDraw());
    session.addEventListener('series', () => this.#onSeries());
    session.addEventListener('frame', (event) => this.#onFrame(/** @type {CustomEvent} */ (event)));
    session.addEventListener('state', () => {
      this.#statesChanged = true;
      this.#refresh();
    });
    session.addEventListener('error', (event) => {
      const { error } = /** @type {CustomEvent} */ (event).detail;
      this.error = error;
      this.#milestones.sourceFailed(error);
      reject(error);
      this.#refresh();
    });
  }

  #close() {
    this.cine.pause();
    this.session?.close();
    this.session = null;
    this.error = null;
    this.#seriesIndex = -1;
    this.#demanded = '';
    this.#statesChanged = true;
    this.ready = withResolvers();
    this.#milestones.restart();
    this.screen.viewport.clear();
  }

  #onSeries() {
    const series = this.session?.series;
    if (series && series.index !== this.#seriesIndex) {
      if (this.#seriesIndex >= 0) this.screen.viewport.clear();
      this.#seriesIndex = series.index;
      this.#frameIndex = Math.min(this.#frameIndex, series.frames.length - 1);
    }
    this.#statesChanged = true;
    this.#refresh();
  }

  /** @param {CustomEvent<{frameIndex: number}>} event */
  #onFrame({ detail }) {
    this.#statesChanged = true;
    if (detail.frameIndex === this.#frameIndex) this.#refresh();
    else this.screen.viewport.requestDraw();
  }

  /** @param {number} index */
  #selectSeries(index) {
    this.cine.pause();
    this.#frameIndex = 0;
    this.#direction = 0;
    this.session?.selectSeries(index);
    this.#refresh();
  }

  /** Shows what is held of the frame asked for; all else follows when it has been drawn. */
  #refresh() {
    const record = this.session?.series?.frames[this.#frameIndex] ?? null;
    this.screen.viewport.show(record, this.session?.frame(this.#frameIndex));
    this.#demand();
  }

  /** States what is visible, or what cine waits for, whenever that has changed. */
  #demand() {
    const { viewport } = this.screen;
    const record = this.session?.series?.frames[this.#frameIndex];
    if (!record || viewport.screen.width === 0) return;
    const { scaleX, scaleY } = viewport.imageToScreen;
    const demand = {
      frameIndex: this.cine.waitingFor ?? this.#frameIndex,
      columnsOnScreen: Math.ceil(record.columns * scaleX),
      rowsOnScreen: Math.ceil(record.rows * scaleY),
      direction: this.cine.playing ? 1 : this.#direction,
    };
    const key = JSON.stringify(demand);
    if (key === this.#demanded) return;
    this.#demanded = key;
    this.session?.want(demand);
  }

  #drawn() {
    const { session } = this;
    const series = session?.series ?? null;
    const state = session && series ? session.frameState(this.#frameIndex) : null;
    const states = this.#statesChanged ? (session?.states() ?? []) : null;
    this.#statesChanged = false;
    this.screen.update({
      series,
      seriesList: session?.seriesList ?? [],
      frameIndex: this.#frameIndex,
      state,
      states,
      tool: this.#tool,
      error: this.error,
      open: session !== null,
    });
    this.#demand();
    if (!session || !series || !state) return;
    this.#tellDrawn(session, series.index, state);
    if (states) this.#milestones.progressed(series.index, states);
  }

  /**
   * @param {Session} session
   * @param {number} seriesIndex
   * @param {FrameState} state
   */
  #tellDrawn(session, seriesIndex, state) {
    const { frame, lastDraw } = this.screen.viewport;
    if (!frame || !this.#milestones.drawn(seriesIndex, frame, state)) return;
    const { resolutionLevel } = frame;
    session.noteDraw({ frameIndex: state.frameIndex, resolutionLevel, ...lastDraw });
    if (!isSettled(state) || this.#mapperChosen) return;
    this.#mapperChosen = true;
    chooseMapperWhenIdle(this.screen.viewport);
  }
}
