/**
 * Stands in the head of the page itself (`web/build/head-start.js`): before any other script is here, the first threads
 * start, and the descriptor that the page's address names is asked for. The viewer works the same without.
 */

import { exchange } from '../transport/exchange.js';
import { absolute, isDescriptor, srcOf } from './address.js';

/** The segment that the prelude of the first session reads its descriptor from. */
const FIRST_SEGMENT = 1;

const { transport: transportFile, decoder: decoderFile } = __FIRSTLIGHT_HEAD_START__;
const transport = start(transportFile, 'firstlight-transport');
const decoder = start(decoderFile, 'firstlight-decoder-0');
const src = absolute(srcOf(location.search));
const descriptor = isDescriptor(src) ? { url: src, bytes: begin(src) } : null;
/** @type {import('./workers.js').Begun} */
const begun = { transport, decoder, descriptor };
Object.assign(globalThis, { firstlightBegun: begun });

/**
 * @param {string} file
 * @param {string} name
 */
function start(file, name) {
  return new Worker(new URL(file, document.baseURI), { type: 'module', name });
}

/**
 * Asks here, since the transport takes longer to start than the answer to come, and gives it the answer. Where nothing is
 * named, whether there is anything at the usual place is for the transport to find out: a page's console would call it
 * an error that there is not.
 *
 * @param {string} url
 * @returns {Promise<ArrayBuffer | null>} null: the transport will tell what is wrong
 */
async function begin(url) {
  /** @type {import('../transport/answer.js').Order} */
  const order = {
    segment: FIRST_SEGMENT,
    url,
    start: 0,
    stop: null,
    milestones: [],
    version: null,
    priority: 'high',
    accept: '',
    whole: true,
  };
  if (!new URLSearchParams(location.search).has('src')) {
    transport.postMessage({ kind: 'fetch', ...order });
    return null;
  }
  const { port1, port2 } = new MessageChannel();
  const startedMs = performance.timeOrigin + performance.now();
  transport.postMessage({ kind: 'fetch', ...order, answer: port2, startedMs }, [port2]);
  const answer = await ask(order).catch(() => null);
  port1.postMessage(answer); // without one it asks again
  return answer?.isOk ? answer.bytes : null;
}

/** @param {import('../transport/answer.js').Order} order */
async function ask(order) {
  const nothingSent = { headers: {}, credentials: /** @type {const} */ ('same-origin') };
  const never = new AbortController().signal;
  const { status, headers, body } = await exchange(order, nothingSent, never);
  const bytes = await new Response(body).arrayBuffer();
  return { isOk: status === 200 || status === 206, status, headers: [...headers], bytes };
}
