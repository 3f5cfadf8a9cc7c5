/**
 * From stored values to grey: Modality LUT, VOI LUT, Presentation LUT Shape and polarity (PS3.3 C.11.1, C.11.2, C.11.6,
 * C.7.6.3.1.2); pure.
 *
 * @typedef {import('../engine/records.js').ImageRecord} ImageRecord
 * @typedef {import('../engine/records.js').LookupTable} LookupTable
 * @typedef {import('./resample.js').StoredValues} StoredValues
 * @typedef {'LINEAR' | 'LINEAR_EXACT' | 'SIGMOID'} VoiFunction
 *
 * @typedef {object} Window in modality units
 * @property {number} center
 * @property {number} width
 * @property {VoiFunction} function
 * @property {LookupTable} [lut] applied instead; `center` and `width` then say what it spans
 */

export const WHITE = 255;

/**
 * Stored values to modality values: by the Modality LUT where there is one, else by slope and intercept.
 *
 * @param {ImageRecord} record
 * @returns {(stored: number) => number}
 */
export function modalityOf({ modality_lut: lut, rescale_slope: slope, rescale_intercept: offset }) {
  if (lut) return (stored) => lookUp(lut, stored);
  return (stored) => stored * slope + offset;
}

/**
 * @param {LookupTable} lut
 * @param {number} value
 * @returns {number} the first entry for what lies below the table, the last for what lies above
 */
function lookUp({ entries, first_value: first }, value) {
  const index = Math.floor(value + 0.5) - first;
  return entries[Math.min(Math.max(index, 0), entries.length - 1)];
}

/**
 * One modality value through one window (PS3.3 C.11.2.1.1, C.11.2.1.2.1, C.11.2.1.3.1, C.11.2.1.3.2), not yet rounded.
 *
 * @param {number} value in modality units
 * @param {Window} window
 * @returns {number} 0 to 255
 */
export function applyWindow(value, { center, width, function: name, lut }) {
  if (lut) return (lookUp(lut, value) / (2 ** lut.bits - 1)) * WHITE;
  if (name === 'SIGMOID') return WHITE / (1 + Math.exp((-4 * (value - center)) / width));
  const exact = name === 'LINEAR_EXACT';
  const middle = exact ? center : center - 0.5;
  const span = exact ? width : width - 1;
  if (value <= middle - span / 2) return 0;
  if (value > middle + span / 2) return WHITE;
  return ((value - middle) / span + 0.5) * WHITE;
}

/**
 * The window as it may be applied: Window Width is at least 1 for LINEAR and above 0 for the others.
 *
 * @param {{center: number, width: number}} window
 * @param {VoiFunction} name
 * @returns {Window}
 */
export function validWindow({ center, width }, name) {
  return { center, width: Math.max(width, name === 'LINEAR' ? 1 : 1e-6), function: name };
}

/**
 * A VOI LUT as a window.
 *
 * @param {LookupTable} lut
 * @returns {Window}
 */
export function lutWindow(lut) {
  const width = lut.entries.length;
  return { center: lut.first_value + width / 2, width, function: 'LINEAR_EXACT', lut };
}

/**
 * LINEAR is made for whole numbers: its least width of 1 would be all that a map from 0 to 1 has. Floating values get
 * LINEAR_EXACT in its place.
 *
 * @param {ImageRecord} record
 * @param {StoredValues} [data] that the window is for
 * @returns {VoiFunction}
 */
export function voiFunctionOf({ voi_lut_function: name }, data) {
  if (name === 'SIGMOID' || name === 'LINEAR_EXACT') return name;
  return data instanceof Float32Array ? 'LINEAR_EXACT' : 'LINEAR';
}

/**
 * The values that Bits Stored and Pixel Representation allow; a decoder's overshoot beyond them is clamped.
 *
 * @param {ImageRecord} record
 * @returns {{min: number, max: number}}
 */
export function storedRange(record) {
  const signed = record.pixel_representation === 1;
  const size = 2 ** record.bits_stored;
  return signed ? { min: -size / 2, max: size / 2 - 1 } : { min: 0, max: size - 1 };
}

/**
 * The windows of an image that can be applied; files with a width of 0 exist.
 *
 * @param {ImageRecord} record
 * @param {StoredValues} [data] that they are for
 */
export function usableWindows(record, data) {
  const least = voiFunctionOf(record, data) === 'LINEAR' ? 1 : Number.MIN_VALUE;
  return record.windows.filter(
    ({ center, width }) => Number.isFinite(center) && Number.isFinite(width) && width >= least,
  );
}

/**
 * Stored values that stand for no image, ends included (PS3.3 C.7.5.1.1.2); Range Limit may be the lower one.
 *
 * @param {ImageRecord} record
 * @returns {{low: number, high: number} | null}
 */
export function paddingRange({ pixel_padding_value: value, pixel_padding_range_limit: limit }) {
  if (value === undefined) return null;
  return { low: Math.min(value, limit ?? value), high: Math.max(value, limit ?? value) };
}

/**
 * Whether the smallest value is white. MONOCHROME1 and the shape INVERSE say the same thing of one image, as PS3.3
 * C.8.11.3.1.2 demands of radiographs; together they do not cancel.
 *
 * @param {ImageRecord} record
 */
export function isInverse({ photometric_interpretation: photometric, presentation_lut_shape }) {
  return photometric === 'MONOCHROME1' || presentation_lut_shape === 'INVERSE';
}

/**
 * What of a record and a window a grey depends on; the same picture needs no new table.
 *
 * @param {ImageRecord} record
 * @param {Window | null} window
 */
export function greyInputs(record, window) {
  const { bits_stored, pixel_representation, modality_lut: modality } = record;
  const { low, high } = paddingRange(record) ?? {};
  return [
    ...[bits_stored, pixel_representation, low, high, isInverse(record)],
    ...(modality ? inputsOf(modality) : [record.rescale_slope, record.rescale_intercept]),
    ...(window?.lut ? inputsOf(window.lut) : [window?.center, window?.width, window?.function]),
  ];
}

/** @param {LookupTable} lut */
function inputsOf({ entries, first_value, bits }) {
  return [entries, first_value, bits];
}

/**
 * The grey of one stored value, padding apart.
 *
 * @param {ImageRecord} record
 * @param {Window} window
 * @param {boolean} inverted by the reader, on top of what the image says
 * @returns {(stored: number) => number} a whole number from 0 to 255
 */
export function greyFunction(record, window, inverted) {
  const modality = modalityOf(record);
  const flip = isInverse(record) !== inverted;
  return (stored) => {
    const grey = Math.floor(applyWindow(modality(stored), window) + 0.5);
    return flip ? WHITE - grey : grey;
  };
}

/**
 * The grey of every stored value, as a table over the bit pattern of a sample: entry `value & 0xff` or `& 0xffff`.
 * Padding is black in either polarity.
 *
 * @param {ImageRecord} record
 * @param {Window} window
 * @param {{bits: 8 | 16, signed: boolean, inverted: boolean}} options `bits` and `signed` of the array that holds the
 *   samples; `inverted` by the reader
 * @returns {Uint8Array} 256 or 65536 entries
 */
export function greyTable(record, window, { bits, signed, inverted }) {
  const size = 2 ** bits;
  const half = size / 2;
  const first = signed ? -half : 0;
  const last = first + size - 1;
  const greyOf = greyFunction(record, window, inverted);
  const range = storedRange(record);
  const [min, max] = [Math.max(range.min, first), Math.min(range.max, last)];
  const ordered = new Uint8Array(size); // by value
  ordered.fill(greyOf(range.min), 0, min - first);
  ordered.fill(greyOf(range.max), max - first + 1);
  if (isMonotonic(record, window)) fillByHalves(ordered, first, min, max, greyOf);
  else for (let value = min; value <= max; value += 1) ordered[value - first] = greyOf(value);
  const { low, high } = paddingRange(record) ?? { low: Infinity, high: -Infinity };
  if (low <= last && high >= first) {
    ordered.fill(0, Math.max(Math.ceil(low) - first, 0), Math.max(Math.floor(high) - first + 1, 0));
  }
  if (!signed) return ordered;
  const table = new Uint8Array(size);
  table.set(ordered.subarray(half));
  table.set(ordered.subarray(0, half), half);
  return table;
}

/**
 * Whether greys never turn back as values grow.
 *
 * @param {ImageRecord} record
 * @param {Window} window
 */
function isMonotonic({ modality_lut }, { lut, function: name }) {
  return !modality_lut && !lut && name !== 'SIGMOID'; // which `Math.exp` need not round so that it is
}

/**
 * Fills in a function that never turns back: where both ends are equal, so is all between them. A window takes some
 * hundred calls in this way, and a table is made at each step of a drag.
 *
 * @param {Uint8Array} ordered entry `value - first`
 * @param {number} first
 * @param {number} low
 * @param {number} high included
 * @param {(stored: number) => number} greyOf
 */
function fillByHalves(ordered, first, low, high, greyOf) {
  /** @param {number} from @param {number} atFrom @param {number} to @param {number} atTo */
  const fill = (from, atFrom, to, atTo) => {
    if (atFrom === atTo) ordered.fill(atFrom, from - first, to - first + 1);
    if (atFrom === atTo || to - from <= 1) return;
    const middle = (from + to) >> 1;
    const atMiddle = greyOf(middle);
    ordered[middle - first] = atMiddle;
    fill(from, atFrom, middle, atMiddle);
    fill(middle, atMiddle, to, atTo);
  };
  const [atLow, atHigh] = [greyOf(low), greyOf(high)];
  ordered[low - first] = atLow;
  ordered[high - first] = atHigh;
  fill(low, atLow, high, atHigh);
}

/**
 * The display value of every sample of a colour image, which has no window: the high eight of its stored bits.
 *
 * @param {number} largest that a sample can be
 * @param {8 | 16} bits of the array that holds the samples
 * @param {boolean} inverted by the reader
 * @returns {Uint8Array} 256 or 65536 entries
 */
export function colourTable(largest, bits, inverted) {
  const flip = inverted ? WHITE : 0;
  return Uint8Array.from({ length: 2 ** bits }, (_, value) =>
    Math.abs(flip - Math.floor((Math.min(value, largest) / largest) * WHITE + 0.5)),
  );
}
