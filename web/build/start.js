/** `npm start`: from nothing to a page that shows an image. Options go to `firstlight serve`. */

import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { build } from './build.js';
import { lastLine, run } from './command.js';
import { at, cache, inVenv } from './paths.js';
import { Problem, runMain, say } from './say.js';
import { setup } from './setup.js';

const samples = path.join(cache, 'samples');
const data = at('data');
const firstlight = inVenv('firstlight');

/** Sample images, prepared once; the descriptor at the root is the last file that prepare writes. */
async function prepareSamples() {
  if (fs.existsSync(path.join(data, 'firstlight.json'))) return;
  say('preparing sample images ...');
  for (const args of [
    ['samples', '--out', samples],
    ['prepare', samples, '--out', data],
  ]) {
    const { code, output } = await run(firstlight, args);
    if (code !== 0) throw new Problem(`firstlight ${args[0]} failed: ${lastLine(output)}`);
  }
}

/**
 * Serves until the person ends it; the server gets Ctrl-C from the terminal like this process.
 *
 * @param {string[]} options of `firstlight serve`
 * @returns {Promise<number>} the server's exit code, 0 when it was told to stop
 */
function serve(options) {
  const server = spawn(firstlight, ['serve', data, ...options], { stdio: 'inherit' });
  let told = false;
  for (const signal of /** @type {NodeJS.Signals[]} */ (['SIGINT', 'SIGTERM'])) {
    process.on(signal, () => {
      told = true;
      server.kill(signal);
    });
  }
  return new Promise((resolve) => {
    server.on('error', () => resolve(1));
    server.on('close', (code) => resolve(told ? 0 : (code ?? 1)));
  });
}

await runMain(import.meta.url, async (options) => {
  await setup();
  await build();
  await prepareSamples();
  return serve(options);
});
