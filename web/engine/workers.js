/** The threads behind one viewer and the ports between them; `web/README.md` draws the picture. */

import { Thread } from './thread.js';

/**
 * @typedef {object} Begun what `head-start.js` has begun
 * @property {Worker} transport
 * @property {Worker} decoder
 * @property {BegunDescriptor | null} descriptor
 *
 * @typedef {{url: string, bytes: Promise<ArrayBuffer | null>}} BegunDescriptor null where it did not come
 */

/** One decoder is always busy on a big image while another serves the scroll; more than four only take memory. */
const MAX_DECODERS = 4;

/** How long threads without work wait for the next `src` before they are ended. */
const IDLE_MS = 30_000;

/** A prelude's segments are numbered below Python's; when the numbers are used up, so are the threads. */
const MAX_USES = 240;

/** @type {Workers | null} threads that a session gave back, Python and decoders warm */
let idle = null;

/** Threads for a session: warm ones if there are any. */
export function takeWorkers() {
  const workers = idle ?? new Workers(takeBegun());
  idle = null;
  clearTimeout(workers.idleTimer);
  workers.epoch += 1;
  if (workers.epoch > 1) workers.begun = null;
  return workers;
}

/** @returns {Begun | null} once */
function takeBegun() {
  const place = /** @type {{firstlightBegun?: Begun}} */ (globalThis);
  const begun = place.firstlightBegun ?? null;
  delete place.firstlightBegun;
  return begun;
}

/**
 * Takes threads back from a session that has stopped all its work.
 *
 * @param {Workers} workers
 */
export function giveBack(workers) {
  const reusable = workers.pythonUp && workers.epoch < MAX_USES && idle === null;
  if (!reusable) return workers.terminate();
  idle = workers;
  workers.idleTimer = setTimeout(() => {
    idle = null;
    workers.terminate();
  }, IDLE_MS);
}

export class Workers {
  /** Counts the sessions that used these threads; what is late for one is not for the next. */
  epoch = 0;
  pythonUp = false;
  /** @type {BegunDescriptor | null} what is being fetched already, as the first segment */
  begun = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  idleTimer;
  /** @type {Worker} */
  transport;
  /** @type {Thread[]} the first at once; the others when that one is at work, to whose start they would only be in the way */
  decoders = [];
  /** @type {Worker | null} */
  loader = null;
  /** @type {Worker | null} the same, before Python is started in it */
  #spawned = null;
  #maxSamples = Infinity;
  #isComplete = false;

  /**
   * Starts what the first picture needs.
   *
   * @param {Begun | null} [begun]
   */
  constructor(begun = null) {
    this.begun = begun?.descriptor ?? null;
    this.transport = begun?.transport ?? transportThread();
    const count = Math.min(MAX_DECODERS, Math.max(2, (navigator.hardwareConcurrency || 2) - 1));
    const make = begun ? () => begun.decoder : undefined;
    this.decoders.push(this.#makeDecoder(0, make));
    for (let index = 1; index < count; index += 1) this.decoders.push(this.#makeDecoder(index));
    this.decoders[0].onsign = () => this.#startDecoders();
    this.decoders[0].start();
    addEventListener('firstlight:complete', () => this.#keepPython(), { once: true });
  }

  /** Everything is here, so that nothing has to wait for what this reads and writes. */
  #keepPython() {
    this.#isComplete = true;
    this.loader?.postMessage({ kind: 'keep' });
    for (const decoder of this.decoders) decoder.postMessage({ kind: 'warm' });
  }

  #startDecoders() {
    for (const decoder of this.decoders) decoder.start();
  }

  /**
   * Ends a decoder that died or hangs and puts a new one in its place.
   *
   * @param {number} index
   * @returns {Thread}
   */
  replaceDecoder(index) {
    this.decoders[index].terminate();
    const decoder = this.#makeDecoder(index);
    this.decoders[index] = decoder;
    this.#startDecoders();
    if (this.loader !== null) this.#connectToLoader(decoder, this.loader);
    return decoder;
  }

  /**
   * Gives a decoder an order with its bytes, which otherwise the transport adds.
   *
   * @param {number} index
   * @param {object} order
   * @param {ArrayBuffer} bytes
   */
  hand(index, order, bytes) {
    this.decoders[index].postMessage({ ...order, owner: 'page', bytes }, [bytes]);
  }

  /** @param {number} maxSamples larger full images are refused before memory is taken for them */
  limitSamples(maxSamples) {
    if (maxSamples === this.#maxSamples) return;
    this.#maxSamples = maxSamples;
    for (const decoder of this.decoders) this.#limit(decoder);
  }

  /** @param {Thread} decoder */
  #limit(decoder) {
    decoder.postMessage({ kind: 'limits', maxSamples: this.#maxSamples });
  }

  /**
   * @param {number} index
   * @param {() => Worker} [make]
   */
  #makeDecoder(index, make = () => decoderThread(index)) {
    const decoder = new Thread(make);
    const { port1, port2 } = new MessageChannel();
    decoder.postMessage({ kind: 'connect', role: 'transport', port: port1 }, [port1]);
    if (this.#maxSamples < Infinity) this.#limit(decoder);
    const link = { kind: 'connect', role: 'decoder', worker: index, port: port2 };
    this.transport.postMessage(link, [port2]);
    return decoder;
  }

  /**
   * @param {Thread} decoder
   * @param {Worker} loader
   */
  #connectToLoader(decoder, loader) {
    const { port1, port2 } = new MessageChannel();
    loader.postMessage({ kind: 'connect', role: 'decoder', port: port1 }, [port1]);
    decoder.postMessage({ kind: 'connect', role: 'loader', port: port2 }, [port2]);
  }

  /** Makes Python's thread, which takes a tenth of a second and nothing of the link. */
  spawnLoader() {
    this.#spawned ??= new Worker(new URL('../loader.worker.js', import.meta.url), {
      type: 'module',
      name: 'firstlight-loader',
    });
    return this.#spawned;
  }

  /**
   * Starts Python and connects it; a second call gives the same worker.
   *
   * @returns {Worker}
   */
  startLoader() {
    if (this.loader !== null) return this.loader;
    const loader = this.spawnLoader();
    // Beside this file's folder, wherever the page that embeds it lies. In two steps, since vite
    // takes `new URL(..., import.meta.url)` for an asset of its own.
    const here = import.meta.url;
    const base = new URL(`../${__FIRSTLIGHT_PYTHON__.base}`, here).href;
    loader.postMessage({ kind: 'boot', base, decoderCount: this.decoders.length });
    const { port1, port2 } = new MessageChannel();
    loader.postMessage({ kind: 'connect', role: 'transport', port: port1 }, [port1]);
    this.transport.postMessage({ kind: 'connect', role: 'loader', port: port2 }, [port2]);
    for (const decoder of this.decoders) this.#connectToLoader(decoder, loader);
    if (this.#isComplete) loader.postMessage({ kind: 'keep' });
    this.loader = loader;
    return loader;
  }

  /** Whether the viewer itself came from the browser's cache: then Python's megabytes will too, and delay nothing. */
  get hasCode() {
    return isCached(import.meta.url);
  }

  /** Ends every thread, and with them every request. */
  terminate() {
    for (const worker of [this.transport, ...this.decoders, this.#spawned]) worker?.terminate();
  }
}

function transportThread() {
  return new Worker(new URL('../transport.worker.js', import.meta.url), {
    type: 'module',
    name: 'firstlight-transport',
  });
}

/** @param {number} index */
function decoderThread(index) {
  return new Worker(new URL('../decoder.worker.js', import.meta.url), {
    type: 'module',
    name: `firstlight-decoder-${index}`,
  });
}

/** @param {string} url of a script of this page */
function isCached(url) {
  const [entry] = /** @type {PerformanceResourceTiming[]} */ (performance.getEntriesByName(url));
  return entry !== undefined && entry.transferSize === 0 && entry.decodedBodySize > 0;
}
