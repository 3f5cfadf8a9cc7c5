/** Brotli and gzip siblings for everything in a folder, so that a server never compresses. */

import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { fileDigest, filesBelow, sha256 } from './digest.js';
import { cache } from './paths.js';

const store = path.join(cache, 'compressed');
const SMALLEST_BYTES = 1024;
const LARGEST_SHARE = 0.97;

const QUICK_QUALITY = 9;

/**
 * @typedef {{ suffix: string, quality: number, compress: (data: Uint8Array) => Promise<Uint8Array> }} Encoding
 */

/**
 * @param {number} quality 0 to 11; the last step costs ten times as long and saves a fifth
 * @returns {Encoding}
 */
const brotli = (quality) => ({
  suffix: '.br',
  quality,
  compress: (data) =>
    promisify(brotliCompress)(data, {
      params: {
        [constants.BROTLI_PARAM_QUALITY]: quality,
        [constants.BROTLI_PARAM_SIZE_HINT]: data.length,
      },
    }),
});

/** @type {Encoding} */
const gzipped = {
  suffix: '.gz',
  quality: 9,
  compress: (data) => promisify(gzip)(data, { level: 9 }),
};

/**
 * Writes `name.br` and `name.gz` beside each file of at least 1 KB, unless that saves next to nothing.
 *
 * @param {string} folder
 * @param {{ final: boolean }} options `final`: as small as it goes
 */
export async function precompress(folder, { final }) {
  const encodings = [brotli(final ? constants.BROTLI_MAX_QUALITY : QUICK_QUALITY), gzipped];
  fs.mkdirSync(store, { recursive: true });
  const files = filesBelow(folder).filter((file) => fs.statSync(file).size >= SMALLEST_BYTES);
  const jobs = files.flatMap((file) => encodings.map((encoding) => ({ file, encoding })));
  await Promise.all(
    jobs.map(async ({ file, encoding }) => {
      const kept = await compressedOnce(file, encoding);
      if (fs.statSync(kept).size <= LARGEST_SHARE * fs.statSync(file).size) {
        fs.copyFileSync(kept, file + encoding.suffix);
      }
    }),
  );
  forgetOthers(files);
}

/** @param {string[]} files whose compressed forms stay in the cache */
function forgetOthers(files) {
  const current = new Set(files.map(fileDigest));
  for (const name of fs.readdirSync(store).filter((name) => !current.has(name.split('-')[0]))) {
    fs.rmSync(path.join(store, name));
  }
}

/**
 * The compressed form from the cache, where it is found by the content's hash.
 *
 * @param {string} file
 * @param {Encoding} encoding
 * @returns {Promise<string>} its path
 */
async function compressedOnce(file, { suffix, quality, compress }) {
  const data = fs.readFileSync(file);
  const kept = path.join(store, `${sha256(data)}-${quality}${suffix}`);
  if (!fs.existsSync(kept)) {
    const unfinished = `${kept}.${process.pid}`;
    fs.writeFileSync(unfinished, await compress(data));
    fs.renameSync(unfinished, kept);
  }
  return kept;
}
