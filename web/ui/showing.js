/** What is shown: a frame of the source that is opened, and what follows from every change and draw. */

import { AskedFrame } from './asked-frame.js';
import { Cine } from './cine.js';
import { Demand } from './demand.js';
import { DrawNews } from './draw-news.js';
import { chooseFiles } from './local-files.js';
import { Milestones, isSettled } from './milestones.js';
import { Opened } from './opened.js';
import { Screen } from './screen.js';
import { ToolChoice } from './tool-choice.js';

/**
 * @typedef {import('./toolbar.js').Tool} Tool
 * @typedef {import('../engine/records.js').FrameState} FrameState
 *
 * @typedef {object} ShowingHost the element around it
 * @property {() => import('./opened.js').Source} source read when it is opened
 * @property {(files: File[]) => void} openLocal
 * @property {() => void} focus
 * @property {() => Promise<void>} fullscreen
 */

export class Showing {
  screen;
  cine;
  #host;
  #milestones;
  #isConnected = false;
  #opening = false;
  #asked = new AskedFrame(this);
  #tools = new ToolChoice();
  /** @type {Set<number>} frames of which something has changed since the last update */
  #changed = new Set();
  /** @type {number | null} */
  #pendingUpdate = null;
  #demand = new Demand(this);
  #opened;
  #news;

  /**
   * @param {ShadowRoot} root
   * @param {EventTarget} events on which what has been drawn is told
   * @param {ShowingHost} host
   */
  constructor(root, events, host) {
    this.#host = host;
    this.#milestones = new Milestones(events);
    this.#news = new DrawNews(this.#milestones, this);
    this.#opened = new Opened(this.#milestones, {
      seriesChanged: () => this.#onSeries(),
      pictureChanged: (frameIndex) => this.#onPicture(frameIndex),
      stateChanged: (state) => this.#onState(state),
      wordsChanged: () => this.#requestUpdate(),
      failed: () => this.#refresh(),
    });
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
        return showing.frameIndex;
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
        return showing.tool;
      },
      get frameIndex() {
        return showing.frameIndex;
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
      planeDrawn: (draw) => {
        this.#news.planeDrawn(draw);
        this.#requestUpdate();
      },
      volumeDrawn: (slices) => void this.#news.volumeDrawn(slices),
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

  get session() {
    return this.#opened.session;
  }

  /** Why the source as a whole could not be opened, or null. */
  get error() {
    return this.#opened.error;
  }

  /** Resolves when Python runs for this source; rejects when that cannot be opened. */
  get ready() {
    return this.#opened.ready;
  }

  get frameIndex() {
    return this.#asked.index;
  }

  set frameIndex(frameIndex) {
    this.#setFrame(frameIndex);
    // the planes go there too; where the frame is no slice of them, the stack alone does
    this.screen.layouts.panes?.showFrame(this.frameIndex);
  }

  /** @param {number} frameIndex */
  #setFrame(frameIndex) {
    const moved = this.#asked.moveTo(frameIndex);
    if (moved === 0) return;
    this.#demand.moved(moved);
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
    this.#tools.followLayout(this.screen.layouts.panes !== null);
    this.#requestUpdate();
    this.#demand.state();
  }

  get tool() {
    return this.#tools.tool;
  }

  set tool(tool) {
    if (this.#tools.choose(tool, this.screen.layouts.panes !== null)) this.#requestUpdate();
  }

  /** From its first frame: what was shown before is of another source. */
  startOver() {
    this.#asked.startOver();
    this.reopen();
  }

  /** Opens once, however much changes in the same task. */
  reopen() {
    if (this.#opening) return;
    this.#opening = true;
    queueMicrotask(() => {
      this.#opening = false;
      this.#close();
      const source = this.#host.source();
      const { src, files } = source;
      if (this.#isConnected && src && (src !== 'local:' || files.length > 0)) {
        const volume = this.screen.layouts.wanted !== 'stack';
        this.#opened.open(source, { frameIndex: this.frameIndex, volume });
      }
      this.#refresh();
    });
  }

  #close() {
    this.cine.pause();
    this.#opened.close();
    this.#changed.clear();
    this.#demand.forget();
    this.#asked.clear();
  }

  #onSeries() {
    const series = this.session?.series;
    if (series && this.#asked.takeSeries()) this.#changed = new Set(series.frames.keys());
    this.#refresh();
  }

  /** @param {number} frameIndex */
  #onPicture(frameIndex) {
    this.#changed.add(frameIndex);
    if (this.#asked.isOnScreen(frameIndex)) this.#refresh();
    else this.#requestUpdate();
  }

  /** @param {FrameState} state */
  #onState(state) {
    this.#changed.add(state.frameIndex);
    if (!this.#asked.isOnScreen(state.frameIndex)) return this.#requestUpdate();
    this.#refresh();
    // that a picture has become final is told after a draw, like every other news of it
    if (isSettled(state)) this.screen.viewport.requestDraw();
  }

  /** @param {number} index */
  #selectSeries(index) {
    this.cine.pause();
    this.#asked.startOver();
    this.#demand.rest();
    this.session?.selectSeries(index);
    this.#refresh();
  }

  /** Shows what is held of the frame asked for; all else follows when it has been drawn. */
  #refresh() {
    this.#asked.show();
    this.#requestUpdate();
    this.#demand.state();
  }

  #drawn() {
    this.#update();
    if (!this.session?.series) return;
    this.#demand.state();
    if (this.#asked.shownIndex === this.frameIndex) this.#news.stackDrawn();
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
      frameIndex: this.frameIndex,
      shownIndex: this.#asked.shownIndex,
      state: session && series ? session.frameState(this.frameIndex) : null,
      changed,
      failed: this.#milestones.failed,
      complete: this.#milestones.complete,
      notices: this.#opened.notices,
      tool: this.tool,
      error: this.error,
      session,
    });
  }
}
