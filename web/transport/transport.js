import { givenAnswer } from './begun.js';
import { Credentials } from './credentials.js';
import { Delivery } from './delivery.js';
import { TransportError, attempt } from './errors.js';
import { MAX_SEGMENT_BYTES } from './segments.js';
import { Timeline } from './timeline.js';

/**
 * @typedef {import('./delivery.js').Owner} Owner
 * @typedef {import('./delivery.js').Port} Port
 *
 * @typedef {{kind: string} & Record<string, any>} Message web/README.md has the table
 */

/** Headers and packet headers, never pixels: `MAX_READ_BYTES` of `py/firstlight/ports.py`. */
const MAX_READ_BYTES = 2 ** 20;

/** Every exchange and all compressed bytes; takes the messages of `web/README.md` from its owners. */
export class Transport {
  /** @type {Map<number, Delivery>} */
  #deliveries = new Map();
  /** @type {Map<number, Port>} */
  #decoders = new Map();
  #timeline = new Timeline();
  #credentials;
  #maxSegmentBytes;

  /** @param {{maxSegmentBytes?: number, credentials?: Credentials}} [options] */
  constructor({ maxSegmentBytes = MAX_SEGMENT_BYTES, credentials } = {}) {
    this.#maxSegmentBytes = maxSegmentBytes;
    this.#credentials = credentials ?? new Credentials(async () => ({}));
  }

  /**
   * Names the decoder that jobs for `worker` go to; a second one under the same index replaces it.
   *
   * @param {number} worker
   * @param {Port} port
   */
  connectDecoder(worker, port) {
    this.#decoders.set(worker, port);
  }

  /**
   * Takes one message; what it causes is reported to `owner`.
   *
   * @param {Message} message
   * @param {Owner} owner
   */
  receive(message, owner) {
    switch (message.kind) {
      case 'fetch':
        return this.#fetch(message, owner);
      case 'watch':
        return this.#deliveries.get(message.segment)?.watch(Array.from(message.milestones));
      case 'cancel':
        return this.#deliveries.get(message.segment)?.cancel();
      case 'release':
        return this.#release(message.segment);
      case 'adopt':
        return this.#adopt(message.segment, owner);
      case 'read':
        return this.#read(message, owner);
      case 'decode':
        return this.#decode(message, owner);
      case 'timeline':
        return this.#tellTimeline(message.token, owner);
      default:
        throw new Error(`the transport knows no message ${message.kind}`);
    }
  }

  /**
   * @param {Message} message
   * @param {Owner} owner
   */
  #fetch(message, owner) {
    const order = orderOf(message);
    if (this.#deliveries.has(order.segment)) {
      throw new Error(`segment ${order.segment} is there already`);
    }
    const record = this.#timeline.begin(order);
    if (message.startedMs) record.startedMs = message.startedMs;
    const delivery = new Delivery(order, owner, record, this.#maxSegmentBytes);
    if (message.answer) delivery.begun = givenAnswer(message.answer);
    const knownTotal = this.#totalOf(order.url);
    this.#deliveries.set(order.segment, delivery);
    delivery.run(knownTotal, this.#credentials.for(order.url));
  }

  /**
   * Size of a resource of which bytes are held.
   *
   * @param {string} url
   */
  #totalOf(url) {
    for (const delivery of this.#deliveries.values()) {
      if (delivery.url === url && delivery.totalBytes !== null) return delivery.totalBytes;
    }
    return null;
  }

  /** @param {number} segment */
  #release(segment) {
    this.#deliveries.get(segment)?.release();
    this.#deliveries.delete(segment);
  }

  /**
   * @param {number} segment
   * @param {Owner} owner
   */
  #adopt(segment, owner) {
    const delivery = this.#deliveries.get(segment);
    if (delivery !== undefined) return delivery.adopt(owner);
    const error = new TransportError('Unreachable', `segment ${segment} is not held`).record();
    owner.port.postMessage({ kind: 'failed', segment, stop: 0, error });
  }

  /**
   * @param {Message} message
   * @param {Owner} owner
   */
  #read({ token, segment, start, stop }, { port }) {
    const bytes = attempt(
      () => this.#copy([[segment, start, stop ?? null]], MAX_READ_BYTES),
      (error) => port.postMessage({ kind: 'bytes', token, error: error.record() }),
    );
    if (bytes !== undefined) port.postMessage({ kind: 'bytes', token, bytes }, [bytes]);
  }

  /**
   * @param {Message} message
   * @param {Owner} owner
   */
  #decode({ worker, pieces, ...order }, owner) {
    const { job, seriesIndex, frameIndex } = order;
    attempt(
      () => {
        const decoder = this.#decoders.get(worker);
        if (decoder === undefined) throw new TransportError('DecodeError', `no decoder ${worker}`);
        const bytes = this.#copy(pieces, this.#maxSegmentBytes);
        decoder.postMessage({ ...order, bytes, owner: owner.role }, [bytes]);
      },
      (error) => {
        const type = error.type === 'LookupError' ? 'DecodeError' : error.type;
        const refusal = { owner: owner.role, error: { ...error.record(), type } };
        owner.port.postMessage({ kind: 'undecoded', job, seriesIndex, frameIndex, ...refusal });
      },
    );
  }

  /**
   * Joins pieces of segments in one buffer.
   *
   * @param {Iterable<[number, number, number | null]>} pieces segment, start, stop
   * @param {number} maxBytes
   * @returns {ArrayBuffer} the caller's own
   * @throws {TransportError} LookupError, LimitExceeded
   */
  #copy(pieces, maxBytes) {
    const parts = Array.from(pieces, ([segment, start, stop]) => {
      const held = this.#deliveries.get(segment)?.held;
      if (held === undefined) throw new TransportError('LookupError', `no segment ${segment}`);
      return { held, start, stop: stop ?? held.stop };
    });
    for (const { held, start, stop } of parts) held.check(start, stop);
    const length = parts.reduce((sum, { start, stop }) => sum + stop - start, 0);
    if (length > maxBytes) {
      throw new TransportError('LimitExceeded', `${length} bytes asked for, ${maxBytes} allowed`);
    }
    const target = new Uint8Array(length);
    let position = 0;
    for (const { held, start, stop } of parts) {
      held.copy(start, stop, target.subarray(position));
      position += stop - start;
    }
    return target.buffer;
  }

  /**
   * @param {number} token
   * @param {Owner} owner
   */
  #tellTimeline(token, { port }) {
    port.postMessage({ kind: 'timeline', token, requests: this.#timeline.requests });
  }
}

/**
 * Fills in what a sender left out: Python's None may arrive as `undefined`.
 *
 * @param {Message} message
 * @returns {import('./answer.js').Order}
 */
function orderOf({ segment, url, start, stop, milestones, version, priority, accept, whole }) {
  return {
    segment,
    url,
    start,
    stop: stop ?? null,
    milestones: Array.from(milestones ?? []),
    version: version ?? null,
    priority: priority ?? 'auto',
    accept: accept ?? '',
    whole: whole ?? false,
  };
}
