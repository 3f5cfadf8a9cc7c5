/** Installs and builds the incumbent's page, compressed as small as our own build is. */

import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress } from 'node:zlib';
import { lastLine, run } from '../web/build/command.js';
import { fileDigest, filesBelow, treeDigest } from '../web/build/digest.js';
import { at, cache } from '../web/build/paths.js';
import { Problem, say } from '../web/build/say.js';

const here = at('bench');
const out = path.join(cache, 'bench', 'cornerstone');
const stamp = path.join(cache, 'bench', 'cornerstone-built');
const installedStamp = path.join(here, 'node_modules', '.firstlight-bench');
const SMALLEST_BYTES = 1024;

/** Installs the incumbent's packages, unless they are there. */
export async function installIncumbent() {
  const wanted = fileDigest(path.join(here, 'package-lock.json'));
  if (fs.existsSync(installedStamp) && fs.readFileSync(installedStamp, 'utf8') === wanted) return;
  say('installing cornerstone3D, to measure against and to read what we write ...');
  const { code, output } = await run('npm', ['ci', '--loglevel=error'], { cwd: here });
  if (code !== 0) throw new Problem(`installing bench/ failed: ${lastLine(output)}`);
  fs.writeFileSync(installedStamp, wanted);
}

/** Builds the page unless it was built from the same sources. */
export async function buildIncumbent() {
  await installIncumbent();
  const sources = ['pages', 'build.js', 'vite.config.js', 'package-lock.json'];
  const key = treeDigest(sources.map((name) => path.join(here, name)));
  if (fs.existsSync(stamp) && fs.readFileSync(stamp, 'utf8') === key) return;
  say("building the incumbent's page ...");
  const { build } = await import('vite');
  await build({ configFile: path.join(here, 'vite.config.js'), build: { outDir: out } });
  say('compressing it ...');
  const files = filesBelow(out).filter((file) => fs.statSync(file).size >= SMALLEST_BYTES);
  await Promise.all(
    files.map(async (file) => {
      fs.writeFileSync(`${file}.br`, await promisify(brotliCompress)(fs.readFileSync(file)));
    }),
  );
  fs.writeFileSync(stamp, key);
}
