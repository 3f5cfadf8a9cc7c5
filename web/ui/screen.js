/** Everything in the shadow root: built once, brought up to date after every draw. */

import { Viewport } from '../viewport/viewport.js';
import { Annotations } from './annotations.js';
import { Commands } from './commands.js';
import { make, setText } from './dom.js';
import { DropZone } from './drop-zone.js';
import { Gestures } from './gestures.js';
import { Help } from './help.js';
import { Mark, bytesDescribed, describe } from './mark.js';
import { acceptDrops } from './local-files.js';
import { Message } from './message.js';
import { Probe } from './probe.js';
import { Strip } from './strip.js';
import { STYLES } from './styles.js';
import { Toolbar } from './toolbar.js';

/**
 * @typedef {import('../engine/records.js').ErrorRecord} ErrorRecord
 * @typedef {import('../engine/records.js').FrameState} FrameState
 * @typedef {import('../engine/records.js').Series} Series
 *
 * @typedef {object} Shown
 * @property {Series | null} series
 * @property {import('../engine/records.js').SeriesSummary[]} seriesList
 * @property {number} frameIndex
 * @property {FrameState | null} state of that frame; null while no series is known
 * @property {FrameState[] | null} states of all frames; null where they are as before
 * @property {import('./toolbar.js').Tool} tool
 * @property {ErrorRecord | null} error of the source as a whole
 * @property {boolean} open whether there is a source at all
 *
 * @typedef {Omit<import('./commands.js').CommandHost, 'help' | 'escape' | 'dragging'> & {
 *   drawn: () => void, openLocal: (files: File[]) => void, retryFrame: (frameIndex: number) => void, retrySource: () => void, focus: () => void,
 * }} ScreenHost
 */

/** A screen reader is told what holds for this long, not every step on the way. */
const ANNOUNCE_AFTER_MS = 700;

export class Screen {
  #host;
  #stage = make('div', { class: 'stage' });
  #canvas = make('canvas', { role: 'img' });
  #outline = make('div', { class: 'outline', hidden: '' });
  #progress = make('div', { class: 'progress done' });
  #announcer = make('div', { class: 'announcer', role: 'status', 'aria-live': 'polite' });
  #annotations = new Annotations();
  #mark = new Mark();
  #message = new Message();
  #probe;
  #dropZone;
  #empty = false;
  #help;
  #strip;
  #toolbar;
  #announceTimer = 0;
  #resized;
  viewport;
  commands;

  /**
   * @param {ShadowRoot} root
   * @param {ScreenHost} host
   */
  constructor(root, host) {
    this.#host = host;
    this.viewport = new Viewport(this.#canvas, () => host.drawn());
    this.#probe = new Probe(this.#stage, this.viewport);
    this.#annotations.corner.prepend(this.#probe.element);
    this.#dropZone = new DropZone(host.openLocal);
    this.#help = new Help(() => host.focus());
    this.commands = new Commands(
      this.viewport,
      Object.assign(Object.create(host), {
        help: () => this.#help.toggle(),
        escape: () => this.#help.hide(),
        dragging: (/** @type {boolean} */ on) => this.#stage.classList.toggle('dragging', on),
      }),
    );
    this.#strip = new Strip((frameIndex) => host.goTo(frameIndex));
    this.#toolbar = new Toolbar(this.commands);
    this.#stage.append(
      this.#canvas,
      this.#outline,
      ...this.#annotations.elements,
      this.#mark.element,
      this.#message.element,
      this.#progress,
      this.#dropZone.element,
    );
    const parts = [this.#stage, this.#strip.element, this.#toolbar.element];
    root.append(
      make('style', {}, [STYLES]),
      make('div', { class: 'viewer' }, parts),
      this.#help.element,
      this.#announcer,
    );
    new Gestures(this.#stage, this.commands);
    acceptDrops(this.#stage, { hover: (over) => this.#hover(over), dropped: host.openLocal });
    this.#resized = new ResizeObserver(() => this.#resize());
  }

  /** Starts following the size of the stage. */
  connect() {
    this.#resize();
    this.#resized.observe(this.#stage);
  }

  disconnect() {
    this.#resized.disconnect();
    clearTimeout(this.#announceTimer);
  }

  /** @param {boolean} hovering */
  #hover(hovering) {
    this.#dropZone.update({ empty: this.#empty, hovering });
  }

  #resize() {
    const { clientWidth, clientHeight } = this.#stage;
    const ratio = devicePixelRatio;
    this.viewport.resize(Math.round(clientWidth * ratio), Math.round(clientHeight * ratio));
  }

  /** @param {Shown} shown what has just been drawn */
  update(shown) {
    const { series, frameIndex, tool, state } = shown;
    this.#stage.dataset.tool = tool;
    const record = series?.frames[frameIndex];
    const { cine } = this.#host;
    this.#annotations.update(
      series && {
        series,
        frameIndex,
        window: this.viewport.window,
        windowName: this.commands.windowName,
        inverted: this.viewport.inverted,
        toScreen: this.viewport.imageToScreen,
        pixelRatio: devicePixelRatio,
        widthPx: this.#stage.clientWidth,
      },
    );
    this.#toolbar.update({
      tool,
      inverted: this.viewport.inverted,
      overlays: record?.overlays.length ? this.viewport.overlays : null,
      playing: cine.playing,
      rate: cine.rate,
      frameCount: series?.frames.length ?? 0,
      grey: this.viewport.window !== null,
      seriesCount: shown.seriesList.length,
      seriesLabel: series?.description || series?.modality || '',
    });
    if (shown.states) this.#strip.update(shown.states, frameIndex);
    this.#probe.update(series?.modality ?? '');
    const { frame, refusal } = this.viewport;
    const shows = state && record && !refusal;
    const mark = shows ? describe(state, record, frame, cine.waitingFor) : null;
    this.#mark.update(mark, state ? bytesDescribed(state) : '');
    this.#updateProgress(state);
    this.#updateMessage(shown);
    this.#empty = !shown.open && !shown.error;
    this.#hover(false);
    const which = series ? `Frame ${frameIndex + 1} of ${series.frames.length}` : 'Image';
    this.#say(which, shown.error ? `failed: ${shown.error.type}` : statusWords(mark));
  }

  /** @param {FrameState | null} state */
  #updateProgress(state) {
    const loading = state?.status === 'loading' && state.totalBytes;
    this.#progress.classList.toggle('done', !loading);
    if (!loading) return;
    this.#progress.style.transform = `scaleX(${Math.min(1, state.heldBytes / loading)})`;
  }

  /** @param {Shown} shown */
  #updateMessage({ series, frameIndex, state, error, open }) {
    const { refusal } = this.viewport;
    const compact = this.viewport.frame !== undefined;
    this.#outline.hidden = true;
    if (error) {
      const retry = () => this.#host.retrySource();
      this.#message.showFailure('This source could not be opened', error, { compact, retry });
    } else if (state?.status === 'failed') {
      const retry = () => this.#host.retryFrame(frameIndex);
      const title = `Frame ${frameIndex + 1} could not be ${compact ? 'completed' : 'loaded'}`;
      this.#message.showFailure(title, state.error, { compact, retry });
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
    } else if (!compact && open) {
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

  /**
   * @param {string} which
   * @param {string} status
   */
  #say(which, status) {
    const text = status ? `${which}: ${status}` : which;
    if (this.#canvas.ariaLabel === text) return;
    this.#canvas.ariaLabel = text;
    clearTimeout(this.#announceTimer);
    this.#announceTimer = setTimeout(() => setText(this.#announcer, text), ANNOUNCE_AFTER_MS);
  }
}

/** @param {import('./mark.js').MarkText | null} mark */
function statusWords(mark) {
  if (!mark) return '';
  // the size in px changes with every level: too much to listen to
  return mark.kind === 'loading' ? 'loading' : `${mark.text} ${mark.detail}`.trim();
}
