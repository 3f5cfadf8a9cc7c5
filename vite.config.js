import { defineConfig } from 'vite';
import { at, dist } from './web/build/paths.js';
import { pythonAssets } from './web/build/python-assets.js';

/**
 * `firstlight.js` at the root of dist/: what another page names in its script element. The code has
 * a hashed name like every other chunk, so that this one line alone must not be cached for long.
 *
 * @type {import('vite').Plugin}
 */
const publicEntry = {
  name: 'firstlight-public-entry',
  generateBundle(_options, bundle) {
    const main = Object.values(bundle).find(
      (file) => file.type === 'chunk' && file.name === 'main',
    );
    const source = `export * from './${main?.fileName}';\n`;
    this.emitFile({ type: 'asset', fileName: 'firstlight.js', source });
  },
};

/**
 * The codec's script names node's modules in branches that no browser takes; that is no news.
 *
 * @type {import('vite').Plugin}
 */
const quietCodec = {
  name: 'firstlight-quiet-codec',
  onLog: (_level, { message }) =>
    !/externalized for browser compatibility.*@cornerstonejs.codec-/.test(message),
};

/** @returns {Promise<import('vite').UserConfig>} */
async function config() {
  const python = await pythonAssets();
  return {
    root: at('web'),
    // Relative, so that the built page works below any path of any host.
    base: './',
    publicDir: python.publicFolder,
    plugins: [publicEntry],
    define: { __FIRSTLIGHT_PYTHON__: JSON.stringify(python.manifest) },
    build: {
      outDir: dist,
      emptyOutDir: true,
      target: 'es2022',
      // The codec's WebAssembly as a file, which the browser compiles while it streams.
      assetsInlineLimit: 0,
      // Every browser that runs Pyodide knows modulepreload.
      modulePreload: { polyfill: false },
      rolldownOptions: {
        input: {
          index: at('web/index.html'),
          main: at('web/main.js'),
        },
        preserveEntrySignatures: 'exports-only',
        output: { entryFileNames: 'assets/[name]-[hash].js' },
      },
    },
    worker: { format: 'es', plugins: () => [quietCodec] },
  };
}

export default defineConfig(config);
