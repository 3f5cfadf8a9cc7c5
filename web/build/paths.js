import { fileURLToPath } from 'node:url';
import path from 'node:path';

/** Where things are; everything that is not source lies in `.venv`, `node_modules`, `.cache` or `dist`. */
export const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/[\\/]$/, '');

/** @param {string[]} parts a path below the root of the repository */
export const at = (...parts) => path.join(root, ...parts);

export const cache = at('.cache');
export const dist = at('dist');
export const venv = at('.venv');

const bin = process.platform === 'win32' ? 'Scripts' : 'bin';
const exe = process.platform === 'win32' ? '.exe' : '';

/** @param {string} name a program installed in the virtual environment */
export const inVenv = (name) => path.join(venv, bin, name + exe);
