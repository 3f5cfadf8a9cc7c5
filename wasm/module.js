/** What the codecs that are C++ compiled to WASM have in common: how they start, and how they throw. */

import { CodecError } from './codec.js';

/**
 * Fetches, compiles and starts a library.
 *
 * @template M
 * @param {(options: {locateFile?: (name: string) => string, print: (text: string) => void, printErr: (text: string) => void}) => Promise<M>} factory
 *   the script that comes with the WASM
 * @param {object} [options]
 * @param {string} [options.wasmUrl] where the WASM lies; beside the library's script when absent (Node)
 * @param {(text: string) => void} [options.print] what the library says
 * @param {(text: string) => void} [options.printErr] what it complains of
 * @returns {Promise<M>}
 */
export function startModule(factory, { wasmUrl, print = ignore, printErr = ignore } = {}) {
  const place = wasmUrl === undefined ? {} : { locateFile: () => wasmUrl };
  return factory({ ...place, print, printErr });
}

/**
 * Runs a call of a library that throws. C++ exceptions arrive as numbers, pointers to them; anything else is a trap and
 * goes up.
 *
 * @param {() => void} work
 * @param {(pointer: number) => string} reasonOf
 */
export function refuseThrown(work, reasonOf) {
  try {
    work();
  } catch (error) {
    if (typeof error !== 'number') throw error;
    throw new CodecError('DecodeError', reasonOf(error));
  }
}

function ignore() {}
