/** Starts Python from what the build put into its folder of dist/: from the memory snapshot, or else from compiled modules. */

import { fetchAsset, readAssetNow } from '../transport/exchange.js';
import { finishStart, snapshotOptions } from './snapshot.js';

/** Nothing has to be read from the standard library when all of it that is needed is in the memory already. */
const NO_STDLIB = 'data:,';

/**
 * @typedef {object} Python
 * @property {any} pyodide
 * @property {'snapshot' | 'modules'} way how it was started
 * @property {(name: string) => Promise<void>} mount makes a zip of `__FIRSTLIGHT_PYTHON__.packages` importable
 */

/**
 * @param {string} base absolute URL of the folder, with a slash at its end
 * @returns {Promise<Python>}
 * @throws {Error} neither way works; of the second
 */
export async function bootPython(base) {
  const python = await fromSnapshot(base).catch((error) => {
    console.info(`Firstlight: Python starts without its snapshot (${error?.message ?? error})`);
    return fromModules(base);
  });
  const rest = base + __FIRSTLIGHT_PYTHON__.stdlibRest;
  finishStart(python.pyodide, () => readAssetNow(rest));
  return python;
}

/**
 * @param {string} base
 * @returns {Promise<Python>}
 */
async function fromSnapshot(base) {
  const file = fetchAsset(base + __FIRSTLIGHT_PYTHON__.snapshot);
  const runtime = import(/* @vite-ignore */ `${base}pyodide.asm.mjs`);
  file.catch(() => {}); // told by `loadPyodide`, which may fail earlier
  runtime.catch(() => {});
  const options = { stdLibURL: NO_STDLIB, ...snapshotOptions(runtime, file) };
  const pyodide = await load(base, options);
  const mount = mounting(pyodide, base);
  return {
    pyodide,
    way: 'snapshot',
    // What imports pydicom is of firstlight, and its files are not there yet.
    mount: async (name) => void (await Promise.all([mount('firstlight'), mount(name)])),
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
  return { pyodide, way: 'modules', mount };
}

/**
 * @param {string} base
 * @param {object} options
 */
async function load(base, options) {
  const { loadPyodide } = await import(/* @vite-ignore */ `${base}pyodide.mjs`);
  const files = { indexURL: base, packageBaseUrl: base };
  const lockFileContents = __FIRSTLIGHT_PYTHON__.lock;
  return orFailure(() => loadPyodide({ ...files, lockFileContents, ...options }));
}

/**
 * Pyodide only warns, and waits for ever, when its WebAssembly does not come or is none.
 *
 * @template T
 * @param {() => Promise<T>} start
 * @returns {Promise<T>}
 */
async function orFailure(start) {
  const { instantiateStreaming } = WebAssembly;
  try {
    return await new Promise((resolve, reject) => {
      WebAssembly.instantiateStreaming = (...given) => {
        const instance = instantiateStreaming.apply(WebAssembly, given);
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
