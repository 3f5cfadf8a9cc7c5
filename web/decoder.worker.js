/**
 * A decoder: bytes in from the transport, pixels out to the page, word of it to the loader. README.md has the messages.
 *
 * It holds nothing between orders, so any decoder can take any order, and it answers every order exactly once.
 */

import charlsWasmUrl from '@cornerstonejs/codec-charls/decodewasm?url';
import libjpegTurboWasmUrl from '@cornerstonejs/codec-libjpeg-turbo-8bit/decodewasm?url';
import openjpegWasmUrl from '@cornerstonejs/codec-openjpeg/decodewasm?url';
import openjphWasmUrl from '@cornerstonejs/codec-openjph/wasm?url';
import { loadOpenjph } from '../wasm/openjph/openjph.js';
import { CodecRunner, errorRecord } from '../wasm/runner.js';

/** @import { DecodeOrder } from '../wasm/runner.js' */

/**
 * @typedef {DecodeOrder & Marks & {kind: 'decode', job: number, seriesIndex: number, frameIndex: number, owner: 'page' | 'loader'}} DecodeMessage
 *
 * @typedef {object} Marks what the one who ordered says of the picture; goes on to the page as it came
 * @property {boolean} [truncated] the bytes end before this level does, so that the picture is not yet what it will be
 * @property {number | null} [representation] of the frame; 0 is the frame itself
 * @property {string | null} [quality] name of the `Quality` that the picture has
 *
 * @typedef {{kind: 'connect', port: MessagePort, role: 'transport' | 'loader'}} ConnectMessage
 * @typedef {{kind: 'limits', maxSamples: number}} LimitsMessage
 * @typedef {{kind: 'warm'}} WarmMessage nothing else has to be done: even a decoder that has had no order may get fast
 */

/** How long no order must have come before a warm-up run, which takes about 10 ms once and 0.2 ms then. */
const IDLE_MS = 4;

const FIRST_CODEC = 'openjph'; // in this file, not in a chunk of its own: it is on the way to the first picture

const page = /** @type {Pick<Worker, 'postMessage'>} */ (/** @type {unknown} */ (self));

/** @type {import('../wasm/runner.js').CodecTable} the names are those of `py/firstlight/dicom/codecs.py` */
const CODECS = {
  [FIRST_CODEC]: () => loadOpenjph({ wasmUrl: openjphWasmUrl }),
  openjpeg: async () => {
    const { loadOpenjpeg } = await import('../wasm/openjpeg/openjpeg.js');
    return loadOpenjpeg({ wasmUrl: openjpegWasmUrl });
  },
  charls: async () => {
    const { loadCharls } = await import('../wasm/charls/charls.js');
    return loadCharls({ wasmUrl: charlsWasmUrl });
  },
  'libjpeg-turbo': async () => {
    const { loadLibjpegTurbo } = await import('../wasm/libjpeg-turbo/libjpeg-turbo.js');
    return loadLibjpegTurbo({ wasmUrl: libjpegTurboWasmUrl });
  },
  'jpeg-lossless': async () =>
    (await import('../wasm/jpeg-lossless/jpeg-lossless.js')).createJpegLossless(),
  rle: async () => (await import('../wasm/rle/rle.js')).createRle(),
  'native-le': async () =>
    (await import('../wasm/native/native.js')).createNative({ isBigEndian: false }),
  'native-be': async () =>
    (await import('../wasm/native/native.js')).createNative({ isBigEndian: true }),
  'deflated-frame': async () =>
    (await import('../wasm/deflated-frame/deflated-frame.js')).createDeflatedFrame(),
};

const runner = new CodecRunner(CODECS, { alternatives: { openjph: 'openjpeg' } });

/** @type {MessagePort | undefined} */
let loader;
/** @type {object[]} what the loader is to hear once it is there */
const unheard = [];
/** @type {ReturnType<typeof setTimeout> | undefined} */
let warming;
let isUsed = false;
/** Larger full images are refused; the codecs have limits of their own. */
let maxSamples = Infinity;

runner.load(FIRST_CODEC).then(warmWhenIdle, () => {}); // a failure is reported with each order

self.addEventListener('message', (event) => {
  const message = /** @type {ConnectMessage | LimitsMessage | WarmMessage | DecodeMessage} */ (
    event.data
  );
  if (message.kind === 'limits') maxSamples = message.maxSamples;
  if (message.kind === 'decode') void carryOut(message);
  if (message.kind === 'warm') {
    isUsed = true;
    warmWhenIdle();
  }
  if (message.kind !== 'connect') return;
  if (message.role === 'loader') {
    loader = message.port;
    for (const outcome of unheard.splice(0)) loader.postMessage(outcome);
  } else {
    message.port.onmessage = ({ data }) => {
      if (data.kind === 'decode') void carryOut(data);
    };
  }
});

/** @param {DecodeMessage} order */
async function carryOut(order) {
  const { job, seriesIndex, frameIndex, owner, resolutionLevel, decompositionLevels } = order;
  clearTimeout(warming);
  isUsed = true;
  try {
    const { pixels, startedMs, elapsedMs } = await runner.decode({ ...order, maxSamples });
    const { data, cells } = pixels;
    const storedBytes = data.byteLength + (cells?.byteLength ?? 0);
    const bytesIn = order.bytes.byteLength;
    page.postMessage(
      {
        kind: 'pixels',
        job,
        seriesIndex,
        frameIndex,
        resolutionLevel,
        decompositionLevels,
        ...marksOf(order),
        ...windowOf(order),
        pixels,
        bytesIn,
        startedMs,
        elapsedMs,
      },
      cells ? [data.buffer, cells.buffer] : [data.buffer],
    );
    if (owner === 'loader') tellLoader({ kind: 'decoded', job, storedBytes, elapsedMs });
  } catch (cause) {
    const error = errorRecord(cause);
    page.postMessage({ kind: 'undecoded', job, seriesIndex, frameIndex, owner, error });
    if (owner === 'loader') tellLoader({ kind: 'undecoded', job, error });
  }
  warmWhenIdle();
}

/**
 * @param {Marks} order
 * @returns {Marks} those that it has
 */
function marksOf({ truncated, representation, quality }) {
  const marks = Object.entries({ truncated, representation, quality });
  return Object.fromEntries(marks.filter(([, mark]) => mark !== undefined && mark !== null));
}

/**
 * Which window of its level the picture is, where it is one.
 *
 * @param {DecodeOrder} order
 */
function windowOf({ region, resolutionLevel }) {
  return region ? { region: { level: resolutionLevel, box: region.box } } : {};
}

/** @param {object} outcome */
function tellLoader(outcome) {
  if (loader === undefined) unheard.push(outcome);
  else loader.postMessage(outcome);
}

/** One run at a time, each in a task of its own, so that an order waits for one run at most. */
function warmWhenIdle() {
  clearTimeout(warming);
  warming = setTimeout(async () => {
    const codec = await runner.load(FIRST_CODEC).catch(() => undefined);
    // Before the first order one run, which compiles; what makes it fast takes a processor that others need then.
    if (codec?.warm() && isUsed) warmWhenIdle();
  }, IDLE_MS);
}
