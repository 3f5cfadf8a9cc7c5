/** Slider over the frames of a series, and a map of what is held of each. */

import { make } from './dom.js';
import { drawGrade, gradeOf, packed, unpacked } from './quality.js';

/**
 * @typedef {import('../engine/records.js').FrameState} FrameState
 */

/** Bars wider than this leave a gap, so that few frames look like frames. */
const GAP_FROM_PX = 4;

/** Height of the map, in CSS px. */
const LANE_PX = 9;

/** Lines that mark the frame shown: above and below its bar, no narrower than this. */
const THUMB_PX = 3;

/** What a grade is called in the slider's words. @type {Record<import('./quality.js').Grade, string>} */
const WORDS = {
  waiting: 'not here yet',
  replica: 'shown by a neighbour',
  reduced: 'loading',
  lossless: 'lossless',
  lossy: 'final, lossy or reduced',
  retrying: 'trying again',
  failed: 'failed',
};

export class Strip {
  #canvas = make('canvas', { 'aria-hidden': 'true' });
  #thumb = make('div', { class: 'thumb' });
  #slider = make('input', { type: 'range', min: '0', step: '1', 'aria-label': 'Frame' });
  element = make('div', { class: 'strip', hidden: '' }, [this.#canvas, this.#thumb, this.#slider]);
  /** One byte a frame, of `packed`. */
  #grades = new Uint8Array();
  #current = 0;
  #size = { width: 0, height: 0 };
  /** Frames whose bars are to be drawn anew. */
  #dirty = { first: 0, last: -1 };
  /** @type {number | null} */
  #pending = null;
  #resized = new ResizeObserver(([{ contentRect }]) => {
    this.#size = { width: contentRect.width, height: contentRect.height };
    this.#touchAll();
  });

  /** @param {(frameIndex: number) => void} goTo */
  constructor(goTo) {
    this.#slider.addEventListener('input', () => goTo(Number(this.#slider.value)));
    this.element.addEventListener('pointerdown', (event) => {
      this.element.setPointerCapture(event.pointerId);
      goTo(this.#indexAt(event));
    });
    this.element.addEventListener('pointermove', (event) => {
      if (this.element.hasPointerCapture(event.pointerId)) goTo(this.#indexAt(event));
      this.#explain(event);
    });
    this.#resized.observe(this.element);
  }

  /**
   * @param {Iterable<FrameState>} changed
   * @param {number} count of all frames
   * @param {number} current
   */
  update(changed, count, current) {
    if (count !== this.#grades.length) this.#restart(count);
    if (count < 2) return;
    for (const state of changed) this.#grade(state);
    const words = `Frame ${current + 1} of ${count}, ${this.#words(current)}`;
    if (this.#slider.ariaValueText !== words) this.#slider.ariaValueText = words;
    if (current === this.#current) return;
    this.#current = current;
    this.#slider.value = String(current);
    this.#placeThumb();
  }

  /** @param {number} count */
  #restart(count) {
    this.#grades = new Uint8Array(count).fill(packed({ grade: 'waiting', part: 0 }));
    // While nothing is known of what is opened its place stays, or the picture would be laid out and drawn twice more.
    if (count > 0) this.element.hidden = count < 2;
    this.element.style.visibility = count > 0 ? '' : 'hidden';
    this.#slider.max = String(Math.max(0, count - 1));
    this.#current = 0;
    this.#slider.value = '0';
    this.#touchAll();
  }

  /** @param {FrameState} state */
  #grade(state) {
    const { frameIndex } = state;
    const byte = packed(gradeOf(state));
    if (this.#grades[frameIndex] === byte) return;
    this.#grades[frameIndex] = byte;
    const { first, last } = this.#dirty;
    this.#dirty =
      last < first
        ? { first: frameIndex, last: frameIndex }
        : { first: Math.min(first, frameIndex), last: Math.max(last, frameIndex) };
    this.#requestDraw();
  }

  #touchAll() {
    this.#dirty = { first: 0, last: this.#grades.length - 1 };
    this.#placeThumb();
    this.#requestDraw();
  }

  #requestDraw() {
    this.#pending ??= requestAnimationFrame(() => {
      this.#pending = null;
      this.#draw();
    });
  }

  #placeThumb() {
    const step = this.#size.width / Math.max(1, this.#grades.length);
    const width = Math.max(THUMB_PX, step > GAP_FROM_PX ? step - 1 : step);
    const left = Math.min(this.#current * step, this.#size.width - width);
    this.#thumb.style.width = `${width}px`;
    this.#thumb.style.transform = `translateX(${left}px)`;
  }

  /** Draws the bars between the first and the last that have changed, each in whole device pixels. */
  #draw() {
    const ratio = devicePixelRatio;
    const width = Math.round(this.#size.width * ratio);
    const height = Math.round(this.#size.height * ratio);
    const context = this.#canvas.getContext('2d');
    const count = this.#grades.length;
    if (!context || width === 0 || height === 0 || count === 0) return;
    if (this.#canvas.width !== width || this.#canvas.height !== height) {
      this.#canvas.width = width;
      this.#canvas.height = height;
      this.#dirty = { first: 0, last: count - 1 };
    }
    const { first, last } = this.#dirty;
    this.#dirty = { first: 0, last: -1 };
    const step = width / count;
    const lane = Math.round(LANE_PX * ratio);
    const y = Math.round((height - lane) / 2);
    if (step >= 1) this.#drawBars(context, { first, last, step, y, lane });
    else this.#drawCrowd(context, { first, last, step, y, lane });
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {{first: number, last: number, step: number, y: number, lane: number}} place
   */
  #drawBars(context, { first, last, step, y, lane }) {
    const ratio = devicePixelRatio;
    const gap = step > GAP_FROM_PX * ratio ? Math.round(ratio) : 0;
    const left = Math.round(first * step);
    context.clearRect(left, y, Math.round((last + 1) * step) - left, lane);
    for (let index = first; index <= last; index += 1) {
      const x = Math.round(index * step);
      const width = Math.round((index + 1) * step) - x - gap;
      drawGrade(context, unpacked(this.#grades[index]), { x, y, width, height: lane });
    }
  }

  /**
   * Several frames to a pixel: the worst of them is shown.
   *
   * @param {CanvasRenderingContext2D} context
   * @param {{first: number, last: number, step: number, y: number, lane: number}} place
   */
  #drawCrowd(context, { first, last, step, y, lane }) {
    const count = this.#grades.length;
    const end = Math.floor(last * step);
    for (let x = Math.floor(first * step); x <= end; x += 1) {
      let worst = 0;
      const from = Math.ceil(x / step);
      const to = Math.min(count, Math.max(from + 1, Math.ceil((x + 1) / step)));
      for (let i = from; i < to; i += 1) if (this.#grades[i] > worst) worst = this.#grades[i];
      drawGrade(context, unpacked(worst), { x, y, width: 1, height: lane });
    }
  }

  /** @param {number} frameIndex */
  #words(frameIndex) {
    const { grade, part } = unpacked(this.#grades[frameIndex]);
    const size = grade === 'reduced' ? ` (${Math.round(part * 100)} % of its levels)` : '';
    return `${WORDS[grade]}${size}`;
  }

  /**
   * The frame whose bar is under the pointer; a slider's own reckoning is off by up to half a thumb.
   *
   * @param {PointerEvent} event
   */
  #indexAt({ clientX }) {
    const { left, width } = this.element.getBoundingClientRect();
    const count = this.#grades.length;
    return Math.min(count - 1, Math.max(0, Math.floor(((clientX - left) / width) * count)));
  }

  /** @param {PointerEvent} event */
  #explain(event) {
    const index = this.#indexAt(event);
    const title = `Frame ${index + 1}: ${this.#words(index)}`;
    if (this.element.title !== title) this.element.title = title;
  }

  release() {
    this.#resized.disconnect();
    if (this.#pending !== null) cancelAnimationFrame(this.#pending);
  }
}
