/**
 * Runs as soon as it is here, before the viewer's own code is: its threads start meanwhile, and the descriptor that the
 * page's address names is asked for. The viewer works the same without.
 */

import { absolute, isDescriptor, srcOf } from './address.js';
import { prepareWorkers } from './workers.js';

const src = absolute(srcOf(location.search));
prepareWorkers(isDescriptor(src) ? src : null);
