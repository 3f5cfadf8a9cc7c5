/** `npm run setup`: makes .venv and node_modules what the lock files say; does nothing when they are. */

import fs from 'node:fs';
import path from 'node:path';
import { lastLine, run } from './command.js';
import { fileDigest } from './digest.js';
import { findPython } from './find-python.js';
import { at, inVenv, root, venv } from './paths.js';
import { Problem, runMain, say } from './say.js';

/** pip and npm name the failed connection; pip without retries only says that no version exists at all. */
const NO_NETWORK =
  /from versions: none|NewConnectionError|NameResolutionError|ConnectTimeout|ConnectionError|ProxyError|ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ENETUNREACH/;

/** @typedef {{ requirements?: string, project?: string, root?: string }} Installed */

const venvStamp = path.join(venv, 'firstlight-setup.json');
const nodeStamp = at('node_modules/.firstlight-setup');

/** @returns {Promise<Installed>} what the last set-up installed; nothing when the environment does not run */
async function installed() {
  if (!fs.existsSync(venvStamp)) return {};
  const { code } = await run(inVenv('python'), ['-c', '']);
  return code === 0 ? JSON.parse(fs.readFileSync(venvStamp, 'utf8')) : {};
}

/**
 * @param {string} what
 * @param {string} output of pip or npm
 * @param {RegExp} complaint a line that says why
 */
function failure(what, output, complaint) {
  if (NO_NETWORK.test(output)) {
    return new Problem(`${what}: no connection to the package index; try again when online`);
  }
  const reason = complaint.exec(output)?.[1] ?? lastLine(output);
  return new Problem(`${what}: ${reason}`);
}

/** @param {string[]} args */
async function pip(...args) {
  const quiet = ['--quiet', '--disable-pip-version-check', '--no-input'];
  const { code, output } = await run(inVenv('python'), ['-m', 'pip', ...args, ...quiet]);
  if (code !== 0) throw failure('installing Python packages failed', output, /^ERROR: (.*)$/m);
}

async function makeVenv() {
  const python = await findPython();
  say(`making .venv with ${python} ...`);
  const { code, output } = await run(python, ['-m', 'venv', '--clear', venv]);
  if (code !== 0) throw new Problem(`making .venv failed: ${lastLine(output)}`);
}

async function setupPython() {
  const wanted = {
    requirements: fileDigest(at('requirements.lock')),
    project: fileDigest(at('pyproject.toml')),
    // The programs in .venv name their folder: a copied or moved checkout needs its own.
    root,
  };
  const found = await installed();
  if (found.root !== root) {
    await makeVenv();
    found.requirements = found.project = undefined;
  }
  if (found.requirements !== wanted.requirements) {
    say('installing Python packages ...');
    await pip('install', '--require-hashes', '--no-deps', '-r', at('requirements.lock'));
  }
  if (found.requirements !== wanted.requirements || found.project !== wanted.project) {
    // The build back end is among the locked packages: nothing unpinned is downloaded for it.
    await pip('install', '--no-deps', '--no-build-isolation', '--editable', root);
    fs.writeFileSync(venvStamp, JSON.stringify(wanted));
  }
}

async function setupNode() {
  const wanted = fileDigest(at('package-lock.json'));
  if (fs.existsSync(nodeStamp) && fs.readFileSync(nodeStamp, 'utf8') === wanted) return;
  say('installing JavaScript packages ...');
  const { code, output } = await run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error']);
  if (code === 127) throw new Problem('npm is not there: install Node 20 or newer with npm');
  if (code !== 0) {
    throw failure('installing JavaScript packages failed', output, /^npm (?:ERR!|error) (.*)$/m);
  }
  fs.writeFileSync(nodeStamp, wanted);
}

/** Both environments, as the lock files say. */
export async function setup() {
  await setupPython();
  await setupNode();
}

await runMain(import.meta.url, async () => {
  await setup();
  say('ready: .venv and node_modules are as the lock files say');
});
