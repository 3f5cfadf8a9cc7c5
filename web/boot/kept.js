/**
 * The files that a start of Python reads whole, kept in the browser's Cache storage as they are used. From its HTTP cache
 * they come compressed, and 20 MB of Brotli are a third of a second of work at each start.
 *
 * A page that is not secure (plain HTTP of another machine) has no such storage, nor has every private window: then the
 * HTTP cache is all there is, and nothing else differs.
 */

import { answerWith } from '../transport/exchange.js';

/**
 * @param {string} url of a part of the viewer, under a name that changes with its content
 * @returns {Promise<Response>} from here, or else from the server
 * @throws {import('../transport/errors.js').TransportError} Unreachable, HttpStatus
 */
export async function keptOrFetched(url) {
  const kept = await storage(url)
    .then((cache) => cache?.match(url))
    .catch(() => undefined);
  return kept ?? answerWith(url);
}

/**
 * Keeps these files, and of the same folder nothing else: the next start needs no others.
 *
 * @param {string[]} urls
 * @returns {Promise<void>} at once where there is no storage, or no room in it
 */
export async function keep(urls) {
  try {
    const cache = await storage(urls[0]);
    if (!cache) return;
    const held = await cache.keys();
    const old = held.filter(({ url }) => !urls.includes(url));
    await Promise.all(old.map((request) => cache.delete(request)));
    const missing = urls.filter((each) => !held.some(({ url }) => url === each));
    await Promise.all(missing.map((each) => cache.add(each)));
  } catch (error) {
    console.info(`Firstlight: Python's files are not kept (${error})`);
  }
}

/**
 * Lets go of files that were of no use: the next start asks the server for them.
 *
 * @param {string[]} urls
 */
export async function forget(urls) {
  const cache = await storage(urls[0]).catch(() => null);
  await Promise.all(urls.map((url) => cache?.delete(url))).catch(() => {});
}

/**
 * One for each place that a viewer lies at: another version beside it has its own.
 *
 * @param {string} url of a file in the folder of Python's files
 */
async function storage(url) {
  if (!('caches' in globalThis)) return null;
  return caches.open(`firstlight-python ${new URL('..', url).pathname}`);
}
