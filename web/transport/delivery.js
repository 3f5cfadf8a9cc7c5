import { readHead } from './answer.js';
import { TransportError } from './errors.js';
import { exchange, reasonOf } from './exchange.js';
import { Segment } from './segments.js';
import { nowMs } from './timeline.js';

/**
 * @typedef {import('./answer.js').Order} Order
 * @typedef {import('./answer.js').Head} Head
 *
 * @typedef {object} Owner whoever is told of a segment or a job
 * @property {'page' | 'loader'} role
 * @property {Port} port
 *
 * @typedef {object} Port
 * @property {(message: object, transfer?: Transferable[]) => void} postMessage
 */

/**
 * One order on its way: reports `opened`, milestones in growing order, and exactly one of `closed`
 * and `failed`. No message is sent and nothing already held is touched for a chunk that passes no
 * milestone.
 */
export class Delivery {
  #order;
  #owner;
  #record;
  #abort = new AbortController();
  /** Milestones not yet passed, growing. */
  #pending;
  /** @type {object | null} the `opened` that was sent */
  #opened = null;
  /** @type {object | null} the `closed` or `failed` that was sent */
  #over = null;
  /** What another thread has asked for already. @type {Promise<import('./exchange.js').Exchange | null> | null} */
  begun = null;

  /**
   * @param {Order} order
   * @param {Owner} owner
   * @param {import('./timeline.js').RequestRecord} record
   * @param {number} maxBytes
   */
  constructor(order, owner, record, maxBytes) {
    this.#order = order;
    this.#owner = owner;
    this.#record = record;
    this.#pending = sorted(order.milestones);
    this.held = new Segment(order.start, maxBytes);
    /** @type {number | null} size of the whole resource, once known */
    this.totalBytes = null;
  }

  get url() {
    return this.#order.url;
  }

  /**
   * @param {number | null} knownTotal total length of the version that `order.version` names
   * @param {Promise<import('./credentials.js').Access>} access
   */
  async run(knownTotal, access) {
    if (this.#order.stop === this.#order.start) return this.#close(false);
    try {
      const answer =
        (await this.begun) ?? (await exchange(this.#order, await access, this.#abort.signal));
      this.#record.openedMs = nowMs();
      this.#record.status = answer.status;
      const head = readHead(this.#order, answer.status, answer.headers, knownTotal);
      this.#open(head);
      if (answer.body !== null) await this.#receive(head, answer.body.getReader());
      this.#finish(head);
    } catch (error) {
      if (!(error instanceof TransportError)) throw error;
      this.#fail(error);
    }
  }

  /** @param {number[]} milestones */
  watch(milestones) {
    this.#pending = sorted([...this.#pending, ...milestones]);
    if (this.#opened !== null) this.#passMilestones();
  }

  /** Stops the exchange; the bytes stay. */
  cancel() {
    if (this.#over === null) this.#close(true);
  }

  /** Stops the exchange and drops the bytes. */
  release() {
    this.held = new Segment(this.#order.start, 0);
    this.cancel();
  }

  /**
   * Hands the segment to another owner, who is told where it stands.
   *
   * @param {Owner} owner
   */
  adopt(owner) {
    this.#owner = owner;
    if (this.#opened !== null) {
      this.#tell(this.#opened);
      if (this.held.stop > this.held.start) this.#tell(this.#milestone(this.held.stop));
    }
    if (this.#over !== null) this.#tell(this.#over);
  }

  /** @param {Head} head */
  #open(head) {
    if (this.#over !== null) return;
    if (head.stop !== null) this.held.reserve(head.stop);
    const { stop, totalBytes, version, ranges } = head;
    const { segment, start } = this.#order;
    this.totalBytes = totalBytes;
    this.#opened = { kind: 'opened', segment, start, stop, totalBytes, version, ranges };
    this.#tell(this.#opened);
    this.#passMilestones();
  }

  /**
   * Takes what lies in the range; returns at the end of the body, or when the rest is not wanted.
   *
   * @param {Head} head
   * @param {ReadableStreamDefaultReader<Uint8Array>} reader
   */
  async #receive(head, reader) {
    let position = head.bodyStart;
    while (this.#over === null) {
      const chunk = await this.#read(head, reader);
      if (chunk === null || this.#over !== null) return;
      this.#record.bytes += chunk.length;
      const skipped = Math.max(this.held.stop - position, 0);
      const wanted = head.stop === null ? chunk.length : head.stop - position;
      if (wanted > skipped) this.held.append(chunk.subarray(skipped, wanted));
      position += chunk.length;
      if (!head.runsOn && head.bodyStop !== null && position > head.bodyStop) {
        const text = 'more bytes came than announced: the answer is compressed and hides it';
        throw new TransportError('RangeIgnored', text);
      }
      this.#passMilestones();
      if (head.runsOn && head.stop !== null && position >= head.stop) return;
    }
  }

  /**
   * A connection that breaks takes with it what the browser had received and not yet handed over.
   *
   * @param {Head} head
   * @param {ReadableStreamDefaultReader<Uint8Array>} reader
   * @returns {Promise<Uint8Array | null>} null at the end of the body
   */
  async #read(head, reader) {
    try {
      return (await reader.read()).value ?? null;
    } catch (error) {
      if (this.held.stop === head.stop) return null;
      const text = `the body broke off at ${this.held.stop} (${reasonOf(error)})`;
      throw new TransportError('ShortBody', text);
    }
  }

  /**
   * Closes the segment if the body kept its promise.
   *
   * @param {Head} head
   */
  #finish(head) {
    const { start, stop } = this.held;
    if (head.firm && head.stop !== null && stop < head.stop) {
      throw new TransportError('ShortBody', `the body ended at ${stop} instead of ${head.stop}`);
    }
    if (stop === start) {
      throw new TransportError('RangeIgnored', `the resource ends before the range, at ${start}`);
    }
    this.#close(false);
  }

  #passMilestones() {
    while (this.#pending.length > 0 && this.#pending[0] <= this.held.stop) {
      this.#tell(this.#milestone(this.#pending[0]));
      this.#pending.shift();
    }
  }

  /** @param {number} stop */
  #milestone(stop) {
    return { kind: 'milestone', segment: this.#order.segment, stop };
  }

  /** @param {boolean} cancelled */
  #close(cancelled) {
    const { segment } = this.#order;
    this.#end({ kind: 'closed', segment, stop: this.held.stop, cancelled });
  }

  /** @param {TransportError} error */
  #fail(error) {
    const { segment } = this.#order;
    this.#end({ kind: 'failed', segment, stop: this.held.stop, error: error.record() });
  }

  /** @param {object} message */
  #end(message) {
    if (this.#over !== null) return;
    this.#over = message;
    this.#record.closedMs = nowMs();
    this.#abort.abort();
    this.#tell(message);
  }

  /** @param {object} message */
  #tell(message) {
    this.#owner.port.postMessage(message);
  }
}

/** @param {number[]} milestones */
function sorted(milestones) {
  return [...new Set(milestones)].sort((a, b) => a - b);
}
