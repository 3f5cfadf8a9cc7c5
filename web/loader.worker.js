/** Python's thread: boots Pyodide and carries messages between it and the other threads. */

import { bootPython } from './boot/boot.js';

/** @type {Map<number, (bytes: Uint8Array | null) => void>} */
const reads = new Map();
let nextToken = 1;
/** @type {(adoptionsJson: string) => void} what Python waits for when it takes over from the page */
let takenOver = () => {};
/** @type {MessagePort} */
let transport;
/** @type {any} the Python service, `py/firstlight/adapters/pyodide.py` */
let service = null;
/** @type {import('./boot/boot.js').Python | null} */
let python = null;
/** The page has said so, perhaps before there was anything to keep. */
let isToKeep = false;
/** Of the session that the messages are for; `engine/workers.js`. */
let epoch = 0;

/** The functions Python calls; each posts one message. */
const bridge = {
  /**
   * @param {number} segment
   * @param {string} url
   * @param {number} start
   * @param {number | undefined} stop
   * @param {number[]} milestones
   * @param {string | undefined} version
   * @param {string} priority
   * @param {string} accept
   * @param {boolean} whole
   */
  fetch(segment, url, start, stop, milestones, version, priority, accept, whole) {
    const order = { segment, url, start, stop, milestones, version, priority, accept, whole };
    transport.postMessage({ kind: 'fetch', ...order });
  },
  /**
   * @param {number} segment
   * @param {number[]} milestones
   */
  watch(segment, milestones) {
    transport.postMessage({ kind: 'watch', segment, milestones });
  },
  /**
   * @param {string} kind
   * @param {number} segment
   */
  segment(kind, segment) {
    transport.postMessage({ kind, segment });
  },
  /**
   * @param {number} segment
   * @param {number} start
   * @param {number | undefined} stop
   * @returns {Promise<Uint8Array | null>}
   */
  read(segment, start, stop) {
    const token = nextToken++;
    return new Promise((resolve) => {
      reads.set(token, resolve);
      transport.postMessage({ kind: 'read', token, segment, start, stop });
    });
  },
  /** @returns {Promise<string>} as JSON, what the page has begun and Python is to go on with */
  takeOver() {
    return new Promise((resolve) => {
      takenOver = resolve;
      postMessage({ kind: 'take-over', epoch });
    });
  },
  /** @param {string} json */
  decode(json) {
    transport.postMessage(JSON.parse(json));
  },
  /** @param {number} worker */
  replaceDecoder(worker) {
    postMessage({ kind: 'replace-decoder', worker, epoch });
  },
  /** @param {number} frameIndex */
  evict(frameIndex) {
    postMessage({ kind: 'evict', frameIndex, epoch });
  },
  /**
   * @param {string} kind
   * @param {string} json
   */
  publish(kind, json) {
    postMessage({ kind, record: JSON.parse(json), epoch });
  },
  /** @param {string} name of a package */
  need(name) {
    return python?.mount(name);
  },
};

/** @param {any} message of the transport */
function onTransport(message) {
  const { kind, segment, stop } = message;
  if (kind === 'opened') {
    const { start, totalBytes, version, ranges } = message;
    service.transport.opened(
      segment,
      start,
      stop ?? undefined,
      totalBytes ?? undefined,
      version,
      ranges,
    );
  } else if (kind === 'milestone') {
    service.transport.milestone(segment, stop);
  } else if (kind === 'closed') {
    service.transport.closed(segment, stop, message.cancelled);
  } else if (kind === 'failed') {
    const { type, message: text, status, retryAfterMs } = message.error;
    service.transport.failed(
      segment,
      stop,
      type,
      text,
      status ?? undefined,
      retryAfterMs ?? undefined,
    );
  } else if (kind === 'bytes') {
    const { token, bytes } = message;
    reads.get(token)?.(bytes === undefined ? null : new Uint8Array(bytes));
    reads.delete(token);
  } else if (kind === 'undecoded') {
    onDecoder(message);
  }
}

/** @param {any} message of a decoder */
function onDecoder(message) {
  const { kind, job, storedBytes, elapsedMs, error } = message;
  if (kind === 'decoded') service.pool.decoded(job, storedBytes, elapsedMs);
  else service.pool.undecoded(job, error.type, error.message);
}

/** @param {{base: string, decoderCount: number}} message */
async function boot({ base, decoderCount }) {
  python = await bootPython(base);
  const { start } = python.pyodide.pyimport('firstlight.adapters.pyodide');
  service = start(bridge, decoderCount);
  postMessage({ kind: 'booted', way: python.way });
  if (isToKeep) void python.keep();
}

/** @param {any} message of the page */
function onPage(message) {
  switch (message.kind) {
    case 'close':
      service?.close();
      break;
    case 'open':
      epoch = message.epoch;
      service.open(
        message.src,
        epoch,
        message.frameIndex,
        JSON.stringify(message.adoptions),
        JSON.stringify(message.files),
        message.configuration ?? 'null',
        message.wholeSamples,
      );
      break;
    case 'hand-over':
      if (message.epoch === epoch) takenOver(JSON.stringify(message.adoptions));
      break;
    case 'want':
      service.want(message.frameIndex, message.direction, JSON.stringify(message));
      break;
    case 'select':
      service.select(message.seriesIndex, message.frameIndex);
      break;
    case 'limit':
      service.limit(message.byteRange, message.decodeLevel);
      break;
    case 'retry':
      service.retry(message.frameIndex);
      break;
    case 'retriever':
      service.retriever(message.retriever, message.step, message.frameIndex, message.details);
      break;
    case 'decoder-replaced':
      service?.pool.replaced(message.worker);
      break;
    case 'memory':
      postMessage({ token: message.token, heapBytes: python?.pyodide._module.HEAPU8.length ?? 0 });
      break;
    case 'keep':
      isToKeep = true;
      void python?.keep();
      break;
    case 'connect':
      connect(message);
      break;
    case 'boot':
      boot(message).catch((error) => {
        const text = `Python did not start: ${error instanceof Error ? error.message : error}`;
        postMessage({ kind: 'crashed', record: { type: 'LoaderError', message: text } });
      });
  }
}

/** @param {{role: string, port: MessagePort}} message */
function connect({ role, port }) {
  port.onmessage = ({ data }) => (role === 'transport' ? onTransport(data) : onDecoder(data));
  if (role === 'transport') transport = port;
}

onmessage = ({ data }) => onPage(data);
