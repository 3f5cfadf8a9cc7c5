/** What a timeline tells: totals, lanes, and what was held of each frame when; pure. */

/**
 * @typedef {object} RequestEntry times in ms since the epoch
 * @property {number} segment
 * @property {string} url
 * @property {number} start
 * @property {number | null} stop null: to the end
 * @property {number | null} status
 * @property {number} bytes received
 * @property {number} startedMs
 * @property {number | null} openedMs
 * @property {number | null} closedMs
 *
 * @typedef {object} DecodeEntry
 * @property {number} frameIndex
 * @property {number} resolutionLevel
 * @property {number} decompositionLevels
 * @property {number} startedMs
 * @property {number} elapsedMs
 * @property {number} bytesIn
 *
 * @typedef {{frameIndex: number | null, resolutionLevel: number | null, plane?: string, startedMs: number, elapsedMs: number}} DrawEntry
 *   `plane`: name of a plane through a volume, whose frames are many
 * @typedef {{openedMs: number, requests: RequestEntry[], decodes: DecodeEntry[], draws: DrawEntry[]}} TimelineRecord
 *
 * @typedef {object} Totals times in ms since the source was opened
 * @property {number} requests
 * @property {number} running
 * @property {number} failed
 * @property {number} bytes
 * @property {number} decodes
 * @property {number | null} firstPictureMs
 * @property {number | null} lastMs end of the last request or decode
 * @property {number | null} busy part of the time between the first and the last byte in which some response arrived
 * @property {number | null} bitsPerSecond over that time
 */

/** @param {RequestEntry} request */
export function hasFailed({ status, closedMs, openedMs }) {
  return (status !== null && status >= 400) || (closedMs !== null && openedMs === null);
}

/**
 * @param {TimelineRecord} timeline
 * @param {number} nowMs since the epoch
 * @returns {Totals}
 */
export function totalsOf({ openedMs, requests, decodes, draws }, nowMs) {
  const ends = [
    ...requests.map(({ closedMs }) => closedMs ?? nowMs),
    ...decodes.map(({ startedMs, elapsedMs }) => startedMs + elapsedMs),
  ];
  const firstDraw = draws.at(0);
  const received = requests
    .filter(({ openedMs: from, bytes }) => from !== null && bytes > 0)
    .map(({ openedMs: from, closedMs }) => ({ from: from ?? 0, to: closedMs ?? nowMs }));
  const { covered, span } = coverage(received);
  const bytes = requests.reduce((sum, request) => sum + request.bytes, 0);
  return {
    requests: requests.length,
    running: requests.filter(({ closedMs }) => closedMs === null).length,
    failed: requests.filter(hasFailed).length,
    bytes,
    decodes: decodes.length,
    firstPictureMs: firstDraw ? firstDraw.startedMs + firstDraw.elapsedMs - openedMs : null,
    lastMs: ends.length ? largest(ends) - openedMs : null,
    busy: span > 0 ? covered / span : null,
    bitsPerSecond: span > 0 ? (bytes * 8000) / span : null,
  };
}

/**
 * @param {{from: number, to: number}[]} intervals
 * @returns {{covered: number, span: number}} length of their union, and from the first's start to the last's end
 */
export function coverage(intervals) {
  const sorted = [...intervals].sort((a, b) => a.from - b.from);
  let covered = 0;
  let end = -Infinity;
  for (const { from, to } of sorted) {
    covered += Math.max(0, to - Math.max(from, end));
    end = Math.max(end, to);
  }
  return { covered, span: sorted.length ? end - sorted[0].from : 0 };
}

/**
 * Puts what overlaps side by side: as many lanes as were ever at work at once.
 *
 * @param {{startedMs: number, elapsedMs: number}[]} work
 * @returns {{lane: Int32Array, count: number}} the lane of each
 */
export function lanesOf(work) {
  const order = work.map((_, index) => index).sort((a, b) => work[a].startedMs - work[b].startedMs);
  /** @type {number[]} */
  const ends = [];
  const lane = new Int32Array(work.length);
  for (const index of order) {
    const { startedMs, elapsedMs } = work[index];
    const free = ends.findIndex((end) => end <= startedMs);
    lane[index] = free < 0 ? ends.length : free;
    ends[lane[index]] = startedMs + elapsedMs;
  }
  return { lane, count: ends.length };
}

/**
 * For each frame the moments at which a better picture of it was there.
 *
 * @param {DecodeEntry[]} decodes
 * @returns {Map<number, {atMs: number, part: number, full: boolean}[]>} in order of time; `part` of its levels, 0 to 1
 */
export function historyOf(decodes) {
  /** @type {Map<number, {atMs: number, part: number, full: boolean}[]>} */
  const frames = new Map();
  const ended = decodes
    .map((decode) => ({ ...decode, atMs: decode.startedMs + decode.elapsedMs }))
    .sort((a, b) => a.atMs - b.atMs);
  for (const { frameIndex, resolutionLevel, decompositionLevels, atMs } of ended) {
    const full = resolutionLevel >= decompositionLevels;
    const part = decompositionLevels > 0 ? resolutionLevel / decompositionLevels : 1;
    const steps = frames.get(frameIndex) ?? [];
    frames.set(frameIndex, steps);
    if (steps.length === 0 || steps[steps.length - 1].part < part) steps.push({ atMs, part, full });
  }
  return frames;
}

/**
 * Bytes a second in equal steps of time: each response's bytes are spread evenly over the time in which it arrived.
 *
 * @param {RequestEntry[]} requests
 * @param {number} fromMs
 * @param {number} toMs
 * @param {number} steps
 * @param {number} nowMs
 */
export function throughput(requests, fromMs, toMs, steps, nowMs) {
  const stepMs = (toMs - fromMs) / steps;
  const rates = new Float64Array(steps);
  for (const { openedMs, closedMs, bytes } of requests) {
    if (openedMs === null || bytes === 0) continue;
    const end = Math.max(closedMs ?? nowMs, openedMs + 1);
    const perMs = bytes / (end - openedMs);
    const first = Math.max(0, Math.floor((openedMs - fromMs) / stepMs));
    const last = Math.min(steps - 1, Math.floor((end - fromMs) / stepMs));
    for (let i = first; i <= last; i += 1) {
      const from = fromMs + i * stepMs;
      const covered = Math.min(end, from + stepMs) - Math.max(openedMs, from);
      rates[i] += (Math.max(0, covered) * perMs * 1000) / stepMs;
    }
  }
  return rates;
}

/**
 * Round distances between the marks of a time axis.
 *
 * @param {number} spanMs
 * @param {number} most marks
 */
export function tickMs(spanMs, most) {
  const least = spanMs / Math.max(1, most);
  const power = 10 ** Math.floor(Math.log10(Math.max(least, 1e-3)));
  return ([1, 2, 5, 10].find((step) => step * power >= least) ?? 10) * power;
}

/** @param {number} ms */
export function timeText(ms) {
  if (Math.abs(ms) >= 10_000) return `${(ms / 1000).toFixed(1)} s`;
  if (Math.abs(ms) >= 1000) return `${(ms / 1000).toFixed(2)} s`;
  return `${Number(ms.toFixed(ms < 10 ? 1 : 0))} ms`;
}

/** @param {number[]} values */
function largest(values) {
  return values.reduce((most, value) => Math.max(most, value), -Infinity);
}
