/** Draws a timeline: throughput, requests, decodes, draws, and what was held of each frame; time goes to the right. */

import { GRADE_COLOURS } from './quality.js';
import { bytesText } from './measures.js';
import { AXIS, DECODE_LANE, GUTTER, TimelineLayout } from './timeline-layout.js';
import { hasFailed, historyOf, lanesOf, throughput, tickMs, timeText } from './timeline-model.js';
import { decodeAt, drawAt, frameAt, requestAt } from './timeline-words.js';

/**
 * @typedef {import('./timeline-model.js').TimelineRecord} TimelineRecord
 * @typedef {import('./timeline-layout.js').TimeSpan} TimeSpan
 */

const COLOURS = {
  text: '#8b9299',
  rule: '#1b1d20',
  waiting: '#3a4450',
  arriving: GRADE_COLOURS.reduced,
  failed: GRADE_COLOURS.failed,
  decode: '#4fa3a0',
  draw: '#c3c8cd',
  full: GRADE_COLOURS.lossless,
  rate: '#2c4258',
};

/** What a frame's picture looks like when only its coarsest level is there; finer ones are brighter. */
const FAINTEST = 0.28;

export class TimelineCanvas {
  #canvas;
  layout = new TimelineLayout();
  #nowMs = 0;
  /** @type {import('./timeline-words.js').TimelineContent} */
  #content = {
    record: { openedMs: 0, requests: [], decodes: [], draws: [] },
    rows: [],
    lanes: { lane: new Int32Array(), count: 0 },
    history: new Map(),
    frameCount: 0,
  };

  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.#canvas = canvas;
  }

  /**
   * @param {TimelineRecord} record
   * @param {number} frameCount
   * @param {number} nowMs
   */
  take(record, frameCount, nowMs) {
    this.#nowMs = nowMs;
    this.#content = {
      record,
      rows: this.#content.rows, // until they are drawn anew
      lanes: lanesOf(record.decodes),
      history: historyOf(record.decodes),
      frameCount,
    };
  }

  /**
   * @param {number} width CSS px
   * @param {number} height
   */
  resize(width, height) {
    this.layout.resize(width, height);
    this.#canvas.width = Math.round(width * devicePixelRatio);
    this.#canvas.height = Math.round(height * devicePixelRatio);
  }

  /** @param {TimeSpan} span */
  draw(span) {
    const context = this.#canvas.getContext('2d');
    if (!context || this.layout.width === 0) return;
    const ratio = devicePixelRatio;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, this.layout.width, this.layout.height);
    const { record, lanes, frameCount } = this.#content;
    const rows = record.requests.filter(
      ({ startedMs, closedMs }) =>
        startedMs <= span.toMs && (closedMs ?? this.#nowMs) >= span.fromMs,
    );
    this.#content.rows = rows;
    this.layout.place({ requests: rows.length, lanes: lanes.count, frames: frameCount });
    this.#drawAxis(context, span);
    context.save();
    context.beginPath();
    context.rect(GUTTER, 0, this.layout.width - GUTTER, this.layout.height);
    context.clip();
    this.#drawRate(context, span);
    this.#drawRequests(context, span);
    this.#drawDecodes(context, span);
    this.#drawDraws(context, span);
    this.#drawFrames(context, span);
    context.restore();
    this.#drawNames(context);
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {TimeSpan} span
   */
  #drawAxis(context, span) {
    const { openedMs } = this.#content.record;
    const step = tickMs(span.toMs - span.fromMs, (this.layout.width - GUTTER) / 90);
    context.font = '11px system-ui, sans-serif';
    context.textBaseline = 'middle';
    const first = Math.ceil((span.fromMs - openedMs) / step) * step;
    for (let at = first; openedMs + at <= span.toMs; at += step) {
      const x = Math.round(this.layout.x(openedMs + at, span));
      context.fillStyle = COLOURS.rule;
      context.fillRect(x, AXIS - 4, 1, this.layout.height);
      context.fillStyle = COLOURS.text;
      context.fillText(timeText(at), x + 3, AXIS / 2);
    }
  }

  /** @param {CanvasRenderingContext2D} context */
  #drawNames(context) {
    context.font = '11px system-ui, sans-serif';
    context.textBaseline = 'top';
    context.fillStyle = COLOURS.text;
    for (const { name, top, height, note } of this.layout.sections) {
      const y = top + Math.min(0, height / 2 - 7);
      context.fillText(`${name} ${note}`.trim(), 6, y);
    }
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {TimeSpan} span
   */
  #drawRate(context, span) {
    const { top, height } = this.layout.section('rate');
    const steps = Math.max(1, Math.floor((this.layout.width - GUTTER) / 2));
    const { requests } = this.#content.record;
    const rates = throughput(requests, span.fromMs, span.toMs, steps, this.#nowMs);
    const most = rates.reduce((a, b) => Math.max(a, b), 0);
    if (most === 0) return;
    context.fillStyle = COLOURS.rate;
    for (const [i, rate] of rates.entries()) {
      const tall = (rate / most) * height;
      context.fillRect(GUTTER + i * 2, top + height - tall, 2, tall);
    }
    context.fillStyle = COLOURS.text;
    context.font = '10px system-ui, sans-serif';
    context.textAlign = 'right';
    context.textBaseline = 'top';
    context.fillText(`${bytesText(most)}/s`, this.layout.width - 4, top);
    context.textAlign = 'left';
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {TimeSpan} span
   */
  #drawRequests(context, span) {
    const { top, height } = this.layout.section('requests');
    const row = height / Math.max(1, this.#content.rows.length);
    const tall = row > 4 ? row - 1 : Math.max(row, 0.75);
    for (const [index, request] of this.#content.rows.entries()) {
      const y = top + index * row;
      const start = this.layout.x(request.startedMs, span);
      const open = this.layout.x(request.openedMs ?? request.closedMs ?? this.#nowMs, span);
      const end = this.layout.x(request.closedMs ?? this.#nowMs, span);
      context.fillStyle = COLOURS.waiting;
      context.fillRect(start, y, Math.max(0.5, open - start), tall);
      context.fillStyle = hasFailed(request) ? COLOURS.failed : COLOURS.arriving;
      context.fillRect(open, y, Math.max(1, end - open), tall);
    }
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {TimeSpan} span
   */
  #drawDecodes(context, span) {
    const { top } = this.layout.section('decodes');
    const { record, lanes } = this.#content;
    context.fillStyle = COLOURS.decode;
    for (const [index, { startedMs, elapsedMs }] of record.decodes.entries()) {
      if (startedMs > span.toMs || startedMs + elapsedMs < span.fromMs) continue;
      const x = this.layout.x(startedMs, span);
      const width = Math.max(1, this.layout.x(startedMs + elapsedMs, span) - x);
      const y = top + lanes.lane[index] * DECODE_LANE;
      context.fillRect(x, y, width, DECODE_LANE - 1);
    }
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {TimeSpan} span
   */
  #drawDraws(context, span) {
    const { top, height } = this.layout.section('draws');
    context.fillStyle = COLOURS.draw;
    for (const { startedMs, elapsedMs } of this.#content.record.draws) {
      if (startedMs > span.toMs || startedMs + elapsedMs < span.fromMs) continue;
      const x = this.layout.x(startedMs, span);
      context.fillRect(x, top, Math.max(1, this.layout.x(startedMs + elapsedMs, span) - x), height);
    }
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {TimeSpan} span
   */
  #drawFrames(context, span) {
    const { top, height } = this.layout.section('frames');
    const row = height / Math.max(1, this.#content.frameCount);
    const tall = row > 4 ? row - 1 : Math.max(row, 0.75);
    context.fillStyle = GRADE_COLOURS.waiting;
    context.fillRect(GUTTER, top, this.layout.width, height);
    for (const [frameIndex, steps] of this.#content.history) {
      const y = top + frameIndex * row;
      for (const [index, { atMs, part, full }] of steps.entries()) {
        const x = Math.max(GUTTER, this.layout.x(atMs, span));
        const end = this.layout.x(steps[index + 1]?.atMs ?? Math.max(this.#nowMs, span.toMs), span);
        if (end < GUTTER || x > this.layout.width) continue;
        context.globalAlpha = full ? 1 : FAINTEST + (1 - FAINTEST) * part;
        context.fillStyle = full ? COLOURS.full : COLOURS.arriving;
        context.fillRect(x, y, end - x, tall);
      }
    }
    context.globalAlpha = 1;
  }

  /**
   * What lies under a point, in words.
   *
   * @param {{x: number, y: number}} point CSS px
   * @param {TimeSpan} span
   * @returns {string} empty where there is nothing
   */
  explain({ x, y }, span) {
    const section = this.layout.sectionAt(y);
    if (!section || x < GUTTER) return '';
    const atMs = this.layout.timeAt(x, span);
    const slackMs = this.layout.msPerPx(span) * 3;
    const within = (y - section.top) / section.height;
    if (section.name === 'requests') return requestAt(this.#content, within);
    if (section.name === 'decodes') {
      const lane = Math.floor((y - section.top) / DECODE_LANE);
      return decodeAt(this.#content, lane, atMs, slackMs);
    }
    if (section.name === 'draws') return drawAt(this.#content, atMs, slackMs);
    if (section.name === 'frames') return frameAt(this.#content, within, atMs);
    return '';
  }
}
