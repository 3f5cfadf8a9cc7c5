/** The discreet mark: what is on the screen now, and how good it is. */

import { make, setText } from './dom.js';
import { bytesText } from './measures.js';

/**
 * @typedef {import('../engine/records.js').FrameState} FrameState
 * @typedef {import('../engine/records.js').ImageRecord} ImageRecord
 * @typedef {import('../engine/frame-store.js').StoredFrame} StoredFrame
 * @typedef {{kind: 'loading' | 'waiting' | 'lossless' | 'complete' | 'failed', text: string, detail: string}} MarkText
 */

/**
 * @param {FrameState} state
 * @param {ImageRecord} record
 * @param {StoredFrame | undefined} frame what is drawn
 * @param {number | null} [waitingFor] frame index that cine waits for
 * @returns {MarkText}
 */
export function describe(state, record, frame, waitingFor = null) {
  if (waitingFor !== null) {
    const text = `Waiting for frame ${waitingFor + 1}`;
    return { kind: 'waiting', text, detail: '' };
  }
  const level = frame ? `level ${frame.resolutionLevel}/${frame.decompositionLevels}` : '';
  const full = frame !== undefined && frame.resolutionLevel === frame.decompositionLevels;
  const size = frame ? `${frame.columns} px of ${record.columns}` : '';
  if (state.status === 'failed') {
    const text = `Failed: ${state.error?.type ?? 'unknown'}`;
    return { kind: 'failed', text, detail: frame ? `showing ${size}` : '' };
  }
  if (full && (state.status === 'lossless' || state.status === 'complete')) {
    // what was lost before is lost, however exactly the rest has been carried here
    const source = record.lossy_image_compression && state.status === 'lossless';
    if (source) return { kind: 'complete', text: 'Final · lossy (source)', detail: '' };
    if (state.status === 'complete') return { kind: 'complete', text: 'Final · lossy', detail: '' };
    return { kind: 'lossless', text: 'Lossless', detail: '' };
  }
  if (full) return { kind: 'loading', text: 'Full resolution', detail: level };
  return { kind: 'loading', text: frame ? `Loading · ${size}` : 'Loading', detail: level };
}

/**
 * @param {FrameState} state
 * @returns {string} for the tooltip; empty where nothing is known
 */
export function bytesDescribed({ heldBytes, totalBytes }) {
  if (totalBytes === null) return heldBytes > 0 ? `${bytesText(heldBytes)} received` : '';
  return `${bytesText(heldBytes)} of ${bytesText(totalBytes)} received`;
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
    this.element.hidden = mark === null;
    if (mark === null) return;
    // the class starts the fade of a settled picture; it must not start anew while that stays
    if (this.element.dataset.kind !== mark.kind) this.element.dataset.kind = mark.kind;
    setText(this.#text, mark.text);
    setText(this.#detail, mark.detail);
    if (this.element.title !== title) this.element.title = title;
  }
}
