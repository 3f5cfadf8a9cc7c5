/**
 * Python's memory after everything has been imported, made by the build (`web/build/snapshot.js`) and put back at the
 * start of a page. README.md tells what is in it and why it is trusted or refused.
 *
 * The file, little-endian: magic, bytes of the header, number of runs, 0; the header as JSON, padded to 4; the runs,
 * 32 bits each: kind in the lowest two, blocks in the others; the blocks of the kind `LITERAL`, one after the other.
 */

export const MAGIC = 0x4e_53_4c_46; // FLSN
export const BLOCK_BYTES = 256;
export const FIXED_BYTES = 16;

/** What a run of blocks holds: nothing; what WebAssembly's own data put there; bytes of the file. */
export const ZERO = 0;
export const KEEP = 1;
export const LITERAL = 2;

/**
 * @typedef {object} Header
 * @property {string} buildId of Pyodide
 * @property {number} heapBytes
 * @property {number} checksum of all blocks that are not zero
 * @property {object} state what Pyodide keeps of JavaScript's objects that Python holds
 *
 * @typedef {{header: Header, runs: Uint32Array, literals: Uint8Array}} Snapshot
 */

export class SnapshotRefused extends Error {}

/**
 * @param {Uint8Array<ArrayBuffer>} file
 * @returns {Snapshot} views of the file
 * @throws {SnapshotRefused} it is not one, or not all of it
 */
export function readSnapshot(file) {
  if (file.length < FIXED_BYTES) throw new SnapshotRefused('no snapshot');
  const [magic, headerBytes, runCount] = new Uint32Array(file.buffer, file.byteOffset, 3);
  const runsAt = FIXED_BYTES + headerBytes;
  const literalsAt = runsAt + 4 * runCount;
  if (magic !== MAGIC || headerBytes % 4 !== 0 || literalsAt > file.length) {
    throw new SnapshotRefused('no snapshot');
  }
  const header = JSON.parse(new TextDecoder().decode(file.subarray(FIXED_BYTES, runsAt)));
  const runs = new Uint32Array(file.buffer, file.byteOffset + runsAt, runCount);
  const literals = file.subarray(literalsAt);
  let literalBlocks = 0;
  for (const run of runs) if ((run & 3) === LITERAL) literalBlocks += run >>> 2;
  if (literals.length !== literalBlocks * BLOCK_BYTES) throw new SnapshotRefused('cut short');
  return { header, runs, literals };
}

/**
 * Options of `loadPyodide` by which Python comes from a snapshot. WebAssembly is compiled while the file is on its way.
 *
 * @param {Promise<{default: (settings: any) => Promise<any>}>} runtime the module `pyodide.asm.mjs`
 * @param {Promise<Uint8Array<ArrayBuffer>>} file
 */
export function snapshotOptions(runtime, file) {
  return {
    // Anything that is there keeps Python from being started; it is read by our `restoreSnapshot` only.
    _loadSnapshot: new Uint8Array(0),
    /** @param {any} settings Emscripten's, with Pyodide's own parts in `API` */
    createPyodideModule: async (settings) => {
      const { default: create } = await runtime;
      const module = await create(settings);
      const { API } = settings;
      if (typeof API?.restoreSnapshot !== 'function') throw new SnapshotRefused('unknown Pyodide');
      const snapshot = readSnapshot(await file);
      API.restoreSnapshot = () => {
        restore(module, API.config.BUILD_ID, snapshot);
        return snapshot.header.state;
      };
      return module;
    },
  };
}

/**
 * What every started Python still needs, whichever way it came.
 *
 * @param {any} pyodide
 * @param {() => Uint8Array} readRest of the standard library
 */
export function finishStart(pyodide, readRest) {
  // In every memory that comes from one snapshot the same numbers would be drawn.
  pyodide.runPython('import random; random.seed()');
  pyodide.pyimport('stdlib_on_demand').install(readRest);
}

/**
 * Fills the memory of a Python that has not started yet.
 *
 * @param {any} module Emscripten's, before `main`
 * @param {string} buildId
 * @param {Snapshot} snapshot
 * @throws {SnapshotRefused} it is of another Pyodide, or the memory came out differently from the one that was saved
 */
export function restore(module, buildId, { header, runs, literals }) {
  if (header.buildId !== buildId) throw new SnapshotRefused('made by another Pyodide');
  const missing = header.heapBytes - module.HEAPU8.length;
  if (missing > 0) module._malloc(missing); // grows the memory; what it wrote is overwritten below
  const heap = module.HEAPU8;
  if (heap.length < header.heapBytes) throw new SnapshotRefused('no memory');
  let at = 0;
  let from = 0;
  for (const run of runs) {
    const length = (run >>> 2) * BLOCK_BYTES;
    if ((run & 3) === ZERO) heap.fill(0, at, at + length);
    else if ((run & 3) === LITERAL) {
      heap.set(literals.subarray(from, from + length), at);
      from += length;
    }
    at += length;
  }
  if (checksum(heap, runs) !== header.checksum) {
    throw new SnapshotRefused('the memory is not the one that was saved');
  }
}

/**
 * Of every block that is not zero.
 *
 * @param {Uint8Array} heap
 * @param {Uint32Array} runs
 */
export function checksum(heap, runs) {
  const words = new Uint32Array(heap.buffer, heap.byteOffset, heap.length >> 2);
  let sum = 0x811c9dc5;
  let at = 0;
  for (const run of runs) {
    const next = at + (run >>> 2) * (BLOCK_BYTES / 4);
    if ((run & 3) !== ZERO) for (; at < next; at += 1) sum = Math.imul(sum ^ words[at], 0x01000193);
    at = next;
  }
  return sum >>> 0;
}
