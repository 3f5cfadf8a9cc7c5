/** The discreet mark: what is on the screen now, and how good it is. */

import { make, setText } from './dom.js';
import { bytesText } from './measures.js';

/**
 * @typedef {import('../engine/records.js').FrameState} FrameState
 * @typedef {import('../engine/records.js').ImageRecord} ImageRecord
 * @typedef {import('../engine/frame-store.js').StoredFrame} StoredFrame
 * @typedef {'loading' | 'waiting' | 'replica' | 'retrying' | 'lossless' | 'complete' | 'failed'} MarkKind
 * @typedef {{kind: MarkKind, text: string, detail: string}} MarkText
 *
 * @typedef {object} Options
 * @property {number | null} [waitingFor] frame index that cine waits for
 * @property {number} [shownIndex] whose picture it is, where another one stands in
 * @property {{resolutionLevel: number}} [region] the window of a finer level that fills the screen
 * @property {number} [screenLevel] the level that the screen can show
 * @property {boolean} [isPart] whether only a part of the image is on the screen
 * @property {boolean} [reversible] whether the series is lossless when it is complete
 */

/** What is said of a frame while another one stands in for it. @type {Record<string, string>} */
const OWN = { failed: 'has failed', retrying: 'is tried again' };

const FULL_RESOLUTION = 'FULL_RESOLUTION';

/**
 * @param {FrameState} state
 * @param {ImageRecord} record
 * @param {StoredFrame | undefined} frame what is drawn
 * @param {Options} [options]
 * @returns {MarkText}
 */
export function describe(state, record, frame, options = {}) {
  const { waitingFor = null, shownIndex } = options;
  if (waitingFor !== null) {
    const text = `Waiting for frame ${waitingFor + 1}`;
    return { kind: 'waiting', text, detail: '' };
  }
  if (frame && shownIndex !== undefined && shownIndex !== state.frameIndex) {
    const own = OWN[state.status] ?? 'is loading';
    const text = `Slice ${shownIndex + 1} shown`;
    return { kind: 'replica', text, detail: `${state.frameIndex + 1} ${own}` };
  }
  const size = frame ? sizeText(frame, record) : '';
  if (state.status === 'failed') {
    const text = `Failed: ${state.error?.type ?? 'unknown'}`;
    return { kind: 'failed', text, detail: frame ? `showing ${size}` : '' };
  }
  if (state.status === 'retrying') {
    const tries = state.attempts ?? 1;
    const text = `Trying again, ${tries} attempt${tries === 1 ? '' : 's'} so far`;
    return { kind: 'retrying', text, detail: frame ? `showing ${size}` : '' };
  }
  const isVast = state.wholeLevel !== undefined && state.status === 'configured';
  if (frame && isVast) return describeVast(state, record, frame, options);
  if (frame) return describeHeld(state, record, frame, size);
  return { kind: 'loading', text: 'Loading', detail: '' };
}

/**
 * @param {FrameState} state
 * @param {ImageRecord} record
 * @param {StoredFrame} frame
 * @param {string} size
 * @returns {MarkText}
 */
function describeHeld(state, record, frame, size) {
  const { resolutionLevel, decompositionLevels } = frame;
  const full = resolutionLevel === decompositionLevels && frame.columns >= record.columns;
  if (state.status === 'configured')
    return { kind: 'complete', ...asConfigured(state, full, size) };
  if (full && state.status === 'complete') {
    return { kind: 'complete', text: 'Final · lossy', detail: '' };
  }
  if (full && state.status === 'lossless') {
    // what was lost before is lost, however exactly the rest has been carried here
    const source = record.lossy_image_compression;
    return source
      ? { kind: 'complete', text: 'Final · lossy (source)', detail: '' }
      : { kind: 'lossless', text: 'Lossless', detail: '' };
  }
  const level = decompositionLevels > 0 ? `level ${resolutionLevel}/${decompositionLevels}` : '';
  if (!full) return { kind: 'loading', text: `Loading · ${size}`, detail: level };
  // all pixels are there, but not all bits: a truncated codestream, or a lossy copy
  const lossy = (state.quality ?? FULL_RESOLUTION) !== FULL_RESOLUTION;
  const text = lossy ? 'Loading · lossy so far' : 'Full resolution';
  return { kind: 'loading', text, detail: level };
}

/**
 * A vast image: its larger levels come by window, so what is on the screen counts, not the frame.
 *
 * @param {FrameState} state
 * @param {ImageRecord} record
 * @param {StoredFrame} frame
 * @param {Options} options
 * @returns {MarkText}
 */
function describeVast(state, record, frame, options) {
  const { region, screenLevel = 0, isPart = false, reversible = false } = options;
  const { decompositionLevels: last } = frame;
  const level = region?.resolutionLevel ?? frame.resolutionLevel;
  const where = isPart ? ' in this window' : '';
  if (level === last) {
    const lossless = reversible && !record.lossy_image_compression;
    const text = `${lossless ? 'Lossless' : 'Final, lossy,'}${where}`;
    return { kind: lossless ? 'lossless' : 'complete', text, detail: '' };
  }
  const text = `Level ${level} of ${last}`;
  if (level >= screenLevel) return { kind: 'complete', text: text + where, detail: '' };
  if (state.regionError) {
    const detail = `this window has failed: ${state.regionError.type}`;
    return { kind: 'failed', text, detail };
  }
  return { kind: 'loading', text: 'Loading this window', detail: text.toLowerCase() };
}

/**
 * @param {FrameState} state
 * @param {boolean} full
 * @param {string} size
 */
function asConfigured({ quality }, full, size) {
  const what = full || quality === 'LOSSY' ? 'lossy' : `reduced, ${size}`;
  return { text: 'Complete as configured', detail: what };
}

/**
 * @param {StoredFrame} frame
 * @param {ImageRecord} record
 */
function sizeText(frame, record) {
  return `${frame.columns} px of ${record.columns}`;
}

/**
 * @param {FrameState} state
 * @returns {string} for the tooltip; empty where nothing is known
 */
export function bytesDescribed({ heldBytes, totalBytes, stage }) {
  const lines = stage ? [`stage ${stage}`] : [];
  if (totalBytes !== null)
    lines.push(`${bytesText(heldBytes)} of ${bytesText(totalBytes)} received`);
  else if (heldBytes > 0) lines.push(`${bytesText(heldBytes)} received`);
  return lines.join('\n');
}

export class Mark {
  #text = make('span', { class: 'mark-text' });
  #detail = make('span', { class: 'mark-detail' });
  element = make('div', { class: 'mark', hidden: '' }, [
    make('span', { class: 'mark-words' }, [this.#text, this.#detail]),
    make('span', { class: 'mark-dot' }),
  ]);

  /**
   * @param {MarkText | null} mark null hides it
   * @param {string} title
   */
  update(mark, title) {
    if (this.element.hidden !== (mark === null)) this.element.hidden = mark === null;
    if (mark === null) return;
    // the class starts the fade of a settled picture; it must not start anew while that stays
    if (this.element.dataset.kind !== mark.kind) this.element.dataset.kind = mark.kind;
    setText(this.#text, mark.text);
    setText(this.#detail, mark.detail);
    if (this.element.title !== title) this.element.title = title;
  }
}
