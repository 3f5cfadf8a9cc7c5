/** `npm run build`: writes dist/, which any static host serves, below any path. */

import fs from 'node:fs';
import path from 'node:path';
import { treeDigest } from './digest.js';
import { inlineHeadStart } from './head-start.js';
import { at, cache, dist } from './paths.js';
import { precompress } from './precompress.js';
import { pythonAssets } from './python-assets.js';
import { Problem, runMain, say } from './say.js';
import { addServiceWorker } from './service-worker.js';
import { setup } from './setup.js';

const stamp = path.join(cache, 'built');

/** What dist/ is made from. */
function sources() {
  const paths = ['web', 'wasm', 'py', 'vite.config.js', 'package-lock.json', 'requirements.lock'];
  return treeDigest(paths.map((name) => at(name)));
}

/**
 * Builds unless dist/ was built from the same sources.
 *
 * @param {{ final?: boolean }} [options] `final` compresses as small as it goes, which takes a
 *   minute the first time; without it a build that is there counts, however it was compressed
 */
export async function build({ final = false } = {}) {
  const key = sources();
  const kinds = final ? ['final'] : ['final', 'quick'];
  if (kinds.some((kind) => readStamp() === `${key} ${kind}`)) return;
  say('building the viewer ...');
  fs.rmSync(stamp, { force: true });
  // vite.config.js asks again, and gets what is made here: a failure is then not one of vite's.
  await pythonAssets();
  await bundle();
  say(final ? 'compressing it (a minute the first time) ...' : 'compressing it ...');
  await precompress(dist, { final });
  fs.writeFileSync(stamp, `${key} ${kinds.at(-1)}`);
}

/** vite's own message shows the line at fault; its trace would only name vite. */
async function bundle() {
  const vite = await import('vite');
  try {
    await vite.build({ configFile: at('vite.config.js'), logLevel: 'warn' });
    await inlineHeadStart(dist);
    await addServiceWorker(dist);
  } catch (error) {
    throw new Problem(error instanceof Error ? error.message : String(error));
  }
}

function readStamp() {
  const built = fs.existsSync(stamp) && fs.existsSync(path.join(dist, 'index.html'));
  return built ? fs.readFileSync(stamp, 'utf8') : '';
}

await runMain(import.meta.url, async () => {
  await setup();
  await build({ final: true });
  say('dist/ is ready');
});
