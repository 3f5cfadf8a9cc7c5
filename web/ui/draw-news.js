/** What every draw is told to: the timeline of the session, and the page where the draw is a milestone. */

import { chooseMapperWhenIdle } from '../viewport/choose.js';
import { isSettled } from './milestones.js';

/**
 * @typedef {object} DrawNewsHost
 * @property {import('../engine/session.js').Session | null} session
 * @property {number} frameIndex the frame asked for
 * @property {import('./screen.js').Screen} screen
 */

export class DrawNews {
  #milestones;
  #host;
  #mapperChosen = false;

  /**
   * @param {import('./milestones.js').Milestones} milestones
   * @param {DrawNewsHost} host
   */
  constructor(milestones, host) {
    this.#milestones = milestones;
    this.#host = host;
  }

  /** The stack has drawn the frame asked for, not one that stands in for it. */
  stackDrawn() {
    const { session, frameIndex, screen } = this.#host;
    const { series } = session ?? {};
    const { frame, region, lastDraw } = screen.viewport;
    if (!session || !series || !frame) return;
    const state = session.frameState(frameIndex);
    if (this.#milestones.regionDrawn(frameIndex, region) && region) {
      session.noteDraw({ frameIndex, resolutionLevel: region.resolutionLevel, ...lastDraw });
    }
    if (!this.#milestones.drawn(series.index, frame, state)) return;
    const { resolutionLevel } = frame;
    session.noteDraw({ frameIndex: state.frameIndex, resolutionLevel, ...lastDraw });
    if (!isSettled(state) || this.#mapperChosen) return;
    this.#mapperChosen = true;
    chooseMapperWhenIdle(screen.viewport);
  }

  /** @param {{plane: string, startedMs: number, elapsedMs: number}} draw */
  planeDrawn(draw) {
    const { session, frameIndex, screen } = this.#host;
    const { series } = session ?? {};
    if (!session || !series) return;
    session.noteDraw({ frameIndex: null, resolutionLevel: null, ...draw });
    // where the stack is not on the screen, its frame is seen in the plane
    const picture = session.frame(frameIndex);
    if (screen.layouts.showsStack || !picture) return;
    this.#milestones.drawn(series.index, picture, session.frameState(frameIndex));
  }

  /** Every slice is on the screen at some level. @param {number} slices */
  async volumeDrawn(slices) {
    const { session } = this.#host;
    if (!session) return;
    const at = performance.now();
    const elapsed = performance.timeOrigin + at - session.openedMs;
    // the transport counts them, whatever they are for
    const { requests } = await session.timeline();
    /** @type {{bytes: number}[]} */
    const received = requests;
    const bytesReceived = received.reduce((sum, { bytes }) => sum + bytes, 0);
    if (session === this.#host.session) {
      this.#milestones.volumeDrawn({ slices, bytesReceived, elapsed }, at);
    }
  }
}
