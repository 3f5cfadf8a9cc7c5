/** `npm test`: everything that CI runs. Further arguments go to pytest (`-n0`: one process). */

import { installIncumbent } from '../../bench/build.js';
import { build } from './build.js';
import { check } from './check.js';
import { run } from './command.js';
import { debianPackages } from './debian.js';
import { inVenv } from './paths.js';
import { runMain } from './say.js';
import { setup } from './setup.js';

/** A process a core, each with a browser of its own; one that is done takes over from the others. */
const PARALLEL = ['--numprocesses=logical', '--maxprocesses=4', '--dist=worksteal'];

await runMain(import.meta.url, async (args) => {
  await setup();
  await debianPackages();
  await installIncumbent(); // reads the trees that `prepare` writes
  await build();
  const clean = await check();
  // pytest goes last: its summary is the last line that anybody, and any CI, reads.
  const { code } = await run(inVenv('pytest'), [...PARALLEL, ...args], { show: true });
  return code !== 0 || clean ? code : 1;
});
