/** NumPy and micropip for user code, verified by hash; the viewer itself needs neither. */

import fs from 'node:fs';
import path from 'node:path';
import { lastLine, run } from './command.js';
import { fileDigest } from './digest.js';
import { at, cache, inVenv } from './paths.js';
import { say } from './say.js';

const pinned = at('web/build/wheels.json');
const folder = path.join(cache, 'wheels');

/**
 * @typedef {{ name: string, version: string, imports: string[], depends: string[], member: string, sha256: string }} Wheel
 */

/** @returns {Wheel[]} */
const wanted = () => JSON.parse(fs.readFileSync(pinned, 'utf8')).wheels;

/** @param {Wheel} wheel */
const fileOf = (wheel) => path.join(folder, path.basename(wheel.member));

/** @param {Wheel} wheel */
const held = (wheel) => fs.existsSync(fileOf(wheel)) && fileDigest(fileOf(wheel)) === wheel.sha256;

/**
 * Fetches what is missing; a failure is reported and leaves the list empty.
 *
 * @param {{ fetch: boolean }} options
 * @returns {Promise<{ files: string[], lock: object }>} the wheels, and the lock file that names
 *   them to Pyodide's `loadPackage`
 */
export async function wheels({ fetch }) {
  if (fetch && !wanted().every(held)) {
    say('fetching NumPy and micropip for user code (106 MB, once) ...');
    fs.mkdirSync(folder, { recursive: true });
    const script = at('web/build/python/fetch_wheels.py');
    const { code, output } = await run(inVenv('python'), [script, pinned, folder]);
    if (code !== 0) say(`building without NumPy: ${lastLine(output)}`);
  }
  const available = wanted().every(held) ? wanted() : [];
  return { files: available.map(fileOf), lock: lockFile(available) };
}

/**
 * A lock file in Pyodide's format with these packages only: the official one names builds of
 * other hashes and sends everything else to a network that may not be there.
 *
 * @param {Wheel[]} available
 */
function lockFile(available) {
  const official = at('node_modules/pyodide/pyodide-lock.json');
  const { info } = JSON.parse(fs.readFileSync(official, 'utf8'));
  const packages = available.map(({ member, ...facts }) => [
    facts.name,
    {
      ...facts,
      file_name: path.basename(member),
      install_dir: 'site',
      package_type: 'package',
      unvendored_tests: false,
    },
  ]);
  return { info, packages: Object.fromEntries(packages) };
}
