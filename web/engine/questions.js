/** Bytes of one `read` (`MAX_READ_BYTES` of ports.py). */
const READ_BYTES = 2 ** 20;

/** Messages to workers that are answered by one message with the same `token`. */
export class Questions {
  /** @type {Map<number, (answer: any) => void>} */
  #waiting = new Map();
  #nextToken = 1;

  /**
   * @param {Worker} worker
   * @param {object} message
   * @returns {Promise<any>} the answer
   */
  ask(worker, message) {
    const token = this.#nextToken++;
    return new Promise((resolve) => {
      this.#waiting.set(token, resolve);
      worker.postMessage({ ...message, token });
    });
  }

  /**
   * @param {any} message of a worker
   * @returns {boolean} whether it was an answer
   */
  answered(message) {
    const resolve = this.#waiting.get(message.token);
    if (resolve === undefined) return false;
    this.#waiting.delete(message.token);
    resolve(message);
    return true;
  }

  /**
   * Copies the first bytes of a segment.
   *
   * @param {Worker} transport
   * @param {number} segment
   * @param {number} stop
   */
  async read(transport, segment, stop) {
    const whole = new Uint8Array(stop);
    for (let start = 0; start < stop; start += READ_BYTES) {
      const order = { kind: 'read', segment, start, stop: Math.min(start + READ_BYTES, stop) };
      const { bytes } = await this.ask(transport, order);
      whole.set(new Uint8Array(bytes), start);
    }
    return whole;
  }
}
