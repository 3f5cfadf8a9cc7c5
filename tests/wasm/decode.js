/**
 * Reads `{maxSamples, jobs}` on standard input, carries the jobs out on one codec instance, writes each picture to the
 * file its job names and prints one answer per job.
 */

import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { CodecError } from '../../wasm/codec.js';
import { loadOpenjph } from '../../wasm/openjph/openjph.js';

const { maxSamples, jobs } = JSON.parse(readFileSync(0, 'utf8'));
const codec = await loadOpenjph({ maxSamples: maxSamples ?? undefined });

const answers = jobs.map(({ source, pixels, level, levels, image }) => {
  try {
    const { data, ...shape } = codec.decode(readFileSync(source), level, levels, image);
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    writeFileSync(pixels, bytes);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    return { ...shape, type: data.constructor.name, sha256, heapBytes: codec.heapBytes() };
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    return { error: error.type, message: error.message, heapBytes: codec.heapBytes() };
  }
});
process.stdout.write(JSON.stringify(answers));
