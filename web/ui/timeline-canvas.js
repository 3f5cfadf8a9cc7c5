/** Draws a timeline: throughput, requests, decodes, draws, and what was held of each frame; time goes to the right. */

import { GRADE_COLOURS } from './quality.js';
import { hasFailed, historyOf, lanesOf, throughput, tickMs, timeText } from './timeline-model.js';
import { bytesText } from './measures.js';

/**
 * @typedef {import('./timeline-model.js').TimelineRecord} TimelineRecord
 * @typedef {{fromMs: number, toMs: number}} TimeSpan since the epoch
 * @typedef {{name: string, top: number, height: number, note: string}} Section
 * @typedef {{x: number, y: number}} Point
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

/** CSS px. */
const GUTTER = 74;
const AXIS = 18;
const RATE = 30;
const GAP = 7;
const DECODE_LANE = 6;
const DRAWS = 9;
const LARGEST_ROW = 11;

/** What a frame's picture looks like when only its coarsest level is there; finer ones are brighter. */
const FAINTEST = 0.28;

export class TimelineCanvas {
  #canvas;
  /** @type {TimelineRecord} */
  #record = { openedMs: 0, requests: [], decodes: [], draws: [] };
  /** @type {ReturnType<typeof lanesOf>} */
  #lanes = { lane: new Int32Array(), count: 0 };
  /** @type {ReturnType<typeof historyOf>} */
  #history = new Map();
  #frameCount = 0;
  #nowMs = 0;
  /** @type {import('./timeline-model.js').RequestEntry[]} those in the time shown */
  #rows = [];
  /** @type {Section[]} */
  #sections = [];
  #width = 0;
  #height = 0;

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
    this.#record = record;
    this.#frameCount = frameCount;
    this.#nowMs = nowMs;
    this.#lanes = lanesOf(record.decodes);
    this.#history = historyOf(record.decodes);
  }

  /**
   * @param {number} width CSS px
   * @param {number} height
   */
  resize(width, height) {
    this.#width = width;
    this.#height = height;
    this.#canvas.width = Math.round(width * devicePixelRatio);
    this.#canvas.height = Math.round(height * devicePixelRatio);
  }

  /**
   * @param {number} x CSS px
   * @param {TimeSpan} span
   */
  timeAt(x, { fromMs, toMs }) {
    return fromMs + ((x - GUTTER) / Math.max(1, this.#width - GUTTER)) * (toMs - fromMs);
  }

  /** Milliseconds that one CSS px covers. @param {TimeSpan} span */
  msPerPx({ fromMs, toMs }) {
    return (toMs - fromMs) / Math.max(1, this.#width - GUTTER);
  }

  /** @param {TimeSpan} span */
  draw(span) {
    const context = this.#canvas.getContext('2d');
    if (!context || this.#width === 0) return;
    const ratio = devicePixelRatio;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, this.#width, this.#height);
    this.#rows = this.#record.requests.filter(
      ({ startedMs, closedMs }) =>
        startedMs <= span.toMs && (closedMs ?? this.#nowMs) >= span.fromMs,
    );
    this.#layOut();
    this.#drawAxis(context, span);
    context.save();
    context.beginPath();
    context.rect(GUTTER, 0, this.#width - GUTTER, this.#height);
    context.clip();
    this.#drawRate(context, span);
    this.#drawRequests(context, span);
    this.#drawDecodes(context, span);
    this.#drawDraws(context, span);
    this.#drawFrames(context, span);
    context.restore();
    this.#drawNames(context);
  }

  #layOut() {
    const decodes = Math.max(1, this.#lanes.count) * DECODE_LANE;
    const fixed = AXIS + RATE + decodes + DRAWS + 4 * GAP;
    const rest = Math.max(20, this.#height - fixed - 4);
    const wanted = this.#rows.length * LARGEST_ROW;
    const requests = Math.min(wanted, this.#frameCount > 1 ? rest * 0.55 : rest * 0.8);
    let top = AXIS;
    const place = (/** @type {string} */ name, /** @type {number} */ height, note = '') => {
      const section = { name, top, height, note };
      top += height + GAP;
      return section;
    };
    this.#sections = [
      place('rate', RATE),
      place('requests', Math.max(LARGEST_ROW, requests), String(this.#rows.length)),
      place('decodes', decodes),
      place('draws', DRAWS),
    ];
    const left = this.#height - top - 4;
    const frames = Math.min(left, Math.max(this.#frameCount, 1) * LARGEST_ROW);
    this.#sections.push(place('frames', Math.max(6, frames), String(this.#frameCount)));
  }

  /** @param {string} name */
  #section(name) {
    return /** @type {Section} */ (this.#sections.find((section) => section.name === name));
  }

  /**
   * @param {number} ms
   * @param {TimeSpan} span
   */
  #x(ms, { fromMs, toMs }) {
    return GUTTER + ((ms - fromMs) / (toMs - fromMs)) * (this.#width - GUTTER);
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {TimeSpan} span
   */
  #drawAxis(context, span) {
    const { openedMs } = this.#record;
    const step = tickMs(span.toMs - span.fromMs, (this.#width - GUTTER) / 90);
    context.font = '11px system-ui, sans-serif';
    context.textBaseline = 'middle';
    const first = Math.ceil((span.fromMs - openedMs) / step) * step;
    for (let at = first; openedMs + at <= span.toMs; at += step) {
      const x = Math.round(this.#x(openedMs + at, span));
      context.fillStyle = COLOURS.rule;
      context.fillRect(x, AXIS - 4, 1, this.#height);
      context.fillStyle = COLOURS.text;
      context.fillText(timeText(at), x + 3, AXIS / 2);
    }
  }

  /** @param {CanvasRenderingContext2D} context */
  #drawNames(context) {
    context.font = '11px system-ui, sans-serif';
    context.textBaseline = 'top';
    context.fillStyle = COLOURS.text;
    for (const { name, top, height, note } of this.#sections) {
      const y = top + Math.min(0, height / 2 - 7);
      context.fillText(`${name} ${note}`.trim(), 6, y);
    }
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {TimeSpan} span
   */
  #drawRate(context, span) {
    const { top, height } = this.#section('rate');
    const steps = Math.max(1, Math.floor((this.#width - GUTTER) / 2));
    const { requests } = this.#record;
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
    context.fillText(`${bytesText(most)}/s`, this.#width - 4, top);
    context.textAlign = 'left';
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {TimeSpan} span
   */
  #drawRequests(context, span) {
    const { top, height } = this.#section('requests');
    const row = height / Math.max(1, this.#rows.length);
    const tall = row > 4 ? row - 1 : Math.max(row, 0.75);
    for (const [index, request] of this.#rows.entries()) {
      const y = top + index * row;
      const start = this.#x(request.startedMs, span);
      const open = this.#x(request.openedMs ?? request.closedMs ?? this.#nowMs, span);
      const end = this.#x(request.closedMs ?? this.#nowMs, span);
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
    const { top } = this.#section('decodes');
    context.fillStyle = COLOURS.decode;
    for (const [index, { startedMs, elapsedMs }] of this.#record.decodes.entries()) {
      if (startedMs > span.toMs || startedMs + elapsedMs < span.fromMs) continue;
      const x = this.#x(startedMs, span);
      const width = Math.max(1, this.#x(startedMs + elapsedMs, span) - x);
      context.fillRect(x, top + this.#lanes.lane[index] * DECODE_LANE, width, DECODE_LANE - 1);
    }
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {TimeSpan} span
   */
  #drawDraws(context, span) {
    const { top, height } = this.#section('draws');
    context.fillStyle = COLOURS.draw;
    for (const { startedMs, elapsedMs } of this.#record.draws) {
      if (startedMs > span.toMs || startedMs + elapsedMs < span.fromMs) continue;
      const x = this.#x(startedMs, span);
      context.fillRect(x, top, Math.max(1, this.#x(startedMs + elapsedMs, span) - x), height);
    }
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {TimeSpan} span
   */
  #drawFrames(context, span) {
    const { top, height } = this.#section('frames');
    const row = height / Math.max(1, this.#frameCount);
    const tall = row > 4 ? row - 1 : Math.max(row, 0.75);
    context.fillStyle = GRADE_COLOURS.waiting;
    context.fillRect(GUTTER, top, this.#width, height);
    for (const [frameIndex, steps] of this.#history) {
      const y = top + frameIndex * row;
      for (const [index, { atMs, part, full }] of steps.entries()) {
        const x = Math.max(GUTTER, this.#x(atMs, span));
        const end = this.#x(steps[index + 1]?.atMs ?? Math.max(this.#nowMs, span.toMs), span);
        if (end < GUTTER || x > this.#width) continue;
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
   * @param {Point} point CSS px
   * @param {TimeSpan} span
   * @returns {string} empty where there is nothing
   */
  explain({ x, y }, span) {
    const section = this.#sections.find(({ top, height }) => y >= top && y < top + height);
    if (!section || x < GUTTER) return '';
    const at = this.timeAt(x, span);
    const within = (y - section.top) / section.height;
    if (section.name === 'requests') return this.#explainRequest(within);
    if (section.name === 'decodes') return this.#explainDecode(at, y - section.top, span);
    if (section.name === 'draws') return this.#explainDraw(at, span);
    if (section.name === 'frames') return this.#explainFrame(within, at);
    return '';
  }

  /** @param {number} within */
  #explainRequest(within) {
    const request = this.#rows[Math.floor(within * this.#rows.length)];
    if (!request) return '';
    const { url, start, stop, status, bytes, startedMs, openedMs, closedMs } = request;
    const from = this.#since(startedMs);
    const waited = openedMs === null ? '' : `, answered after ${timeText(openedMs - startedMs)}`;
    const took =
      closedMs === null ? ', running' : `, ended after ${timeText(closedMs - startedMs)}`;
    return [
      urlTail(url),
      `bytes ${start}–${stop ?? 'end'} · ${bytesText(bytes)} received · ${status ?? 'no answer'}`,
      `at ${from}${waited}${took}`,
    ].join('\n');
  }

  /**
   * @param {number} at
   * @param {number} y
   * @param {TimeSpan} span
   */
  #explainDecode(at, y, span) {
    const lane = Math.floor(y / DECODE_LANE);
    const slack = this.msPerPx(span) * 3;
    const index = this.#record.decodes.findIndex(
      ({ startedMs, elapsedMs }, i) =>
        this.#lanes.lane[i] === lane &&
        at >= startedMs - slack &&
        at <= startedMs + elapsedMs + slack,
    );
    const decode = this.#record.decodes[index];
    if (!decode) return '';
    const { frameIndex, resolutionLevel, decompositionLevels, startedMs, elapsedMs, bytesIn } =
      decode;
    const level = `level ${resolutionLevel}/${decompositionLevels}`;
    return (
      `Frame ${frameIndex + 1}, ${level} decoded\n` +
      `${bytesText(bytesIn)} in ${timeText(elapsedMs)} · at ${this.#since(startedMs)}`
    );
  }

  /**
   * @param {number} at
   * @param {TimeSpan} span
   */
  #explainDraw(at, span) {
    const slack = this.msPerPx(span) * 3;
    const draw = this.#record.draws.find(
      ({ startedMs, elapsedMs }) => at >= startedMs - slack && at <= startedMs + elapsedMs + slack,
    );
    if (!draw) return '';
    const { frameIndex, resolutionLevel, plane, startedMs, elapsedMs } = draw;
    const what = plane ?? `Frame ${(frameIndex ?? 0) + 1}, level ${resolutionLevel},`;
    return `${what} drawn\nin ${timeText(elapsedMs)} · at ${this.#since(startedMs)}`;
  }

  /**
   * @param {number} within
   * @param {number} at
   */
  #explainFrame(within, at) {
    const frameIndex = Math.floor(within * this.#frameCount);
    const steps = this.#history.get(frameIndex) ?? [];
    const now = steps.findLast(({ atMs }) => atMs <= at);
    const held = now ? `${Math.round(now.part * 100)} % of its levels` : 'nothing';
    const all = steps.map(
      ({ atMs, part }) => `${Math.round(part * 100)} % at ${this.#since(atMs)}`,
    );
    return [`Frame ${frameIndex + 1} at ${this.#since(at)}: ${held}`, ...all].join('\n');
  }

  /** @param {number} ms */
  #since(ms) {
    return timeText(ms - this.#record.openedMs);
  }
}

/** The end of an address, which tells resources apart; the beginning is the same for all. @param {string} url */
function urlTail(url) {
  const { pathname } = new URL(url, location.href);
  const tail = pathname.split('/').slice(-4).join('/');
  return tail.length > 64 ? `…${tail.slice(-63)}` : tail;
}
