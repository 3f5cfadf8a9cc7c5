/** `npm run bench`: builds everything, then measures. Options go to `bench/run.py`. */

import { buildIncumbent } from '../../bench/build.js';
import { build } from './build.js';
import { debianPackages } from './debian.js';
import { run } from './command.js';
import { inVenv } from './paths.js';
import { runMain } from './say.js';
import { setup } from './setup.js';

await runMain(import.meta.url, async (args) => {
  await setup();
  await debianPackages();
  await build({ final: true });
  await buildIncumbent();
  const { code } = await run(inVenv('python'), ['-m', 'bench.run', ...args], { show: true });
  return code;
});
