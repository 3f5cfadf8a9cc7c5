import { FrameStore } from './frame-store.js';
import { seriesFromDescriptor, waiting } from './records.js';
import { RegionStore } from './regions.js';

/**
 * @typedef {import('./frame-store.js').StoredFrame} StoredFrame
 * @typedef {import('./records.js').Series} Series
 * @typedef {import('./records.js').SeriesSummary} SeriesSummary
 * @typedef {import('./records.js').FrameState} FrameState
 */

/** What is known and held of one `src`: its series, the states of the frames, their decoded arrays. */
export class Holdings {
  /** @type {SeriesSummary[]} */
  seriesList = [];
  /** @type {Series | null} */
  series = null;
  #tell;
  #store = new FrameStore();
  #regions = new RegionStore();
  /** @type {Map<number, FrameState>} */
  #states = new Map();

  /** @param {(name: string, detail: object) => void} tell */
  constructor(tell) {
    this.#tell = tell;
  }

  get pixelBytes() {
    return this.#store.bytes + this.#regions.bytes;
  }

  /** @param {number} frameIndex */
  frame(frameIndex) {
    return this.#store.get(frameIndex);
  }

  /** Windows of finer levels of a frame, the finest last. @param {number} frameIndex */
  regions(frameIndex) {
    return this.#regions.of(frameIndex);
  }

  /**
   * What is known of a frame. `resolutionLevel` is that of the picture held here, which may be ahead
   * of what Python has heard of.
   *
   * @param {number} frameIndex
   * @returns {FrameState}
   */
  frameState(frameIndex) {
    const state = this.#states.get(frameIndex) ?? waiting(frameIndex);
    const held = this.#store.get(frameIndex);
    if (held === undefined) return { ...state, resolutionLevel: null };
    const { resolutionLevel, decompositionLevels } = held;
    const known = { ...state, resolutionLevel, decompositionLevels };
    if (state.wholeLevel === undefined) return known;
    return { ...known, regions: this.#regions.of(frameIndex).map(placeOf) };
  }

  /** @returns {FrameState[]} */
  states() {
    return (this.series?.frames ?? []).map((_, index) => this.frameState(index));
  }

  /** @param {any} descriptor */
  describe(descriptor) {
    const { summaries, first } = seriesFromDescriptor(descriptor);
    this.setSeriesList(summaries);
    this.setSeries(first);
  }

  /** @param {SeriesSummary[]} list */
  setSeriesList(list) {
    this.seriesList = list;
    this.#tell('serieslist', {});
  }

  /** @param {Series} series */
  setSeries(series) {
    if (this.series?.index === series.index) return this.#addFacts(this.series, series);
    if (this.series !== null) {
      this.#store.clear();
      this.#regions.clear();
      this.#states.clear();
    }
    this.series = series;
    this.#tell('series', {});
  }

  /**
   * The prelude has told of the series already; what only Python finds out is added.
   *
   * @param {Series} known
   * @param {Series} series
   */
  #addFacts(known, { volume, noVolume, notices }) {
    if (volume === undefined && notices === undefined) return;
    const before = { volume: known.volume, noVolume: known.noVolume, notices: known.notices };
    const now = { volume, noVolume, notices };
    if (JSON.stringify(before) === JSON.stringify(now)) return;
    Object.assign(known, now);
    this.#tell('series', {});
  }

  /** @param {FrameState[]} states */
  setStates(states) {
    for (const state of states) {
      this.#states.set(state.frameIndex, state);
      this.#tell('state', this.frameState(state.frameIndex));
    }
  }

  /**
   * Bytes that the prelude has of a frame.
   *
   * @param {number} frameIndex
   * @param {number} heldBytes
   * @param {number} totalBytes
   */
  progressed(frameIndex, heldBytes, totalBytes) {
    const state = waiting(frameIndex);
    this.#states.set(frameIndex, { ...state, status: 'loading', heldBytes, totalBytes });
    this.#tell('state', this.frameState(frameIndex));
  }

  /**
   * A picture that the prelude asked for: nobody else tells that it is the final one.
   *
   * @param {number} frameIndex
   * @param {StoredFrame} frame
   */
  preludeShows(frameIndex, frame) {
    const state = this.#states.get(frameIndex);
    if (state && frame.resolutionLevel === frame.decompositionLevels) {
      const status = this.series?.reversible ? 'lossless' : 'complete';
      this.#states.set(frameIndex, { ...state, status });
    }
    this.#tell('state', this.frameState(frameIndex));
  }

  /**
   * @param {number} frameIndex
   * @param {StoredFrame} frame
   * @param {{box: [number, number, number, number]}} [region] where it is a window of its level only
   */
  put(frameIndex, frame, region) {
    if (region) {
      this.#regions.put(frameIndex, frame, region.box);
      this.#tell('frame', { frameIndex });
    } else if (this.#store.put(frameIndex, frame)) this.#tell('frame', { frameIndex });
  }

  /** @param {number} frameIndex */
  evict(frameIndex) {
    this.#store.delete(frameIndex);
    this.#regions.delete(frameIndex);
    this.#tell('evict', { frameIndex });
  }
}

/** @param {import('./regions.js').RegionPicture} region */
function placeOf({ resolutionLevel, left, top, columns, rows }) {
  return { resolutionLevel, left, top, columns, rows };
}
