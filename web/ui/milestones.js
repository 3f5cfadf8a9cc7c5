/** The events that tell what has been drawn; each leaves a `performance.mark` of the same name. */

/**
 * @typedef {import('../engine/records.js').FrameState} FrameState
 * @typedef {import('../engine/records.js').ErrorRecord} ErrorRecord
 * @typedef {import('../engine/frame-store.js').StoredFrame} StoredFrame
 */

/** @param {FrameState} state */
export function isSettled({ status }) {
  return status === 'lossless' || status === 'complete' || status === 'failed';
}

export class Milestones {
  #element;
  #seriesIndex = -1;
  #first = true;
  #drawnKey = '';
  #complete = false;
  /** @type {Set<number>} frames told to have failed */
  #failed = new Set();

  /** @param {EventTarget} element */
  constructor(element) {
    this.#element = element;
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
   * @param {number} seriesIndex
   * @param {FrameState[]} states of all its frames
   */
  progressed(seriesIndex, states) {
    if (seriesIndex !== this.#seriesIndex) this.#startSeries(seriesIndex);
    for (const { frameIndex, status, error } of states) {
      if (status !== 'failed') this.#failed.delete(frameIndex);
      else if (!this.#failed.has(frameIndex)) {
        this.#failed.add(frameIndex);
        this.#tell('error', { frameIndex, error });
      }
    }
    const complete = states.length > 0 && states.every(isSettled);
    if (complete && !this.#complete) {
      this.#tell('complete', { seriesIndex, frames: states.length, failed: this.#failed.size });
    }
    this.#complete = complete;
  }

  /** @param {ErrorRecord} error of the source as a whole */
  sourceFailed(error) {
    this.#tell('error', { frameIndex: null, error });
  }

  /**
   * @param {string} name
   * @param {object} detail
   */
  #tell(name, detail) {
    performance.mark(`firstlight:${name}`, { detail });
    this.#element.dispatchEvent(
      new CustomEvent(`firstlight:${name}`, { detail, bubbles: true, composed: true }),
    );
  }
}
