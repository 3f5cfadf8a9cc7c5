/** Where things stand in a timeline: sections one below the other, time to the right. */

/**
 * @typedef {{fromMs: number, toMs: number}} TimeSpan since the epoch
 * @typedef {'rate' | 'requests' | 'decodes' | 'draws' | 'frames'} SectionName
 * @typedef {{name: SectionName, top: number, height: number, note: string}} Section
 * @typedef {{requests: number, lanes: number, frames: number}} RowCounts
 */

/** CSS px. */
export const GUTTER = 74;
export const AXIS = 18;
export const DECODE_LANE = 6;
const RATE = 30;
const GAP = 7;
const DRAWS = 9;
const LARGEST_ROW = 11;

export class TimelineLayout {
  width = 0;
  height = 0;
  /** @type {Section[]} */
  sections = [];

  /**
   * @param {number} width CSS px
   * @param {number} height
   */
  resize(width, height) {
    this.width = width;
    this.height = height;
  }

  /** @param {RowCounts} counts */
  place({ requests, lanes, frames }) {
    const decodes = Math.max(1, lanes) * DECODE_LANE;
    const fixed = AXIS + RATE + decodes + DRAWS + 4 * GAP;
    const rest = Math.max(20, this.height - fixed - 4);
    const wanted = Math.min(requests * LARGEST_ROW, frames > 1 ? rest * 0.55 : rest * 0.8);
    let top = AXIS;
    const place = (/** @type {SectionName} */ name, /** @type {number} */ height, note = '') => {
      const section = { name, top, height, note };
      top += height + GAP;
      return section;
    };
    this.sections = [
      place('rate', RATE),
      place('requests', Math.max(LARGEST_ROW, wanted), String(requests)),
      place('decodes', decodes),
      place('draws', DRAWS),
    ];
    const left = this.height - top - 4;
    const tall = Math.min(left, Math.max(frames, 1) * LARGEST_ROW);
    this.sections.push(place('frames', Math.max(6, tall), String(frames)));
  }

  /** @param {SectionName} name */
  section(name) {
    return /** @type {Section} */ (this.sections.find((section) => section.name === name));
  }

  /** @param {number} y CSS px */
  sectionAt(y) {
    return this.sections.find(({ top, height }) => y >= top && y < top + height);
  }

  /**
   * @param {number} ms since the epoch
   * @param {TimeSpan} span
   */
  x(ms, { fromMs, toMs }) {
    return GUTTER + ((ms - fromMs) / (toMs - fromMs)) * (this.width - GUTTER);
  }

  /**
   * @param {number} x CSS px
   * @param {TimeSpan} span
   */
  timeAt(x, { fromMs, toMs }) {
    return fromMs + ((x - GUTTER) / Math.max(1, this.width - GUTTER)) * (toMs - fromMs);
  }

  /** Milliseconds that one CSS px covers. @param {TimeSpan} span */
  msPerPx({ fromMs, toMs }) {
    return (toMs - fromMs) / Math.max(1, this.width - GUTTER);
  }
}
