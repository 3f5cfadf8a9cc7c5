/** The panel that shows when what was fetched, decoded and drawn; loaded when it is first asked for. */

import { make, setText } from './dom.js';
import { bytesText } from './measures.js';
import { TimelineCanvas } from './timeline-canvas.js';
import { timeText, totalsOf } from './timeline-model.js';

/**
 * @typedef {import('./timeline-model.js').TimelineRecord} TimelineRecord
 * @typedef {import('./timeline-model.js').Totals} Totals
 *
 * @typedef {object} TimelineHost
 * @property {() => Promise<TimelineRecord | undefined>} timeline
 * @property {number} frameCount
 * @property {string} src
 * @property {boolean} complete whether every frame is final or has failed
 * @property {() => void} closed
 */

/** While something changes the record is asked for no more often than this. */
const AGAIN_MS = 500;

/** One press of + or -, or 200 px of the wheel. */
const ZOOM_STEP = 1.5;

/** Empty time after the last event, as a part of all. */
const MARGIN = 0.02;

/** Nothing shorter than this is shown. */
const SHORTEST_MS = 0.5;

export class TimelinePanel {
  #host;
  #totals = make('p', { class: 'timeline-totals' });
  #canvas = make('canvas', { tabindex: '0', role: 'img' });
  #tip = make('div', { class: 'timeline-tip', hidden: '' });
  #body = make('div', { class: 'timeline-body' }, [this.#canvas, this.#tip]);
  element;
  #painter = new TimelineCanvas(this.#canvas);
  /** @type {TimelineRecord | null} */
  #record = null;
  /** All of the time there is to show, and what is shown of it; null: all of it, also as it grows. */
  #whole = { fromMs: 0, toMs: 1 };
  /** @type {import('./timeline-layout.js').TimeSpan | null} */
  #chosen = null;
  #asking = false;
  #timer = 0;
  #askedMs = -Infinity;
  /** @type {number | null} */
  #pending = null;
  #resized = new ResizeObserver(() => this.#resize());

  /** @param {TimelineHost} host */
  constructor(host) {
    this.#host = host;
    const button = (
      /** @type {string} */ text,
      /** @type {string} */ title,
      /** @type {() => void} */ act,
    ) => {
      const element = make('button', { type: 'button', title, 'aria-label': title }, [text]);
      element.addEventListener('click', act);
      return element;
    };
    const head = make('div', { class: 'timeline-head' }, [
      this.#totals,
      button('−', 'Show more time', () => this.#zoom(1 / ZOOM_STEP)),
      button('+', 'Show less time', () => this.#zoom(ZOOM_STEP)),
      button('All', 'Show all of the time', () => this.#show(null)),
      button('Export JSON', 'Export JSON', () => this.#export()),
      button('×', 'Close the timeline (T)', () => host.closed()),
    ]);
    this.element = make('section', { class: 'timeline', 'aria-label': 'Timeline' }, [
      head,
      this.#body,
    ]);
    this.#listen();
    this.#resized.observe(this.#body);
  }

  /** Something has happened: the record is asked for again, at once or a little later. */
  touch() {
    if (this.#asking || this.#timer) return;
    const rest = Math.max(0, this.#askedMs + AGAIN_MS - performance.now());
    this.#timer = setTimeout(() => {
      this.#timer = 0;
      void this.#ask();
    }, rest);
  }

  release() {
    clearTimeout(this.#timer);
    if (this.#pending !== null) cancelAnimationFrame(this.#pending);
    this.#resized.disconnect();
    this.element.remove();
  }

  async #ask() {
    this.#asking = true;
    this.#askedMs = performance.now();
    const record = await this.#host.timeline();
    this.#asking = false;
    if (!record || !this.element.isConnected) return;
    const nowMs = performance.timeOrigin + performance.now();
    const totals = totalsOf(record, nowMs);
    const lastMs = record.openedMs + Math.max(totals.lastMs ?? 0, totals.firstPictureMs ?? 0, 1);
    this.#record = record;
    this.#whole = {
      fromMs: record.openedMs,
      toMs: lastMs + (lastMs - record.openedMs) * MARGIN,
    };
    this.#painter.take(record, this.#host.frameCount, nowMs);
    const text = totalsText(totals, this.#host.complete);
    setText(this.#totals, text);
    this.#canvas.ariaLabel = text;
    this.#requestDraw();
    if (totals.running > 0) this.touch();
  }

  get #span() {
    return this.#chosen ?? this.#whole;
  }

  /** @param {import('./timeline-layout.js').TimeSpan | null} span */
  #show(span) {
    this.#chosen = span;
    this.#requestDraw();
  }

  /**
   * @param {number} factor above 1 shows less time
   * @param {number} [atMs] what stays where it is; the middle where absent
   */
  #zoom(factor, atMs) {
    const { fromMs, toMs } = this.#span;
    const at = atMs ?? (fromMs + toMs) / 2;
    const whole = this.#whole.toMs - this.#whole.fromMs;
    const length = Math.max(SHORTEST_MS, (toMs - fromMs) / factor);
    if (length >= whole) return this.#show(null);
    const from = at - ((at - fromMs) / (toMs - fromMs)) * length;
    this.#show({ fromMs: from, toMs: from + length });
  }

  /** @param {number} ms */
  #pan(ms) {
    const { fromMs, toMs } = this.#span;
    const least = this.#whole.fromMs - fromMs;
    const most = this.#whole.toMs - toMs;
    const by = Math.min(Math.max(ms, least), most);
    if (this.#chosen) this.#show({ fromMs: fromMs + by, toMs: toMs + by });
  }

  #listen() {
    const canvas = this.#canvas;
    let lastX = 0;
    canvas.addEventListener('wheel', (event) => {
      event.preventDefault();
      const at = this.#painter.layout.timeAt(event.offsetX, this.#span);
      if (event.shiftKey)
        this.#pan(this.#painter.layout.msPerPx(this.#span) * (event.deltaX || event.deltaY));
      else this.#zoom(ZOOM_STEP ** (-event.deltaY / 200), at);
    });
    canvas.addEventListener('pointerdown', (event) => {
      canvas.setPointerCapture(event.pointerId);
      lastX = event.offsetX;
    });
    canvas.addEventListener('pointermove', (event) => {
      if (canvas.hasPointerCapture(event.pointerId)) {
        this.#pan((lastX - event.offsetX) * this.#painter.layout.msPerPx(this.#span));
        lastX = event.offsetX;
      }
      this.#explain(event);
    });
    canvas.addEventListener('pointerleave', () => (this.#tip.hidden = true));
    canvas.addEventListener('dblclick', () => this.#show(null));
    canvas.addEventListener('keydown', (event) => {
      if (this.#onKey(event.key)) {
        event.preventDefault();
        event.stopPropagation();
      }
    });
  }

  /** @param {string} key */
  #onKey(key) {
    const step = (this.#span.toMs - this.#span.fromMs) / 8;
    if (key === '+' || key === '=') this.#zoom(ZOOM_STEP);
    else if (key === '-') this.#zoom(1 / ZOOM_STEP);
    else if (key === '0') this.#show(null);
    else if (key === 'ArrowLeft') this.#pan(-step);
    else if (key === 'ArrowRight') this.#pan(step);
    else return false;
    return true;
  }

  /** @param {PointerEvent} event */
  #explain({ offsetX: x, offsetY: y }) {
    const text = this.#painter.explain({ x, y }, this.#span);
    this.#tip.hidden = text === '';
    if (!text) return;
    setText(this.#tip, text);
    const { clientWidth, clientHeight } = this.#body;
    const left = Math.min(x + 14, clientWidth - this.#tip.offsetWidth - 4);
    const below = y + 16 + this.#tip.offsetHeight < clientHeight;
    const top = below ? y + 16 : y - this.#tip.offsetHeight - 8;
    this.#tip.style.transform = `translate(${Math.max(0, left)}px, ${Math.max(0, top)}px)`;
  }

  #resize() {
    this.#painter.resize(this.#body.clientWidth, this.#body.clientHeight);
    if (this.#pending !== null) cancelAnimationFrame(this.#pending);
    this.#pending = null;
    this.#painter.draw(this.#span); // at once: setting the size has cleared the canvas
  }

  #requestDraw() {
    this.#pending ??= requestAnimationFrame(() => {
      this.#pending = null;
      this.#painter.draw(this.#span);
    });
  }

  #export() {
    if (!this.#record) return;
    const { frameCount, src } = this.#host;
    const text = JSON.stringify({ src, frameCount, ...this.#record }, null, 1);
    const url = URL.createObjectURL(new Blob([text], { type: 'application/json' }));
    make('a', { href: url, download: 'firstlight-timeline.json' }).click();
    setTimeout(() => URL.revokeObjectURL(url)); // the download has its own reference by then
  }
}

/**
 * @param {Totals} totals
 * @param {boolean} complete
 * @returns {string} one line
 */
function totalsText(totals, complete) {
  const { requests, failed, bytes, firstPictureMs, lastMs, busy, bitsPerSecond } = totals;
  const count = `${requests} request${requests === 1 ? '' : 's'}`;
  const parts = [failed ? `${count} (${failed} failed)` : count, bytesText(bytes)];
  if (firstPictureMs !== null) parts.push(`first picture ${timeText(firstPictureMs)}`);
  if (lastMs !== null) parts.push(`${complete ? 'all done' : 'so far'} ${timeText(lastMs)}`);
  if (busy !== null) parts.push(`wire busy ${Math.round(busy * 100)} %`);
  if (bitsPerSecond !== null) parts.push(`${(bitsPerSecond / 1e6).toFixed(1)} Mbit/s`);
  return parts.join(' · ');
}
