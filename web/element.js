/** `<firstlight-viewer>`: one source, one viewport, and the words that pages and tests rely on. */

import { openSession } from './engine/session.js';
import { Milestones, isSettled } from './ui/milestones.js';
import { Screen } from './ui/screen.js';
import { onKey } from './ui/keyboard.js';
import { TOOL_NAMES } from './ui/toolbar.js';
import { chooseMapperWhenIdle } from './viewport/choose.js';

/**
 * @typedef {import('./ui/toolbar.js').Tool} Tool
 * @typedef {import('./engine/records.js').ErrorRecord} ErrorRecord
 * @typedef {{center: number, width: number}} WindowSetting
 */

/**
 * Events (each bubbles, and leaves a `performance.mark` of its name): `firstlight:first-render`,
 * `firstlight:frame-render` (detail `{frameIndex, resolutionLevel, decompositionLevels, status}`),
 * `firstlight:complete` (every frame of the series is final or failed), `firstlight:error` (detail
 * `{frameIndex, error}`, `frameIndex` null where the source as a whole failed).
 */
export class FirstlightViewer extends HTMLElement {
  static observedAttributes = ['src', 'configuration', 'frame-index', 'tool'];

  #screen;
  #milestones = new Milestones(this);
  /** @type {import('./engine/session.js').Session | null} */
  #session = null;
  #opening = false;
  #frameIndex = 0;
  #direction = 0;
  /** @type {Tool} */
  #tool = 'window';
  /** @type {ErrorRecord | null} */
  #error = null;
  #seriesIndex = -1;
  #statesChanged = true;
  #demanded = '';
  #mapperChosen = false;
  /** @type {PromiseWithResolvers<void>} */
  #ready = withResolvers();

  constructor() {
    super();
    const viewer = this;
    this.#screen = new Screen(this.attachShadow({ mode: 'open' }), {
      get tool() {
        return viewer.#tool;
      },
      get frameIndex() {
        return viewer.#frameIndex;
      },
      get series() {
        return viewer.#session?.series ?? null;
      },
      get seriesList() {
        return viewer.#session?.seriesList ?? [];
      },
      goTo: (frameIndex) => (this.frameIndex = frameIndex),
      chooseTool: (tool) => (this.tool = tool),
      selectSeries: (index) => this.#selectSeries(index),
      fullscreen: () => void this.#toggleFullscreen(),
      drawn: () => this.#drawn(),
      retryFrame: (frameIndex) => this.#session?.retry(frameIndex),
      retrySource: () => this.#reopen(),
      focus: () => this.focus(),
    });
    this.addEventListener('keydown', (event) => {
      if (!event.defaultPrevented && onKey(this.#screen.commands, event)) event.preventDefault();
    });
  }

  connectedCallback() {
    if (!this.hasAttribute('tabindex')) this.tabIndex = 0;
    this.#screen.connect();
    this.#reopen();
  }

  disconnectedCallback() {
    this.#screen.disconnect();
    this.#close();
  }

  /**
   * @param {string} name
   * @param {string | null} before
   * @param {string | null} value
   */
  attributeChangedCallback(name, before, value) {
    if (value === before) return;
    if (name === 'frame-index') this.frameIndex = Number(value);
    else if (name === 'tool') this.tool = /** @type {Tool} */ (value);
    else if (this.isConnected) this.#reopen();
    if (name === 'src' && before !== null) this.#frameIndex = 0;
  }

  /** What is shown: one of the forms of `src` in the documentation. */
  get src() {
    return this.getAttribute('src') ?? '';
  }

  set src(src) {
    this.setAttribute('src', src);
  }

  /** How it is retrieved; a stock name or the URL of a JSON. */
  get configuration() {
    return this.getAttribute('configuration') ?? '';
  }

  set configuration(configuration) {
    this.setAttribute('configuration', configuration);
  }

  /** The frame shown, from 0. */
  get frameIndex() {
    return this.#frameIndex;
  }

  set frameIndex(frameIndex) {
    const last = (this.#session?.series?.frames.length ?? Infinity) - 1;
    const next = Math.max(0, Math.min(Math.trunc(frameIndex) || 0, last));
    if (next === this.#frameIndex) return;
    this.#direction = Math.sign(next - this.#frameIndex);
    this.#frameIndex = next;
    this.#statesChanged = true;
    this.#refresh();
  }

  /**
   * The window in force, in modality units; set to null for the image's own.
   *
   * @returns {WindowSetting | null}
   */
  get window() {
    const window = this.#screen.viewport.window;
    return window && { center: window.center, width: window.width };
  }

  set window(window) {
    this.#screen.viewport.userWindow = window;
  }

  /** What a plain drag does. */
  get tool() {
    return this.#tool;
  }

  set tool(tool) {
    if (!TOOL_NAMES.includes(tool)) return;
    this.#tool = tool;
    this.#screen.viewport.requestDraw();
  }

  /** Resolves when Python runs for this source; rejects when the source cannot be opened. */
  get ready() {
    return this.#ready.promise;
  }

  /** Why the source as a whole could not be opened, or null. */
  get error() {
    return this.#error;
  }

  /** For each frame of the series: quality, resolution level and bytes held, and the error if any. */
  state() {
    return this.#session?.states() ?? [];
  }

  /**
   * A copy of the stored values of the best picture held of a frame, exactly as decoded.
   *
   * @param {number} index
   */
  storedPixels(index) {
    const frame = this.#session?.frame(index);
    if (!frame) return undefined;
    const { data, rows, columns, samplesPerPixel, resolutionLevel } = frame;
    return { data: data.slice(), rows, columns, samplesPerPixel, resolutionLevel };
  }

  /** Every request, decode and draw, with its times and bytes. */
  async timeline() {
    return this.#session?.timeline();
  }

  /** Bytes held by Python and by decoded pictures. */
  async memory() {
    return this.#session?.memory();
  }

  /** Opens once, however many attributes change in the same task. */
  #reopen() {
    if (this.#opening) return;
    this.#opening = true;
    queueMicrotask(() => {
      this.#opening = false;
      this.#close();
      if (this.isConnected && this.src) this.#open();
      this.#refresh();
    });
  }

  #open() {
    const options = { frameIndex: this.#frameIndex, configuration: this.configuration };
    const session = openSession(this.src, options);
    this.#session = session;
    const { resolve, reject } = this.#ready;
    session.addEventListener('ready', () => resolve());
    session.addEventListener('serieslist', () => this.#screen.viewport.requestDraw());
    session.addEventListener('series', () => this.#onSeries());
    session.addEventListener('frame', (event) => this.#onFrame(/** @type {CustomEvent} */ (event)));
    session.addEventListener('state', () => {
      this.#statesChanged = true;
      this.#refresh();
    });
    session.addEventListener('error', (event) => {
      const { error } = /** @type {CustomEvent} */ (event).detail;
      this.#error = error;
      this.#milestones.sourceFailed(error);
      reject(error);
      this.#refresh();
    });
  }

  #close() {
    this.#session?.close();
    this.#session = null;
    this.#error = null;
    this.#seriesIndex = -1;
    this.#demanded = '';
    this.#statesChanged = true;
    this.#ready = withResolvers();
    this.#milestones.restart();
    this.#screen.viewport.clear();
  }

  #onSeries() {
    const series = this.#session?.series;
    if (series && series.index !== this.#seriesIndex) {
      if (this.#seriesIndex >= 0) this.#screen.viewport.clear();
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
    else this.#screen.viewport.requestDraw();
  }

  /** @param {number} index */
  #selectSeries(index) {
    this.#frameIndex = 0;
    this.#direction = 0;
    this.#session?.selectSeries(index);
    this.#refresh();
  }

  async #toggleFullscreen() {
    if (document.fullscreenElement) await document.exitFullscreen();
    else await this.requestFullscreen();
  }

  /** Shows what is held of the frame asked for; all else follows when it has been drawn. */
  #refresh() {
    const record = this.#session?.series?.frames[this.#frameIndex] ?? null;
    this.#screen.viewport.show(record, this.#session?.frame(this.#frameIndex));
    this.#demand();
  }

  /** States what is visible, whenever that has changed. */
  #demand() {
    const { viewport } = this.#screen;
    const record = this.#session?.series?.frames[this.#frameIndex];
    if (!record || viewport.screen.width === 0) return;
    const { scaleX, scaleY } = viewport.imageToScreen;
    const demand = {
      frameIndex: this.#frameIndex,
      columnsOnScreen: Math.ceil(record.columns * scaleX),
      rowsOnScreen: Math.ceil(record.rows * scaleY),
      direction: this.#direction,
    };
    const key = JSON.stringify(demand);
    if (key === this.#demanded) return;
    this.#demanded = key;
    this.#session?.want(demand);
  }

  #drawn() {
    const session = this.#session;
    const series = session?.series ?? null;
    const state = session && series ? session.frameState(this.#frameIndex) : null;
    const states = this.#statesChanged ? (session?.states() ?? []) : null;
    this.#statesChanged = false;
    this.#screen.update({
      series,
      seriesList: session?.seriesList ?? [],
      frameIndex: this.#frameIndex,
      state,
      states,
      tool: this.#tool,
      error: this.#error,
      open: session !== null,
    });
    this.#demand();
    if (!session || !series || !state) return;
    this.#tellDrawn(session, series.index, state);
    if (states) this.#milestones.progressed(series.index, states);
  }

  /**
   * @param {import('./engine/session.js').Session} session
   * @param {number} seriesIndex
   * @param {import('./engine/records.js').FrameState} state
   */
  #tellDrawn(session, seriesIndex, state) {
    const { frame, lastDraw } = this.#screen.viewport;
    if (!frame || !this.#milestones.drawn(seriesIndex, frame, state)) return;
    const { resolutionLevel } = frame;
    session.noteDraw({ frameIndex: state.frameIndex, resolutionLevel, ...lastDraw });
    if (!isSettled(state) || this.#mapperChosen) return;
    this.#mapperChosen = true;
    chooseMapperWhenIdle(this.#screen.viewport);
  }
}

/** @returns {PromiseWithResolvers<void>} */
function withResolvers() {
  /** @type {any} */
  const made = {};
  made.promise = new Promise((resolve, reject) => Object.assign(made, { resolve, reject }));
  made.promise.catch(() => {}); // nobody need wait for it
  return made;
}

customElements.define('firstlight-viewer', FirstlightViewer);
