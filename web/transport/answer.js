import { TransportError } from './errors.js';

/**
 * @typedef {object} Order one exchange, as the `fetch` message gives it
 * @property {number} segment
 * @property {string} url
 * @property {number} start
 * @property {number | null} stop null is "to the end"
 * @property {number[]} milestones
 * @property {string | null} version
 * @property {'high' | 'auto' | 'low'} priority
 * @property {string} accept the Accept header, empty for the default
 * @property {boolean} whole a text that is read as a whole: without a Range header, the answer may be compressed
 *
 * @typedef {object} Head what the status and the headers say; offsets count in the resource
 * @property {number} bodyStart where the body begins: 0, or the start of the range
 * @property {number | null} bodyStop where the body says it ends
 * @property {number | null} stop where the bytes to be held end: the range, cut at the end of the resource
 * @property {boolean} firm whether a body that ends before `stop` is short (else it shows where the resource ends)
 * @property {boolean} runsOn whether the body goes on, or may go on, after `stop`
 * @property {number | null} totalBytes
 * @property {string} version
 * @property {boolean} ranges
 */

/**
 * Reads the head of an answer (RFC 9110 14.4, 15.3). CORS may hide every header but Content-Length,
 * Content-Type and Last-Modified.
 *
 * @param {Order} order
 * @param {number} status
 * @param {Headers} headers
 * @param {number | null} knownTotal total length of the version held, null if none is known
 * @returns {Head}
 * @throws {TransportError} HttpStatus, ResourceChanged, RangeIgnored
 */
export function readHead(order, status, headers, knownTotal) {
  if (status !== 200 && status !== 206) {
    const text = `the server answered with status ${status}`;
    throw new TransportError('HttpStatus', text, status, retryAfterMs(headers));
  }
  const head = status === 206 ? readPart(order, headers) : readWhole(order, headers);
  checkVersion(order, head, knownTotal);
  if (head.totalBytes !== null && order.start >= head.totalBytes) {
    const text = `the range starts at ${order.start}, the resource has ${head.totalBytes} bytes`;
    throw new TransportError('RangeIgnored', text);
  }
  return head;
}

/**
 * @param {Order} order
 * @param {Headers} headers
 * @returns {Head}
 */
function readPart(order, headers) {
  if (isEncoded(headers)) {
    throw new TransportError('RangeIgnored', 'compression breaks ranges: the part is encoded');
  }
  if (/^multipart\/byteranges/i.test(headers.get('content-type') ?? '')) {
    throw new TransportError('RangeIgnored', 'several parts came for one range');
  }
  const value = headers.get('content-range');
  const length = contentLength(headers);
  const part =
    value === null
      ? { stop: length === null ? null : order.start + length, totalBytes: null }
      : parseContentRange(value, order.start);
  const span = spanOf(order, order.start, part.stop, part.totalBytes);
  return { ...span, totalBytes: part.totalBytes, version: versionOf(headers), ranges: true };
}

/**
 * @param {Order} order
 * @param {Headers} headers
 * @returns {Head}
 */
function readWhole(order, headers) {
  const totalBytes = isEncoded(headers) ? null : contentLength(headers);
  const span = spanOf(order, 0, totalBytes, totalBytes);
  return { ...span, totalBytes, version: versionOf(headers), ranges: false };
}

/**
 * @param {Order} order
 * @param {number} bodyStart
 * @param {number | null} bodyStop
 * @param {number | null} totalBytes
 */
function spanOf(order, bodyStart, bodyStop, totalBytes) {
  const end = totalBytes ?? bodyStop;
  const stop =
    order.stop === null || end === null ? (order.stop ?? end) : Math.min(order.stop, end);
  const runsOn = bodyStop === null || (stop !== null && bodyStop > stop);
  return { bodyStart, bodyStop, stop, firm: end !== null, runsOn };
}

/**
 * @param {string} value
 * @param {number} start
 */
function parseContentRange(value, start) {
  const match = /^bytes (\d+)-(\d+)\/(\d+|\*)$/i.exec(value.trim());
  if (match === null) {
    throw new TransportError('RangeIgnored', `Content-Range is not to be understood: ${value}`);
  }
  const [first, last] = [Number(match[1]), Number(match[2])];
  const totalBytes = match[3] === '*' ? null : Number(match[3]);
  if (first !== start || last < first || (totalBytes !== null && last >= totalBytes)) {
    throw new TransportError('RangeIgnored', `bytes from ${start} asked for, came ${value}`);
  }
  return { stop: last + 1, totalBytes };
}

/**
 * Without a validator on either side the total length is the only thing left to compare.
 *
 * @param {Order} order
 * @param {Head} head
 * @param {number | null} knownTotal
 */
function checkVersion(order, head, knownTotal) {
  if (order.version === null) return;
  if (head.version !== order.version) {
    const text = `version ${order.version || 'unknown'} is held, ${head.version || 'unknown'} came`;
    throw new TransportError('ResourceChanged', text);
  }
  const lengths = [knownTotal, head.totalBytes];
  if (head.version === '' && !lengths.includes(null) && lengths[0] !== lengths[1]) {
    const text = `a resource of ${lengths[0]} bytes is held, one of ${lengths[1]} came`;
    throw new TransportError('ResourceChanged', text);
  }
}

/** @param {Headers} headers */
function versionOf(headers) {
  return headers.get('etag') ?? headers.get('last-modified') ?? '';
}

/**
 * Retry-After (RFC 9110 10.2.3); a host of another origin has to expose it.
 *
 * @param {Headers} headers
 */
function retryAfterMs(headers) {
  const value = headers.get('retry-after')?.trim() ?? '';
  if (/^\d+$/.test(value)) return Number(value) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? null : Math.max(0, date - Date.now());
}

/** @param {Headers} headers */
function isEncoded(headers) {
  return (headers.get('content-encoding') ?? 'identity').trim().toLowerCase() !== 'identity';
}

/** @param {Headers} headers */
function contentLength(headers) {
  const value = headers.get('content-length');
  return value !== null && /^\d+$/.test(value) ? Number(value) : null;
}
