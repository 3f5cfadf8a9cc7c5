/** Keeps a volume at what a session holds. */

import { Volume } from './volume.js';

/**
 * @param {import('../engine/session.js').Session} session
 * @returns {{volume: Volume, stop: () => void} | null} null where the frames of its series make up no volume
 */
export function followSession(session) {
  const { series } = session;
  if (!series?.volume) return null;
  const volume = new Volume(series.volume, series.frames);
  const update = (/** @type {number} */ frameIndex) =>
    volume.update(frameIndex, session.frame(frameIndex), session.frameState(frameIndex));
  const onChange = (/** @type {Event} */ event) => {
    // pictures of the series chosen next are none of this volume
    if (session.series === series) update(/** @type {CustomEvent} */ (event).detail.frameIndex);
  };
  for (const name of EVENTS) session.addEventListener(name, onChange);
  for (const { frameIndex } of volume.slices) update(frameIndex);
  return {
    volume,
    stop: () => EVENTS.forEach((name) => session.removeEventListener(name, onChange)),
  };
}

/** Each with `detail.frameIndex`. */
const EVENTS = ['frame', 'state', 'evict'];
