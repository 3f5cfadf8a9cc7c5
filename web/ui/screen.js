/** Everything in the shadow root: built once, brought up to date after every draw. */

import { Announcer, statusWords } from './announcer.js';
import { Commands } from './commands.js';
import { make } from './dom.js';
import { Gestures } from './gestures.js';
import { LAYOUTS, Layouts } from './layouts.js';
import { Notices } from './notices.js';
import { Stage } from './stage.js';
import { STYLES } from './styles.js';

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

/** What stands around the picture comes when there is one, or this long after the start. */
const FURNISH_AFTER_MS = 500;

export class Screen {
  #host;
  #stage;
  #announcer;
  #notices = new Notices();
  #panes;
  /** @type {Series | null} */
  #series = null;
  #root;
  /** They keep the room of what is not there yet. */
  #places = {
    strip: make('div', { class: 'strip', hidden: '' }),
    bar: make('div', { class: 'bar' }),
  };
  /** @type {Promise<import('./furniture.js').Furniture> | null} under way, or there */
  #furnishing = null;
  /** @type {import('./furniture.js').Furniture | null} */
  #furniture = null;
  /** @type {Shown | null} */
  #shown = null;
  /** @type {import('./timeline.js').TimelinePanel | null} */
  #timeline = null;
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
    this.#root = root;
    this.#stage = new Stage(host);
    this.#announcer = new Announcer(this.#stage.canvas);
    this.#panes = make('div', { class: 'panes' }, [this.#stage.element, this.#notices.element]);
    this.viewport = this.#stage.viewport;
    const screen = this;
    this.commands = new Commands(
      this.viewport,
      Object.create(
        host,
        Object.getOwnPropertyDescriptors({
          help: () => void this.#furnish().then(({ help }) => help.toggle()),
          timeline: () => void this.#toggleTimeline(),
          escape: () =>
            this.#furniture?.help.hide() || this.#hideTimeline() || this.#notices.dismiss(),
          dragging: (/** @type {boolean} */ on) => this.#panes.classList.toggle('dragging', on),
          get layouts() {
            return screen.layouts;
          },
        }),
      ),
    );
    this.layouts = this.#makeLayouts();
    const parts = [this.#panes, this.#places.strip, this.#places.bar];
    root.append(
      make('style', {}, [STYLES]),
      make('div', { class: 'viewer' }, parts),
      this.#announcer.element,
    );
    new Gestures(this.#stage.element, this.commands);
    setTimeout(() => void this.#furnish(), FURNISH_AFTER_MS);
  }

  #furnish() {
    this.#furnishing ??= import('./furniture.js').then(({ Furniture }) => {
      const furniture = new Furniture(this.commands, this.#host);
      const { strip, toolbar, help, styles } = furniture;
      this.#root.append(styles, help.element);
      this.#places.strip.replaceWith(strip.element);
      this.#places.bar.replaceWith(toolbar.element);
      this.#furniture = furniture;
      if (this.#shown) {
        const changed = this.#shown.session?.states() ?? [];
        this.#updateFurniture(furniture, { ...this.#shown, changed });
      }
      return furniture;
    });
    return this.#furnishing;
  }

  #makeLayouts() {
    const host = this.#host;
    return new Layouts(this.#panes, {
      commands: this.commands,
      stack: this.viewport,
      stage: this.#stage.element,
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
    this.#stage.connect();
  }

  disconnect() {
    this.#stage.disconnect();
    this.#announcer.stop();
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
    const strip = this.#furniture?.strip.element ?? this.#places.strip;
    strip.before(this.#timeline.element);
    this.#timeline.touch();
  }

  /** @returns {boolean} whether there was something to hide */
  #hideTimeline() {
    if (!this.#timeline) return false;
    const focused = this.#timeline.element.contains(
      /** @type {ShadowRoot} */ (this.#panes.getRootNode()).activeElement,
    );
    this.#timeline.release();
    this.#timeline = null;
    if (focused) this.#host.focus();
    return true;
  }

  /** @param {Shown} shown what has just been drawn */
  update(shown) {
    const { series, frameIndex } = shown;
    if (series?.index !== this.#series?.index) this.#notices.forget();
    this.#series = series;
    this.#complete = shown.complete;
    const frameCount = series?.frames.length ?? 0;
    const mark = this.#stage.update(shown, this.commands.windowName);
    const { dataset } = this.#stage.element;
    if (dataset.tool !== shown.tool) dataset.tool = shown.tool;
    this.#shown = shown;
    if (this.#furniture) this.#updateFurniture(this.#furniture, shown);
    else if (series) this.#places.strip.hidden = frameCount < 2;
    if (shown.error || shown.state?.resolutionLevel !== null) void this.#furnish();
    this.layouts.follow(shown.session);
    this.layouts.panes?.update();
    this.#updateNotices(shown);
    this.#timeline?.touch();
    const which = series ? `Frame ${frameIndex + 1} of ${frameCount}` : 'Image';
    this.#announcer.say(which, shown.error ? `failed: ${shown.error.type}` : statusWords(mark));
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

  /**
   * @param {import('./furniture.js').Furniture} furniture
   * @param {Shown} shown
   */
  #updateFurniture({ strip, toolbar }, { series, seriesList, frameIndex, changed, tool }) {
    const { cine } = this.#host;
    const planes = this.layouts.panes !== null;
    strip.update(changed, series?.frames.length ?? 0, frameIndex);
    toolbar.update({
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
}
