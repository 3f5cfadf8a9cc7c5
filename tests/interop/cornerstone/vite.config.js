import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const here = path.dirname(fileURLToPath(import.meta.url));
const bench = path.resolve(here, '../../../bench/pages/cornerstone.js');

/** The page takes its packages from where the bench has them. */
const fromBench = {
  name: 'packages-of-the-bench',
  enforce: 'pre',
  resolveId(source, importer) {
    if (!source.startsWith('@cornerstonejs/') || path.dirname(importer ?? '') !== here) return null;
    return this.resolve(source, bench, { skipSelf: true });
  },
};

export default defineConfig({
  root: here,
  base: './',
  logLevel: 'error',
  plugins: [fromBench],
  build: {
    emptyOutDir: true,
    target: 'es2022',
    minify: false,
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: Infinity,
  },
  worker: { format: 'es' },
});
