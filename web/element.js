/** `<firstlight-viewer>`: one source, one viewport, and the words that pages and tests rely on. */

import { onKey } from './ui/keyboard.js';
import { layoutNamed } from './ui/layouts.js';
import { Showing } from './ui/showing.js';

/**
 * @typedef {import('./ui/toolbar.js').Tool} Tool
 * @typedef {{center: number, width: number}} WindowSetting
 */

/** The `src` of files that the reader has given; they come by `openFiles`. */
const LOCAL_SRC = 'local:';

/**
 * Events (each bubbles, and leaves a `performance.mark` of its name): `firstlight:first-render`,
 * `firstlight:frame-render` (detail `{frameIndex, resolutionLevel, decompositionLevels, status}`),
 * `firstlight:stage-complete` (detail `{stageId, numberOfImages, numberOfFailures, numberOfSkipped, startDurationMs,
 * stageDurationMs}`), `firstlight:volume-first-render` (every slice of the volume is on the screen at some level; detail
 * `{slices, bytesReceived, elapsed}`, ms since the source was opened), `firstlight:complete` (every frame of the series is
 * final or failed), `firstlight:region-render` (a window of a finer level of a vast frame fills the screen; detail
 * `{frameIndex, resolutionLevel, decompositionLevels, left, top, columns, rows}`, in pixels of that level), `firstlight:error` (detail
 * `{frameIndex, error}`, `frameIndex` null where the source as a whole failed, or, where `error.type` is
 * `ConfigurationError`, its configuration alone).
 */
export class FirstlightViewer extends HTMLElement {
  static observedAttributes = ['src', 'configuration', 'frame-index', 'tool', 'layout'];

  #showing;
  /** @type {File[]} */
  #files = [];
  /** @type {import('./engine/credentials.js').CredentialRule[]} */
  #credentials = [];
  #maxSamples = Infinity;
  /** @type {import('./engine/session.js').Limit | null} */
  #limit = null;
  /** @type {import('./engine/configuration.js').RetrieveConfiguration | null} where it is no text */
  #configuration = null;

  constructor() {
    super();
    this.#showing = new Showing(this.attachShadow({ mode: 'open' }), this, {
      source: () => ({
        src: this.src,
        configuration: this.configuration,
        credentials: this.#credentials,
        files: this.#files,
        maxSamples: this.#maxSamples,
        maxWholeSamples: this.maxWholeSamples,
        limit: this.#limit,
      }),
      openLocal: (files) => this.openFiles(files),
      focus: () => this.focus(),
      fullscreen: () => this.#toggleFullscreen(),
    });
    this.addEventListener('keydown', (event) => {
      const { commands } = this.#showing.screen;
      if (!event.defaultPrevented && onKey(commands, event)) event.preventDefault();
    });
  }

  connectedCallback() {
    if (!this.hasAttribute('tabindex')) this.tabIndex = 0;
    this.#showing.connect();
  }

  disconnectedCallback() {
    this.#showing.disconnect();
  }

  /**
   * @param {string} name
   * @param {string | null} before
   * @param {string | null} value
   */
  attributeChangedCallback(name, before, value) {
    if (value === before) return;
    if (name === 'src' && value !== LOCAL_SRC) this.#files = [];
    if (name === 'configuration') this.#configuration = null;
    if (name === 'frame-index') this.frameIndex = Number(value);
    else if (name === 'tool') this.tool = /** @type {Tool} */ (value);
    else if (name === 'layout') this.#showing.layout = layoutNamed(value);
    else if (name === 'src' && before !== null) this.#showing.startOver();
    else this.#showing.reopen();
  }

  /** What is shown: one of the forms of `src` in the documentation. */
  get src() {
    return this.getAttribute('src') ?? '';
  }

  set src(src) {
    this.setAttribute('src', src);
  }

  /**
   * Shows files of this machine; they are read here and sent nowhere. `src` becomes `local:`.
   *
   * @param {Iterable<File>} files
   */
  openFiles(files) {
    this.#files = [...files];
    if (this.src === LOCAL_SRC) this.#showing.startOver();
    else this.src = LOCAL_SRC;
  }

  /**
   * How it is retrieved: a stock name, the URL of a JSON, JSON text, or an object, which may have functions
   * (`docs/configuration.md`).
   *
   * @returns {import('./engine/configuration.js').Configuration}
   */
  get configuration() {
    return this.#configuration ?? this.getAttribute('configuration') ?? '';
  }

  set configuration(configuration) {
    if (typeof configuration === 'string') {
      this.#configuration = null;
      this.setAttribute('configuration', configuration);
    } else {
      this.removeAttribute('configuration');
      this.#configuration = configuration;
    }
    this.#showing.reopen();
  }

  /** What is sent to which origins; to be set before `src`, and never an attribute, which others could read. */
  get credentials() {
    return this.#credentials;
  }

  set credentials(credentials) {
    this.#credentials = credentials;
    if (this.src) this.#showing.reopen();
  }

  /**
   * Full images of more samples (rows x columns x samples a pixel) are refused with `LimitExceeded` before memory is
   * taken for them; to be set before `src`. Infinity: what the decoders can take.
   */
  get maxSamples() {
    return this.#maxSamples;
  }

  set maxSamples(maxSamples) {
    this.#maxSamples = maxSamples;
    if (this.src) this.#showing.reopen();
  }

  /**
   * Full images of more samples are vast: their finest levels are loaded for the part of them that is on the screen, where
   * the server and the codestream allow it. The attribute `max-whole-samples`, before `src`; undefined for 36 million.
   */
  get maxWholeSamples() {
    return Number(this.getAttribute('max-whole-samples')) || undefined;
  }

  /**
   * How much of every frame is wanted: `{byteRange: '0-20000', decodeLevel: 2}`, in the words of a `jphuri:` address. Set
   * to more, or to null, it only brings the rest. Null, as it is first, leaves what `src` itself says.
   */
  get limit() {
    return this.#limit;
  }

  set limit(limit) {
    this.#limit = limit;
    this.#showing.session?.limit(limit);
  }

  /** The frame shown, from 0. */
  get frameIndex() {
    return this.#showing.frameIndex;
  }

  set frameIndex(frameIndex) {
    this.#showing.frameIndex = frameIndex;
  }

  /**
   * The window in force, in modality units; set to null for the image's own.
   *
   * @returns {WindowSetting | null}
   */
  get window() {
    const { window } = this.#showing.screen.viewport;
    return window && { center: window.center, width: window.width };
  }

  set window(window) {
    this.#showing.screen.chooseWindow(window);
  }

  /** What a plain drag does. */
  get tool() {
    return this.#showing.tool;
  }

  set tool(tool) {
    this.#showing.tool = tool;
  }

  /**
   * How viewports stand: `stack`, `mpr` (axial, coronal, sagittal) or `2x2` (those and the stack). A series that makes no
   * volume is shown as a stack whatever this says.
   */
  get layout() {
    return this.#showing.layout;
  }

  set layout(name) {
    this.#showing.layout = layoutNamed(name);
  }

  /** Whether graphics that come with the image are drawn above it. */
  get overlays() {
    return this.#showing.screen.viewport.overlays;
  }

  set overlays(overlays) {
    this.#showing.screen.viewport.overlays = overlays;
  }

  /** Shows the frames one after the other, each as soon as it is held. */
  play() {
    this.#showing.cine.play();
  }

  pause() {
    this.#showing.cine.pause();
  }

  get playing() {
    return this.#showing.cine.playing;
  }

  /** Frames a second in cine; set to null for those of the image. */
  get frameRate() {
    return this.#showing.cine.rate;
  }

  /** @param {number | null} rate */
  set frameRate(rate) {
    this.#showing.cine.chosenRate = rate;
  }

  /** Resolves when Python runs for this source; rejects when the source cannot be opened. */
  get ready() {
    return this.#showing.ready.promise;
  }

  /** Why the source as a whole could not be opened, or null. */
  get error() {
    return this.#showing.error;
  }

  /** For each frame of the series: quality, resolution level and bytes held, and the error if any. */
  state() {
    return this.#showing.session?.states() ?? [];
  }

  /**
   * A copy of the stored values of the best picture held of a frame, exactly as decoded.
   *
   * @param {number} index
   */
  storedPixels(index) {
    const frame = this.#showing.session?.frame(index);
    if (!frame) return undefined;
    const { data, rows, columns, samplesPerPixel, resolutionLevel } = frame;
    return { data: data.slice(), rows, columns, samplesPerPixel, resolutionLevel };
  }

  /**
   * A copy of the finest window held of a vast frame, exactly as decoded; `left` and `top` count in pixels of its level.
   *
   * @param {number} index
   */
  storedRegion(index) {
    const region = this.#showing.session?.regions(index).at(-1);
    return region && { ...region, data: region.data.slice() };
  }

  /** Every request, decode and draw, with its times and bytes. */
  async timeline() {
    return this.#showing.session?.timeline();
  }

  /** Bytes held by Python and by decoded pictures. */
  async memory() {
    return this.#showing.session?.memory();
  }

  async #toggleFullscreen() {
    if (document.fullscreenElement) await document.exitFullscreen();
    else await this.requestFullscreen();
  }
}

customElements.define('firstlight-viewer', FirstlightViewer);
