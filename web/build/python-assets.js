/**
 * Everything Python that a page loads, assembled in a folder of the cache from which vite, node and
 * the tests take it. README.md tells what is in it and why.
 */

import fs from 'node:fs';
import path from 'node:path';
import { fileDigest, treeDigest } from './digest.js';
import { at, cache, venv } from './paths.js';
import { bootPyodide, runScript } from './pyodide-node.js';
import { say } from './say.js';
import { makeSnapshot } from './snapshot.js';
import { wheels } from './wheels.js';

const runtime = at('node_modules/pyodide');
const scripts = at('web/build/python');
const RUNTIME_FILES = ['pyodide.mjs', 'pyodide.asm.mjs', 'pyodide.asm.wasm'];

/** @import { PythonManifest } from './globals.d.ts' */

/**
 * @typedef {{ publicFolder: string, folder: string, manifest: PythonManifest }} PythonAssets
 *   `publicFolder` holds nothing but the one folder; both are absolute
 */

/**
 * Compiles and assembles what is not in the cache yet.
 *
 * @param {{ fetchWheels?: boolean }} [options] without it, wheels are taken only when they are here
 * @returns {Promise<PythonAssets>}
 */
export async function pythonAssets({ fetchWheels = true } = {}) {
  const libraries = await compiledLibraries();
  const own = await compiledPackage(libraries);
  const extra = await wheels({ fetch: fetchWheels });
  const fixed = [...RUNTIME_FILES.map((name) => path.join(runtime, name)), ...extra.files];
  const made = {
    stdlib: hashed(path.join(own, 'stdlib.zip')),
    stdlibRest: hashed(path.join(own, 'stdlib-rest.zip')),
    firstlight: hashed(path.join(own, 'firstlight.zip')),
    pydicom: hashed(path.join(libraries, 'pydicom.zip')),
    snapshot: hashed(path.join(await snapshotOf(own, extra.lock), 'snapshot.bin')),
  };
  const folderName = `py-${pyodideVersion()}-${treeDigest(fixed).slice(0, 8)}`;
  const publicFolder = path.join(cache, 'python', 'public');
  const folder = path.join(publicFolder, folderName);
  assemble(folder, [
    ...fixed.map((source) => ({ source, name: path.basename(source) })),
    ...Object.values(made),
  ]);
  fs.writeFileSync(path.join(folder, 'pyodide-lock.json'), JSON.stringify(extra.lock));
  const manifest = {
    base: `${folderName}/`,
    stdlib: made.stdlib.name,
    stdlibRest: made.stdlibRest.name,
    snapshot: made.snapshot.name,
    packages: { firstlight: made.firstlight.name, pydicom: made.pydicom.name },
    lock: extra.lock,
  };
  return { publicFolder, folder, manifest };
}

/** The standard library and pydicom: they change with a version only. */
function compiledLibraries() {
  const sitePackages = findSitePackages();
  const sources = ['compile_libraries.py', 'pyc_zip.py'].map((name) => path.join(scripts, name));
  const pydicom = fs.readdirSync(sitePackages).filter((name) => name.startsWith('pydicom-'));
  const key = treeDigest([...sources, path.join(runtime, 'python_stdlib.zip')], pydicom);
  return cached('libraries', key, async (out) => {
    say('compiling the standard library and pydicom for the browser ...');
    const sample = path.join(sitePackages, 'pydicom/data/test_files/CT_small.dcm');
    const stock = path.join(runtime, 'python_stdlib.zip');
    const pyodide = await bootPyodide({ runtime });
    const script = path.join(scripts, 'compile_libraries.py');
    await runScript(pyodide, script, [stock, sitePackages, sample, out]);
  });
}

/** @param {string} libraries folder of the compiled libraries */
function compiledPackage(libraries) {
  const sources = treeDigest([at('py/firstlight'), scripts]);
  return cached('package', `${sources}-${path.basename(libraries)}`, async (out) => {
    say('compiling firstlight for the browser ...');
    const stdlib = path.join(libraries, 'stdlib-all.zip');
    const onDemand = path.join(scripts, 'stdlib_on_demand.py');
    const pyodide = await bootPyodide({ runtime, stdlib });
    const script = path.join(scripts, 'compile_package.py');
    await runScript(pyodide, script, [libraries, at('py/firstlight'), onDemand, out]);
  });
}

/**
 * @param {string} own folder of the compiled package
 * @param {object} lock
 */
function snapshotOf(own, lock) {
  const sources = ['web/build/snapshot.js', 'web/boot/snapshot.js', 'package-lock.json'].map((n) =>
    at(n),
  );
  const key = treeDigest([...sources, scripts], [path.basename(own), JSON.stringify(lock)]);
  return cached('snapshot', key, async (out) => {
    say('saving the memory of a started Python ...');
    const file = await makeSnapshot({
      runtime,
      stdlib: path.join(own, 'stdlib.zip'),
      lock,
      firstlight: path.join(own, 'firstlight.zip'),
      script: path.join(scripts, 'fill_snapshot.py'),
    });
    fs.writeFileSync(path.join(out, 'snapshot.bin'), file);
  });
}

/**
 * A folder of the cache, made by `make` when it is not there; older ones of its kind go.
 *
 * @param {string} kind
 * @param {string} key
 * @param {(folder: string) => Promise<void>} make
 * @returns {Promise<string>}
 */
async function cached(kind, key, make) {
  const parent = path.join(cache, 'python', kind);
  const folder = path.join(parent, key);
  if (fs.existsSync(folder)) return folder;
  const unfinished = path.join(cache, 'python', `unfinished-${process.pid}`);
  fs.mkdirSync(unfinished, { recursive: true });
  try {
    await make(unfinished);
    fs.rmSync(parent, { recursive: true, force: true });
    fs.mkdirSync(parent, { recursive: true });
    fs.renameSync(unfinished, folder);
  } finally {
    fs.rmSync(unfinished, { recursive: true, force: true });
  }
  return folder;
}

/**
 * Makes a folder hold exactly these files, and its parent exactly this folder.
 *
 * @param {string} folder
 * @param {{ source: string, name: string }[]} files
 */
function assemble(folder, files) {
  fs.mkdirSync(folder, { recursive: true });
  keepOnly(path.dirname(folder), [path.basename(folder)]);
  const names = files.map(({ name }) => name);
  keepOnly(folder, names);
  for (const { source, name } of files) {
    const target = path.join(folder, name);
    if (!fs.existsSync(target)) fs.copyFileSync(source, target);
  }
}

/**
 * @param {string} folder
 * @param {string[]} names
 */
function keepOnly(folder, names) {
  for (const name of fs.readdirSync(folder)) {
    if (!names.includes(name)) fs.rmSync(path.join(folder, name), { recursive: true });
  }
}

/**
 * A name that changes with the content, so that a browser may keep the file for ever.
 *
 * @param {string} source
 */
function hashed(source) {
  const { name, ext } = path.parse(source);
  return { source, name: `${name}-${fileDigest(source).slice(0, 8)}${ext}` };
}

function findSitePackages() {
  const windows = path.join(venv, 'Lib/site-packages');
  if (fs.existsSync(windows)) return windows;
  const [version] = fs.readdirSync(path.join(venv, 'lib')).filter((n) => n.startsWith('python'));
  return path.join(venv, 'lib', version, 'site-packages');
}

function pyodideVersion() {
  return JSON.parse(fs.readFileSync(path.join(runtime, 'package.json'), 'utf8')).version;
}
