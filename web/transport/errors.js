/**
 * @typedef {'Unreachable' | 'HttpStatus' | 'RangeIgnored' | 'ShortBody' | 'ResourceChanged'
 *   | 'LimitExceeded' | 'DecodeError' | 'LookupError'} ErrorName a name of `py/firstlight/errors.py`, or Python's own
 *
 * @typedef {object} ErrorRecord the form in which an error crosses threads
 * @property {ErrorName} type
 * @property {string} message
 * @property {number | null} status the HTTP status of an `HttpStatus`
 * @property {number | null} retryAfterMs what its Retry-After asks for
 */

/** An exchange, a read or a slice that did not give what was asked for. */
export class TransportError extends Error {
  /**
   * @param {ErrorName} type
   * @param {string} message
   * @param {number | null} [status]
   * @param {number | null} [retryAfterMs]
   */
  constructor(type, message, status = null, retryAfterMs = null) {
    super(message);
    this.name = 'TransportError';
    this.type = type;
    this.status = status;
    this.retryAfterMs = retryAfterMs;
  }

  /** @returns {ErrorRecord} */
  record() {
    const { type, message, status, retryAfterMs } = this;
    return { type, message, status, retryAfterMs };
  }
}

/**
 * Runs a piece of work whose refusals are answers; anything else is a bug and goes on up.
 *
 * @template T
 * @param {() => T} work
 * @param {(error: TransportError) => void} refuse
 * @returns {T | undefined}
 */
export function attempt(work, refuse) {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof TransportError)) throw error;
    refuse(error);
    return undefined;
  }
}
