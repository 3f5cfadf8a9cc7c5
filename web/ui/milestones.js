/** The events that tell what has been drawn; each leaves a `performance.mark` of the same name. */

import { isFinal } from './quality.js';

/**
 * @typedef {import('../engine/records.js').FrameState} FrameState
 * @typedef {import('../engine/records.js').ErrorRecord} ErrorRecord
 * @typedef {import('../engine/frame-store.js').StoredFrame} StoredFrame
 *
 * @typedef {{stageId: string, numberOfImages: number, numberOfFailures: number, numberOfSkipped: number,
 *   startDurationMs: number, stageDurationMs: number}} StageDetail
 */

/** @param {FrameState} state */
export function isSettled(state) {
  return isFinal(state) || state.status === 'failed';
}

export class Milestones {
  #element;
  #seriesIndex = -1;
  #first = true;
  #drawnKey = '';
  /** @type {import('../engine/regions.js').RegionPicture | undefined} */
  #region;
  #complete = false;
  /** @type {Set<number>} frames that are final or have failed */
  #settled = new Set();
  /** @type {Set<number>} frames told to have failed */
  #failed = new Set();

  /** @param {EventTarget} element */
  constructor(element) {
    this.#element = element;
  }

  /** Whether every frame is final or has failed. */
  get complete() {
    return this.#complete;
  }

  /** Frames that have failed. @returns {ReadonlySet<number>} */
  get failed() {
    return this.#failed;
  }

  /** A new source: everything happens anew. */
  restart() {
    this.#first = true;
    this.#startSeries(-1);
  }

  /** @param {number} seriesIndex */
  #startSeries(seriesIndex) {
    this.#seriesIndex = seriesIndex;
    this.#drawnKey = '';
    this.#complete = false;
    this.#settled.clear();
    this.#failed.clear();
  }

  /**
   * A frame is on the canvas.
   *
   * @param {number} seriesIndex
   * @param {StoredFrame} frame
   * @param {FrameState} state
   * @returns {boolean} whether it is another picture than before, or has become final
   */
  drawn(seriesIndex, frame, state) {
    if (seriesIndex !== this.#seriesIndex) this.#startSeries(seriesIndex);
    const { frameIndex, status } = state;
    const { resolutionLevel, decompositionLevels } = frame;
    const key = `${frameIndex} ${resolutionLevel} ${isSettled(state) ? status : ''}`;
    if (key === this.#drawnKey) return false;
    this.#drawnKey = key;
    const detail = { frameIndex, resolutionLevel, decompositionLevels, status };
    if (this.#first) this.#tell('first-render', detail);
    this.#first = false;
    this.#tell('frame-render', detail);
    return true;
  }

  /**
   * A window of a finer level fills the screen.
   *
   * @param {number} frameIndex
   * @param {import('../engine/regions.js').RegionPicture | undefined} region
   * @returns {boolean} whether it is another one than before
   */
  regionDrawn(frameIndex, region) {
    if (region === this.#region) return false;
    this.#region = region;
    if (!region) return false;
    const { resolutionLevel, decompositionLevels, left, top, columns, rows } = region;
    const place = { left, top, columns, rows };
    this.#tell('region-render', { frameIndex, resolutionLevel, decompositionLevels, ...place });
    return true;
  }

  /**
   * @param {number} seriesIndex
   * @param {Iterable<FrameState>} changed
   * @param {number} frameCount of all its frames
   */
  progressed(seriesIndex, changed, frameCount) {
    if (seriesIndex !== this.#seriesIndex) this.#startSeries(seriesIndex);
    for (const state of changed) {
      const { frameIndex, status, error } = state;
      if (isSettled(state)) this.#settled.add(frameIndex);
      else this.#settled.delete(frameIndex);
      if (status !== 'failed') this.#failed.delete(frameIndex);
      else if (!this.#failed.has(frameIndex)) {
        this.#failed.add(frameIndex);
        this.#tell('error', { frameIndex, error });
      }
    }
    const complete = frameCount > 0 && this.#settled.size === frameCount;
    if (complete && !this.#complete) {
      this.#tell('complete', { seriesIndex, frames: frameCount, failed: this.#failed.size });
    }
    this.#complete = complete;
  }

  /** @param {StageDetail} stage */
  stageComplete(stage) {
    this.#tell('stage-complete', stage);
  }

  /**
   * @param {{slices: number, bytesReceived: number, elapsed: number}} detail
   * @param {number} at when it was drawn, on the clock of `performance.now()`
   */
  volumeDrawn(detail, at) {
    this.#tell('volume-first-render', detail, at);
  }

  /** @param {ErrorRecord} error of the source as a whole, or of its configuration */
  sourceFailed(error) {
    this.#tell('error', { frameIndex: null, error });
  }

  /**
   * @param {string} name
   * @param {object} detail
   * @param {number} [startTime]
   */
  #tell(name, detail, startTime = performance.now()) {
    performance.mark(`firstlight:${name}`, { detail, startTime });
    this.#element.dispatchEvent(
      new CustomEvent(`firstlight:${name}`, { detail, bubbles: true, composed: true }),
    );
  }
}
