/** The stage of the stack: its picture, and what stands above it and in its corners. */

import { Viewport } from '../viewport/viewport.js';
import { Annotations } from './annotations.js';
import { make } from './dom.js';
import { DropZone } from './drop-zone.js';
import { acceptDrops } from './local-files.js';
import { Mark, bytesDescribed, describe } from './mark.js';
import { Message } from './message.js';
import { Probe } from './probe.js';

/**
 * @typedef {import('../engine/records.js').FrameState} FrameState
 * @typedef {import('./screen.js').Shown} Shown
 *
 * @typedef {object} StageHost
 * @property {import('./cine.js').Cine} cine
 * @property {() => void} drawn
 * @property {(files: File[]) => void} openLocal
 * @property {(frameIndex: number) => void} retryFrame
 * @property {() => void} retrySource
 */

export class Stage {
  element = make('div', { class: 'stage' });
  canvas = make('canvas', { role: 'img' });
  viewport;
  #host;
  #outline = make('div', { class: 'outline', hidden: '' });
  #progress = make('div', { class: 'progress done' });
  #annotations = new Annotations();
  #mark = new Mark();
  #message = new Message();
  #probe;
  #dropZone;
  #empty = false;
  #resized;
  #widthPx = 0;

  /** @param {StageHost} host */
  constructor(host) {
    this.#host = host;
    this.viewport = new Viewport(this.canvas, () => host.drawn());
    this.#probe = new Probe(this.element, this.viewport);
    this.#annotations.corner.prepend(this.#probe.element);
    this.#dropZone = new DropZone(host.openLocal);
    this.element.append(
      this.canvas,
      this.#outline,
      ...this.#annotations.elements,
      this.#mark.element,
      this.#message.element,
      this.#progress,
      this.#dropZone.element,
    );
    const hover = (/** @type {boolean} */ over) => this.#hover(over);
    acceptDrops(this.element, { hover, dropped: host.openLocal });
    this.#resized = new ResizeObserver(() => this.#resize());
  }

  /** Starts following its size. */
  connect() {
    this.#resize();
    this.#resized.observe(this.element);
  }

  disconnect() {
    this.#resized.disconnect();
  }

  #resize() {
    const { clientWidth, clientHeight } = this.element;
    const ratio = devicePixelRatio;
    this.#widthPx = clientWidth;
    this.viewport.resize(Math.round(clientWidth * ratio), Math.round(clientHeight * ratio));
  }

  /** @param {boolean} hovering */
  #hover(hovering) {
    this.#dropZone.update({ empty: this.#empty, hovering });
  }

  /**
   * @param {Shown} shown what has just been drawn
   * @param {string} windowName
   * @returns {import('./mark.js').MarkText | null} what the mark says of it
   */
  update(shown, windowName) {
    const { series, state } = shown;
    this.#updateAnnotations(shown, windowName);
    this.#probe.update(series?.modality ?? '');
    const mark = this.#markOf(shown);
    this.#mark.update(mark, state ? bytesDescribed(state) : '');
    this.element.classList.toggle('replica', mark?.kind === 'replica');
    this.#updateProgress(state);
    this.#updateMessage(shown, mark);
    this.#empty = !shown.session && !shown.error;
    this.#hover(false);
    return mark;
  }

  /**
   * @param {Shown} shown
   * @param {string} windowName
   */
  #updateAnnotations({ series, frameIndex, shownIndex }, windowName) {
    this.#annotations.update(
      series && {
        series,
        frameIndex,
        shownIndex,
        window: this.viewport.window,
        windowName,
        inverted: this.viewport.inverted,
        toScreen: this.viewport.imageToScreen,
        pixelRatio: devicePixelRatio,
        widthPx: this.#widthPx,
      },
    );
  }

  /** @param {Shown} shown */
  #markOf({ series, shownIndex, state }) {
    const { frame, refusal } = this.viewport;
    const record = series?.frames[shownIndex];
    if (!state || !record || refusal) return null;
    const { region, screenLevel, visiblePart } = this.viewport;
    const isPart = visiblePart !== null;
    const seen = { region, screenLevel, isPart, reversible: series?.reversible };
    const { waitingFor } = this.#host.cine;
    return describe(state, record, frame, { waitingFor, shownIndex, ...seen });
  }

  /** @param {FrameState | null} state */
  #updateProgress(state) {
    const loading = state?.status === 'loading' && state.totalBytes;
    this.#progress.classList.toggle('done', !loading);
    if (!loading) return;
    this.#progress.style.transform = `scaleX(${Math.min(1, state.heldBytes / loading)})`;
  }

  /**
   * @param {Shown} shown
   * @param {import('./mark.js').MarkText | null} mark
   */
  #updateMessage({ series, frameIndex, shownIndex, state, error, session }, mark) {
    const { refusal } = this.viewport;
    const compact = this.viewport.frame !== undefined;
    this.#outline.hidden = true;
    if (error) {
      const retry = () => this.#host.retrySource();
      this.#message.showFailure('This source could not be opened', error, { compact, retry });
    } else if (state?.status === 'failed') {
      const retry = () => this.#host.retryFrame(frameIndex);
      const begun = compact && shownIndex === frameIndex;
      const title = `Frame ${frameIndex + 1} could not be ${begun ? 'completed' : 'loaded'}`;
      this.#message.showFailure(title, state.error, { compact, retry });
    } else if (state?.regionError && mark?.kind === 'failed') {
      const retry = () => this.#host.retryFrame(frameIndex);
      const title = 'This window could not be loaded';
      this.#message.showFailure(title, state.regionError, { compact, retry });
    } else if (refusal) {
      const reason = { type: 'FormatError', message: refusal, resource: null };
      const record = { ...reason, frame_index: frameIndex, range: null };
      this.#message.showFailure('This image cannot be shown', record, { compact, retry: null });
    } else if (!compact && series) {
      this.#placeOutline(series.frames[frameIndex]);
      const count = series.frames.length;
      this.#message.showLoading(
        count > 1 ? `Loading frame ${frameIndex + 1} of ${count}` : 'Loading',
      );
    } else if (!compact && session) {
      this.#message.showLoading('Opening');
    } else {
      this.#message.hide();
    }
  }

  /**
   * Where the image will be.
   *
   * @param {import('../engine/records.js').ImageRecord} record
   */
  #placeOutline({ columns, rows }) {
    this.#outline.hidden = false;
    const { offsetX, offsetY, scaleX, scaleY } = this.viewport.imageToScreen;
    const [left, top, width, height] = [offsetX, offsetY, columns * scaleX, rows * scaleY].map(
      (length) => `${length / devicePixelRatio}px`,
    );
    Object.assign(this.#outline.style, { left, top, width, height });
  }
}
