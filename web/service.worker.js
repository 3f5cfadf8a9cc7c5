/**
 * Opens the viewer without network, and touches nothing else: `boot/README.md` tells what is answered how, and why.
 *
 * Its own name changes with every build. The page that names it and the files listed in it are of that build.
 */

import { keep, keepOnly, shellsPrefix } from './boot/kept.js';
import { answerTo } from './transport/exchange.js';

/**
 * @typedef {import('./boot/service-worker.js').ServiceWorkerScope} ServiceWorkerScope
 * @typedef {import('./boot/service-worker.js').InstallEvent} InstallEvent
 * @typedef {import('./boot/service-worker.js').FetchEvent} FetchEvent
 * @typedef {import('./boot/service-worker.js').RouterRule} RouterRule
 */

const worker = /** @type {ServiceWorkerScope} */ (/** @type {unknown} */ (self));
const place = new URL('.', worker.location.href);
const script = worker.location.pathname.slice(place.pathname.length);
const shells = shellsPrefix(place.pathname);
const shellName = shells + script;

/** The one page, under both of its names. */
const pages = ['.', 'index.html'].map(absolute);
const files = __FIRSTLIGHT_SHELL__.files.map(absolute);
const python = __FIRSTLIGHT_SHELL__.python.map(absolute);

worker.addEventListener('install', (event) => event.waitUntil(install(event)));
worker.addEventListener('activate', (event) => event.waitUntil(activate()));
worker.addEventListener('fetch', answer);

/** @param {string} file */
function absolute(file) {
  return new URL(file, place).href;
}

/** @param {InstallEvent} event */
async function install(event) {
  try {
    await Promise.all([route(event), fillShell()]);
    await keep(python);
  } catch (error) {
    await caches.delete(shellName); // what was kept of it would never be used
    throw error;
  }
}

/**
 * What the browser does by itself, without this thread: files of the build come from their cache, everything else from
 * the network. Only the page at its bare address has it started, beside the network; an address that names an image does
 * not, since that start is the slower for it.
 *
 * @param {InstallEvent} event
 */
async function route(event) {
  if (!event.addRoutes) return;
  /** @type {RouterRule[]} */
  const ofPages = pages.map((url) => ({
    condition: {
      requestMode: 'navigate',
      urlPattern: { pathname: new URL(url).pathname, search: '' },
    },
    source: 'race-network-and-fetch-handler',
  }));
  /** @type {RouterRule[]} */
  const ofFiles = ['./assets/*', './py-*/*'].map((urlPattern) => ({
    condition: { urlPattern },
    source: { cacheName: shellName },
  }));
  /** @type {RouterRule} */
  const ofOthers = { condition: { urlPattern: new URLPattern({}) }, source: 'network' };
  // A browser that knows other rules does as one that knows none: `answer` is asked each time.
  await event.addRoutes([...ofPages, ...ofFiles, ofOthers]).catch(() => {});
}

/** One after the other and last in any queue: there may be an image on its way. */
async function fillShell() {
  const shell = await caches.open(shellName);
  await shell.put(pages[0], await ownPage());
  for (const url of files) {
    // a host that asks people to log in may answer with a page of its own
    await shell.add(new Request(url, { priority: 'low', redirect: 'error' }));
  }
}

/**
 * A host may have a newer build by now, or be between the two.
 *
 * @returns {Promise<Response>}
 */
async function ownPage() {
  const answer = await answerTo(pages[0], { priority: 'low' });
  const html = await answer.text();
  if (!answer.ok || !html.includes(script)) throw new Error('the page is of another build');
  return new Response(html, { headers: answer.headers });
}

/** No page of another build is open any more. */
async function activate() {
  const names = await caches.keys();
  const old = names.filter((name) => name.startsWith(shells) && name !== shellName);
  await Promise.all(old.map((name) => caches.delete(name)));
  await keepOnly(python);
  await worker.registration.navigationPreload?.enable();
}

/**
 * What comes to this thread at all: everything where the browser takes no routes.
 *
 * @param {FetchEvent} event
 */
function answer(event) {
  const { url, mode } = event.request;
  const isPage = mode === 'navigate' && pages.includes(url.replace(/[?#].*/s, ''));
  if (isPage) event.respondWith(answerPage(event));
  else if (files.includes(url)) event.respondWith(answerFile(event.request));
}

/** @param {FetchEvent} event */
async function answerPage(event) {
  try {
    return (await event.preloadResponse) ?? (await answerTo(event.request, {}));
  } catch (error) {
    const kept = await caches.match(pages[0], { cacheName: shellName });
    if (kept) return kept;
    throw error;
  }
}

/** @param {Request} request */
async function answerFile(request) {
  return (await caches.match(request.url, { cacheName: shellName })) ?? answerTo(request, {});
}
