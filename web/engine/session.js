/** One `src` on the page's side: starts the threads, keeps what they report, asks for what is on screen. */

import { absolute } from './address.js';
import { Credentials } from './credentials.js';
import { FrameStore } from './frame-store.js';
import { Prelude } from './prelude.js';
import { Questions } from './questions.js';
import { seriesFromDescriptor, seriesTag, waiting, withDefaults } from './records.js';
import { WorkLog } from './work-log.js';
import { giveBack, takeWorkers } from './workers.js';

/**
 * @typedef {import('./frame-store.js').StoredFrame} StoredFrame
 * @typedef {import('./records.js').Series} Series
 * @typedef {import('./records.js').SeriesSummary} SeriesSummary
 * @typedef {import('./records.js').FrameState} FrameState
 * @typedef {import('./records.js').ErrorRecord} ErrorRecord
 *
 * @typedef {{frameIndex?: number, credentials?: import('./credentials.js').CredentialRule[], files?: File[]}} SessionOptions
 *   `files`: what the `src` `local:` means
 */

/** Python waits this long for the first picture, so that its own megabytes do not delay it. */
const PYTHON_WAITS_MS = 400;

/** Events: `serieslist`, `series`, `frame`, `state`, `error`, `ready`. */
export class Session extends EventTarget {
  /** @type {SeriesSummary[]} */
  seriesList = [];
  /** @type {Series | null} */
  series = null;
  /** @type {ErrorRecord | null} */
  error = null;
  #src;
  #workers = takeWorkers();
  #epoch = this.#workers.epoch;
  #store = new FrameStore();
  /** @type {Map<number, FrameState>} */
  #states = new Map();
  #prelude;
  #pythonUp = false;
  #wanted = { frameIndex: 0, direction: 0 };
  #questions = new Questions();
  #credentials;
  /** @type {string[][]} name and address of each local file */
  #files;
  #log = new WorkLog();

  /**
   * @param {string} src
   * @param {SessionOptions} [options]
   */
  constructor(src, { frameIndex = 0, credentials = [], files = [] } = {}) {
    super();
    this.#files = files.map((file) => [
      file.webkitRelativePath || file.name,
      URL.createObjectURL(file),
    ]);
    this.#credentials = new Credentials(credentials);
    this.#src = absolute(src);
    this.#wanted.frameIndex = frameIndex;
    this.#workers.transport.onmessage = ({ data }) => this.#onTransport(data);
    this.#workers.decoders.forEach((decoder, index) => this.#listen(decoder, index));
    this.#credentials.sendTo(this.#workers.transport);
    this.#prelude = new Prelude(this.#src, frameIndex, this.#epoch, {
      post: (message) => this.#workers.transport.postMessage(message),
      read: (segment, stop) => this.#questions.read(this.#workers.transport, segment, stop),
      described: (descriptor) => this.#describe(descriptor),
      progressed: (index, held, total) => this.#progressed(index, held, total),
      failed: (error) => this.#fail(error),
      settled: () => this.#startPython(),
    });
    if (this.#workers.loader !== null) this.#listenToLoader(this.#workers.loader);
    this.#prelude.start();
    if (this.#workers.pythonUp) this.#open();
    this.startTimer = setTimeout(() => this.#startPython(), PYTHON_WAITS_MS);
  }

  /** @param {number} frameIndex */
  frame(frameIndex) {
    return this.#store.get(frameIndex);
  }

  /**
   * What is known of a frame. `resolutionLevel` is that of the picture held here, which may be ahead
   * of what Python has heard of.
   *
   * @param {number} frameIndex
   * @returns {FrameState}
   */
  frameState(frameIndex) {
    const state = this.#states.get(frameIndex) ?? waiting(frameIndex);
    const held = this.#store.get(frameIndex);
    if (held === undefined) return { ...state, resolutionLevel: null };
    const { resolutionLevel, decompositionLevels } = held;
    return { ...state, resolutionLevel, decompositionLevels };
  }

  /** @returns {FrameState[]} */
  states() {
    return (this.series?.frames ?? []).map((_, index) => this.frameState(index));
  }

  /** @param {number} index */
  selectSeries(index) {
    this.#wanted = { frameIndex: 0, direction: 0 };
    this.#workers.loader?.postMessage({ kind: 'select', seriesIndex: index, frameIndex: 0 });
  }

  /** @param {{frameIndex: number, direction: number}} demand */
  want({ frameIndex, direction }) {
    this.#wanted = { frameIndex, direction };
    if (this.#pythonUp) this.#workers.loader?.postMessage({ kind: 'want', ...this.#wanted });
  }

  /** @param {number} frameIndex */
  retry(frameIndex) {
    this.#workers.loader?.postMessage({ kind: 'retry', frameIndex });
  }

  /**
   * @param {{frameIndex: number, resolutionLevel: number, startedMs: number, elapsedMs: number}} draw
   *   `startedMs` since the epoch
   */
  noteDraw(draw) {
    this.#log.drawn(draw);
  }

  /** Every request, decode and draw, times in ms since the epoch. */
  async timeline() {
    const { requests } = await this.#questions.ask(this.#workers.transport, { kind: 'timeline' });
    return { requests, ...this.#log.copy() };
  }

  /** Bytes held: Python's heap (0 before it is up) and decoded arrays. */
  async memory() {
    const loader = this.#workers.loader;
    const { heapBytes } =
      loader && this.#pythonUp
        ? await this.#questions.ask(loader, { kind: 'memory' })
        : { heapBytes: 0 };
    return { pythonHeapBytes: heapBytes, pixelBytes: this.#store.bytes };
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
   * @param {Worker} decoder
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
    if (kind !== 'pixels') return; // a failed job is Python's to judge, which tells with `states`
    // Of a series, or of a `src`, that is no longer shown.
    if (seriesIndex !== seriesTag(this.#epoch, this.series?.index ?? 0)) return;
    const { resolutionLevel, decompositionLevels, pixels, startedMs, elapsedMs, bytesIn } = message;
    this.#log.decoded({ frameIndex, resolutionLevel, startedMs, elapsedMs, bytesIn });
    const frame = { ...pixels, resolutionLevel, decompositionLevels };
    if (this.#store.put(frameIndex, frame)) this.#tell('frame', { frameIndex });
    if (!this.#pythonUp) this.#preludeShows(frameIndex, frame);
  }

  /**
   * @param {number} frameIndex
   * @param {StoredFrame} frame
   */
  #preludeShows(frameIndex, frame) {
    const state = this.#states.get(frameIndex);
    if (state && frame.resolutionLevel === frame.decompositionLevels) {
      const status = this.series?.reversible ? 'lossless' : 'complete';
      this.#states.set(frameIndex, { ...state, status });
    }
    this.#prelude.shown(frame);
    this.#tell('state', this.frameState(frameIndex));
  }

  /** @param {any} message */
  #onLoader(message) {
    if (this.#questions.answered(message)) return;
    const { kind, record } = message;
    if (kind === 'booted') {
      this.#workers.pythonUp = true;
      this.#open();
      return;
    }
    if (kind === 'crashed') this.#fail(record);
    if (message.epoch !== this.#epoch) return; // late, of the session before
    if (kind === 'serieslist') this.#setSeriesList(record);
    else if (kind === 'series') this.#setSeries(withDefaults(record));
    else if (kind === 'states') this.#setStates(record);
    else if (kind === 'evict') this.#store.delete(message.frameIndex);
    else if (kind === 'replace-decoder') this.#replaceDecoder(message.worker);
    else if (kind === 'error') this.#fail(record);
  }

  #open() {
    this.#pythonUp = true;
    const { frameIndex } = this.#wanted;
    const adoptions = this.#prelude.handOver();
    const order = { src: this.#src, epoch: this.#epoch, frameIndex, adoptions, files: this.#files };
    this.#workers.loader?.postMessage({ kind: 'open', ...order });
    queueMicrotask(() => this.#tell('ready', {})); // nobody listens yet while this is constructed
  }

  /** @param {any} descriptor */
  #describe(descriptor) {
    const { summaries, first } = seriesFromDescriptor(descriptor);
    this.#setSeriesList(summaries);
    this.#setSeries(first);
  }

  /** @param {SeriesSummary[]} list */
  #setSeriesList(list) {
    this.seriesList = list;
    this.#tell('serieslist', {});
  }

  /** @param {Series} series */
  #setSeries(series) {
    if (this.series?.index === series.index) return; // the prelude has told already
    if (this.series !== null) {
      this.#store.clear();
      this.#states.clear();
    }
    this.series = series;
    this.#tell('series', {});
  }

  /** @param {FrameState[]} states */
  #setStates(states) {
    for (const state of states) {
      this.#states.set(state.frameIndex, state);
      this.#tell('state', this.frameState(state.frameIndex));
    }
  }

  /**
   * @param {number} frameIndex
   * @param {number} heldBytes
   * @param {number} totalBytes
   */
  #progressed(frameIndex, heldBytes, totalBytes) {
    const state = waiting(frameIndex);
    this.#states.set(frameIndex, { ...state, status: 'loading', heldBytes, totalBytes });
    this.#tell('state', this.frameState(frameIndex));
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
