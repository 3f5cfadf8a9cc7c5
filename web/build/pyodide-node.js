/** Pyodide under node: for compiling its own libraries, and for running Python files in tests. */

import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { Problem } from './say.js';

/** What Pyodide refused, in its own words; for a Python program, the traceback. */
export class PyodideFailure extends Problem {}

/**
 * Waits for Pyodide. Its errors, thrown on as they are, would drag along the source line that threw:
 * a megabyte.
 *
 * @template T
 * @param {Promise<T>} work
 * @returns {Promise<T>}
 */
export async function plainly(work) {
  try {
    return await work;
  } catch (error) {
    throw new PyodideFailure(error instanceof Error ? error.message : String(error));
  }
}

/**
 * @typedef {object} Interpreter
 * @property {string} runtime folder of pyodide.mjs, its WebAssembly, and the packages of `lock`
 * @property {string} [stdlib] a zip in place of the stock standard library
 * @property {object} [lock] contents of a lock file
 * @property {object} [options] more of `loadPyodide`
 */

/**
 * @param {Interpreter} interpreter
 * @returns {Promise<any>} Pyodide's API
 */
export async function bootPyodide({ runtime, stdlib, lock, options: more }) {
  const { loadPyodide } = await import(pathToFileURL(path.join(runtime, 'pyodide.mjs')).href);
  const options = {
    indexURL: `${runtime}/`,
    ...(stdlib && { stdLibURL: stdlib }),
    ...(lock && { lockFileContents: JSON.stringify(lock), packageBaseUrl: `${runtime}/` }),
    // The order of a set decides the bytes of a constant: the same input must give the same file.
    env: { HOME: '/home/pyodide', PYTHONHASHSEED: '0' },
    stdout: (/** @type {string} */ line) => process.stdout.write(`${line}\n`),
    stderr: (/** @type {string} */ line) => process.stderr.write(`${line}\n`),
    ...more,
  };
  return plainly(loadPyodide(options));
}

/**
 * Runs a Python file of the host as `__main__`; absolute paths among `args` mean the host's files.
 *
 * @param {any} pyodide
 * @param {string} script
 * @param {string[]} args
 */
export async function runScript(pyodide, script, args) {
  mountFolders(pyodide, [script, ...args]);
  const sys = pyodide.pyimport('sys');
  sys.argv = pyodide.toPy([script, ...args]);
  const globals = pyodide.toPy({ __name__: '__main__', __file__: script });
  const code = fs.readFileSync(script, 'utf8');
  await plainly(pyodide.runPythonAsync(code, { globals, filename: script }));
}

/**
 * Puts the host's folders that absolute paths name at the same places inside.
 *
 * @param {any} pyodide
 * @param {string[]} paths
 */
function mountFolders(pyodide, paths) {
  for (const given of paths.filter((p) => path.isAbsolute(p) && fs.existsSync(p))) {
    const folder = fs.statSync(given).isDirectory() ? given : path.dirname(given);
    if (!pyodide.FS.analyzePath(folder).exists) pyodide.mountNodeFS(folder, folder);
  }
}
