/** Puts `web/engine/head-start.js` into the page's own text, so that it runs before anything else is asked for. */

import fs from 'node:fs';
import path from 'node:path';
import { at } from './paths.js';

const PLACE = '<!-- head-start -->';

/**
 * @param {string} dist a built viewer, whose `index.html` has the place for it
 */
export async function inlineHeadStart(dist) {
  const page = path.join(dist, 'index.html');
  const html = fs.readFileSync(page, 'utf8');
  if (!html.includes(PLACE)) throw new Error(`${page} has no place for the head start`);
  const files = {
    transport: `./assets/${theOne(dist, 'transport.worker')}`,
    decoder: `./assets/${theOne(dist, 'decoder.worker')}`,
  };
  const script = (await bundled(files)).trim().replaceAll('</', '<\\/');
  fs.writeFileSync(
    page,
    html.replace(PLACE, () => `<script>${script}</script>`),
  );
}

/**
 * @param {string} dist
 * @param {string} name
 */
function theOne(dist, name) {
  const found = fs
    .readdirSync(path.join(dist, 'assets'))
    .filter((file) => file.startsWith(`${name}-`) && file.endsWith('.js'));
  if (found.length !== 1) throw new Error(`${found.length} files of ${name} in ${dist}`);
  return found[0];
}

/**
 * @param {Record<string, string>} files
 * @returns {Promise<string>} a classic script, with all that it imports
 */
async function bundled(files) {
  const vite = await import('vite');
  const built = await vite.build({
    configFile: false,
    logLevel: 'warn',
    define: { __FIRSTLIGHT_HEAD_START__: JSON.stringify(files) },
    build: {
      write: false,
      target: 'es2022',
      lib: {
        entry: at('web/engine/head-start.js'),
        formats: ['iife'],
        name: 'firstlightHeadStart',
      },
    },
  });
  const [{ output }] = /** @type {import('vite').Rollup.RollupOutput[]} */ ([built].flat());
  return output[0].code;
}
