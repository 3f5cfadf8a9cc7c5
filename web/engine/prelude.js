import { seriesTag } from './records.js';

/**
 * What must happen before Python is up, and no more: the first frame's bytes are asked for and its
 * levels decoded as they become complete. It has no policy: the descriptor says where the frame lies
 * and where its levels end. Python adopts the segments by their URL when it arrives.
 *
 * @typedef {object} Adoption a segment that Python takes over; the names are Python's
 * @property {number} segment
 * @property {string} url
 * @property {number} start
 * @property {number | null} stop
 * @property {number} shown_level
 * @property {number} stored_bytes
 *
 * @typedef {object} PreludeHost
 * @property {(message: object) => void} post to the transport
 * @property {(segment: number, stop: number) => Promise<Uint8Array>} read held bytes from the start
 * @property {(descriptor: any) => void} described the descriptor is here
 * @property {(frameIndex: number, heldBytes: number, totalBytes: number) => void} progressed
 * @property {(error: any) => void} failed without the descriptor there is nothing to show
 * @property {() => void} settled Python may have the link now
 */

/** The segments a prelude starts, in the numbers below Python's 1000 that are its own. */
const DESCRIPTOR = 0;
const FRAME = 1;
const METADATA = 2;
const SEGMENTS_PER_PRELUDE = 3;

/** HTJ2K by its transfer syntaxes (PS3.6 Annex A): the one codec that is loaded already. */
const HTJ2K = /^1\.2\.840\.10008\.1\.2\.4\.20[123]$/;

export class Prelude {
  #src;
  #frameIndex;
  #epoch;
  #host;
  /** @type {Adoption[]} */
  #adoptions = [];
  /** @type {any} */
  #frame = null;
  #image = {};
  #isHtj2k = false;
  #reachedLevel = -1;
  #askedLevel = -1;
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
  }

  start() {
    if (this.#src.startsWith('jphuri:')) {
      const url = this.#src.slice('jphuri:'.length);
      this.#fetch(FRAME, url, 0, null, []);
      const beside = new URL(url);
      beside.pathname = beside.pathname.replace(/\.jph$/i, '.metadata.dcm');
      this.#fetch(METADATA, beside.href, 0, null, []);
      this.#host.settled();
    } else if (/^https?:/.test(this.#src) && new URL(this.#src).pathname.endsWith('.json')) {
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
    if (message.kind === 'closed' && part === DESCRIPTOR) {
      await this.#readDescriptor(message.stop);
    } else if (message.kind === 'milestone' && part === FRAME && this.#frame) {
      this.#reached(message.stop - this.#frame.start);
    } else if (message.kind === 'failed') {
      if (part === DESCRIPTOR) this.#host.failed({ ...message.error, resource: this.#src });
      this.#host.settled();
    }
  }

  /** A picture of the prelude's frame is shown: go on with the finest level that came meanwhile. */
  /** @param {import('./frame-store.js').StoredFrame} frame */
  shown(frame) {
    const adoption = this.#adoptions.find(({ segment }) => segment === this.#number(FRAME));
    if (adoption && frame.resolutionLevel > adoption.shown_level) {
      adoption.shown_level = frame.resolutionLevel;
      adoption.stored_bytes = frame.data.byteLength;
    }
    this.#askedLevel = -1;
    this.#decodeNext();
    this.#host.settled();
  }

  /** The session is over: what Python has not taken over is let go. */
  abandon() {
    if (this.#over) return;
    this.#over = true;
    for (const { segment } of this.#adoptions) this.#host.post({ kind: 'release', segment });
  }

  /** Hands everything over; from here on the prelude does nothing. */
  handOver() {
    this.#over = true;
    return this.#adoptions;
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
    const frameIndex = Math.min(this.#frameIndex, series.frames.length - 1);
    const frame = series.frames[frameIndex];
    this.#frameIndex = frameIndex;
    this.#frame = { start: frame.start ?? 0, ends: frame.level_ends };
    const image = { ...series.image, ...frame.image };
    this.#image = {
      rows: image.rows,
      columns: image.columns,
      samplesPerPixel: image.samples_per_pixel ?? 1,
      bitsAllocated: image.bits_allocated ?? 16,
      bitsStored: image.bits_stored ?? 16,
      pixelRepresentation: image.pixel_representation ?? 0,
    };
    this.#isHtj2k = HTJ2K.test(series.transfer_syntax_uid);
    this.#host.described(descriptor);
    const { start, ends } = this.#frame;
    const stops = ends.map((/** @type {number} */ end) => start + end);
    this.#fetch(FRAME, new URL(frame.url, this.#src).href, start, stops.at(-1), stops);
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
    this.#adoptions.push({ segment, url, start, stop, shown_level: -1, stored_bytes: 0 });
    const order = { segment, url, start, stop, milestones, version: null, priority: 'high' };
    this.#host.post({ kind: 'fetch', ...order });
  }

  /** @param {number} held bytes of the frame */
  #reached(held) {
    const { ends } = this.#frame;
    while (ends[this.#reachedLevel + 1] <= held) this.#reachedLevel += 1;
    this.#host.progressed(this.#frameIndex, held, ends.at(-1));
    this.#decodeNext();
  }

  #decodeNext() {
    const shown =
      this.#adoptions.find(({ segment }) => segment === this.#number(FRAME))?.shown_level ?? -1;
    const level = this.#reachedLevel;
    if (this.#over || !this.#isHtj2k || this.#askedLevel >= 0 || level <= shown) return;
    this.#askedLevel = level;
    const { start, ends } = this.#frame;
    this.#host.post({
      kind: 'decode',
      job: 0,
      worker: 0,
      seriesIndex: seriesTag(this.#epoch, 0),
      frameIndex: this.#frameIndex,
      codec: 'openjph',
      pieces: [[this.#number(FRAME), start, start + ends[level]]],
      resolutionLevel: level,
      decompositionLevels: ends.length - 1,
      image: this.#image,
    });
  }
}
