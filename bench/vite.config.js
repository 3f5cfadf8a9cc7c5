import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

/** The incumbent's page; `build.js` says where it goes. */
export default defineConfig({
  root: fileURLToPath(new URL('pages', import.meta.url)),
  base: './',
  logLevel: 'error',
  build: {
    emptyOutDir: true,
    target: 'es2022',
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: Infinity,
    rolldownOptions: {
      input: fileURLToPath(new URL('pages/cornerstone.html', import.meta.url)),
    },
  },
  worker: { format: 'es' },
});
