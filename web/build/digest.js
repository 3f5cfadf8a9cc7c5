import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { root } from './paths.js';

/** @param {string | Uint8Array} data */
export const sha256 = (data) => createHash('sha256').update(data).digest('hex');

/** @param {string} file */
export const fileDigest = (file) => sha256(fs.readFileSync(file));

/**
 * Files below a folder, sorted, without those that tools leave behind.
 *
 * @param {string} folder
 * @returns {string[]} absolute paths; a file gives itself, what is missing gives nothing
 */
export function filesBelow(folder) {
  if (!fs.existsSync(folder)) return [];
  if (fs.statSync(folder).isFile()) return [folder];
  return fs
    .readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.name !== '__pycache__' && !entry.name.startsWith('.'))
    .flatMap((entry) => filesBelow(path.join(folder, entry.name)))
    .sort();
}

/**
 * One digest for the names and contents of many files.
 *
 * @param {string[]} paths files and folders
 * @param {string[]} [words] anything else the result depends on
 */
export function treeDigest(paths, words = []) {
  const hash = createHash('sha256');
  for (const word of words) hash.update(`${word}\n`);
  for (const file of paths.flatMap(filesBelow)) {
    hash.update(`${path.relative(root, file)}\n${fileDigest(file)}\n`);
  }
  return hash.digest('hex').slice(0, 16);
}
