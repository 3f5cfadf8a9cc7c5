/**
 * Reads `{maxSamples, alternatives, jobs}` on standard input and runs the jobs as a decoder worker does, one after the other. Each
 * picture goes to the file its job names, and one line of JSON per job to standard output, so that whoever waits knows
 * at which job this hangs.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { CodecRunner, errorRecord } from '../../wasm/runner.js';
import { ALTERNATIVES, codecTable } from './table.js';

const { maxSamples, alternatives, jobs } = JSON.parse(readFileSync(0, 'utf8'));
const table = codecTable(maxSamples === null ? {} : { maxSamples });
const runner = new CodecRunner(table, { alternatives: alternatives ? ALTERNATIVES : {} });

/** @type {{source?: string, bytes: Uint8Array}} the file that was read last: many jobs have theirs from one */
let file = { bytes: new Uint8Array() };

for (const { source, start, stop, pixels, codec, level, levels, image, region } of jobs) {
  if (file.source !== source) file = { source, bytes: new Uint8Array(readFileSync(source)) };
  const bytes = file.bytes.slice(start, stop).buffer;
  const levelOrder = { codec, bytes, resolutionLevel: level, decompositionLevels: levels, image };
  const order = region === undefined ? levelOrder : { ...levelOrder, region };
  let answer;
  try {
    const { data, cells, ...shape } = (await runner.decode(order)).pixels;
    writeFileSync(pixels, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    if (cells) writeFileSync(`${pixels}.cells`, new Uint8Array(cells.buffer));
    answer = { ...shape, type: data.constructor.name, cells: cells?.constructor.name };
  } catch (error) {
    answer = { error: errorRecord(error) };
  }
  const codecNow = await runner.load(codec).catch(() => undefined);
  process.stdout.write(`${JSON.stringify({ ...answer, heapBytes: codecNow?.heapBytes() ?? 0 })}\n`);
}
