/** Gives a built viewer its service worker, and has the page name it. */

import fs from 'node:fs';
import path from 'node:path';
import { classicScript } from './classic-script.js';
import { filesBelow, sha256 } from './digest.js';

const PLACE = '<!-- service-worker -->';
const NAMED = /<meta name="firstlight-service-worker" content="[^"]*" \/>/;
const SCRIPT = /^service-worker-.*\.js(\.br|\.gz)?$/;

const COMPRESSED = /\.(br|gz)$/;
const SHELL = [
  /^assets\//,
  /^py-[^/]+\/(pyodide(\.asm)?\.mjs|firstlight-\w+\.zip|pydicom-\w+\.zip)$/,
];
/** Kept by `web/boot/kept.js`. */
const PYTHON = [/^py-[^/]+\/snapshot-\w+\.bin$/, /^py-[^/]+\/pyodide\.asm\.wasm$/];

/**
 * Every change of the viewer changes the name of the worker, so that a page and its worker are of one build.
 *
 * @param {string} dist a built viewer; of one that has a worker already, the worker is made anew
 */
export async function addServiceWorker(dist) {
  const page = path.join(dist, 'index.html');
  const html = fs.readFileSync(page, 'utf8').replace(NAMED, PLACE);
  if (!html.includes(PLACE)) throw new Error(`${page} has no place for the service worker`);
  for (const name of fs.readdirSync(dist)) {
    if (SCRIPT.test(name)) fs.rmSync(path.join(dist, name));
  }
  const names = filesBelow(dist)
    .map((file) => path.relative(dist, file).replaceAll(path.sep, '/'))
    .filter((name) => !COMPRESSED.test(name));
  const of = (/** @type {RegExp[]} */ kinds) =>
    names.filter((name) => kinds.some((kind) => kind.test(name)));
  const shell = { files: of(SHELL), python: of(PYTHON) };
  const code = await classicScript('web/service.worker.js', { __FIRSTLIGHT_SHELL__: shell });
  const script = `service-worker-${sha256(html + code).slice(0, 8)}.js`;
  fs.writeFileSync(path.join(dist, script), `${code}\n`);
  const named = `<meta name="firstlight-service-worker" content="${script}" />`;
  fs.writeFileSync(
    page,
    html.replace(PLACE, () => named),
  );
}
