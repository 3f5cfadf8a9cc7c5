/** The thread that talks to servers and holds the compressed bytes; `transport/` has the parts. */

import { Credentials } from './transport/credentials.js';
import { Transport } from './transport/transport.js';

/** @typedef {import('./transport/delivery.js').Owner} Owner */

/** @type {Map<number, {resolve: (headers: Record<string, string>) => void, reject: (why: Error) => void}>} */
const asked = new Map();
let nextQuestion = 1;

const credentials = new Credentials((url) => {
  const question = nextQuestion++;
  globalThis.postMessage({ kind: 'authorize', question, url });
  return new Promise((resolve, reject) => asked.set(question, { resolve, reject }));
});
const transport = new Transport({ credentials });

/** @type {Owner} */
const page = { role: 'page', port: /** @type {any} */ (globalThis) };

/**
 * @param {import('./transport/transport.js').Message} message
 * @param {Owner} owner
 */
function receive(message, owner) {
  if (message.kind === 'credentials') credentials.configure(message.rules);
  else if (message.kind === 'authorized') {
    if (message.headers) asked.get(message.question)?.resolve(message.headers);
    else asked.get(message.question)?.reject(new Error(message.error));
    asked.delete(message.question);
  } else if (message.kind !== 'connect') transport.receive(message, owner);
  else if (message.role === 'decoder') transport.connectDecoder(message.worker, message.port);
  else listen({ role: 'loader', port: message.port });
}

/** @param {Owner & {port: MessagePort}} owner */
function listen(owner) {
  owner.port.onmessage = ({ data }) => receive(data, owner);
}

globalThis.onmessage = ({ data }) => receive(data, page);
