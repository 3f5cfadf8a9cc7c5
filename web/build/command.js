import { spawn } from 'node:child_process';
import { root } from './paths.js';

/**
 * @typedef {object} Outcome
 * @property {number} code 127 when the program does not exist
 * @property {string} output stdout and stderr together, empty when shown
 */

/**
 * Runs a program to its end.
 *
 * @param {string} program
 * @param {string[]} args
 * @param {{ show?: boolean, env?: Record<string, string>, cwd?: string }} [options] `show` passes
 *   its output through instead of keeping it
 * @returns {Promise<Outcome>}
 */
export function run(program, args, { show = false, env = {}, cwd = root } = {}) {
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: show ? 'inherit' : ['ignore', 'pipe', 'pipe'],
      shell: process.platform === 'win32' && program === 'npm',
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (/** @type {string} */ text) => (output += text));
    }
    child.on('error', (error) => resolve({ code: 127, output: String(error.message) }));
    child.on('close', (code) => resolve({ code: code ?? 1, output }));
  });
}

/** @param {string} output the last line that says something */
export function lastLine(output) {
  return output.trim().split('\n').at(-1)?.trim() ?? '';
}
