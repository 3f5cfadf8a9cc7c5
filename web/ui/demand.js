/**
 * What is demanded of the session: the frame that is visible or waited for, how large, of a vast one which part, and where
 * scrolling goes.
 */

import { Scrolling } from './scrolling.js';

/**
 * @typedef {object} DemandHost
 * @property {import('../engine/session.js').Session | null} session
 * @property {number} frameIndex the frame asked for
 * @property {import('./cine.js').Cine} cine
 * @property {import('./screen.js').Screen} screen
 */

export class Demand {
  #host;
  #scrolling = new Scrolling(() => this.state());
  /** The last one, so that only another is told. */
  #stated = '';

  /** @param {DemandHost} host */
  constructor(host) {
    this.#host = host;
  }

  /** The frame asked for is another. @param {number} frames signed */
  moved(frames) {
    this.#scrolling.moved(frames);
  }

  /** Nothing scrolls any more. */
  rest() {
    this.#scrolling.stop();
  }

  /** The next session knows nothing of what the last one was told. */
  forget() {
    this.#stated = '';
    this.rest();
  }

  /** States what is visible, or what cine waits for, whenever that has changed. */
  state() {
    const { session, cine, screen } = this.#host;
    const record = session?.series?.frames[this.#host.frameIndex];
    const sidePx = record && Math.ceil(this.#sidePx(record));
    if (!sidePx) return;
    const frameIndex = cine.waitingFor ?? this.#host.frameIndex;
    // a pan over any other image changes nothing of what is wanted
    const isVast = session.frameState(frameIndex).wholeLevel !== undefined;
    const window = isVast && screen.layouts.showsStack ? screen.viewport.visiblePart : null;
    const demand = {
      frameIndex,
      ...(cine.playing ? { direction: 1, speed: Math.round(cine.rate) } : this.#scrolling.motion),
      visible: [frameIndex],
      volume: screen.layouts.expectsPlanes,
      sidePx,
      ...(window && { window }),
    };
    const key = JSON.stringify(demand);
    if (key === this.#stated) return;
    this.#stated = key;
    session?.want(demand);
  }

  /**
   * Longest side of the full image on the screen, in device px: the largest of the viewports that show it.
   *
   * @param {import('../engine/records.js').ImageRecord} record
   */
  #sidePx({ columns, rows }) {
    const { viewport, layouts } = this.#host.screen;
    const { scaleX, scaleY } = viewport.imageToScreen;
    const stack = viewport.screen.width ? Math.max(columns * scaleX, rows * scaleY) : 0;
    return Math.max(layouts.panes?.sidePx ?? 0, layouts.showsStack ? stack : 0);
  }
}
