/** Windows to choose from: those of the image first, then what is customary for its modality; pure. */

import { usableWindows } from '../viewport/voi.js';

/**
 * @typedef {{label: string, center: number, width: number}} Preset in modality units
 */

/** @type {Record<string, Preset[]>} */
const CUSTOMARY = {
  CT: [
    { label: 'soft tissue', center: 40, width: 400 },
    { label: 'lung', center: -600, width: 1500 },
    { label: 'bone', center: 300, width: 1500 },
    { label: 'brain', center: 40, width: 80 },
  ],
};

/**
 * @param {import('../engine/records.js').ImageRecord} record
 * @param {string} modality
 * @returns {Preset[]}
 */
export function presetsOf(record, modality) {
  if (record.samples_per_pixel !== 1) return [];
  const windows = usableWindows(record);
  const own = windows.map(({ center, width, explanation }, index) => ({
    label: explanation || (windows.length > 1 ? `from image ${index + 1}` : 'from image'),
    center,
    width,
  }));
  return [...own, ...(CUSTOMARY[modality] ?? [])];
}

/**
 * @param {Preset[]} presets
 * @param {{center: number, width: number} | null} window
 * @returns {Preset | undefined} the preset that a window is
 */
export function presetLike(presets, window) {
  return presets.find(({ center, width }) => center === window?.center && width === window?.width);
}
