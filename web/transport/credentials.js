import { TransportError } from './errors.js';
import { reasonOf } from './exchange.js';

/**
 * Which headers and cookies go to which origin. One place for every kind of request; an origin that
 * no rule names gets nothing.
 *
 * @typedef {object} Rule
 * @property {string} origin for example `https://pacs.example.org`
 * @property {Record<string, string>} [headers] for example `{Authorization: 'Bearer ...'}`
 * @property {RequestCredentials} [credentials] `include` sends cookies across origins
 * @property {boolean} [ask] the page computes the headers for each request
 *
 * @typedef {{headers: Record<string, string>, credentials: RequestCredentials}} Access
 */

/** @type {Access} */
const NONE = { headers: {}, credentials: 'same-origin' };

export class Credentials {
  /** @type {Map<string, Rule>} */
  #rules = new Map();
  #ask;

  /** @param {(url: string) => Promise<Record<string, string>>} ask the page for headers */
  constructor(ask) {
    this.#ask = ask;
  }

  /** @param {Rule[]} rules replace those there were */
  configure(rules) {
    this.#rules = new Map(rules.map((rule) => [new URL(rule.origin).origin, rule]));
  }

  /**
   * @param {string} url
   * @returns {Promise<Access>}
   * @throws {TransportError} Unreachable: the page could not give its headers
   */
  async for(url) {
    const rule = URL.canParse(url) ? this.#rules.get(new URL(url).origin) : undefined;
    if (rule === undefined) return NONE;
    const asked = rule.ask ? await this.#asked(url) : {};
    const { headers = {}, credentials = NONE.credentials } = rule;
    return { headers: { ...headers, ...asked }, credentials };
  }

  /** @param {string} url */
  async #asked(url) {
    try {
      return await this.#ask(url);
    } catch (error) {
      throw new TransportError('Unreachable', `no credentials from the page (${reasonOf(error)})`);
    }
  }
}
