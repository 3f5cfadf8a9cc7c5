/** How good a plane through a volume is, in words; pure. */

/**
 * @typedef {Record<'final' | 'reduced' | 'interpolated' | 'failed' | 'gap' | 'missing', number>} PlaneQuality parts of the
 *   plane that is shown, which add up to 1; all 0 where nothing of the volume is on the screen
 */

/** Less of a plane than this is not worth a word. */
const LEAST = 0.0005;

/**
 * @param {PlaneQuality} quality
 * @param {boolean} reversible whether what is final is lossless
 * @returns {import('./mark.js').MarkText}
 */
export function describePlane(quality, reversible) {
  const { final, reduced, interpolated, failed, gap, missing } = quality;
  const guessed = interpolated + failed + gap;
  if (final + reduced + guessed + missing < LEAST) {
    return { kind: 'waiting', text: 'Outside the volume', detail: '' };
  }
  if (missing > 1 - LEAST) return { kind: 'waiting', text: 'Loading', detail: 'nothing here yet' };
  const parts = [];
  if (interpolated >= LEAST) parts.push(`${percent(interpolated)} interpolated`);
  if (failed >= LEAST) parts.push(`${percent(failed)} failed`);
  if (gap >= LEAST) parts.push(`${percent(gap)} without slices`);
  if (missing >= LEAST) parts.push(`${percent(missing)} missing`);
  const detail = parts.join(' · ');
  if (reduced + interpolated + missing >= LEAST) {
    const text = final >= LEAST ? `Loading · ${percent(final)} final` : 'Loading';
    const coarse = reduced >= LEAST ? `${percent(reduced)} coarse` : '';
    return { kind: 'loading', text, detail: [coarse, detail].filter(Boolean).join(' · ') };
  }
  if (failed >= LEAST) return { kind: 'failed', text: `${percent(final)} final`, detail };
  if (gap >= LEAST) return { kind: 'replica', text: `${percent(final)} final`, detail };
  return reversible
    ? { kind: 'lossless', text: 'Lossless', detail: '' }
    : { kind: 'complete', text: 'Final · lossy', detail: '' };
}

/**
 * Never 0 nor 100 for what is not none nor all.
 *
 * @param {number} part
 */
function percent(part) {
  const rounded = Math.round(part * 100);
  if (part < 1 - LEAST && rounded === 100) return '99 %';
  return rounded === 0 && part > 0 ? '< 1 %' : `${rounded} %`;
}
