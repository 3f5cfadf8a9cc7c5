import { at } from './paths.js';

/**
 * One of our modules with all that it imports, as a script that needs no module loader.
 *
 * @param {string} entry path below the root
 * @param {Record<string, unknown>} define values of names that it does not declare
 * @returns {Promise<string>}
 */
export async function classicScript(entry, define) {
  const vite = await import('vite');
  const built = await vite.build({
    configFile: false,
    logLevel: 'warn',
    define: Object.fromEntries(
      Object.entries(define).map(([name, value]) => [name, JSON.stringify(value)]),
    ),
    build: {
      write: false,
      target: 'es2022',
      lib: { entry: at(entry), formats: ['iife'], name: 'firstlightScript' },
    },
  });
  const [{ output }] = /** @type {import('vite').Rollup.RollupOutput[]} */ ([built].flat());
  return output[0].code.trim();
}
