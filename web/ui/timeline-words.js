/** What a timeline says of a request, a decode, a draw or a frame that is pointed at; pure. */

import { bytesText } from './measures.js';
import { timeText } from './timeline-model.js';

/**
 * @typedef {object} TimelineContent
 * @property {import('./timeline-model.js').TimelineRecord} record
 * @property {import('./timeline-model.js').RequestEntry[]} rows requests in the time shown, from the top
 * @property {ReturnType<typeof import('./timeline-model.js').lanesOf>} lanes of the decodes
 * @property {ReturnType<typeof import('./timeline-model.js').historyOf>} history of each frame
 * @property {number} frameCount
 */

/**
 * @param {TimelineContent} content
 * @param {number} within the rows, 0 at the top and 1 at the bottom
 * @returns {string} empty where there is nothing; so do the others
 */
export function requestAt({ record, rows }, within) {
  const request = rows[Math.floor(within * rows.length)];
  if (!request) return '';
  const { url, start, stop, status, bytes, startedMs, openedMs, closedMs } = request;
  const waited = openedMs === null ? '' : `, answered after ${timeText(openedMs - startedMs)}`;
  const took = closedMs === null ? ', running' : `, ended after ${timeText(closedMs - startedMs)}`;
  return [
    urlTail(url),
    `bytes ${start}–${stop ?? 'end'} · ${bytesText(bytes)} received · ${status ?? 'no answer'}`,
    `at ${timeText(startedMs - record.openedMs)}${waited}${took}`,
  ].join('\n');
}

/**
 * @param {TimelineContent} content
 * @param {number} lane
 * @param {number} atMs since the epoch
 * @param {number} slackMs how far beside it is still meant
 */
export function decodeAt({ record, lanes }, lane, atMs, slackMs) {
  const decode = record.decodes.find(
    (entry, index) => lanes.lane[index] === lane && covers(entry, atMs, slackMs),
  );
  if (!decode) return '';
  const { frameIndex, resolutionLevel, decompositionLevels, startedMs, elapsedMs, bytesIn } =
    decode;
  const level = `level ${resolutionLevel}/${decompositionLevels}`;
  const since = timeText(startedMs - record.openedMs);
  return (
    `Frame ${frameIndex + 1}, ${level} decoded\n` +
    `${bytesText(bytesIn)} in ${timeText(elapsedMs)} · at ${since}`
  );
}

/**
 * @param {TimelineContent} content
 * @param {number} atMs since the epoch
 * @param {number} slackMs how far beside it is still meant
 */
export function drawAt({ record }, atMs, slackMs) {
  const draw = record.draws.find((entry) => covers(entry, atMs, slackMs));
  if (!draw) return '';
  const { frameIndex, resolutionLevel, plane, startedMs, elapsedMs } = draw;
  const what = plane ?? `Frame ${(frameIndex ?? 0) + 1}, level ${resolutionLevel},`;
  return `${what} drawn\nin ${timeText(elapsedMs)} · at ${timeText(startedMs - record.openedMs)}`;
}

/**
 * @param {TimelineContent} content
 * @param {number} within the frames, 0 at the top and 1 at the bottom
 * @param {number} atMs since the epoch
 */
export function frameAt({ record, history, frameCount }, within, atMs) {
  const since = (/** @type {number} */ ms) => timeText(ms - record.openedMs);
  const frameIndex = Math.floor(within * frameCount);
  const steps = history.get(frameIndex) ?? [];
  const now = steps.findLast((step) => step.atMs <= atMs);
  const held = now ? `${Math.round(now.part * 100)} % of its levels` : 'nothing';
  const all = steps.map((step) => `${Math.round(step.part * 100)} % at ${since(step.atMs)}`);
  return [`Frame ${frameIndex + 1} at ${since(atMs)}: ${held}`, ...all].join('\n');
}

/**
 * @param {{startedMs: number, elapsedMs: number}} work
 * @param {number} atMs
 * @param {number} slackMs
 */
function covers({ startedMs, elapsedMs }, atMs, slackMs) {
  return atMs >= startedMs - slackMs && atMs <= startedMs + elapsedMs + slackMs;
}

/** The end of an address, which tells resources apart; the beginning is the same for all. @param {string} url */
function urlTail(url) {
  const { pathname } = new URL(url, location.href);
  const tail = pathname.split('/').slice(-4).join('/');
  return tail.length > 64 ? `…${tail.slice(-63)}` : tail;
}
