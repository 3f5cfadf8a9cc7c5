/** `npm run check`: lint, format, types and import directions; runs them all, then sums up. */

import { run } from './command.js';
import { at, inVenv } from './paths.js';
import { runMain, say } from './say.js';
import { setup } from './setup.js';

/** @type {[name: string, program: string, args: string[]][]} */
const CHECKS = [
  ['ruff check', inVenv('ruff'), ['check', '--quiet', '.']],
  ['ruff format', inVenv('ruff'), ['format', '--check', '--quiet', '.']],
  ['mypy --strict', inVenv('mypy'), ['--no-error-summary']],
  ['tsc --checkJs', at('node_modules/.bin/tsc'), ['--project', at('tsconfig.json'), '--pretty']],
  ['prettier', at('node_modules/.bin/prettier'), ['--check', '--log-level=warn', '.', '!**/*.md']],
  ['architecture', inVenv('pytest'), ['--quiet', at('tests/unit/test_architecture.py')]],
];

/** @returns {Promise<boolean>} whether every check passed */
export async function check() {
  /** @type {string[]} */
  const failed = [];
  for (const [name, program, args] of CHECKS) {
    const { code, output } = await run(program, args);
    say(`${code === 0 ? 'ok    ' : 'FAILED'}  ${name}`);
    if (code !== 0) {
      failed.push(name);
      say(output.trimEnd());
    }
  }
  say(failed.length === 0 ? 'all checks passed' : `failed: ${failed.join(', ')}`);
  return failed.length === 0;
}

await runMain(import.meta.url, async () => {
  await setup();
  return (await check()) ? 0 : 1;
});
