import fs from 'node:fs';
import path from 'node:path';
import { lastLine, run } from './command.js';
import { Problem, say } from './say.js';

/** What the tests drive, by Debian's package. Only the first is required: tests of servers that are missing are skipped. */
const PACKAGES = [
  { name: 'chromium', file: 'chromium' },
  { name: 'nginx-light', file: 'nginx' },
  { name: 'orthanc', file: 'Orthanc' },
  { name: 'libopenjpip-server', file: 'opj_server' },
  { name: 'orthanc-dicomweb', file: '/usr/share/orthanc/plugins/libOrthancDicomWeb.so' },
];

/** @param {string} file a program, or an absolute path */
function isThere(file) {
  const folders = [...(process.env.PATH ?? '').split(path.delimiter), '/usr/sbin'];
  return folders.some((folder) => fs.existsSync(path.resolve(folder, file)));
}

/** @param {string[]} args of apt-get */
async function aptGet(...args) {
  const { code, output } = await run('apt-get', args, {
    env: { DEBIAN_FRONTEND: 'noninteractive' },
  });
  if (code !== 0) throw new Problem(`apt-get ${args[0]} failed: ${lastLine(output)}`);
}

/** Makes sure that there are a browser and servers to test with; installs Debian's where we may. */
export async function debianPackages() {
  const missing = PACKAGES.filter(({ file }) => !isThere(file)).map(({ name }) => name);
  if (missing.length === 0) return;
  const mayInstall = process.getuid?.() === 0 && fs.existsSync('/usr/bin/apt-get');
  if (mayInstall) {
    say(`installing ${missing.join(', ')} ...`);
    await aptGet('update');
    await aptGet('install', '--yes', '--no-install-recommends', ...missing);
  } else if (missing.includes('chromium')) {
    throw new Problem('no Chromium found: apt-get install chromium, as root');
  } else {
    say(`tests that need ${missing.join(', ')} will be skipped`);
  }
}
