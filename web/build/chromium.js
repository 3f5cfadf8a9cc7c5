import fs from 'node:fs';
import path from 'node:path';
import { lastLine, run } from './command.js';
import { Problem, say } from './say.js';

/** Whether the browser that the tests drive is there. */
function hasChromium() {
  const folders = (process.env.PATH ?? '').split(path.delimiter);
  return folders.some((folder) => fs.existsSync(path.join(folder, 'chromium')));
}

/** @param {string[]} args of apt-get */
async function aptGet(...args) {
  const { code, output } = await run('apt-get', args, {
    env: { DEBIAN_FRONTEND: 'noninteractive' },
  });
  if (code !== 0) throw new Problem(`apt-get ${args[0]} failed: ${lastLine(output)}`);
}

/** Makes sure that there is a Chromium; installs Debian's where we may. */
export async function chromium() {
  if (hasChromium()) return;
  const mayInstall = process.getuid?.() === 0 && fs.existsSync('/usr/bin/apt-get');
  if (!mayInstall) throw new Problem('no Chromium found: apt-get install chromium, as root');
  say('installing Chromium ...');
  await aptGet('update');
  await aptGet('install', '--yes', '--no-install-recommends', 'chromium');
}
