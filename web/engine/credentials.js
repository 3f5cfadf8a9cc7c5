/**
 * @typedef {object} CredentialRule what goes to one origin; other origins get nothing
 * @property {string} origin
 * @property {Record<string, string> | ((url: string) => Record<string, string> | Promise<Record<string, string>>)} [headers]
 *   a function is called for each request, so that a token can be renewed
 * @property {RequestCredentials} [credentials] `include` sends cookies across origins
 */

/** The page's side of `transport/credentials.js`: functions cannot cross to a worker, so it asks. */
export class Credentials {
  #rules;

  /** @param {CredentialRule[]} rules */
  constructor(rules) {
    this.#rules = rules;
  }

  /** @param {Worker} transport */
  sendTo(transport) {
    const rules = this.#rules.map(({ headers, ...rule }) =>
      typeof headers === 'function' ? { ...rule, ask: true } : { ...rule, headers },
    );
    if (rules.length > 0) transport.postMessage({ kind: 'credentials', rules });
  }

  /**
   * @param {Worker} transport
   * @param {{question: number, url: string}} message
   */
  async answer(transport, { question, url }) {
    const { origin } = new URL(url);
    const rule = this.#rules.find((one) => new URL(one.origin).origin === origin);
    try {
      const headers = typeof rule?.headers === 'function' ? await rule.headers(url) : {};
      transport.postMessage({ kind: 'authorized', question, headers });
    } catch (error) {
      transport.postMessage({ kind: 'authorized', question, error: String(error) });
    }
  }
}
