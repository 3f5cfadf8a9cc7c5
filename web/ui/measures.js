/** Numbers and letters that annotations show; pure. */

/** Lengths that a scale bar may have, times a power of ten. */
const STEPS = [1, 2, 5];

/**
 * The longest round length that fits.
 *
 * @param {number} mmPerPx millimetres that a screen pixel covers
 * @param {number} longestPx
 * @returns {{lengthPx: number, label: string}}
 */
export function scaleBar(mmPerPx, longestPx) {
  const longest = mmPerPx * longestPx;
  const power = 10 ** Math.floor(Math.log10(longest));
  const step = STEPS.findLast((candidate) => candidate * power <= longest) ?? 1;
  const mm = step * power;
  return { lengthPx: mm / mmPerPx, label: lengthText(mm) };
}

/** @param {number} mm */
function lengthText(mm) {
  if (mm >= 10) return `${round(mm / 10)} cm`;
  return mm >= 1 ? `${round(mm)} mm` : `${round(mm * 1000)} µm`;
}

/** @param {number} value */
function round(value) {
  return String(Number(value.toPrecision(6)));
}

/**
 * What is said beside a length whose spacing is not that of the patient (PS3.3 10.7.1.3).
 *
 * @param {string} source keyword that the spacing came from
 * @returns {string} empty where the spacing holds in the patient
 */
export function spacingCaveat(source) {
  if (source === 'PixelSpacing' || source === '') return '';
  if (source === 'ImagerPixelSpacing') return 'at detector';
  return source === 'NominalScannedPixelSpacing' ? 'nominal' : 'not calibrated';
}

/**
 * Directions in the patient at the edges of the image (PS3.3 C.7.6.1.1.1), the main one first.
 *
 * @param {number[]} orientation Image Orientation (Patient)
 * @returns {{left: string, right: string, top: string, bottom: string}}
 */
export function edgeLetters(orientation) {
  const alongRow = orientation.slice(0, 3);
  const downColumn = orientation.slice(3, 6);
  return {
    left: letters(alongRow.map((part) => -part)),
    right: letters(alongRow),
    top: letters(downColumn.map((part) => -part)),
    bottom: letters(downColumn),
  };
}

/** Smallest part of a unit vector that is worth a letter: about 15 degrees. */
const WORTH_A_LETTER = 0.26;

/** @param {number[]} direction in patient coordinates: to the left, to the back, to the head */
function letters(direction) {
  const names = ['LR', 'PA', 'HF'];
  return direction
    .map((part, axis) => ({ size: Math.abs(part), letter: names[axis][part > 0 ? 0 : 1] }))
    .filter(({ size }) => size > WORTH_A_LETTER)
    .sort((a, b) => b.size - a.size)
    .map(({ letter }) => letter)
    .join('');
}

/**
 * @param {{center: number, width: number}} window
 * @returns {string} whole numbers where the width is more than a few units, else three digits
 */
export function windowLabel({ center, width }) {
  const text = (/** @type {number} */ value) =>
    (width >= 10 ? String(Math.round(value)) : String(Number(value.toPrecision(3)))).replace(
      '-',
      '\u2212',
    );
  return `W ${text(width)}  L ${text(center)}`;
}

/**
 * @param {number} rate frames a second
 * @returns {string}
 */
export function rateLabel(rate) {
  return `${Number(rate.toFixed(rate < 10 ? 1 : 0))} /s`;
}

/**
 * @param {number} bytes
 * @returns {string} in decimal units, two digits
 */
export function bytesText(bytes) {
  const units = ['B', 'kB', 'MB', 'GB'];
  const power = bytes < 1000 ? 0 : Math.min(3, Math.floor(Math.log10(bytes) / 3));
  const value = bytes / 1000 ** power;
  return `${value < 10 && power > 0 ? value.toFixed(1) : Math.round(value)} ${units[power]}`;
}
