/** What a page needs to know to boot Python from the folder that python-assets.js assembled. */
export interface PythonManifest {
  /** The folder, relative to the root of dist/, with a slash at its end. */
  base: string;
  /** File for Pyodide's `stdLibURL`. */
  stdlib: string;
  /** Memory after the start and all imports, for `web/boot/snapshot.js`. */
  snapshot: string;
  /** The rest of the standard library, for `stdlib_on_demand`. */
  stdlibRest: string;
  /** Zips of compiled modules for `sys.path`: `firstlight`, and `pydicom` once a Part 10 file needs it. */
  packages: Record<string, string>;
  /** For `lockFileContents`; together with `packageBaseUrl`, which must be absolute. */
  lock: object;
}

declare global {
  /** Put in by vite.config.js. */
  const __FIRSTLIGHT_PYTHON__: PythonManifest;
  /** Put in by head-start.js beside this file: built files, relative to the page. */
  const __FIRSTLIGHT_HEAD_START__: { transport: string; decoder: string };
  /** Put in by service-worker.js beside this file: what `web/service.worker.js` keeps, relative to the page. */
  const __FIRSTLIGHT_SHELL__: { files: string[]; python: string[] };
}
