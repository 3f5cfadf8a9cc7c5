/** Windows to choose from: those of the image first, then what is customary for its modality; pure. */

import { lutWindow, usableWindows } from '../viewport/voi.js';

/**
 * @typedef {import('../engine/records.js').LookupTable} LookupTable
 *
 * @typedef {object} Preset
 * @property {string} label
 * @property {number} center in modality units
 * @property {number} width
 * @property {LookupTable} [lut] used instead of them
 */

/**
 * @typedef {import('../engine/records.js').ImageRecord} ImageRecord
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
 * @param {ImageRecord} record
 * @param {string} modality
 * @param {import('../viewport/resample.js').StoredValues} [data] that they are for
 * @returns {Preset[]}
 */
export function presetsOf(record, modality, data) {
  const luts = record.voi_luts.map((lut, index) => {
    const { center, width } = lutWindow(lut);
    const number = record.voi_luts.length > 1 ? ` ${index + 1}` : '';
    return { label: lut.explanation || `VOI LUT${number}`, center, width, lut };
  });
  const windows = usableWindows(record, data);
  const own = windows.map(({ center, width, explanation }, index) => ({
    label: explanation || (windows.length > 1 ? `from image ${index + 1}` : 'from image'),
    center,
    width,
  }));
  return [...luts, ...own, ...(CUSTOMARY[modality] ?? [])];
}

/**
 * @param {Preset[]} presets
 * @param {{center: number, width: number, lut?: LookupTable} | null} window
 * @returns {Preset | undefined} the preset that a window is
 */
export function presetLike(presets, window) {
  return presets.find(
    ({ center, width, lut }) =>
      center === window?.center && width === window?.width && lut === window?.lut,
  );
}
