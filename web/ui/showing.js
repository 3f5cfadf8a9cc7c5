/** What is opened and shown: one session, the frame asked for, and what follows from every change and draw. */

import { openSession } from '../engine/session.js';
import { chooseMapperWhenIdle } from '../viewport/choose.js';
import { Cine } from './cine.js';
import { chooseFiles } from './local-files.js';
import { Milestones, isSettled } from './milestones.js';
import { withResolvers } from './resolvers.js';
import { Scrolling } from './scrolling.js';
import { Screen } from './screen.js';
import { PLANE_TOOLS, TOOL_NAMES } from './toolbar.js';

/**
 * @typedef {import('./toolbar.js').Tool} Tool
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
 * @property {import('../engine/session.js').Limit | null} limit how much of every frame is wanted
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
  /** @type {Tool} */
  #tool = 'window';
  /** The tool that was chosen before planes were shown. @type {Tool} */
  #stackTool = 'window';
  #planes = false;
  #seriesIndex = -1;
  /** @type {Set<number>} frames of which something has changed since the last update */
  #changed = new Set();
  /** @type {number | null} */
  #pendingUpdate = null;
  #scrolling = new Scrolling(() => this.#demand());
  #demanded = '';
  /** What loading does without, in words. @type {readonly string[]} */
  #notices = [];
  /** What the viewport was last given. @type {{record: unknown, picture: unknown}} */
  #given = { record: null, picture: undefined };
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
      get src() {
        return showing.#host.source().src;
      },
      readTimeline: async () => this.session?.timeline(),
      goTo: (frameIndex) => (this.frameIndex = frameIndex),
      frameReached: (frameIndex) => this.#setFrame(frameIndex),
      planeDrawn: (draw) => this.#onPlaneDrawn(draw),
      volumeDrawn: (slices) => void this.#onVolumeDrawn(slices),
      layoutChanged: () => this.#onLayout(),
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
    this.#setFrame(frameIndex);
    // the planes go there too; where the frame is no slice of them, the stack alone does
    this.screen.layouts.panes?.showFrame(this.#frameIndex);
  }

  /** @param {number} frameIndex */
  #setFrame(frameIndex) {
    const last = (this.session?.series?.frames.length ?? Infinity) - 1;
    const next = Math.max(0, Math.min(Math.trunc(frameIndex) || 0, last));
    if (next === this.#frameIndex) return;
    this.#scrolling.moved(next - this.#frameIndex);
    this.#frameIndex = next;
    this.#refresh();
  }

  get layout() {
    return this.screen.layouts.wanted;
  }

  set layout(name) {
    this.screen.layouts.wanted = name;
  }

  /** The layout has changed, or what is in it. */
  #onLayout() {
    const planes = this.screen.layouts.panes !== null;
    if (planes && !this.#planes) {
      this.#stackTool = this.#tool;
      if (this.#tool === 'window') this.#tool = 'crosshair';
    } else if (!planes && PLANE_TOOLS.includes(this.#tool)) this.#tool = this.#stackTool;
    this.#planes = planes;
    this.#requestUpdate();
    this.#demand();
  }

  get tool() {
    return this.#tool;
  }

  set tool(tool) {
    if (!TOOL_NAMES.includes(tool)) return;
    if (PLANE_TOOLS.includes(tool) && !this.screen.layouts.panes) return;
    this.#tool = tool;
    this.#requestUpdate();
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
    const volume = this.screen.layouts.wanted !== 'stack';
    const session = openSession(src, { frameIndex: this.#frameIndex, volume, ...options });
    this.session = session;
    const { resolve, reject } = this.ready;
    session.addEventListener('ready', () => resolve());
    session.addEventListener('serieslist', () => this.#requestUpdate());
    session.addEventListener('series', () => this.#onSeries());
    session.addEventListener('frame', (event) => this.#onFrame(/** @type {CustomEvent} */ (event)));
    session.addEventListener('state', (event) => this.#onState(/** @type {CustomEvent} */ (event)));
    session.addEventListener('stage', (event) => {
      this.#milestones.stageComplete(/** @type {CustomEvent} */ (event).detail);
      this.#requestUpdate();
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
    session.addEventListener('error', (event) => {
      const { error } = /** @type {CustomEvent} */ (event).detail;
      this.error = error;
      this.#milestones.sourceFailed(error);
      reject(error);
      this.#refresh();
    });
  }

  /** @param {string} text */
  #notice(text) {
    this.#notices = [...this.#notices, text];
    this.#requestUpdate();
  }

  #close() {
    this.cine.pause();
    this.session?.close();
    this.session = null;
    this.error = null;
    this.#seriesIndex = -1;
    this.#demanded = '';
    this.#changed.clear();
    this.#notices = [];
    this.#scrolling.stop();
    this.ready = withResolvers();
    this.#milestones.restart();
    this.screen.viewport.clear();
  }

  #onSeries() {
    const series = this.session?.series;
    if (series && series.index !== this.#seriesIndex) {
      if (this.#seriesIndex >= 0) this.screen.viewport.clear();
      this.#given = { record: null, picture: undefined };
      this.#seriesIndex = series.index;
      this.#changed.clear();
      for (const index of series.frames.keys()) this.#changed.add(index);
      this.#frameIndex = Math.min(this.#frameIndex, series.frames.length - 1);
    }
    this.#refresh();
  }

  /** @param {CustomEvent<{frameIndex: number}>} event */
  #onFrame({ detail }) {
    this.#changed.add(detail.frameIndex);
    if (this.#isOnScreen(detail.frameIndex)) this.#refresh();
    else this.#requestUpdate();
  }

  /** @param {CustomEvent<FrameState>} event */
  #onState({ detail }) {
    this.#changed.add(detail.frameIndex);
    if (!this.#isOnScreen(detail.frameIndex)) return this.#requestUpdate();
    this.#refresh();
    // that a picture has become final is told after a draw, like every other news of it
    if (isSettled(detail)) this.screen.viewport.requestDraw();
  }

  /** @param {number} index */
  #isOnScreen(index) {
    return index === this.#frameIndex || index === this.#shownIndex;
  }

  /** The frame whose picture is shown: the one asked for, or its neighbour that stands in for it. */
  get #shownIndex() {
    const { session } = this;
    const index = this.#frameIndex;
    if (!session?.series || session.frame(index) !== undefined) return index;
    const { replicaOf } = session.frameState(index);
    const held = typeof replicaOf === 'number' && session.frame(replicaOf) !== undefined;
    return held ? replicaOf : index;
  }

  /** @param {number} index */
  #selectSeries(index) {
    this.cine.pause();
    this.#frameIndex = 0;
    this.#scrolling.stop();
    this.session?.selectSeries(index);
    this.#refresh();
  }

  /** Shows what is held of the frame asked for; all else follows when it has been drawn. */
  #refresh() {
    const { session } = this;
    const index = this.#shownIndex;
    const record = session?.series?.frames[index] ?? null;
    const picture = session?.frame(index);
    const given = this.#given;
    if (record !== given.record || picture !== given.picture || record === null) {
      this.#given = { record, picture };
      this.screen.viewport.show(record, picture);
    }
    this.#requestUpdate();
    this.#demand();
  }

  /** States what is visible, or what cine waits for, whenever that has changed. */
  #demand() {
    const record = this.session?.series?.frames[this.#frameIndex];
    const sidePx = record && Math.ceil(this.#sidePx(record));
    if (!sidePx) return;
    const frameIndex = this.cine.waitingFor ?? this.#frameIndex;
    const demand = {
      frameIndex,
      ...(this.cine.playing
        ? { direction: 1, speed: Math.round(this.cine.rate) }
        : this.#scrolling.motion),
      visible: [frameIndex],
      volume: this.screen.layouts.expectsPlanes,
      sidePx,
    };
    const key = JSON.stringify(demand);
    if (key === this.#demanded) return;
    this.#demanded = key;
    this.session?.want(demand);
  }

  /**
   * Longest side of the full image on the screen, in device px: the largest of the viewports that show it.
   *
   * @param {import('../engine/records.js').ImageRecord} record
   */
  #sidePx({ columns, rows }) {
    const { viewport, layouts } = this.screen;
    const { scaleX, scaleY } = viewport.imageToScreen;
    const stack = viewport.screen.width ? Math.max(columns * scaleX, rows * scaleY) : 0;
    return Math.max(layouts.panes?.sidePx ?? 0, layouts.showsStack ? stack : 0);
  }

  /** @param {{plane: string, startedMs: number, elapsedMs: number}} draw */
  #onPlaneDrawn(draw) {
    const { session } = this;
    const { series } = session ?? {};
    if (!session || !series) return;
    session.noteDraw({ frameIndex: null, resolutionLevel: null, ...draw });
    this.#requestUpdate();
    // where the stack is not on the screen, its frame is seen in the plane
    const picture = session.frame(this.#frameIndex);
    if (this.screen.layouts.showsStack || !picture) return;
    this.#milestones.drawn(series.index, picture, session.frameState(this.#frameIndex));
  }

  /** @param {number} slices */
  async #onVolumeDrawn(slices) {
    const { session } = this;
    if (!session) return;
    const at = performance.now();
    const elapsed = performance.timeOrigin + at - session.openedMs;
    // the transport counts them, whatever they are for
    const { requests } = await session.timeline();
    /** @type {{bytes: number}[]} */
    const received = requests;
    const bytesReceived = received.reduce((sum, { bytes }) => sum + bytes, 0);
    if (session === this.session) {
      this.#milestones.volumeDrawn({ slices, bytesReceived, elapsed }, at);
    }
  }

  #drawn() {
    this.#update();
    const { session } = this;
    const series = session?.series;
    if (!session || !series) return;
    this.#demand();
    if (this.#shownIndex === this.#frameIndex) {
      this.#tellDrawn(session, series.index, session.frameState(this.#frameIndex));
    }
  }

  /** Brings everything around the picture up to date in the next animation frame, however often it is asked. */
  #requestUpdate() {
    this.#pendingUpdate ??= requestAnimationFrame(() => this.#update());
  }

  #update() {
    if (this.#pendingUpdate !== null) cancelAnimationFrame(this.#pendingUpdate);
    this.#pendingUpdate = null;
    const { session } = this;
    const series = session?.series ?? null;
    const changed = series && session ? [...this.#changed].map((i) => session.frameState(i)) : [];
    this.#changed.clear();
    if (series) this.#milestones.progressed(series.index, changed, series.frames.length);
    this.screen.update({
      series,
      seriesList: session?.seriesList ?? [],
      frameIndex: this.#frameIndex,
      shownIndex: this.#shownIndex,
      state: session && series ? session.frameState(this.#frameIndex) : null,
      changed,
      failed: this.#milestones.failed,
      complete: this.#milestones.complete,
      notices: this.#notices,
      tool: this.#tool,
      error: this.error,
      session,
    });
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
