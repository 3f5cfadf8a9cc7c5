/**
 * Runs a Python file in Pyodide under node, from the very files that a page loads.
 *
 *   node web/build/run-in-pyodide.js [--load NAME]... SCRIPT.py [ARGUMENT]...
 *
 * firstlight and pydicom can be imported; `--load numpy` loads a package of the lock file first.
 * Folders that absolute paths name are the host's. A traceback goes to stderr, with exit code 1.
 */

import fs from 'node:fs';
import path from 'node:path';
import { bootPyodide, plainly, PyodideFailure, runScript } from './pyodide-node.js';
import { pythonAssets } from './python-assets.js';
import { Problem, runMain } from './say.js';

/**
 * Boots Pyodide as `web/loader.worker.js` does.
 *
 * @param {string[]} load names of packages of the lock file
 */
async function bootBuilt(load) {
  const { folder, manifest } = await pythonAssets({ fetchWheels: false });
  const pyodide = await bootPyodide({
    runtime: folder,
    stdlib: path.join(folder, manifest.stdlib),
    lock: manifest.lock,
  });
  const sysPath = pyodide.pyimport('sys').path;
  for (const [name, file] of Object.entries(manifest.packages)) {
    pyodide.FS.writeFile(`/lib/${name}.zip`, fs.readFileSync(path.join(folder, file)));
    sysPath.append(`/lib/${name}.zip`);
  }
  const rest = path.join(folder, manifest.stdlibRest);
  pyodide.pyimport('stdlib_on_demand').install(() => new Uint8Array(fs.readFileSync(rest)));
  if (load.length > 0) await loadPackages(pyodide, load);
  return pyodide;
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
  while (args[0] === '--load') load.push(...args.splice(0, 2).slice(1));
  const [script, ...rest] = args;
  if (!script)
    throw new Problem('usage: run-in-pyodide.js [--load NAME]... SCRIPT.py [ARGUMENT]...');
  await runScript(await bootBuilt(load), path.resolve(script), rest);
});
