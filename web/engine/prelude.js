import { isDescriptor } from './address.js';
import { BegunSegments, DESCRIPTOR, FRAME, HEADS, METADATA } from './begun-segments.js';
import {
  enclosedLevel,
  headPieces,
  headsPlan,
  levelFor,
  levelWithin,
  milestonesOf,
  shapeOf,
  wholeLevel,
} from './descriptor.js';
import { EarlyFrames } from './early-frames.js';
import { isPartOf } from './records.js';

/**
 * What must happen before Python is up, and no more. It has no policy but this order, since one link carries all: the
 * frame that is looked at, to the level that fills the screen; where there are more frames, to a good first level, and
 * then the heads file, which has something of every frame; then Python, beside which a frame that is alone goes on.
 * Python reads the descriptor too and then takes over; in a page whose Python is up already that saves its reading time.
 *
 * @typedef {import('./begun-segments.js').Adoption} Adoption
 *
 * @typedef {object} PreludeHost
 * @property {(message: object) => void} post to the transport
 * @property {(decoder: number, order: object, bytes: ArrayBuffer) => void} hand to a decoder, with its bytes
 * @property {(segment: number, stop: number) => Promise<Uint8Array>} read held bytes from the start
 * @property {(descriptor: any) => void} described the descriptor is here
 * @property {(frameIndex: number, heldBytes: number, totalBytes: number) => void} progressed
 * @property {(error: any) => void} failed without the descriptor there is nothing to show
 * @property {() => void} readable what the source is read from is here, or will not come: Python may read it
 * @property {() => void} settled Python may have the link now
 * @property {boolean} beginsFrame false where a configuration says otherwise what comes first
 * @property {import('./workers.js').BegunDescriptor | null} begun what is being fetched already, as the first segment
 * @property {number} [wholeSamples] of a larger image the finest levels come by window, which is Python's
 * @property {number} decoderCount
 * @property {number} screenPx longest side of the screen's image area, in device pixels
 */

/** How far the first frame goes while others wait: of a 512 x 512 image half its size, 20 ms at 30 Mbit/s. */
const FIRST_PX = 256;

/** Of a long heads file no more than this comes first, half a second at 30 Mbit/s; Python fetches the rest in its order. */
const HEADS_BYTES = 2 ** 21;

/** How long Python, which alone heeds what the viewer looks at meanwhile, waits for the prelude to end. */
const PATIENCE_MS = 500;

/** HTJ2K by its transfer syntaxes (PS3.6 Annex A): the one codec that is loaded already. */
const HTJ2K = /^1\.2\.840\.10008\.1\.2\.4\.20[123]$/;

export class Prelude {
  #src;
  #frameIndex;
  #host;
  #segments;
  /** @type {(import('./early-frames.js').EarlyFrame & {start: number, lastLevel: number}) | null} */
  #frame = null;
  /** @type {import('./descriptor.js').HeadsPlan | null} */
  #heads = null;
  /** @type {any} the series that is shown, as the descriptor has it */
  #series = null;
  #early;
  #isRead = false;
  #isHtj2k = false;
  #isSettled = false;
  isOver = false;
  /** @type {() => void} somebody waits for what is being decoded */
  #onIdle = () => {};

  /**
   * @param {string} src absolute
   * @param {number} frameIndex
   * @param {number} epoch from 1, of the session on its threads
   * @param {PreludeHost} host
   */
  constructor(src, frameIndex, epoch, host) {
    this.#src = src;
    this.#frameIndex = frameIndex;
    this.#host = host;
    this.#segments = new BegunSegments(epoch, host.post, host.begun?.url ?? null);
    this.#early = new EarlyFrames(epoch, host.decoderCount, host);
  }

  start() {
    this.#segments.expect(this.#src);
    if (this.#src.startsWith('jphuri:')) {
      const url = this.#src.slice('jphuri:'.length);
      const beside = new URL(url);
      // A fragment says how much of the file is wanted, which is Python's to read (`sources/address.py`).
      if (this.#host.beginsFrame && !beside.hash) this.#segments.fetch(FRAME, url);
      beside.hash = '';
      beside.pathname = beside.pathname.replace(/\.jph$/i, '.metadata.dcm');
      this.#segments.fetch(METADATA, beside.href);
      this.#host.readable();
      this.#settle();
    } else if (isDescriptor(this.#src)) {
      this.#segments.fetch(DESCRIPTOR, this.#src);
      void this.#takeBegun();
    } else {
      this.#host.readable();
      this.#settle();
    }
  }

  /**
   * @param {any} message of the transport
   */
  async onTransport(message) {
    this.#segments.hear(message);
    const part = this.#segments.partOf(message.segment);
    if (message.kind === 'failed') {
      if (part === DESCRIPTOR) {
        this.#host.failed({ ...message.error, resource: this.#src });
        this.#host.readable();
      }
      this.#settle();
    } else if (part === DESCRIPTOR && message.kind === 'closed') {
      await this.#readHeld(message.stop);
    } else if (part === FRAME && this.#frame) {
      if (message.kind !== 'opened') this.#frameReached(message.stop - this.#frame.start);
      if (message.kind === 'closed' && !this.#heads) this.#settle();
    } else if (part === HEADS) {
      if (message.kind !== 'opened') this.#headsReached(message.stop);
      if (message.kind === 'closed') this.#settle();
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
    this.#checkIdle();
  }

  #settle() {
    this.#isSettled = true;
    this.#host.settled();
    this.#checkIdle();
  }

  #checkIdle() {
    const hasAll = this.#heads !== null && this.#early.doneCount >= this.#heads.frameCount;
    if (hasAll || (this.#isSettled && this.#early.isIdle)) this.#onIdle();
  }

  /** The session is over: what Python has not taken over is let go. */
  abandon() {
    if (this.isOver) return;
    this.#end();
    this.#segments.release();
  }

  /** Gives away what the source is read from: all but the frames that a descriptor tells of. */
  lend() {
    const read = [DESCRIPTOR, METADATA];
    return this.#segments.take(isDescriptor(this.#src) ? read : [...read, FRAME]);
  }

  /**
   * Hands the rest over, when there is a picture of every frame that comes early or `PATIENCE_MS` later; from then on
   * the prelude does nothing. Python, whose code the browser has not yet made fast, would take longer for the same.
   */
  async handOver() {
    const idle = new Promise((resolve) => (this.#onIdle = () => resolve(undefined)));
    this.#checkIdle();
    await Promise.race([idle, new Promise((resolve) => setTimeout(resolve, PATIENCE_MS))]);
    this.#end();
    return this.#segments.take([FRAME, HEADS]).map((adoption) => this.#withPictures(adoption));
  }

  #end() {
    this.isOver = true;
    this.#early.stop();
  }

  /** @param {Adoption} adoption */
  #withPictures(adoption) {
    const part = this.#segments.partOf(adoption.segment);
    if (part === HEADS) {
      const shown = this.#early.allShown().filter(([index]) => index !== this.#frameIndex);
      return { ...adoption, shown };
    }
    if (part !== FRAME) return adoption;
    const { shownLevel, storedBytes } = this.#early.shown(this.#frameIndex);
    return { ...adoption, shown_level: shownLevel, stored_bytes: storedBytes };
  }

  /** What the head start has of it is here before the transport tells of it. */
  async #takeBegun() {
    const { begun } = this.#host;
    const bytes = begun?.url === this.#src ? await begun.bytes : null;
    if (bytes) this.#readDescriptor(new Uint8Array(bytes));
  }

  /** @param {number} stop */
  async #readHeld(stop) {
    if (this.#isRead) return;
    this.#readDescriptor(await this.#host.read(this.#segments.number(DESCRIPTOR), stop));
  }

  /** @param {Uint8Array} bytes */
  #readDescriptor(bytes) {
    if (this.isOver || this.#isRead) return;
    this.#isRead = true;
    try {
      this.#begin(JSON.parse(new TextDecoder().decode(bytes)));
    } catch {
      this.#settle(); // Python reads the same bytes and says what is wrong with them
    }
    this.#host.readable();
  }

  /** @param {any} descriptor firstlight.json, `py/firstlight/sources/README.md` */
  #begin(descriptor) {
    const series = descriptor.series[0];
    // Entries of one series, in several transfer syntaxes, are joined and sorted by Python.
    if (descriptor.series.some(isPartOf(series))) return this.#settle();
    const frameIndex = Math.min(this.#frameIndex, series.frames.length - 1);
    const frame = series.frames[frameIndex];
    this.#frameIndex = frameIndex;
    this.#isHtj2k = HTJ2K.test(series.transfer_syntax_uid);
    // Its bytes are on their way while the page is put together.
    if (this.#host.beginsFrame) {
      this.#beginFrame(series, frame);
      // A first picture without a round trip; what was asked for has its bytes too, and nothing depends on them.
      const bytes = this.#isHtj2k && frameIndex === 0 ? enclosedLevel(descriptor) : null;
      if (bytes && this.#frame) {
        this.#early.reached({ ...this.#frame, bytes }, bytes.length);
        this.#beginHeads(); // so every slice need not wait for more of the first
      }
    } else this.#settle();
    this.#host.described(descriptor);
  }

  /**
   * @param {any} series
   * @param {any} frame
   */
  #beginFrame(series, frame) {
    this.#heads = this.#isHtj2k ? headsPlan(series, HEADS_BYTES) : null;
    this.#series = series;
    const image = shapeOf(series, frame);
    const { start = 0, level_ends: ends = [] } = frame;
    if (ends.length === 0) return this.#settle();
    const lastLevel = this.#heads
      ? levelWithin(FIRST_PX, image, ends.length)
      : levelFor(this.#host.screenPx, image, ends.length);
    /** @param {number} stop */
    const pieces = (stop) => [this.#piece(FRAME, start, start + stop)];
    this.#frame = { index: this.#frameIndex, ends, image, pieces, start, lastLevel };
    const { wholeSamples } = this.#host;
    const whole = this.#isHtj2k ? wholeLevel(image, ends.length, wholeSamples) : ends.length - 1;
    const asked = ends.slice(0, 1 + (this.#heads ? lastLevel : whole));
    const stops = asked.map((/** @type {number} */ end) => start + end);
    this.#segments.fetch(FRAME, new URL(frame.url, this.#src).href, start, stops.at(-1), stops);
  }

  /**
   * @param {number} index
   * @returns {import('./early-frames.js').EarlyFrame} one whose bytes come from the heads file
   */
  #headed(index) {
    const series = this.#series;
    const { level_ends: ends = [], heads = [], ...frame } = series.frames[index];
    /** @param {number} stop */
    const pieces = (stop) => headPieces(heads, stop).map(([a, b]) => this.#piece(HEADS, a, b));
    return { index, ends, image: shapeOf(series, frame), pieces };
  }

  /**
   * @param {number} part
   * @param {number} start
   * @param {number} stop
   * @returns {import('./early-frames.js').Piece}
   */
  #piece(part, start, stop) {
    return [this.#segments.number(part), start, stop];
  }

  /** @param {number} held bytes of the frame */
  #frameReached(held) {
    const frame = this.#frame;
    if (!frame || this.isOver) return;
    this.#progressed(frame, held);
    // The rest of a frame that is alone goes on beside Python's bytes.
    if (!this.#heads && held >= frame.ends[frame.lastLevel]) this.#settle();
    // Before the last level is here, so that the link does not stand still for a round trip.
    if (held >= (frame.ends[frame.lastLevel - 1] ?? 0)) this.#beginHeads();
  }

  #beginHeads() {
    if (!this.#heads || this.#segments.has(HEADS)) return;
    const { url, stop } = this.#heads;
    this.#segments.fetch(HEADS, new URL(url, this.#src).href, 0, stop, milestonesOf(this.#heads));
  }

  /** @param {number} stop in the heads file */
  #headsReached(stop) {
    const waiting = this.#heads?.pieces ?? [];
    while (waiting.length > 0 && waiting[0].at <= stop && !this.isOver) {
      const [{ index, held }] = waiting.splice(0, 1);
      if (index !== this.#frameIndex) this.#progressed(this.#headed(index), held);
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
