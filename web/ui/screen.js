/** Everything in the shadow root: built once, brought up to date after every draw. */

import { Viewport } from '../viewport/viewport.js';
import { Annotations } from './annotations.js';
import { Commands } from './commands.js';
import { make, setText } from './dom.js';
import { DropZone } from './drop-zone.js';
import { Gestures } from './gestures.js';
import { Help } from './help.js';
import { LAYOUTS, Layouts } from './layouts.js';
import { Mark, bytesDescribed, describe } from './mark.js';
import { acceptDrops } from './local-files.js';
import { Message } from './message.js';
import { Notices } from './notices.js';
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
 * @property {number} shownIndex frame whose picture is shown: that one, or another that stands in for it
 * @property {FrameState | null} state of the frame asked for; null while no series is known
 * @property {FrameState[]} changed states of the frames of which something has changed
 * @property {ReadonlySet<number>} failed frames that have failed
 * @property {readonly string[]} notices of what loading does without
 * @property {boolean} complete every frame is final or has failed
 * @property {import('./toolbar.js').Tool} tool
 * @property {ErrorRecord | null} error of the source as a whole
 * @property {import('../engine/session.js').Session | null} session
 *
 * @typedef {Omit<import('./commands.js').CommandHost, 'help' | 'timeline' | 'escape' | 'dragging' | 'layouts'> & {
 *   frameReached: (frameIndex: number) => void, layoutChanged: () => void, volumeDrawn: (slices: number) => void,
 *   planeDrawn: (draw: {plane: string, startedMs: number, elapsedMs: number}) => void,
 *   readTimeline: () => Promise<import('./timeline-model.js').TimelineRecord | undefined>, src: string,
 *   drawn: () => void, openLocal: (files: File[]) => void, retryFrame: (frameIndex: number) => void, retrySource: () => void, focus: () => void,
 * }} ScreenHost
 */

/** A screen reader is told what holds for this long, not every step on the way. */
const ANNOUNCE_AFTER_MS = 700;

export class Screen {
  #host;
  #stage = make('div', { class: 'stage' });
  #notices = new Notices();
  #panes = make('div', { class: 'panes' }, [this.#stage, this.#notices.element]);
  #canvas = make('canvas', { role: 'img' });
  #outline = make('div', { class: 'outline', hidden: '' });
  #progress = make('div', { class: 'progress done' });
  #announcer = make('div', { class: 'announcer', role: 'status', 'aria-live': 'polite' });
  #annotations = new Annotations();
  #mark = new Mark();
  #message = new Message();
  /** @type {Series | null} */
  #series = null;
  #probe;
  #dropZone;
  #empty = false;
  #help;
  #strip;
  #toolbar;
  /** @type {import('./timeline.js').TimelinePanel | null} */
  #timeline = null;
  #announceTimer = 0;
  #resized;
  #widthPx = 0;
  #complete = false;
  viewport;
  commands;
  layouts;

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
    const screen = this;
    this.commands = new Commands(
      this.viewport,
      Object.create(
        host,
        Object.getOwnPropertyDescriptors({
          help: () => this.#help.toggle(),
          timeline: () => void this.#toggleTimeline(),
          escape: () => this.#help.hide() || this.#hideTimeline() || this.#notices.dismiss(),
          dragging: (/** @type {boolean} */ on) => this.#panes.classList.toggle('dragging', on),
          get layouts() {
            return screen.layouts;
          },
        }),
      ),
    );
    this.layouts = this.#makeLayouts();
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
    const parts = [this.#panes, this.#strip.element, this.#toolbar.element];
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

  #makeLayouts() {
    const host = this.#host;
    return new Layouts(this.#panes, {
      commands: this.commands,
      stack: this.viewport,
      stage: this.#stage,
      get frameIndex() {
        return host.frameIndex;
      },
      get tool() {
        return host.tool;
      },
      frameReached: (frameIndex) => host.frameReached(frameIndex),
      planeDrawn: (draw) => host.planeDrawn(draw),
      volumeDrawn: (slices) => host.volumeDrawn(slices),
      changed: () => host.layoutChanged(),
    });
  }

  /** @param {{center: number, width: number} | null} window of the stack and of the planes; null for the image's own */
  chooseWindow(window) {
    this.viewport.userWindow = window;
    this.layouts.panes?.takeLook();
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

  /** Its code is fetched when somebody asks for it: no picture waits for it. */
  async #toggleTimeline() {
    if (this.#hideTimeline()) return;
    const { TimelinePanel } = await import('./timeline.js');
    if (this.#timeline) return;
    const host = this.#host;
    const screen = this;
    this.#timeline = new TimelinePanel({
      timeline: () => host.readTimeline(),
      get frameCount() {
        return screen.#series?.frames.length ?? 0;
      },
      get src() {
        return host.src;
      },
      get complete() {
        return screen.#complete;
      },
      closed: () => void this.#hideTimeline(),
    });
    this.#strip.element.before(this.#timeline.element);
    this.#timeline.touch();
  }

  /** @returns {boolean} whether there was something to hide */
  #hideTimeline() {
    if (!this.#timeline) return false;
    const focused = this.#timeline.element.contains(
      /** @type {ShadowRoot} */ (this.#stage.getRootNode()).activeElement,
    );
    this.#timeline.release();
    this.#timeline = null;
    if (focused) this.#host.focus();
    return true;
  }

  /** @param {boolean} hovering */
  #hover(hovering) {
    this.#dropZone.update({ empty: this.#empty, hovering });
  }

  #resize() {
    const { clientWidth, clientHeight } = this.#stage;
    const ratio = devicePixelRatio;
    this.#widthPx = clientWidth;
    this.viewport.resize(Math.round(clientWidth * ratio), Math.round(clientHeight * ratio));
  }

  /** @param {Shown} shown what has just been drawn */
  update(shown) {
    const { series, frameIndex, state } = shown;
    if (series?.index !== this.#series?.index) this.#notices.forget();
    this.#series = series;
    this.#complete = shown.complete;
    const frameCount = series?.frames.length ?? 0;
    this.#updateAnnotations(shown);
    this.#updateToolbar(shown);
    this.#strip.update(shown.changed, frameCount, frameIndex);
    this.#probe.update(series?.modality ?? '');
    this.layouts.follow(shown.session);
    this.layouts.panes?.update();
    this.#updateNotices(shown);
    this.#timeline?.touch();
    const mark = this.#markOf(shown);
    this.#mark.update(mark, state ? bytesDescribed(state) : '');
    this.#stage.classList.toggle('replica', mark?.kind === 'replica');
    this.#updateProgress(state);
    this.#updateMessage(shown);
    this.#empty = !shown.session && !shown.error;
    this.#hover(false);
    const which = series ? `Frame ${frameIndex + 1} of ${frameCount}` : 'Image';
    this.#say(which, shown.error ? `failed: ${shown.error.type}` : statusWords(mark));
  }

  /** @param {Shown} shown */
  #updateNotices({ series, failed, notices: others }) {
    /** @type {import('./notices.js').Notice[]} */
    const notices = [...(series?.notices ?? []), ...others].map((text) => ({ text }));
    const { refusal, panes } = this.layouts;
    if (refusal) notices.push({ text: refusal });
    if (panes && failed.size > 0) {
      const [first] = failed;
      const which = failed.size === 1 ? `Slice ${first + 1}` : `${failed.size} slices`;
      const retry = () => failed.forEach((index) => this.#host.retryFrame(index));
      const text = `${which} could not be loaded: shown hatched, interpolated`;
      notices.push({ text, action: { label: 'Retry', act: retry } });
    }
    this.#notices.update(notices);
  }

  /** @param {Shown} shown */
  #markOf({ series, shownIndex, state }) {
    const { frame, refusal } = this.viewport;
    const record = series?.frames[shownIndex];
    if (!state || !record || refusal) return null;
    return describe(state, record, frame, { waitingFor: this.#host.cine.waitingFor, shownIndex });
  }

  /** @param {Shown} shown */
  #updateAnnotations({ series, frameIndex, shownIndex }) {
    this.#annotations.update(
      series && {
        series,
        frameIndex,
        shownIndex,
        window: this.viewport.window,
        windowName: this.commands.windowName,
        inverted: this.viewport.inverted,
        toScreen: this.viewport.imageToScreen,
        pixelRatio: devicePixelRatio,
        widthPx: this.#widthPx,
      },
    );
  }

  /** @param {Shown} shown */
  #updateToolbar({ series, seriesList, frameIndex, tool }) {
    const { cine } = this.#host;
    const planes = this.layouts.panes !== null;
    if (this.#stage.dataset.tool !== tool) this.#stage.dataset.tool = tool;
    this.#toolbar.update({
      tool,
      inverted: this.layouts.panes?.linked.inverted ?? this.viewport.inverted,
      overlays: series?.frames[frameIndex].overlays.length ? this.viewport.overlays : null,
      playing: cine.playing,
      rate: cine.rate,
      frameCount: series?.frames.length ?? 0,
      grey: this.viewport.window !== null || planes,
      planes,
      layout: LAYOUTS.find(([name]) => name === this.layouts.wanted)?.[1] ?? '',
      slab: this.commands.slabName,
      seriesCount: seriesList.length,
      seriesLabel: series?.description || series?.modality || '',
    });
  }

  /** @param {FrameState | null} state */
  #updateProgress(state) {
    const loading = state?.status === 'loading' && state.totalBytes;
    this.#progress.classList.toggle('done', !loading);
    if (!loading) return;
    this.#progress.style.transform = `scaleX(${Math.min(1, state.heldBytes / loading)})`;
  }

  /** @param {Shown} shown */
  #updateMessage({ series, frameIndex, shownIndex, state, error, session }) {
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
