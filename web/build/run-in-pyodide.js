/**
 * Runs a Python file in Pyodide under node, from the very files that a page loads.
 *
 *   node web/build/run-in-pyodide.js [--snapshot FILE] [--load NAME]... SCRIPT.py [ARGUMENT]...
 *
 * firstlight and pydicom can be imported; `--load numpy` loads a package of the lock file first. With `--snapshot` the
 * memory comes from there (`built` for the build's own), and there are no files of modules but those of the host.
 * Folders that absolute paths name are the host's. A traceback goes to stderr, with exit code 1.
 */

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { finishStart, snapshotOptions } from '../boot/snapshot.js';
import { bootPyodide, plainly, PyodideFailure, runScript } from './pyodide-node.js';
import { pythonAssets } from './python-assets.js';
import { Problem, runMain } from './say.js';

/**
 * Boots Pyodide as a page does (`web/boot/boot.js`).
 *
 * @param {string[]} load names of packages of the lock file
 * @param {string | undefined} snapshot
 */
async function bootBuilt(load, snapshot) {
  const assets = await pythonAssets({ fetchWheels: false });
  const { folder, manifest } = assets;
  const pyodide = await (snapshot ? bootSnapshot(assets, snapshot) : bootModules(assets));
  const rest = path.join(folder, manifest.stdlibRest);
  finishStart(pyodide, () => new Uint8Array(fs.readFileSync(rest)));
  if (load.length > 0) await loadPackages(pyodide, load);
  return pyodide;
}

/** @param {import('./python-assets.js').PythonAssets} assets */
async function bootModules({ folder, manifest }) {
  const stdlib = path.join(folder, manifest.stdlib);
  const pyodide = await bootPyodide({ runtime: folder, stdlib, lock: manifest.lock });
  const sysPath = pyodide.pyimport('sys').path;
  for (const [name, file] of Object.entries(manifest.packages)) {
    pyodide.FS.writeFile(`/lib/${name}.zip`, fs.readFileSync(path.join(folder, file)));
    sysPath.append(`/lib/${name}.zip`);
  }
  return pyodide;
}

/**
 * @param {import('./python-assets.js').PythonAssets} assets
 * @param {string} snapshot
 */
function bootSnapshot({ folder, manifest }, snapshot) {
  const file = snapshot === 'built' ? path.join(folder, manifest.snapshot) : snapshot;
  const runtime = import(pathToFileURL(path.join(folder, 'pyodide.asm.mjs')).href);
  const bytes = Promise.resolve(new Uint8Array(fs.readFileSync(file)));
  const options = snapshotOptions(runtime, bytes);
  return bootPyodide({ runtime: folder, stdlib: os.devNull, lock: manifest.lock, options });
}

/**
 * `loadPackage` reports a wrong hash to a callback and goes on as if nothing were wrong.
 *
 * @param {any} pyodide
 * @param {string[]} names
 */
async function loadPackages(pyodide, names) {
  /** @type {string[]} */
  const errors = [];
  const errorCallback = (/** @type {string} */ text) => errors.push(text);
  await plainly(pyodide.loadPackage(names, { messageCallback: () => {}, errorCallback }));
  if (errors.length > 0) throw new PyodideFailure(errors.join('; '));
}

await runMain(import.meta.url, async (args) => {
  /** @type {string[]} */
  const load = [];
  const snapshot = args[0] === '--snapshot' ? args.splice(0, 2)[1] : undefined;
  while (args[0] === '--load') load.push(...args.splice(0, 2).slice(1));
  const [script, ...rest] = args;
  if (!script)
    throw new Problem(
      'usage: run-in-pyodide.js [--snapshot FILE] [--load NAME]... SCRIPT.py [ARGUMENT]...',
    );
  await runScript(await bootBuilt(load, snapshot), path.resolve(script), rest);
});
