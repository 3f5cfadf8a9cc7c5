import { TransportError } from './errors.js';

/**
 * @typedef {object} Exchange
 * @property {number} status
 * @property {Headers} headers
 * @property {ReadableStream<Uint8Array> | null} body
 */

/**
 * Performs one HTTP exchange, up to the head of the answer.
 *
 * A range is asked for even when everything is wanted: the answer tells whether the server can do
 * ranges at all. `bytes=a-b` needs no CORS preflight; If-Range would cost one, as a token does.
 * `no-store`: Chromium's cache lets parallel ranges of one URL wait for each other. Chromium itself
 * refuses every answer to a range that has a Content-Encoding, and does not let us see why: what is
 * wanted from its first byte is then asked for once more, whole.
 *
 * @param {import('./answer.js').Order} order whose range is not empty
 * @param {import('./credentials.js').Access} access
 * @param {AbortSignal} signal
 * @returns {Promise<Exchange>}
 * @throws {TransportError} Unreachable
 */
export async function exchange(order, { headers, credentials }, signal) {
  const last = order.stop === null ? '' : order.stop - 1;
  const { url, priority, accept, whole: isText } = order;
  const whole = { ...headers, ...(accept && { Accept: accept }) };
  const ranged = { ...whole, Range: `bytes=${order.start}-${last}` };
  /** @type {RequestInit} */
  const init = { credentials, priority, signal, cache: 'no-store' };
  if (isText) return answerTo(url, { ...init, headers: whole });
  try {
    return await answerTo(url, { ...init, headers: ranged });
  } catch (error) {
    if (order.start > 0 || signal.aborted) throw error;
    return answerTo(url, { ...init, headers: whole });
  }
}

/**
 * Fetches a part of the viewer itself, from the browser's cache where it has it.
 *
 * @param {string} url
 * @returns {Promise<Uint8Array<ArrayBuffer>>}
 * @throws {TransportError} Unreachable, HttpStatus, ShortBody
 */
export async function fetchAsset(url) {
  return bodyOf(await answerWith(url));
}

/**
 * Same, as soon as the answer begins.
 *
 * @param {string} url
 * @returns {Promise<Response>}
 * @throws {TransportError} Unreachable, HttpStatus
 */
export async function answerWith(url) {
  const answer = await answerTo(url, {});
  if (answer.ok) return answer;
  const text = `${url}: the server answered with status ${answer.status}`;
  throw new TransportError('HttpStatus', text, answer.status);
}

/**
 * @param {Response} answer
 * @returns {Promise<Uint8Array<ArrayBuffer>>}
 * @throws {TransportError} ShortBody
 */
export async function bodyOf(answer) {
  try {
    return new Uint8Array(await answer.arrayBuffer());
  } catch (error) {
    throw new TransportError('ShortBody', `${answer.url}: the body broke off (${reasonOf(error)})`);
  }
}

/**
 * Same, while nothing else goes on in this worker: what Python imports cannot be waited for in any other way.
 *
 * @param {string} url
 * @returns {Uint8Array<ArrayBuffer>}
 * @throws {TransportError} Unreachable, HttpStatus
 */
export function readAssetNow(url) {
  const request = new XMLHttpRequest();
  request.open('GET', url, false);
  request.responseType = 'arraybuffer';
  try {
    request.send();
  } catch (error) {
    throw new TransportError('Unreachable', `no answer (${reasonOf(error)}): ${url}`);
  }
  if (request.status !== 200) {
    const text = `${url}: the server answered with status ${request.status}`;
    throw new TransportError('HttpStatus', text, request.status);
  }
  return new Uint8Array(request.response);
}

/**
 * @param {string | Request} url
 * @param {RequestInit} init
 * @returns {Promise<Response>} with any status
 * @throws {TransportError} Unreachable
 */
export async function answerTo(url, init) {
  try {
    return await fetch(url, init);
  } catch (error) {
    const causes = 'the connection, CORS, or compression of what must not be compressed';
    throw new TransportError('Unreachable', `no answer (${reasonOf(error)}): ${causes}`);
  }
}

/** @param {unknown} error */
export function reasonOf(error) {
  return error instanceof Error ? error.message : String(error);
}
