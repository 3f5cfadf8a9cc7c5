/** The thread that talks to servers and holds the compressed bytes; `transport/` has the parts. */

import { Transport } from './transport/transport.js';

/** @typedef {import('./transport/delivery.js').Owner} Owner */

const transport = new Transport();

/** @type {Owner} */
const page = { role: 'page', port: /** @type {any} */ (globalThis) };

/**
 * @param {import('./transport/transport.js').Message} message
 * @param {Owner} owner
 */
function receive(message, owner) {
  if (message.kind !== 'connect') transport.receive(message, owner);
  else if (message.role === 'decoder') transport.connectDecoder(message.worker, message.port);
  else listen({ role: 'loader', port: message.port });
}

/** @param {Owner & {port: MessagePort}} owner */
function listen(owner) {
  owner.port.onmessage = ({ data }) => receive(data, owner);
}

globalThis.onmessage = ({ data }) => receive(data, page);
