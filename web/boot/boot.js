/** Starts Python from what the build put into its folder of dist/: from the memory snapshot, or else from compiled modules. */

import { bodyOf, fetchAsset, readAssetNow } from '../transport/exchange.js';
import { forget, keep, keptOrFetched } from './kept.js';
import { finishStart, snapshotOptions } from './snapshot.js';

/** Nothing has to be read from the standard library when all of it that is needed is in the memory already. */
const NO_STDLIB = 'data:,';

/** Where Pyodide asks for its WebAssembly when that comes from us: its own request costs nothing then. */
const NO_FILES = 'data:,';

/**
 * @typedef {object} Python
 * @property {any} pyodide
 * @property {'snapshot' | 'modules'} way how it was started
 * @property {(name: string) => Promise<void>} mount makes a zip of `__FIRSTLIGHT_PYTHON__.packages` importable
 * @property {() => Promise<void>} keep has the next start find its files sooner
 */

/**
 * @param {string} base absolute URL of the folder, with a slash at its end
 * @returns {Promise<Python>}
 * @throws {Error} neither way works; of the second
 */
export async function bootPython(base) {
  const python = await fromSnapshot(base).catch((error) => {
    console.info(`Firstlight: Python starts without its snapshot (${error?.message ?? error})`);
    void forget(keptFiles(base));
    return fromModules(base);
  });
  const rest = base + __FIRSTLIGHT_PYTHON__.stdlibRest;
  finishStart(python.pyodide, () => readAssetNow(rest));
  return python;
}

/**
 * @param {string} base
 * @returns {string[]} the snapshot, and the WebAssembly that it is a memory of
 */
function keptFiles(base) {
  return [base + __FIRSTLIGHT_PYTHON__.snapshot, `${base}pyodide.asm.wasm`];
}

/**
 * @param {string} base
 * @returns {Promise<Python>}
 */
async function fromSnapshot(base) {
  const urls = keptFiles(base);
  const file = keptOrFetched(urls[0]).then(bodyOf);
  const compiled = WebAssembly.compileStreaming(keptOrFetched(urls[1]));
  const runtime = import(/* @vite-ignore */ `${base}pyodide.asm.mjs`);
  // Told by `loadPyodide`, which may fail earlier.
  for (const part of [file, compiled, runtime]) part.catch(() => {});
  const options = { stdLibURL: NO_STDLIB, indexURL: NO_FILES, ...snapshotOptions(runtime, file) };
  const pyodide = await load(base, options, compiled);
  const mount = mounting(pyodide, base);
  return {
    pyodide,
    way: 'snapshot',
    // What imports pydicom is of firstlight, and its files are not there yet.
    mount: async (name) => void (await Promise.all([mount('firstlight'), mount(name)])),
    keep: () => keep(urls),
  };
}

/**
 * @param {string} base
 * @returns {Promise<Python>}
 */
async function fromModules(base) {
  const own = fetchAsset(base + __FIRSTLIGHT_PYTHON__.packages.firstlight);
  own.catch(() => {}); // told by `mount`
  const pyodide = await load(base, { stdLibURL: base + __FIRSTLIGHT_PYTHON__.stdlib });
  const mount = mounting(pyodide, base, { firstlight: own });
  await mount('firstlight');
  return { pyodide, way: 'modules', mount, keep: async () => {} };
}

/**
 * @param {string} base
 * @param {object} options
 * @param {Promise<WebAssembly.Module>} [compiled] else Pyodide asks for it
 */
async function load(base, options, compiled) {
  const { loadPyodide } = await import(/* @vite-ignore */ `${base}pyodide.mjs`);
  const files = { indexURL: base, packageBaseUrl: base };
  const lockFileContents = __FIRSTLIGHT_PYTHON__.lock;
  return orFailure(() => loadPyodide({ ...files, lockFileContents, ...options }), compiled);
}

/**
 * Pyodide only warns, and waits for ever, when its WebAssembly does not come or is none.
 *
 * @template T
 * @param {() => Promise<T>} start
 * @param {Promise<WebAssembly.Module>} [compiled] takes the place of what Pyodide has asked for
 * @returns {Promise<T>}
 */
async function orFailure(start, compiled) {
  const { instantiateStreaming } = WebAssembly;
  try {
    return await new Promise((resolve, reject) => {
      WebAssembly.instantiateStreaming = (source, imports) => {
        const instance = compiled
          ? instantiated(compiled, imports)
          : instantiateStreaming.call(WebAssembly, source, imports);
        instance.catch(reject);
        return instance;
      };
      start().then(resolve, reject);
    });
  } finally {
    WebAssembly.instantiateStreaming = instantiateStreaming;
  }
}

/**
 * @param {Promise<WebAssembly.Module>} compiled
 * @param {WebAssembly.Imports} [imports]
 */
async function instantiated(compiled, imports) {
  const module = await compiled;
  return { module, instance: await WebAssembly.instantiate(module, imports) };
}

/**
 * @param {any} pyodide
 * @param {string} base
 * @param {Record<string, Promise<Uint8Array>>} [underWay]
 * @returns {(name: string) => Promise<void>}
 */
function mounting(pyodide, base, underWay = {}) {
  /** @type {Map<string, Promise<void>>} */
  const mounted = new Map();
  /** @param {string} name */
  const mountNow = async (name) => {
    const bytes = await (underWay[name] ?? fetchAsset(base + __FIRSTLIGHT_PYTHON__.packages[name]));
    const path = `/lib/${name}.zip`;
    pyodide.FS.writeFile(path, bytes);
    // The cache may say that there is no such file.
    pyodide.runPython(
      `import sys; sys.path.append(${JSON.stringify(path)}); sys.path_importer_cache.clear()`,
    );
  };
  return (name) => {
    const done = mounted.get(name) ?? mountNow(name);
    mounted.set(name, done);
    return done;
  };
}
