/**
 * Runs decode orders on codecs that are loaded once and replaced when they break. Everything a decoder worker does but
 * its messages, so that it can be tested without one.
 */

import { CodecError } from './codec.js';

/** @import { Codec, ImageShape, Pixels } from './codec.js' */
/** @import { Region } from './openjph/region.js' */

/** A codec whose heap has grown beyond this after one large picture is replaced: WASM memory never shrinks. */
const KEEP_HEAP_BYTES = 512 * 2 ** 20;

/** The one that knows precincts, and the wavelet's samples as they are. */
const REGION_CODEC = 'openjph';

/**
 * @typedef {Record<string, () => Promise<Codec>>} CodecTable how to load each codec, by the name orders use
 *
 * @typedef {object} DecodeOrder
 * @property {string} codec
 * @property {ArrayBuffer} bytes
 * @property {[number, number] | null} [inflated] the bytes are a raw deflate stream, the frame is this range of what comes out
 * @property {number} resolutionLevel
 * @property {number} decompositionLevels
 * @property {ImageShape} image
 * @property {number} [maxSamples] larger full images are refused; each codec has a limit of its own besides
 * @property {Region} [region] only a window of the level is wanted, and the bytes are those of its precincts
 *
 * @typedef {object} DecodeResult
 * @property {Pixels} pixels
 * @property {number} startedMs milliseconds since the epoch, comparable between threads
 * @property {number} elapsedMs
 *
 * @typedef {object} ErrorRecord
 * @property {string} type a name of `py/firstlight/errors.py`
 * @property {string} message
 */

export class CodecRunner {
  #table;
  #keepHeapBytes;
  #alternatives;
  /** @type {Map<string, Promise<Codec>>} */
  #loaded = new Map();

  /**
   * @param {CodecTable} table
   * @param {object} [options]
   * @param {number} [options.keepHeapBytes]
   * @param {Record<string, string>} [options.alternatives] the codec that is asked when one refuses a stream that may be
   *   legal
   */
  constructor(table, { keepHeapBytes = KEEP_HEAP_BYTES, alternatives = {} } = {}) {
    this.#table = table;
    this.#keepHeapBytes = keepHeapBytes;
    this.#alternatives = alternatives;
  }

  /**
   * Starts loading a codec unless that was done; a failed attempt is forgotten, the next call tries again.
   *
   * @param {string} name
   * @returns {Promise<Codec>} rejects with `CodecError`
   */
  load(name) {
    const known = this.#loaded.get(name);
    if (known !== undefined) return known;
    const loading = this.#start(name);
    this.#loaded.set(name, loading);
    loading.catch(() => {
      if (this.#loaded.get(name) === loading) this.#loaded.delete(name);
    });
    return loading;
  }

  /** @param {string} name */
  async #start(name) {
    if (!Object.hasOwn(this.#table, name)) {
      throw new CodecError('UnsupportedTransferSyntax', `no codec named ${name}`);
    }
    try {
      return await this.#table[name]();
    } catch (error) {
      throw new CodecError('DecodeError', `codec ${name} could not be loaded: ${messageOf(error)}`);
    }
  }

  /**
   * Orders for one codec are carried out in the order of the calls.
   *
   * @param {DecodeOrder} order
   * @returns {Promise<DecodeResult>} rejects with `CodecError`, whatever happened
   */
  async decode(order) {
    try {
      return await this.#carryOut(order);
    } catch (error) {
      const codec = this.#alternatives[order.codec];
      const mayBeLegal = error instanceof CodecError && error.mayBeLegal;
      if (codec === undefined || order.region || !mayBeLegal) throw error;
      return this.#carryOut({ ...order, codec }).catch((second) => {
        throw new CodecError(error.type, `${error.message}; ${codec}: ${messageOf(second)}`);
      });
    }
  }

  /**
   * @param {DecodeOrder} order
   * @returns {Promise<DecodeResult>}
   */
  async #carryOut(order) {
    const frame = order.inflated ? await inflatedFrame(order) : new Uint8Array(order.bytes);
    const decode = order.region ? await windowOf(order, order.region) : levelOf(order);
    let loading;
    let codec;
    do {
      loading = this.load(order.codec);
      codec = await loading;
    } while (this.#loaded.get(order.codec) !== loading); // an order before this one broke it
    const startedMs = performance.now();
    let isBroken = false;
    try {
      const pixels = decode(codec, frame);
      const elapsedMs = performance.now() - startedMs;
      return { pixels, startedMs: performance.timeOrigin + startedMs, elapsedMs };
    } catch (error) {
      if (error instanceof CodecError) throw error;
      isBroken = true;
      throw new CodecError('DecodeError', `codec ${order.codec} broke: ${messageOf(error)}`);
    } finally {
      if (isBroken || codec.heapBytes() > this.#keepHeapBytes) this.#replace(order.codec);
    }
  }

  /** @param {string} name */
  #replace(name) {
    this.#loaded.delete(name);
    this.load(name).catch(() => {}); // the next order will try again and report
  }
}

/**
 * @param {DecodeOrder} order
 * @returns {(codec: Codec, frame: Uint8Array) => Pixels}
 */
function levelOf({ resolutionLevel, decompositionLevels, image, maxSamples }) {
  return (codec, frame) =>
    codec.decode(frame, resolutionLevel, decompositionLevels, image, maxSamples);
}

/**
 * @param {DecodeOrder} order
 * @param {Region} region
 * @returns {Promise<(codec: Codec, frame: Uint8Array) => Pixels>}
 */
async function windowOf({ codec: name, image, maxSamples }, region) {
  if (name !== REGION_CODEC) {
    throw new CodecError('UnsupportedTransferSyntax', `${name} decodes no windows`);
  }
  const { decodeRegion } = await import('./openjph/region.js');
  return (codec, frame) => decodeRegion(codec, frame, region, image, maxSamples);
}

/**
 * @param {DecodeOrder} order
 * @returns {Promise<Uint8Array>}
 */
async function inflatedFrame({ bytes, inflated }) {
  const [start, stop] = inflated ?? [0, 0];
  const { inflate } = await import('./inflate.js');
  return inflate(new Uint8Array(bytes), stop).subarray(start);
}

/**
 * @param {unknown} error
 * @returns {ErrorRecord}
 */
export function errorRecord(error) {
  const type = error instanceof CodecError ? error.type : 'DecodeError';
  return { type, message: messageOf(error) };
}

/** @param {unknown} error */
function messageOf(error) {
  return error instanceof Error ? error.message : String(error);
}
