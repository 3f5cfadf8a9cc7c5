/** Drives the transport worker in place of page, loader and decoder, and collects what it says. */

import { Transport } from '../../web/transport/transport.js';

export class Driver {
  /** Messages not yet asked for, and askers not yet served, by "receiver/about". */
  #unread = new Map();
  #waiting = new Map();

  /**
   * @param {number | null} maxSegmentBytes null: the real worker; a number: the same class in this
   *   thread, because a worker takes no limits yet
   */
  constructor(maxSegmentBytes) {
    const loader = new MessageChannel();
    loader.port1.onmessage = ({ data }) => this.#collect('loader', data);
    this.loader = loader.port1;
    if (maxSegmentBytes === null) {
      this.page = new Worker('../../web/transport.worker.js', { type: 'module' });
      this.page.onmessage = ({ data }) => this.#collect('page', data);
      this.#connect({ role: 'loader' }, loader.port2);
      const decoder = new MessageChannel();
      decoder.port1.onmessage = ({ data }) => this.#collect('decoder', data);
      this.#connect({ role: 'decoder', worker: 0 }, decoder.port2);
    } else {
      const transport = new Transport({ maxSegmentBytes });
      const owner = { role: 'loader', port: loader.port2 };
      loader.port2.onmessage = ({ data }) => transport.receive(data, owner);
    }
  }

  #connect(message, port) {
    this.page.postMessage({ kind: 'connect', ...message, port }, [port]);
  }

  #collect(receiver, message) {
    const about = message.segment ?? message.token ?? `job ${message.job}`;
    const key = `${receiver}/${about}`;
    if (message.bytes !== undefined) message.bytes = new Uint8Array(message.bytes).toBase64();
    const asker = this.#waiting.get(key)?.shift();
    if (asker !== undefined) asker(message);
    else this.#unread.set(key, [...this.unread(key), message]);
  }

  /** What came and was not asked for. */
  unread(key) {
    return this.#unread.get(key) ?? [];
  }

  /** The next message to a receiver about a segment, token or job; waits for it. */
  next(key) {
    const [first, ...rest] = this.unread(key);
    this.#unread.set(key, rest);
    if (first !== undefined) return Promise.resolve(first);
    return new Promise((resolve) => {
      this.#waiting.set(key, [...(this.#waiting.get(key) ?? []), resolve]);
    });
  }

  send(message, as = 'loader') {
    this[as].postMessage(message);
  }

  close() {
    this.loader.close();
    this.page?.terminate();
  }
}
