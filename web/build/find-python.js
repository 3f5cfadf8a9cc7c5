import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { run } from './command.js';
import { Problem } from './say.js';

/** Newest first; a version that came out after this list may lack wheels, so it goes last. */
const KNOWN_MINORS = [14, 13, 12, 11];
const ADVICE = 'install Python 3.11 or newer (Debian: apt-get install python3 python3-venv)';

/** @typedef {{ program: string, minor: number, complete: boolean }} Python */

/**
 * Starts a program and asks it; a shim that exists but runs nothing counts as absent.
 *
 * @param {string} program
 * @returns {Promise<Python | null>} `complete` tells whether it can make virtual environments
 */
async function ask(program) {
  const question =
    'import sys, importlib.util as u; ' +
    'print(sys.version_info[0], sys.version_info[1], u.find_spec("ensurepip") is not None)';
  const { code, output } = await run(program, ['-c', question]);
  const answer = /^(\d+) (\d+) (True|False)$/m.exec(output);
  if (code !== 0 || !answer || answer[1] !== '3') return null;
  return { program, minor: Number(answer[2]), complete: answer[3] === 'True' };
}

/** Programs that may be a Python, on the path and under pyenv. */
function candidates() {
  const named = KNOWN_MINORS.map((minor) => `python3.${minor}`);
  const versions = path.join(
    process.env.PYENV_ROOT ?? path.join(os.homedir(), '.pyenv'),
    'versions',
  );
  const pyenv = fs.existsSync(versions) ? fs.readdirSync(versions) : [];
  const underPyenv = pyenv
    .filter((name) => name.startsWith('3.'))
    .map((name) => path.join(versions, name, 'bin', 'python3'));
  return [...named, 'python3', 'python', ...underPyenv];
}

/** @param {Python} python lower is better */
function rank({ minor }) {
  const known = KNOWN_MINORS.indexOf(minor);
  return known === -1 ? KNOWN_MINORS.length : known;
}

/**
 * The newest Python of this machine for which the locked packages exist.
 *
 * @returns {Promise<string>} its program
 */
export async function findPython() {
  const answers = await Promise.all(candidates().map(ask));
  const found = answers.filter((python) => python !== null);
  const recent = found.filter(({ minor }) => minor >= 11).sort((a, b) => rank(a) - rank(b));
  const usable = recent.find(({ complete }) => complete);
  if (usable) return usable.program;
  if (recent.length > 0) {
    throw new Problem(
      `${recent[0].program} cannot make a virtual environment: apt-get install python3-venv`,
    );
  }
  if (found.length === 0) throw new Problem(`no Python found: ${ADVICE}`);
  const newest = Math.max(...found.map(({ minor }) => minor));
  throw new Problem(`Python 3.${newest} is too old: ${ADVICE}`);
}
