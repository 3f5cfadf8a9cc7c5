import { TransportError } from './errors.js';

/** Refused beyond this: the largest buffer every browser gives, far above any image's codestream. */
export const MAX_SEGMENT_BYTES = 2 ** 31;

/** Where the length is not announced: the first block, and what later ones grow to by doubling. */
const FIRST_BLOCK_BYTES = 2 ** 16;
const LARGEST_BLOCK_BYTES = 2 ** 23;

/**
 * The bytes of one segment: `[start, stop)` of a resource, `stop` growing.
 *
 * They lie in blocks, so that none is copied when more arrive; where the length is known there is
 * exactly one.
 */
export class Segment {
  /** @type {Uint8Array<ArrayBuffer>[]} */
  #blocks = [];
  /** Bytes free in the last block. */
  #room = 0;
  #maxBytes;

  /**
   * @param {number} start offset in the resource
   * @param {number} maxBytes
   */
  constructor(start, maxBytes) {
    this.start = start;
    this.stop = start;
    this.#maxBytes = maxBytes;
  }

  /**
   * Takes memory for the whole segment before the first byte is there.
   *
   * @param {number} stop
   * @throws {TransportError} LimitExceeded
   */
  reserve(stop) {
    this.#allow(stop);
    this.#extend(stop - this.start);
  }

  /**
   * @param {Uint8Array} bytes copied
   * @throws {TransportError} LimitExceeded
   */
  append(bytes) {
    this.#allow(this.stop + bytes.length);
    for (let taken = 0; taken < bytes.length;) {
      if (this.#room === 0) this.#extend(this.#nextBlockBytes());
      const block = this.#blocks[this.#blocks.length - 1];
      const part = bytes.subarray(taken, taken + this.#room);
      block.set(part, block.length - this.#room);
      this.#room -= part.length;
      taken += part.length;
    }
    this.stop += bytes.length;
  }

  /**
   * @param {number} start
   * @param {number} stop
   * @throws {TransportError} LookupError: not all of `[start, stop)` is held
   */
  check(start, stop) {
    if (this.start <= start && start <= stop && stop <= this.stop) return;
    const text = `bytes [${start}, ${stop}) asked for, [${this.start}, ${this.stop}) held`;
    throw new TransportError('LookupError', text);
  }

  /**
   * Copies held bytes into `target`, from its beginning.
   *
   * @param {number} start
   * @param {number} stop
   * @param {Uint8Array} target
   */
  copy(start, stop, target) {
    let blockStart = this.start;
    for (const block of this.#blocks) {
      const from = Math.max(start - blockStart, 0);
      const to = Math.min(stop - blockStart, block.length);
      if (from < to) target.set(block.subarray(from, to), blockStart + from - start);
      blockStart += block.length;
    }
  }

  /** @param {number} stop */
  #allow(stop) {
    if (stop - this.start <= this.#maxBytes) return;
    const text = `more than the ${this.#maxBytes} bytes allowed for one segment`;
    throw new TransportError('LimitExceeded', text);
  }

  #nextBlockBytes() {
    const last = this.#blocks.at(-1)?.length ?? FIRST_BLOCK_BYTES / 2;
    return Math.min(2 * last, LARGEST_BLOCK_BYTES);
  }

  /** @param {number} length */
  #extend(length) {
    try {
      this.#blocks.push(new Uint8Array(length));
    } catch {
      throw new TransportError('LimitExceeded', `no memory for ${length} bytes more`);
    }
    this.#room = length;
  }
}
