/** The decoder worker as it is, its ports real, its global scope an event target. */

import assert from 'node:assert/strict';
import { register } from 'node:module';
import { after, test } from 'node:test';
import { deflateRawSync } from 'node:zlib';
import { loadOpenjph } from '../../wasm/openjph/openjph.js';
import { WARM_IMAGE, WARM_LEVELS, warmStream } from '../../wasm/openjph/warm-stream.js';

register('./url-imports.js', import.meta.url);

/** Messages as they come, to be awaited one by one. */
class Inbox {
  #messages = [];
  #wanted = [];

  put(message) {
    const want = this.#wanted.shift();
    if (want === undefined) this.#messages.push(message);
    else want(message);
  }

  take() {
    if (this.#messages.length > 0) return Promise.resolve(this.#messages.shift());
    return new Promise((resolve) => this.#wanted.push(resolve));
  }

  get length() {
    return this.#messages.length;
  }
}

const page = new Inbox();
const scope = new EventTarget();
scope.postMessage = (message, transfer) => page.put(structuredClone(message, { transfer }));
globalThis.self = scope;
const send = (data) => scope.dispatchEvent(Object.assign(new Event('message'), { data }));

await import('../../web/decoder.worker.js');
const toDecoder = connect('transport').port1;
let job = 0;

const codec = await loadOpenjph();
const levelData = (level) => codec.decode(warmStream(), level, WARM_LEVELS, WARM_IMAGE).data;

function connect(role) {
  const channel = new MessageChannel();
  send({ kind: 'connect', role, port: channel.port2 });
  after(() => channel.port1.close());
  return channel;
}

function order(changes = {}) {
  const bytes = warmStream().buffer;
  const message = {
    kind: 'decode',
    job: ++job,
    worker: 0,
    seriesIndex: 2,
    frameIndex: 7,
    codec: 'openjph',
    owner: 'page',
    resolutionLevel: WARM_LEVELS,
    decompositionLevels: WARM_LEVELS,
    image: WARM_IMAGE,
    bytes,
    ...changes,
  };
  toDecoder.postMessage(message, message.bytes === bytes ? [bytes] : []);
  return message.job;
}

test('an order becomes pixels on the page', async () => {
  const id = order({ resolutionLevel: 1 });
  const { pixels, startedMs, elapsedMs, ...rest } = await page.take();
  assert.deepEqual(rest, {
    kind: 'pixels',
    job: id,
    seriesIndex: 2,
    frameIndex: 7,
    resolutionLevel: 1,
    decompositionLevels: WARM_LEVELS,
    bytesIn: warmStream().length,
  });
  assert.deepEqual(pixels, { data: levelData(1), rows: 9, columns: 9, samplesPerPixel: 1 });
  assert.ok(startedMs > 0 && elapsedMs >= 0);
});

test('the loader hears of its jobs, also of those done before it was there', async () => {
  const early = order({ owner: 'loader' });
  await page.take();
  const inbox = new Inbox();
  connect('loader').port1.onmessage = ({ data }) => inbox.put(data);
  const heard = await inbox.take();
  assert.deepEqual([heard.kind, heard.job, heard.storedBytes], ['decoded', early, 36 * 36 * 2]);

  const bad = order({ owner: 'loader', bytes: new ArrayBuffer(64) });
  const onPage = await page.take();
  assert.deepEqual(
    [onPage.kind, onPage.job, onPage.owner, onPage.frameIndex, onPage.error.type],
    ['undecoded', bad, 'loader', 7, 'MalformedCodestream'],
  );
  assert.deepEqual(await inbox.take(), { kind: 'undecoded', job: bad, error: onPage.error });

  order({ owner: 'page' });
  await page.take();
  order({ owner: 'loader' });
  await page.take();
  assert.equal((await inbox.take()).job, job, 'nothing of the page’s own job before it');
});

const BAD = {
  'bytes of something else': [
    { bytes: new Uint8Array(300).fill(65).buffer },
    'MalformedCodestream',
  ],
  'no bytes': [{ bytes: undefined }, 'MalformedCodestream'],
  'another codec': [{ codec: 'mpeg2' }, 'UnsupportedTransferSyntax'],
  'no image': [{ image: undefined }, 'DecodeError'],
  'another image': [{ image: { ...WARM_IMAGE, rows: 35 } }, 'DecodeError'],
  'no such level': [{ resolutionLevel: 9 }, 'DecodeError'],
};

for (const [name, [changes, type]] of Object.entries(BAD)) {
  test(`${name}: refused, and the next order is carried out`, async () => {
    const bad = order(changes);
    const good = order();
    const refused = await page.take();
    assert.deepEqual([refused.kind, refused.job, refused.error.type], ['undecoded', bad, type]);
    const next = await page.take();
    assert.deepEqual([next.kind, next.job], ['pixels', good]);
    assert.deepEqual(next.pixels.data, levelData(WARM_LEVELS));
  });
}

test('marks of an order go on to the page', async () => {
  order({ truncated: true, representation: 2, quality: 'SUBRESOLUTION' });
  const { truncated, representation, quality } = await page.take();
  assert.deepEqual([truncated, representation, quality], [true, 2, 'SUBRESOLUTION']);
  order({ representation: null });
  assert.ok(!('representation' in (await page.take())));
});

test('a window of a level comes with its place', async () => {
  const stream = warmStream();
  const headerBytes = stream.findIndex((byte, at) => byte === 0xff && stream[at + 1] === 0x90);
  const signed16 = stream.slice(0, headerBytes);
  signed16[42] = 0x8f; // Ssiz: no level shift
  const header = btoa(String.fromCharCode(...signed16));
  const box = [5, 7, 30, 21];
  const base = { level: WARM_LEVELS, start: headerBytes, stop: stream.length, header, wide: null };
  order({ region: { box, colourTransform: false, base, steps: [] } });
  const { region, pixels, resolutionLevel } = await page.take();
  assert.deepEqual([region, resolutionLevel], [{ level: WARM_LEVELS, box }, WARM_LEVELS]);
  assert.deepEqual([pixels.rows, pixels.columns], [14, 25]);
  const whole = levelData(WARM_LEVELS);
  const cropped = pixels.data.map((_, i) => whole[(7 + Math.floor(i / 25)) * 36 + 5 + (i % 25)]);
  assert.deepEqual(pixels.data, cropped);

  const cut = { ...base, stop: stream.length - 1 };
  order({ region: { box, colourTransform: false, base: cut, steps: [] } });
  const { error } = await page.take();
  assert.equal(error.type, 'DecodeError');
  assert.match(error.message, /bytes of a window/);
});

test('cells go to the page with their pixels, and count as held', async () => {
  const image = {
    ...{ rows: 1, columns: 2, samplesPerPixel: 1, bitsAllocated: 16, bitsStored: 12, highBit: 11 },
    ...{ pixelRepresentation: 0, wantsCells: true },
  };
  const inbox = new Inbox();
  connect('loader').port1.onmessage = ({ data }) => inbox.put(data);
  const bytes = Uint8Array.of(1, 0xf2, 3, 4).buffer;
  const wish = { image, codec: 'native-le', resolutionLevel: 0, decompositionLevels: 0 };
  order({ ...wish, bytes, owner: 'loader' });
  const { pixels } = await page.take();
  assert.deepEqual([...pixels.data], [0x201, 0x403]);
  assert.deepEqual([...pixels.cells], [0xf201, 0x403]);
  assert.equal((await inbox.take()).storedBytes, 8);
});

test('the page sets a limit for every codec', async () => {
  send({ kind: 'limits', maxSamples: 36 * 36 - 1 });
  order();
  assert.equal((await page.take()).error.type, 'LimitExceeded');
  const image = { ...WARM_IMAGE, bitsAllocated: 8, bitsStored: 8 };
  for (const codec of ['native-le', 'rle', 'deflated-frame']) {
    order({ codec, image, resolutionLevel: 0, decompositionLevels: 0 });
    assert.equal((await page.take()).error.type, 'LimitExceeded', codec);
  }
  send({ kind: 'limits', maxSamples: 36 * 36 });
  order();
  assert.deepEqual((await page.take()).pixels.data, levelData(WARM_LEVELS));
  send({ kind: 'limits', maxSamples: Infinity });
});

test('every order is answered once and in order', async () => {
  const jobs = Array.from({ length: 40 }, (_, i) => order({ resolutionLevel: i % 4 }));
  const answers = [];
  for (const _ of jobs) answers.push(await page.take());
  assert.deepEqual(
    answers.map((answer) => answer.job),
    jobs,
  );
  assert.equal(page.length, 0);
});

const LOADED_ON_DEMAND = [
  'openjpeg',
  'charls',
  'libjpeg-turbo',
  'jpeg-lossless',
  'rle',
  'deflated-frame',
];

for (const name of LOADED_ON_DEMAND) {
  test(`${name} is there when it is asked for, and refuses by itself`, async () => {
    const wrong = { codec: name, resolutionLevel: 0, decompositionLevels: 0 };
    const bad = order({ ...wrong, bytes: new Uint8Array(300).fill(66).buffer });
    const { kind, job: answered, error } = await page.take();
    assert.deepEqual([kind, answered], ['undecoded', bad]);
    assert.match(error.type, /^(DecodeError|MalformedCodestream)$/);
    assert.doesNotMatch(error.message, /could not be loaded|broke/);
  });
}

test('uncompressed pixels of both byte orders', async () => {
  const image = { ...WARM_IMAGE, rows: 1, columns: 2, bitsStored: 16 };
  const level = { image, resolutionLevel: 0, decompositionLevels: 0 };
  for (const [name, values] of [
    ['native-le', [0x0201, 0x0403]],
    ['native-be', [0x0102, 0x0304]],
  ]) {
    order({ ...level, codec: name, bytes: Uint8Array.of(1, 2, 3, 4).buffer });
    assert.deepEqual([...(await page.take()).pixels.data], values);
  }
});

test('a stream that OpenJPH does not read goes to OpenJPEG', async () => {
  const unnamed = warmStream();
  unnamed[6] &= ~0x40; // Rsiz no longer says that Part 15 is needed
  order({ bytes: unnamed.buffer });
  const { pixels } = await page.take();
  assert.deepEqual(pixels.data, levelData(WARM_LEVELS));
});

test('a frame within a deflated file', async () => {
  const file = Uint8Array.from({ length: 70_000 }, (_, i) => (i * i) >> 3);
  const image = { ...WARM_IMAGE, rows: 2, columns: 3, bitsAllocated: 8, bitsStored: 8 };
  const level = { image, codec: 'native-le', resolutionLevel: 0, decompositionLevels: 0 };
  for (const compression of [0, 9]) {
    const deflated = Uint8Array.from(deflateRawSync(file, { level: compression }));
    order({ ...level, bytes: deflated.buffer, inflated: [60_000, 60_006] });
    assert.deepEqual((await page.take()).pixels.data, file.slice(60_000, 60_006));
    order({ ...level, bytes: deflated.slice(0, 900).buffer, inflated: [60_000, 60_006] });
    assert.equal((await page.take()).error.type, 'DecodeError');
  }
});
