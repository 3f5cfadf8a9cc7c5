/** Puts `web/engine/head-start.js` into the page's own text, so that it runs before anything else is asked for. */

import fs from 'node:fs';
import path from 'node:path';
import { classicScript } from './classic-script.js';

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
  const code = await classicScript('web/engine/head-start.js', {
    __FIRSTLIGHT_HEAD_START__: files,
  });
  const script = code.replaceAll('</', '<\\/');
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
