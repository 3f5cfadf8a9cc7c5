/** The runner with the real codec: what it refuses, when it starts a codec anew. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CodecError } from '../../wasm/codec.js';
import { CodecRunner, errorRecord } from '../../wasm/runner.js';
import { loadOpenjph } from '../../wasm/openjph/openjph.js';
import { WARM_IMAGE, WARM_LEVELS, warmStream } from '../../wasm/openjph/warm-stream.js';

const ORDER = Object.freeze({
  codec: 'openjph',
  resolutionLevel: WARM_LEVELS,
  decompositionLevels: WARM_LEVELS,
  image: WARM_IMAGE,
});
const order = () => ({ ...ORDER, bytes: warmStream().buffer });

const codec = await loadOpenjph();
const TRUTH = codec.decode(warmStream(), WARM_LEVELS, WARM_LEVELS, WARM_IMAGE).data;

/** A WASM instance whose only function executes `unreachable`. */
async function trapping() {
  const code = Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0], // magic, version
    ...[1, 4, 1, 0x60, 0, 0], // one type: () -> ()
    ...[3, 2, 1, 0], // one function of it
    ...[7, 8, 1, 4, 0x74, 0x72, 0x61, 0x70, 0, 0], // exported as "trap"
    ...[10, 5, 1, 3, 0, 0, 0x0b], // body: unreachable, end
  ]);
  const { instance } = await WebAssembly.instantiate(code);
  const decode = /** @type {() => never} */ (instance.exports.trap);
  return { name: 'trapping', warm: () => false, heapBytes: () => 0, decode };
}

test('a good order gives pixels and times', async () => {
  const runner = new CodecRunner({ openjph: () => loadOpenjph() });
  const before = Date.now();
  const { pixels, startedMs, elapsedMs } = await runner.decode(order());
  assert.deepEqual(pixels.data, TRUTH);
  assert.deepEqual([pixels.rows, pixels.columns, pixels.samplesPerPixel], [36, 36, 1]);
  assert.ok(startedMs >= before - 1 && elapsedMs >= 0);
  assert.equal(pixels.data.byteLength, pixels.data.buffer.byteLength, 'no view into a heap');
});

test('warming up comes to an end and leaves the codec as it was', async () => {
  const fresh = await loadOpenjph();
  let runs = 1;
  while (fresh.warm()) runs += 1;
  assert.equal(runs, 30);
  assert.equal(fresh.warm(), false);
  assert.deepEqual(fresh.decode(warmStream(), WARM_LEVELS, WARM_LEVELS, WARM_IMAGE).data, TRUTH);
});

test('a codec that nobody knows is an unsupported transfer syntax', async () => {
  const runner = new CodecRunner({});
  for (const name of ['openjph', 'toString', '__proto__']) {
    await assert.rejects(runner.decode({ ...order(), codec: name }), {
      type: 'UnsupportedTransferSyntax',
    });
  }
});

test('a codec that could not be loaded is tried again', async () => {
  const places = ['/nowhere/openjph.wasm', undefined];
  const runner = new CodecRunner({ openjph: () => loadOpenjph({ wasmUrl: places.shift() }) });
  await assert.rejects(runner.decode(order()), {
    type: 'DecodeError',
    message: /could not be loaded/,
  });
  assert.deepEqual((await runner.decode(order())).pixels.data, TRUTH);
});

test('a refusal keeps the instance', async () => {
  let loads = 0;
  const runner = new CodecRunner({ openjph: () => ((loads += 1), loadOpenjph()) });
  const refused = runner.decode({ ...order(), bytes: new ArrayBuffer(100) });
  await assert.rejects(refused, { type: 'MalformedCodestream' });
  assert.deepEqual((await runner.decode(order())).pixels.data, TRUTH);
  assert.equal(loads, 1);
});

test('after a trap the orders that already wait get a new instance', async () => {
  let loads = 0;
  const runner = new CodecRunner({
    openjph: () => ((loads += 1), loads === 1 ? trapping() : loadOpenjph()),
  });
  const [broken, second, third] = await Promise.allSettled([
    runner.decode(order()),
    runner.decode(order()),
    runner.decode(order()),
  ]);
  assert.equal(broken.status, 'rejected');
  assert.deepEqual(errorRecord(broken.reason), {
    type: 'DecodeError',
    message: 'codec openjph broke: unreachable',
  });
  for (const each of [second, third]) {
    assert.equal(each.status, 'fulfilled');
    assert.deepEqual(each.value.pixels.data, TRUTH);
  }
  assert.equal(loads, 2);
});

test('an instance whose heap grew too large is replaced', async () => {
  let loads = 0;
  const load = () => ((loads += 1), loadOpenjph());
  const runner = new CodecRunner({ openjph: load }, { keepHeapBytes: codec.heapBytes() - 1 });
  for (let i = 0; i < 3; i++) {
    assert.deepEqual((await runner.decode(order())).pixels.data, TRUTH);
  }
  assert.equal(loads, 4); // each but the first was loaded ahead of its order
});

/** A codec that refuses everything. */
const refusing = (mayBeLegal) => ({
  name: 'refusing',
  warm: () => false,
  heapBytes: () => 0,
  decode: () => {
    throw new CodecError('UnsupportedTransferSyntax', 'not mine', { mayBeLegal });
  },
});

test('another codec is asked where one refuses what may be legal', async () => {
  const table = { refusing: async () => refusing(true), openjph: () => loadOpenjph() };
  const runner = new CodecRunner(table, { alternatives: { refusing: 'openjph' } });
  const { pixels } = await runner.decode({ ...order(), codec: 'refusing' });
  assert.deepEqual(pixels.data, TRUTH);
  const bad = { ...order(), bytes: new ArrayBuffer(9), codec: 'refusing' };
  await assert.rejects(runner.decode(bad), {
    type: 'UnsupportedTransferSyntax',
    message: /^not mine; openjph: /,
  });
});

test('and not where the stream itself is bad, or nobody else is there', async () => {
  let loads = 0;
  const table = { refusing: async () => refusing(false), openjph: () => ((loads += 1), codec) };
  const runner = new CodecRunner(table, { alternatives: { refusing: 'openjph' } });
  await assert.rejects(runner.decode({ ...order(), codec: 'refusing' }), { message: 'not mine' });
  const alone = new CodecRunner({ refusing: async () => refusing(true) });
  await assert.rejects(alone.decode({ ...order(), codec: 'refusing' }), { message: 'not mine' });
  assert.equal(loads, 0);
});
