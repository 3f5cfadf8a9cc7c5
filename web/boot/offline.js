/** Has this build's service worker installed, so that the next visit needs no network for the viewer itself. */

import { shellsPrefix } from './kept.js';

/** Put into the page by `web/build/service-worker.js`; a page without it wants no worker. */
const NAMED = 'meta[name="firstlight-service-worker"]';

/**
 * `performance.mark('firstlight:offline')` says in its `detail` how it ended: `kept`, `none` (the page names no worker),
 * `embedded` (in another page), `unsupported`, or `failed: ` and why. Nothing else tells.
 *
 * @param {Promise<unknown>} ready Python is up, so that all that this visit needs is here
 */
export async function offline(ready) {
  const outcome = await ready
    .then(pause)
    .then(install)
    .catch((error) => `failed: ${error?.message ?? error}`);
  performance.mark('firstlight:offline', { detail: outcome });
}

/** @returns {Promise<void>} when the page has nothing to do */
function pause() {
  return new Promise((resolve) => {
    if ('requestIdleCallback' in globalThis) requestIdleCallback(() => resolve());
    else setTimeout(resolve);
  });
}

/** @returns {Promise<string>} */
async function install() {
  if (window.top !== window) return 'embedded';
  const { serviceWorker } = navigator;
  if (!serviceWorker) return 'unsupported';
  const scope = new URL('.', document.baseURI);
  const script = document.querySelector(NAMED)?.getAttribute('content');
  if (!script) return dismiss(scope);
  const registration = await serviceWorker.register(new URL(script, scope), { scope: scope.href });
  return installed(registration.installing);
}

/**
 * @param {ServiceWorker | null} worker null where that was done in an earlier visit
 * @returns {Promise<string>}
 */
function installed(worker) {
  return new Promise((resolve) => {
    const look = () => {
      if (worker?.state === 'redundant') resolve('failed: not everything could be kept');
      else if (worker?.state !== 'installing') resolve('kept');
    };
    worker?.addEventListener('statechange', look);
    look();
  });
}

/**
 * Takes back what an earlier build has installed.
 *
 * @param {URL} scope
 */
async function dismiss({ href, pathname }) {
  const registration = await navigator.serviceWorker.getRegistration(href);
  if (registration?.scope === href) await registration.unregister();
  const names = await caches.keys();
  const shells = names.filter((name) => name.startsWith(shellsPrefix(pathname)));
  await Promise.all(shells.map((name) => caches.delete(name)));
  return 'none';
}
