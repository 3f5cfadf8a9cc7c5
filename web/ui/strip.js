/** Slider over the frames of a series, which shows of each how much is held. */

import { make } from './dom.js';

/**
 * @typedef {import('../engine/records.js').FrameState} FrameState
 */

const COLOURS = { held: '#5d8cb5', settled: '#74ab8f', failed: '#dd7a5c', current: '#f2f2f2' };

/** Bars wider than this leave a gap, so that few frames look like frames. */
const GAP_FROM_PX = 4;

/** Height of a bar that holds the coarsest level, so that it is seen at all, as a part of a full one. */
const LEAST_HEIGHT = 0.3;

/**
 * How high the bar of a frame is: the part of its levels that is held. Heights say what colours say, for those who do
 * not tell the colours apart.
 *
 * @param {FrameState} state
 * @returns {number} 0 to 1
 */
export function heldPart({ status, resolutionLevel, decompositionLevels }) {
  if (status === 'lossless' || status === 'complete' || status === 'failed') return 1;
  if (resolutionLevel === null) return 0;
  const part = decompositionLevels ? resolutionLevel / decompositionLevels : 1;
  return LEAST_HEIGHT + (0.85 - LEAST_HEIGHT) * part;
}

export class Strip {
  #canvas = make('canvas', { 'aria-hidden': 'true' });
  #slider = make('input', { type: 'range', min: '0', step: '1', 'aria-label': 'Frame' });
  element = make('div', { class: 'strip', hidden: '' }, [this.#canvas, this.#slider]);
  /** @type {FrameState[]} */
  #states = [];
  #current = 0;
  /** @type {number | null} */
  #pending = null;
  #resized = new ResizeObserver(() => this.#requestDraw());

  /** @param {(frameIndex: number) => void} goTo */
  constructor(goTo) {
    this.#slider.addEventListener('input', () => goTo(Number(this.#slider.value)));
    this.#resized.observe(this.element);
  }

  /**
   * @param {FrameState[]} states
   * @param {number} current
   */
  update(states, current) {
    this.#states = states;
    this.#current = current;
    this.element.hidden = states.length < 2;
    if (this.element.hidden) return;
    this.#slider.max = String(states.length - 1);
    this.#slider.value = String(current);
    const status = states[current]?.status ?? 'waiting';
    this.#slider.setAttribute(
      'aria-valuetext',
      `Frame ${current + 1} of ${states.length}, ${status}`,
    );
    this.#requestDraw();
  }

  #requestDraw() {
    this.#pending ??= requestAnimationFrame(() => {
      this.#pending = null;
      this.#draw();
    });
  }

  #draw() {
    const { clientWidth, clientHeight } = this.element;
    const ratio = devicePixelRatio;
    const width = Math.round(clientWidth * ratio);
    const height = Math.round(clientHeight * ratio);
    const context = this.#canvas.getContext('2d');
    if (!context || width === 0 || height === 0) return;
    this.#canvas.width = width;
    this.#canvas.height = height;
    const step = width / this.#states.length;
    const gap = step > GAP_FROM_PX * ratio ? ratio : 0;
    const lane = Math.round(6 * ratio);
    const bottom = Math.round((height + lane) / 2);
    context.fillStyle = '#1d1f22';
    context.fillRect(0, bottom - lane, width, lane);
    for (const [index, state] of this.#states.entries()) {
      const part = heldPart(state);
      if (part === 0) continue;
      context.fillStyle = colourOf(state);
      const tall = Math.max(ratio, Math.round(lane * part));
      context.fillRect(index * step, bottom - tall, Math.max(step - gap, ratio / 2), tall);
    }
    context.fillStyle = COLOURS.current;
    const thumb = Math.max(2 * ratio, step - gap);
    context.fillRect(
      Math.min(this.#current * step, width - thumb),
      bottom - lane - 3 * ratio,
      thumb,
      2 * ratio,
    );
    context.fillRect(
      Math.min(this.#current * step, width - thumb),
      bottom + ratio,
      thumb,
      2 * ratio,
    );
  }

  release() {
    this.#resized.disconnect();
    if (this.#pending !== null) cancelAnimationFrame(this.#pending);
  }
}

/** @param {FrameState} state */
function colourOf({ status }) {
  if (status === 'failed') return COLOURS.failed;
  return status === 'lossless' || status === 'complete' ? COLOURS.settled : COLOURS.held;
}
