import { seriesTag } from './records.js';

/** Enough to keep a decoder busy while the page draws; a head is decoded in 0.3 ms. */
const JOBS_PER_DECODER = 16;

/**
 * @typedef {[segment: number, start: number, stop: number]} Piece
 *
 * @typedef {object} EarlyFrame
 * @property {number} index
 * @property {number[]} ends where its levels end, from the codestream's first byte
 * @property {object} image `ImageShape` of wasm/codec.js
 * @property {(stop: number) => Piece[]} pieces its first bytes up to `stop`, as the transport holds them
 * @property {Uint8Array<ArrayBuffer>} [bytes] them themselves, where they came another way
 *
 * @typedef {object} Ways how an order reaches a decoder
 * @property {(message: object) => void} post by the transport, which adds the bytes
 * @property {(decoder: number, order: object, bytes: ArrayBuffer) => void} hand with its bytes
 */

/** What is known of a frame whose bytes come before Python is up. */
class Progress {
  reachedLevel = -1;
  shownLevel = -1;
  storedBytes = 0;
  /** @type {number | null} the decoder at work on it */
  decoder = null;

  /** @param {EarlyFrame} frame */
  constructor(frame) {
    this.frame = frame;
  }
}

/** Decodes frames before Python is up: each as far as its bytes are here, what came first first, on all decoders. */
export class EarlyFrames {
  #epoch;
  #ways;
  /** @type {number[]} jobs of each decoder */
  #load;
  /** @type {Map<number, Progress>} */
  #frames = new Map();
  /** Those that hold more than they show, while no decoder is at work on them. @type {Set<Progress>} */
  #waiting = new Set();
  /** Same, of which there is no picture: they go first. @type {Set<Progress>} */
  #unseen = new Set();
  /** @type {Set<number>} */
  #done = new Set();
  #over = false;

  /**
   * @param {number} epoch
   * @param {number} decoderCount
   * @param {Ways} ways
   */
  constructor(epoch, decoderCount, ways) {
    this.#epoch = epoch;
    this.#ways = ways;
    this.#load = Array(decoderCount).fill(0);
  }

  /**
   * More of a frame is held now, up to the end of one of its levels or beyond.
   *
   * @param {EarlyFrame} frame
   * @param {number} held bytes from the codestream's first one
   */
  reached(frame, held) {
    const progress = this.#frames.get(frame.index) ?? new Progress(frame);
    this.#frames.set(frame.index, progress);
    const level = frame.ends.findLastIndex((end) => end <= held);
    if (level > progress.reachedLevel) {
      progress.frame = frame;
      progress.reachedLevel = level;
    }
    this.#offer(progress);
  }

  /**
   * A decode has ended, with a picture or without.
   *
   * @param {number} frameIndex
   * @param {import('./frame-store.js').StoredFrame | null} picture
   */
  decoded(frameIndex, picture) {
    const progress = this.#frames.get(frameIndex);
    if (!progress || progress.decoder === null) return;
    this.#load[progress.decoder] -= 1;
    progress.decoder = null;
    this.#done.add(frameIndex);
    // What cannot be decoded is Python's to judge.
    if (picture === null) {
      this.#frames.delete(frameIndex);
      return this.#decodeNext();
    }
    if (picture.resolutionLevel > progress.shownLevel) {
      progress.shownLevel = picture.resolutionLevel;
      progress.storedBytes = picture.data.byteLength;
    }
    this.#offer(progress);
  }

  /** @param {number} frameIndex */
  shown(frameIndex) {
    const { shownLevel = -1, storedBytes = 0 } = this.#frames.get(frameIndex) ?? {};
    return { shownLevel, storedBytes };
  }

  /** @returns {[frameIndex: number, level: number, storedBytes: number][]} every frame of which there is a picture */
  allShown() {
    return [...this.#frames.values()]
      .filter(({ shownLevel }) => shownLevel >= 0)
      .map(({ frame, shownLevel, storedBytes }) => [frame.index, shownLevel, storedBytes]);
  }

  get isIdle() {
    return this.#unseen.size + this.#waiting.size === 0 && this.#load.every((jobs) => jobs === 0);
  }

  /** Frames of which there is a picture, or something that cannot be decoded here. */
  get doneCount() {
    return this.#done.size;
  }

  stop() {
    this.#over = true;
  }

  /** @param {Progress} progress */
  #offer(progress) {
    const isNews = progress.reachedLevel > progress.shownLevel;
    const waiting = progress.shownLevel < 0 ? this.#unseen : this.#waiting;
    if (isNews && progress.decoder === null) waiting.add(progress);
    this.#decodeNext();
  }

  #decodeNext() {
    if (this.#over) return;
    for (const waiting of [this.#unseen, this.#waiting]) {
      for (const progress of waiting) {
        const least = Math.min(...this.#load);
        if (least >= JOBS_PER_DECODER) return;
        waiting.delete(progress);
        this.#decode(progress, this.#load.indexOf(least));
      }
    }
  }

  /**
   * @param {Progress} progress
   * @param {number} decoder
   */
  #decode(progress, decoder) {
    progress.decoder = decoder;
    this.#load[decoder] += 1;
    const { frame, reachedLevel } = progress;
    const order = {
      kind: 'decode',
      job: 0,
      worker: decoder,
      seriesIndex: seriesTag(this.#epoch, 0),
      frameIndex: frame.index,
      codec: 'openjph',
      resolutionLevel: reachedLevel,
      decompositionLevels: frame.ends.length - 1,
      image: frame.image,
    };
    if (frame.bytes) this.#ways.hand(decoder, order, frame.bytes.buffer);
    else this.#ways.post({ ...order, pieces: frame.pieces(frame.ends[reachedLevel]) });
  }
}
