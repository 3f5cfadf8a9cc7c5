/** What the person at the terminal reads: calm lines, and one line when something is missing. */

import fs from 'node:fs';
import { fileURLToPath } from 'node:url';

const NODE_AT_LEAST = 20;

/** @param {string} line */
export function say(line) {
  process.stderr.write(`${line}\n`);
}

/** Something the person can put right; shown as one line, without a trace. */
export class Problem extends Error {}

/**
 * Runs a script's main function when node was started with that script: a `Problem` becomes one
 * line and exit code 1, anything else is a fault of ours and keeps its trace.
 *
 * @param {string} moduleUrl `import.meta.url` of the script
 * @param {(args: string[]) => Promise<number | void>} main gives the exit code
 */
export async function runMain(moduleUrl, main) {
  const [, script, ...args] = process.argv;
  if (!script || fs.realpathSync(script) !== fileURLToPath(moduleUrl)) return;
  try {
    if (parseInt(process.versions.node, 10) < NODE_AT_LEAST) {
      throw new Problem(`Node ${process.versions.node} is too old: install Node 20 or newer`);
    }
    process.exitCode = (await main(args)) ?? 0;
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    say(`firstlight: ${error.message}`);
    process.exitCode = 1;
  }
}
