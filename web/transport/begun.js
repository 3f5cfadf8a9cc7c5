/**
 * The answer to a request that the page made before this thread ran (`engine/head-start.js`).
 *
 * @param {MessagePort} port which it comes on, once
 * @returns {Promise<import('./exchange.js').Exchange | null>} null where nothing came of it
 */
export function givenAnswer(port) {
  return new Promise((resolve) => {
    port.onmessage = ({ data }) => {
      port.close();
      if (data === null) return resolve(null);
      const { status, headers, bytes } = data;
      resolve({ status, headers: new Headers(headers), body: new Response(bytes).body });
    };
  });
}
