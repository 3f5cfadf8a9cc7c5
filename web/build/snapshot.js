/** Makes the memory snapshot that `web/boot/snapshot.js` reads; web/boot/README.md tells what is in it. */

import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  BLOCK_BYTES,
  checksum,
  FIXED_BYTES,
  KEEP,
  LITERAL,
  MAGIC,
  readSnapshot,
  restore,
  ZERO,
} from '../boot/snapshot.js';
import { bootPyodide, plainly, PyodideFailure } from './pyodide-node.js';

/** The header of Pyodide's own format: magic, offset of the heap, bytes of the state, 0, BUILD_ID. */
const PYODIDE_HEADER_BYTES = 48;

const FILL = `
import sys
sys.path.insert(0, "/fill")
import fill_snapshot
fill_snapshot.fill()
fill_snapshot.leave_nothing()
del fill_snapshot, sys
`;

/**
 * @typedef {import('./pyodide-node.js').Interpreter} Interpreter
 *
 * @typedef {object} Contents
 * @property {string} firstlight zip of the package
 * @property {string} script `fill_snapshot.py`
 */

/**
 * @param {Interpreter & Contents} parts
 * @returns {Promise<Uint8Array>} the file
 */
export async function makeSnapshot({ firstlight, script, ...interpreter }) {
  const pyodide = await bootPyodide({ ...interpreter, options: { _makeSnapshot: true } });
  pyodide.FS.writeFile('/lib/firstlight.zip', fs.readFileSync(firstlight));
  pyodide.FS.mkdir('/fill');
  pyodide.FS.writeFile('/fill/fill_snapshot.py', fs.readFileSync(script));
  // In one go, not as a coroutine: no object of this side may be left in Python.
  await plainly(Promise.resolve().then(() => pyodide.runPython(FILL)));
  const buildId = pyodide._module.API.config.BUILD_ID;
  const { heap, state } = parse(pyodide.makeMemorySnapshot());
  const untouched = await memoryBeforePython(interpreter);
  const snapshot = pack(heap, state, buildId, staticBytes(interpreter.runtime, untouched));
  await prove(interpreter, snapshot, heap);
  return snapshot;
}

/** @param {Uint8Array<ArrayBuffer>} snapshot in Pyodide's own format */
function parse(snapshot) {
  const [, heapAt, stateBytes] = new Uint32Array(snapshot.buffer, snapshot.byteOffset, 3);
  const text = snapshot.subarray(PYODIDE_HEADER_BYTES, PYODIDE_HEADER_BYTES + stateBytes);
  return {
    heap: snapshot.subarray(heapAt),
    state: JSON.parse(new TextDecoder().decode(text)),
  };
}

/**
 * @param {Uint8Array} heap
 * @param {object} state
 * @param {string} buildId
 * @param {Uint8Array} untouched what every start puts into the first bytes of the memory
 * @returns {Uint8Array<ArrayBuffer>}
 */
function pack(heap, state, buildId, untouched) {
  /** @type {number[]} */
  const runs = [];
  /** @type {Uint8Array[]} */
  const literals = [];
  const empty = Buffer.alloc(BLOCK_BYTES);
  for (let at = 0; at < heap.length; at += BLOCK_BYTES) {
    const block = heap.subarray(at, at + BLOCK_BYTES);
    const same = Buffer.compare(block, untouched.subarray(at, at + BLOCK_BYTES)) === 0;
    const kind = Buffer.compare(block, empty) === 0 ? ZERO : same ? KEEP : LITERAL;
    if (kind === LITERAL) literals.push(block);
    const last = runs.length - 1;
    if (last >= 0 && (runs[last] & 3) === kind) runs[last] += 4;
    else runs.push(4 | kind);
  }
  const runWords = Uint32Array.from(runs);
  const sum = checksum(heap, runWords);
  const facts = { buildId, heapBytes: heap.length, checksum: sum, state };
  const json = Buffer.from(JSON.stringify(facts));
  const header = Buffer.concat([json, Buffer.alloc(-json.length & 3, ' ')]);
  const fixed = Uint32Array.of(MAGIC, header.length, runWords.length, 0);
  if (fixed.byteLength !== FIXED_BYTES) throw new PyodideFailure('a fixed part of another size');
  return new Uint8Array(
    Buffer.concat([Buffer.from(fixed.buffer), header, Buffer.from(runWords.buffer), ...literals]),
  );
}

/**
 * The memory as it is when Python would be started.
 *
 * @param {Interpreter} interpreter
 * @returns {Promise<Uint8Array>}
 */
async function memoryBeforePython(interpreter) {
  /** @type {Uint8Array | undefined} */
  let memory;
  await startWith(interpreter, (module) => {
    memory = module.HEAPU8.slice();
  });
  return /** @type {Uint8Array} */ (memory);
}

/**
 * What the WebAssembly's data segments hold, as far as a start leaves it alone. What lies above them depends on
 * where it runs, and is not to be relied on.
 *
 * @param {string} runtime
 * @param {Uint8Array} untouched
 */
function staticBytes(runtime, untouched) {
  const end = dataEnd(fs.readFileSync(path.join(runtime, 'pyodide.asm.wasm')));
  return untouched.subarray(0, end - (end % BLOCK_BYTES));
}

/**
 * Where the last active data segment of a WebAssembly module ends (core specification 5.5.14).
 *
 * @param {Uint8Array} wasm
 */
function dataEnd(wasm) {
  let at = 8;
  let end = 0;
  const number = () => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = wasm[at++];
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  };
  while (at < wasm.length) {
    const section = wasm[at++];
    const length = number();
    const next = at + length;
    for (let left = section === 11 ? number() : 0; left > 0; left -= 1) {
      const isActive = number() === 0;
      if (isActive && wasm[at++] !== 0x41) throw new PyodideFailure('data at no fixed address');
      const offset = isActive ? number() : 0;
      if (isActive) at += 1; // the `end` of the expression
      const bytes = number();
      at += bytes;
      if (isActive) end = Math.max(end, offset + bytes);
    }
    at = next;
  }
  return end;
}

/**
 * A snapshot that does not give the very memory back is a failure of the build, not of a page.
 *
 * @param {Interpreter} interpreter
 * @param {Uint8Array<ArrayBuffer>} file
 * @param {Uint8Array} heap
 */
async function prove(interpreter, file, heap) {
  const snapshot = readSnapshot(file);
  await startWith(interpreter, (module, buildId) => {
    restore(module, buildId, snapshot);
    if (Buffer.compare(module.HEAPU8.subarray(0, heap.length), heap) !== 0) {
      throw new PyodideFailure('the snapshot does not give back the memory it was made from');
    }
  });
}

/**
 * Does something with a Pyodide whose Python has not been started, and lets it go.
 *
 * @param {Interpreter} interpreter
 * @param {(module: any, buildId: string) => void} act
 */
async function startWith(interpreter, act) {
  const url = pathToFileURL(path.join(interpreter.runtime, 'pyodide.asm.mjs')).href;
  const { default: create } = await import(url);
  const enough = new Error('enough');
  const options = {
    _loadSnapshot: new Uint8Array(0),
    /** @param {any} settings */
    createPyodideModule: async (settings) => {
      act(await create(settings), settings.API.config.BUILD_ID);
      throw enough;
    },
  };
  try {
    await bootPyodide({ ...interpreter, options });
  } catch (error) {
    if (!(error instanceof PyodideFailure) || error.message !== enough.message) throw error;
  }
}
