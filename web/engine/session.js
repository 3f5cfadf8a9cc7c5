/** One `src` on the page's side: starts the threads, keeps what they report, asks for what is on screen. */

import { absolute } from './address.js';
import { Retrievers, writeConfiguration } from './configuration.js';
import { Credentials } from './credentials.js';
import { Holdings } from './holdings.js';
import { Prelude } from './prelude.js';
import { Questions } from './questions.js';
import { seriesTag, withDefaults } from './records.js';
import { Wishes } from './wishes.js';
import { WorkLog } from './work-log.js';
import { giveBack, takeWorkers } from './workers.js';

/**
 * @typedef {import('./wishes.js').Limit} Limit
 * @typedef {import('./wishes.js').Demand} Demand
 * @typedef {import('./frame-store.js').StoredFrame} StoredFrame
 * @typedef {import('./records.js').FrameState} FrameState
 * @typedef {import('./records.js').ErrorRecord} ErrorRecord
 *
 * @typedef {{frameIndex?: number, credentials?: import('./credentials.js').CredentialRule[], files?: File[],
 *   maxSamples?: number, maxWholeSamples?: number, volume?: boolean, limit?: Limit | null, configuration?: import('./configuration.js').Configuration}} SessionOptions
 *   `files`: what the `src` `local:` means; `maxSamples`: larger full images are refused; `volume`: planes are to be shown
 */

/** Python waits this long for the next picture of the prelude, so that its own megabytes do not delay it. */
const PYTHON_WAITS_MS = 400;

/** Events: `serieslist`, `series`, `frame`, `state`, `evict`, `stage`, `configuration` (what is wrong with it), `error`, `ready`. */
export class Session extends EventTarget {
  /** @type {ErrorRecord | null} */
  error = null;
  #src;
  #workers = takeWorkers();
  #epoch = this.#workers.epoch;
  #holdings = new Holdings((name, detail) => this.#tell(name, detail));
  #prelude;
  #isReadable = false;
  #pythonUp = false;
  #wishes;
  #questions = new Questions();
  #credentials;
  /** @type {string[][]} name and address of each local file */
  #files;
  #configuration;
  #retrievers;
  #log = new WorkLog();
  /** When it was opened, in ms since the epoch. */
  openedMs = performance.timeOrigin + performance.now();

  /**
   * @param {string} src
   * @param {SessionOptions} [options]
   */
  constructor(src, options = {}) {
    super();
    const { frameIndex = 0, credentials = [], files = [], maxSamples = Infinity } = options;
    this.#files = files.map((file) => [
      file.webkitRelativePath || file.name,
      URL.createObjectURL(file),
    ]);
    this.#credentials = new Credentials(credentials);
    this.#src = absolute(src);
    this.#configuration = writeConfiguration(options.configuration);
    this.#retrievers = new Retrievers(this.#configuration.factories, (message) =>
      this.#workers.loader?.postMessage(message),
    );
    const { volume = false, limit = null, maxWholeSamples: wholeSamples } = options;
    this.#wishes = new Wishes({ frameIndex, direction: 0, volume }, { limit, wholeSamples });
    this.#workers.limitSamples(maxSamples);
    this.#workers.transport.onmessage = ({ data }) => this.#onTransport(data);
    this.#workers.decoders.forEach((decoder, index) => this.#listen(decoder, index));
    this.#credentials.sendTo(this.#workers.transport);
    this.#prelude = new Prelude(this.#src, frameIndex, this.#epoch, {
      post: (message) => this.#workers.transport.postMessage(message),
      hand: (decoder, order, bytes) => this.#workers.hand(decoder, order, bytes),
      read: (segment, stop) => this.#questions.read(this.#workers.transport, segment, stop),
      described: (descriptor) => {
        this.#holdings.describe(descriptor);
        if (this.#workers.hasCode) this.#workers.spawnLoader();
      },
      progressed: (index, held, total) => this.#holdings.progressed(index, held, total),
      failed: (error) => this.#fail(error),
      readable: () => {
        this.#isReadable = true;
        this.#open();
      },
      settled: () => this.#startPython(),
      beginsFrame: this.#configuration.isUsual && limit === null,
      begun: this.#workers.begun,
      wholeSamples,
      decoderCount: this.#workers.decoders.length,
      screenPx: Math.max(innerWidth, innerHeight) * devicePixelRatio,
    });
    if (this.#workers.loader !== null) this.#listenToLoader(this.#workers.loader);
    this.#prelude.start();
    this.#waitForPictures();
  }

  get seriesList() {
    return this.#holdings.seriesList;
  }

  get series() {
    return this.#holdings.series;
  }

  /** @param {number} frameIndex */
  frame(frameIndex) {
    return this.#holdings.frame(frameIndex);
  }

  /** @param {number} frameIndex */
  regions(frameIndex) {
    return this.#holdings.regions(frameIndex);
  }

  /** @param {number} frameIndex */
  frameState(frameIndex) {
    return this.#holdings.frameState(frameIndex);
  }

  /** @returns {FrameState[]} */
  states() {
    return this.#holdings.states();
  }

  /** @param {number} index */
  selectSeries(index) {
    this.#wishes.select(index);
  }

  /** @param {Demand} demand what is on screen, whole each time */
  want(demand) {
    this.#wishes.want(demand);
  }

  /** @param {Limit | null} limit of every frame from now on, null for none */
  limit(limit) {
    this.#wishes.bound(limit);
  }

  /** @param {number} frameIndex */
  retry(frameIndex) {
    this.#workers.loader?.postMessage({ kind: 'retry', frameIndex });
  }

  /**
   * @param {import('./work-log.js').Draw} draw
   */
  noteDraw(draw) {
    this.#log.drawn(draw);
  }

  /** Every request, decode and draw, times in ms since the epoch. */
  async timeline() {
    const { requests } = await this.#questions.ask(this.#workers.transport, { kind: 'timeline' });
    return { openedMs: this.openedMs, requests, ...this.#log.copy() };
  }

  /** Bytes held: Python's heap (0 before it is up) and decoded arrays. */
  async memory() {
    const loader = this.#workers.loader;
    const { heapBytes } =
      loader && this.#pythonUp
        ? await this.#questions.ask(loader, { kind: 'memory' })
        : { heapBytes: 0 };
    return { pythonHeapBytes: heapBytes, pixelBytes: this.#holdings.pixelBytes };
  }

  close() {
    clearTimeout(this.startTimer);
    for (const [, url] of this.#files) URL.revokeObjectURL(url);
    for (const worker of [this.#workers.transport, ...this.#workers.decoders]) {
      worker.onmessage = null;
    }
    this.#prelude.abandon();
    if (this.#workers.loader !== null) this.#workers.loader.onmessage = null;
    this.#workers.loader?.postMessage({ kind: 'close' });
    giveBack(this.#workers);
  }

  /**
   * @param {import('./thread.js').Thread} decoder
   * @param {number} index
   */
  #listen(decoder, index) {
    decoder.onmessage = ({ data }) => this.#onDecoder(data);
    decoder.onerror = () => this.#replaceDecoder(index);
  }

  /** @param {number} index */
  #replaceDecoder(index) {
    this.#listen(this.#workers.replaceDecoder(index), index);
    this.#workers.loader?.postMessage({ kind: 'decoder-replaced', worker: index });
  }

  #waitForPictures() {
    clearTimeout(this.startTimer);
    this.startTimer = setTimeout(() => this.#startPython(), PYTHON_WAITS_MS);
  }

  #startPython() {
    if (this.#workers.loader !== null) return;
    clearTimeout(this.startTimer);
    this.#listenToLoader(this.#workers.startLoader());
  }

  /** @param {Worker} loader */
  #listenToLoader(loader) {
    loader.onmessage = ({ data }) => this.#onLoader(data);
  }

  /** @param {any} message */
  #onTransport(message) {
    if (this.#questions.answered(message)) return;
    if (message.kind === 'authorize') this.#credentials.answer(this.#workers.transport, message);
    else if (message.kind === 'undecoded') this.#onDecoder(message);
    else this.#prelude.onTransport(message);
  }

  /** @param {any} message */
  #onDecoder(message) {
    const { kind, seriesIndex, frameIndex } = message;
    if (kind !== 'pixels') {
      // a failed job is Python's to judge, which tells with `states`
      if (!this.#prelude.isOver) this.#prelude.decoded(frameIndex, null);
      return;
    }
    // Of a series, or of a `src`, that is no longer shown.
    if (seriesIndex !== seriesTag(this.#epoch, this.series?.index ?? 0)) return;
    const { resolutionLevel, decompositionLevels, pixels, startedMs, elapsedMs, bytesIn } = message;
    const times = { startedMs, elapsedMs };
    this.#log.decoded({ frameIndex, resolutionLevel, decompositionLevels, ...times, bytesIn });
    const { quality, representation, region } = message;
    const frame = { ...pixels, resolutionLevel, decompositionLevels, quality, representation };
    this.#holdings.put(frameIndex, frame, region);
    if (!this.#prelude.isOver) this.#preludeShows(frameIndex, frame);
  }

  /**
   * @param {number} frameIndex
   * @param {StoredFrame} frame
   */
  #preludeShows(frameIndex, frame) {
    this.#holdings.preludeShows(frameIndex, frame);
    this.#prelude.decoded(frameIndex, frame);
    this.#workers.spawnLoader();
    if (this.#workers.hasCode) this.#startPython();
    else if (this.#workers.loader === null) this.#waitForPictures();
  }

  /** @param {any} message */
  #onLoader(message) {
    if (this.#questions.answered(message)) return;
    const { kind, record } = message;
    if (kind === 'booted') {
      this.#workers.pythonUp = true;
      performance.mark('firstlight:python', { detail: message.way });
      this.#open();
      return;
    }
    if (kind === 'crashed') this.#fail(record);
    if (message.epoch !== this.#epoch) return; // late, of the session before
    if (kind === 'serieslist') this.#holdings.setSeriesList(record);
    else if (kind === 'take-over') void this.#handOver();
    else if (kind === 'series') this.#holdings.setSeries(withDefaults(record));
    else if (kind === 'states') this.#holdings.setStates(record);
    else if (kind === 'evict') this.#holdings.evict(message.frameIndex);
    else if (kind === 'replace-decoder') this.#replaceDecoder(message.worker);
    else if (kind === 'stage' || kind === 'configuration' || kind === 'notice')
      this.#tell(kind, record);
    else if (kind === 'retriever') this.#retrievers.onRecord(record);
    else if (kind === 'error') this.#fail(record);
  }

  /** Has Python read the source, as soon as both are there. */
  #open() {
    const { loader, pythonUp } = this.#workers;
    if (this.#pythonUp || !this.#isReadable || !pythonUp || loader === null) return;
    this.#pythonUp = true;
    const adoptions = this.#prelude.lend();
    const order = { src: this.#src, epoch: this.#epoch, adoptions, files: this.#files };
    const { json: configuration, error } = this.#configuration;
    loader.postMessage({ kind: 'open', ...order, ...this.#wishes.first, configuration });
    this.#wishes.sendTo(loader);
    queueMicrotask(() => {
      this.#tell('ready', {}); // nobody listens yet while this is constructed
      if (error) this.#tell('configuration', error);
    });
  }

  async #handOver() {
    const adoptions = await this.#prelude.handOver();
    this.#workers.loader?.postMessage({ kind: 'hand-over', epoch: this.#epoch, adoptions });
  }

  /** @param {ErrorRecord} error */
  #fail(error) {
    if (this.error !== null) return; // the prelude has told already
    this.error = error;
    this.#tell('error', { error });
  }

  /**
   * @param {string} name
   * @param {object} detail
   */
  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}

/**
 * @param {string} src
 * @param {SessionOptions} [options]
 */
export function openSession(src, options) {
  return new Session(src, options);
}
