/** A worker that may be started later than it is asked for something: what is posted to it meanwhile waits. */
export class Thread {
  #make;
  /** @type {Worker | null} */
  #worker = null;
  /** @type {[message: any, transfer: Transferable[]][]} */
  #waiting = [];
  #isOver = false;
  /** @type {((event: MessageEvent) => void) | null} */
  onmessage = null;
  /** @type {((event: ErrorEvent) => void) | null} */
  onerror = null;
  /** @type {() => void} called at every sign of life, and at its end */
  onsign = () => {};

  /** @param {() => Worker} make */
  constructor(make) {
    this.#make = make;
  }

  start() {
    if (this.#worker !== null || this.#isOver) return;
    const worker = this.#make();
    this.#worker = worker;
    worker.onmessage = (event) => {
      this.onsign();
      this.onmessage?.(event);
    };
    worker.onerror = (event) => {
      this.onsign();
      this.onerror?.(event);
    };
    for (const [message, transfer] of this.#waiting.splice(0))
      worker.postMessage(message, transfer);
  }

  /**
   * @param {any} message
   * @param {Transferable[]} [transfer]
   */
  postMessage(message, transfer = []) {
    if (this.#worker === null) this.#waiting.push([message, transfer]);
    else this.#worker.postMessage(message, transfer);
  }

  terminate() {
    this.#isOver = true;
    this.#worker?.terminate();
  }
}
