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
 * Keeps these files, and of the same folder nothing else: the next start needs no others. Where there is a service worker,
 * others are left to it, since it may still open the version before.
 *
 * @param {string[]} urls
 * @returns {Promise<void>} at once where there is no storage, or no room in it
 */
export async function keep(urls) {
  try {
    if (!('caches' in globalThis)) return;
    const shells = await shellsOf(placeOf(urls[0]));
    await alone(urls, (cache) => fill(cache, urls, { isOnly: shells.length === 0 }));
  } catch (error) {
    console.info(`Firstlight: Python's files are not kept (${error})`);
  }
}

/**
 * Same, and nothing else in any case.
 *
 * @param {string[]} urls
 */
export async function keepOnly(urls) {
  await alone(urls, (cache) => fill(cache, urls, { isOnly: true }));
}

/**
 * The page and the service worker of a new version may want the same at the same time.
 *
 * @param {string[]} urls
 * @param {(cache: Cache) => Promise<void>} work
 */
async function alone(urls, work) {
  const cache = await storage(urls[0]);
  await navigator.locks.request(nameOf(urls[0]), () => cache && work(cache));
}

/**
 * @param {Cache} cache
 * @param {string[]} urls
 * @param {{isOnly: boolean}} options
 */
async function fill(cache, urls, { isOnly }) {
  const held = await cache.keys();
  const old = isOnly ? held.filter(({ url }) => !urls.includes(url)) : [];
  await Promise.all(old.map((request) => cache.delete(request)));
  const missing = urls.filter((each) => !held.some(({ url }) => url === each));
  await Promise.all(missing.map((each) => cache.add(each)));
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

/** @param {string} place path of the folder that a viewer lies in */
export function shellsPrefix(place) {
  return `firstlight-shell ${place} `;
}

/** @param {string} place */
async function shellsOf(place) {
  return (await caches.keys()).filter((name) => name.startsWith(shellsPrefix(place)));
}

/**
 * One for each place that a viewer lies at: another version beside it has its own.
 *
 * @param {string} url of a file in the folder of Python's files
 */
async function storage(url) {
  return 'caches' in globalThis ? caches.open(nameOf(url)) : null;
}

/** @param {string} url of a file in the folder of Python's files */
function nameOf(url) {
  return `firstlight-python ${placeOf(url)}`;
}

/** @param {string} url of a file in the folder of Python's files */
function placeOf(url) {
  return new URL('..', url).pathname;
}
