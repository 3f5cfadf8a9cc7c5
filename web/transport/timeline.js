/**
 * @typedef {object} RequestRecord one exchange; times in ms since the epoch, comparable across threads
 * @property {number} segment
 * @property {string} url
 * @property {number} start
 * @property {number | null} stop
 * @property {number | null} status null until the head of the answer is there
 * @property {number} bytes of the body that arrived, those outside the range included
 * @property {number} startedMs
 * @property {number | null} openedMs
 * @property {number | null} closedMs
 */

/** Enough for any series; a page that runs for days must not grow with it. */
const MAX_RECORDS = 5000;

/** @returns {number} ms since the epoch */
export function nowMs() {
  return performance.timeOrigin + performance.now();
}

/** What was asked of servers, the latest `MAX_RECORDS`. */
export class Timeline {
  /** @type {RequestRecord[]} */
  requests = [];

  /**
   * @param {import('./answer.js').Order} order
   * @returns {RequestRecord} to be filled in as the exchange goes on
   */
  begin({ segment, url, start, stop }) {
    const times = { startedMs: nowMs(), openedMs: null, closedMs: null };
    const record = { segment, url, start, stop, status: null, bytes: 0, ...times };
    this.requests.push(record);
    if (this.requests.length > MAX_RECORDS) this.requests.shift();
    return record;
  }
}
