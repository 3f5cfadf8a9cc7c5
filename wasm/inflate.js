/** Raw deflate streams (RFC 1951), no further than what is wanted of them. */

import { Inflate } from 'fflate';
import { CodecError } from './codec.js';

/** Inflated at once; comes out as 17 MB at most. */
const PIECE_BYTES = 1 << 14;

/** More than this times its length no deflate stream becomes. */
const MOST_EXPANSION = 1032;

/**
 * The first `maxBytes` of what comes out, or all if it is less.
 *
 * @param {Uint8Array} bytes
 * @param {number} maxBytes
 * @returns {Uint8Array}
 */
export function inflate(bytes, maxBytes) {
  const out = new Uint8Array(Math.min(maxBytes, bytes.length * MOST_EXPANSION));
  let length = 0;
  const inflater = new Inflate((piece) => {
    out.set(piece.subarray(0, out.length - length), length);
    length = Math.min(length + piece.length, out.length);
  });
  try {
    for (let at = 0; at === 0 || (at < bytes.length && length < out.length); at += PIECE_BYTES) {
      const stop = at + PIECE_BYTES;
      inflater.push(bytes.subarray(at, stop), stop >= bytes.length);
    }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CodecError('DecodeError', `cannot be inflated: ${reason}`);
  }
  return out.subarray(0, length);
}
