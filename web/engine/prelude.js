import { isDescriptor } from './address.js';
import { headPieces, levelFor, shapeOf } from './descriptor.js';
import { EarlyFrames } from './early-frames.js';
import { isPartOf } from './records.js';

/**
 * What must happen before Python is up, and no more. It has no policy but this order, since one link carries all: the
 * frame that is looked at, to the level that fills the screen; where there are more frames, to a good first level, and
 * then the heads file, which has something of every frame; then Python, beside which a frame that is alone goes on. The
 * descriptor says where the bytes lie and where levels end. Python adopts the segments when it arrives.
 *
 * @typedef {object} Adoption a segment that Python takes over; the names are Python's
 * @property {number} segment
 * @property {string} url
 * @property {number} start
 * @property {number | null} stop
 * @property {number} [shown_level]
 * @property {number} [stored_bytes]
 * @property {[frameIndex: number, level: number, storedBytes: number][]} [shown] of a heads file, whose frames are many
 *
 * @typedef {object} PreludeHost
 * @property {(message: object) => void} post to the transport
 * @property {(segment: number, stop: number) => Promise<Uint8Array>} read held bytes from the start
 * @property {(descriptor: any) => void} described the descriptor is here
 * @property {(frameIndex: number, heldBytes: number, totalBytes: number) => void} progressed
 * @property {(error: any) => void} failed without the descriptor there is nothing to show
 * @property {() => void} settled Python may have the link now
 * @property {boolean} beginsFrame false where a configuration says otherwise what comes first
 * @property {string | null} begun the descriptor that is being fetched already, as the first segment
 * @property {number} decoderCount
 * @property {number} screenPx longest side of the screen's image area, in device pixels
 */

/** The segments a prelude starts, in the numbers below Python's 1000 that are its own. */
const DESCRIPTOR = 0;
const FRAME = 1;
const METADATA = 2;
const HEADS = 3;
const SEGMENTS_PER_PRELUDE = 4;

/** How far the first frame goes while others wait: a 512 x 512 image at half its size, 20 ms at 30 Mbit/s. */
const FIRST_LEVEL = 2;

/** Of a long heads file no more than this comes first, half a second at 30 Mbit/s; Python fetches the rest in its order. */
const HEADS_BYTES = 2 ** 21;

/** HTJ2K by its transfer syntaxes (PS3.6 Annex A): the one codec that is loaded already. */
const HTJ2K = /^1\.2\.840\.10008\.1\.2\.4\.20[123]$/;

/** @typedef {{at: number, frame: import('./early-frames.js').EarlyFrame, held: number}} HeadPiece */

export class Prelude {
  #src;
  #frameIndex;
  #epoch;
  #host;
  /** @type {Adoption[]} */
  #adoptions = [];
  /** @type {(import('./early-frames.js').EarlyFrame & {start: number, lastLevel: number}) | null} */
  #frame = null;
  /** @type {{url: string, stop: number, pieces: HeadPiece[]} | null} pieces by where they end in the file */
  #heads = null;
  #early;
  #isHtj2k = false;
  #over = false;

  /**
   * @param {string} src absolute
   * @param {number} frameIndex
   * @param {number} epoch from 1, of the session on its threads
   * @param {PreludeHost} host
   */
  constructor(src, frameIndex, epoch, host) {
    this.#src = src;
    this.#frameIndex = frameIndex;
    this.#epoch = epoch;
    this.#host = host;
    this.#early = new EarlyFrames(epoch, host.decoderCount, host.post);
  }

  start() {
    const { begun } = this.#host;
    if (begun !== null && begun !== this.#src) {
      this.#host.post({ kind: 'release', segment: this.#number(DESCRIPTOR) });
    }
    if (this.#src.startsWith('jphuri:')) {
      const url = this.#src.slice('jphuri:'.length);
      const beside = new URL(url);
      // A fragment says how much of the file is wanted, which is Python's to read (`sources/address.py`).
      if (this.#host.beginsFrame && !beside.hash) this.#fetch(FRAME, url, 0, null, []);
      beside.hash = '';
      beside.pathname = beside.pathname.replace(/\.jph$/i, '.metadata.dcm');
      this.#fetch(METADATA, beside.href, 0, null, []);
      this.#host.settled();
    } else if (isDescriptor(this.#src)) {
      this.#fetch(DESCRIPTOR, this.#src, 0, null, []);
    } else {
      this.#host.settled();
    }
  }

  /**
   * @param {any} message of the transport
   */
  async onTransport(message) {
    const part = message.segment - this.#number(0);
    if (message.kind === 'failed') {
      if (part === DESCRIPTOR) this.#host.failed({ ...message.error, resource: this.#src });
      this.#host.settled();
    } else if (part === DESCRIPTOR && message.kind === 'closed') {
      await this.#readDescriptor(message.stop);
    } else if (part === FRAME && this.#frame) {
      if (message.kind !== 'opened') this.#frameReached(message.stop - this.#frame.start);
      if (message.kind === 'closed' && !this.#heads) this.#host.settled();
    } else if (part === HEADS) {
      if (message.kind !== 'opened') this.#headsReached(message.stop);
      if (message.kind === 'closed') this.#host.settled();
    }
  }

  /**
   * A decode that the prelude asked for has ended.
   *
   * @param {number} frameIndex
   * @param {import('./frame-store.js').StoredFrame | null} picture
   */
  decoded(frameIndex, picture) {
    this.#early.decoded(frameIndex, picture);
  }

  /** The session is over: what Python has not taken over is let go. */
  abandon() {
    if (this.#over) return;
    this.#end();
    for (const { segment } of this.#adoptions) this.#host.post({ kind: 'release', segment });
  }

  /** Hands everything over; from here on the prelude does nothing. */
  handOver() {
    this.#end();
    return this.#adoptions.map((adoption) => this.#withPictures(adoption));
  }

  #end() {
    this.#over = true;
    this.#early.stop();
  }

  /** @param {Adoption} adoption */
  #withPictures(adoption) {
    const part = adoption.segment - this.#number(0);
    if (part === HEADS) {
      const shown = this.#early.allShown().filter(([index]) => index !== this.#frameIndex);
      return { ...adoption, shown };
    }
    if (part !== FRAME) return adoption;
    const { shownLevel, storedBytes } = this.#early.shown(this.#frameIndex);
    return { ...adoption, shown_level: shownLevel, stored_bytes: storedBytes };
  }

  /** @param {number} part */
  #number(part) {
    return (this.#epoch - 1) * SEGMENTS_PER_PRELUDE + 1 + part;
  }

  /** @param {number} stop */
  async #readDescriptor(stop) {
    const text = new TextDecoder().decode(await this.#host.read(this.#number(DESCRIPTOR), stop));
    if (this.#over) return;
    try {
      this.#begin(JSON.parse(text));
    } catch {
      this.#host.settled(); // Python reads the same bytes and says what is wrong with them
    }
  }

  /** @param {any} descriptor firstlight.json, `py/firstlight/sources/README.md` */
  #begin(descriptor) {
    const series = descriptor.series[0];
    // Entries of one series, in several transfer syntaxes, are joined and sorted by Python.
    if (descriptor.series.some(isPartOf(series))) return this.#host.settled();
    const frameIndex = Math.min(this.#frameIndex, series.frames.length - 1);
    const frame = series.frames[frameIndex];
    this.#frameIndex = frameIndex;
    this.#isHtj2k = HTJ2K.test(series.transfer_syntax_uid);
    // Its bytes are on their way while the page is put together.
    if (this.#host.beginsFrame) this.#beginFrame(series, frame);
    else this.#host.settled();
    this.#host.described(descriptor);
  }

  /**
   * @param {any} series
   * @param {any} frame
   */
  #beginFrame(series, frame) {
    this.#heads = this.#isHtj2k ? this.#readHeads(series) : null;
    const image = shapeOf(series, frame);
    const { start = 0, level_ends: ends = [] } = frame;
    if (ends.length === 0) return this.#host.settled();
    const lastLevel = this.#heads
      ? Math.min(FIRST_LEVEL, ends.length - 1)
      : levelFor(this.#host.screenPx, image, ends.length);
    /** @param {number} stop */
    const pieces = (stop) => [this.#piece(FRAME, start, start + stop)];
    this.#frame = { index: this.#frameIndex, ends, image, pieces, start, lastLevel };
    const asked = this.#heads ? ends.slice(0, lastLevel + 1) : ends;
    const stops = asked.map((/** @type {number} */ end) => start + end);
    this.#fetch(FRAME, new URL(frame.url, this.#src).href, start, stops.at(-1), stops);
  }

  /**
   * The pieces of the heads file, in the order in which they come.
   *
   * @param {any} series
   */
  #readHeads(series) {
    if (!series.heads) return null;
    /** @type {HeadPiece[]} */
    const found = [];
    series.frames.forEach((/** @type {any} */ frame, /** @type {number} */ index) => {
      const { level_ends: ends = [], heads = [] } = frame;
      /** @param {number} stop */
      const pieces = (stop) => headPieces(heads, stop).map(([a, b]) => this.#piece(HEADS, a, b));
      const early = { index, ends, image: shapeOf(series, frame), pieces };
      let before = 0;
      for (const [start, stop] of heads) {
        found.push({ at: start + stop - before, frame: early, held: stop });
        before = stop;
      }
    });
    found.sort((a, b) => a.at - b.at);
    const pieces = found.filter(({ at }) => at <= HEADS_BYTES);
    const stop = pieces.at(-1)?.at;
    if (stop === undefined) return null;
    return { url: new URL(series.heads.url, this.#src).href, stop, pieces };
  }

  /**
   * @param {number} part
   * @param {number} start
   * @param {number} stop
   * @returns {import('./early-frames.js').Piece}
   */
  #piece(part, start, stop) {
    return [this.#number(part), start, stop];
  }

  /**
   * @param {number} part
   * @param {string} url
   * @param {number} start
   * @param {number | null} stop
   * @param {number[]} milestones
   */
  #fetch(part, url, start, stop, milestones) {
    const segment = this.#number(part);
    this.#adoptions.push({ segment, url, start, stop });
    // Its messages came while nobody listened: they are told again.
    if (part === DESCRIPTOR && this.#host.begun === url) {
      return this.#host.post({ kind: 'adopt', segment });
    }
    const order = { segment, url, start, stop, milestones, version: null, priority: 'high' };
    this.#host.post({ kind: 'fetch', ...order });
  }

  /** @param {number} held bytes of the frame */
  #frameReached(held) {
    const frame = this.#frame;
    if (!frame || this.#over) return;
    this.#progressed(frame, held);
    // The rest of a frame that is alone goes on beside Python's bytes.
    if (!this.#heads && held >= frame.ends[frame.lastLevel]) this.#host.settled();
    // Before the last level is here, so that the link does not stand still for a round trip.
    if (held >= (frame.ends[frame.lastLevel - 1] ?? 0)) this.#beginHeads();
  }

  #beginHeads() {
    const isBegun = this.#adoptions.some(({ segment }) => segment === this.#number(HEADS));
    if (!this.#heads || isBegun) return;
    const { url, stop, pieces } = this.#heads;
    const milestones = pieces.map(({ at }) => at);
    this.#fetch(HEADS, url, 0, stop, milestones);
  }

  /** @param {number} stop in the heads file */
  #headsReached(stop) {
    const waiting = this.#heads?.pieces ?? [];
    while (waiting.length > 0 && waiting[0].at <= stop && !this.#over) {
      const [{ frame, held }] = waiting.splice(0, 1);
      if (frame.index !== this.#frameIndex) this.#progressed(frame, held);
    }
  }

  /**
   * @param {import('./early-frames.js').EarlyFrame} frame
   * @param {number} held
   */
  #progressed(frame, held) {
    this.#host.progressed(frame.index, held, frame.ends[frame.ends.length - 1]);
    if (this.#isHtj2k) this.#early.reached(frame, held);
  }
}
