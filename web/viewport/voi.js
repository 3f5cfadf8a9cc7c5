/**
 * From stored values to grey: Modality LUT, VOI LUT and polarity (PS3.3 C.11.1, C.11.2, C.7.6.3.1.2); pure.
 *
 * @typedef {import('../engine/records.js').ImageRecord} ImageRecord
 * @typedef {import('./resample.js').StoredValues} StoredValues
 * @typedef {'LINEAR' | 'LINEAR_EXACT' | 'SIGMOID'} VoiFunction
 * @typedef {{center: number, width: number, function: VoiFunction}} Window in modality units
 */

const WHITE = 255;

/**
 * Parts of the values that an automatic window lets go below and above: a few dead or burnt pixels must not rule it,
 * nor the undershoot of a coarse level beside sharp edges.
 */
const AUTO_TAIL = { low: 0.01, high: 0.003 };

/** An automatic window looks at about this many pixels at most. */
const AUTO_SAMPLES = 2 ** 18;

/**
 * One modality value through one window (PS3.3 C.11.2.1.2.1, C.11.2.1.3.1, C.11.2.1.3.2), not yet rounded.
 *
 * @param {number} value in modality units
 * @param {Window} window
 * @returns {number} 0 to 255
 */
export function applyWindow(value, { center, width, function: name }) {
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
 * @param {ImageRecord} record
 * @returns {VoiFunction}
 */
export function voiFunctionOf({ voi_lut_function: name }) {
  return name === 'SIGMOID' || name === 'LINEAR_EXACT' ? name : 'LINEAR';
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
 */
export function usableWindows(record) {
  const least = voiFunctionOf(record) === 'LINEAR' ? 1 : Number.MIN_VALUE;
  return record.windows.filter(
    ({ center, width }) => Number.isFinite(center) && Number.isFinite(width) && width >= least,
  );
}

/**
 * What of a record a table depends on.
 *
 * @param {ImageRecord} record
 */
export function tableInputs(record) {
  const { rescale_slope, rescale_intercept, pixel_padding_value } = record;
  const { photometric_interpretation } = record;
  return [
    storedRange(record),
    rescale_slope,
    rescale_intercept,
    pixel_padding_value,
    photometric_interpretation,
  ];
}

/**
 * The grey of every stored value, as a table over the bit pattern of a sample: entry `value & 0xff` or `& 0xffff`.
 * Pixel Padding Value is black in either polarity (PS3.3 C.7.5.1.1.2).
 *
 * @param {ImageRecord} record
 * @param {Window} window
 * @param {{bits: 8 | 16, signed: boolean, inverted: boolean}} options `bits` and `signed` of the array that holds the
 *   samples; `inverted` by the reader, on top of MONOCHROME1
 * @returns {Uint8Array} 256 or 65536 entries
 */
export function greyTable(record, window, { bits, signed, inverted }) {
  const size = 2 ** bits;
  const table = new Uint8Array(size);
  const slope = record.rescale_slope;
  const intercept = record.rescale_intercept;
  const flip = (record.photometric_interpretation === 'MONOCHROME1') !== inverted;
  const { min, max } = storedRange(record);
  const first = signed ? -size / 2 : 0;
  const greyOf = (/** @type {number} */ stored) => {
    const grey = Math.floor(applyWindow(stored * slope + intercept, window) + 0.5);
    return flip ? WHITE - grey : grey;
  };
  const [lowest, highest] = [greyOf(min), greyOf(max)];
  for (let value = first; value < first + size; value += 1) {
    const grey = value <= min ? lowest : value >= max ? highest : greyOf(value);
    table[value & (size - 1)] = grey;
  }
  const padding = record.pixel_padding_value;
  if (padding !== undefined) table[padding & (size - 1)] = 0;
  return table;
}

/**
 * A window over what the values of one level span, for images that come without one.
 *
 * @param {ImageRecord} record
 * @param {StoredValues} data stored values of one sample a pixel
 * @returns {Window}
 */
export function autoWindow(record, data) {
  const { min, max } = storedRange(record);
  const counts = new Uint32Array(max - min + 1);
  const padding = record.pixel_padding_value;
  const step = Math.ceil(data.length / AUTO_SAMPLES);
  let total = 0;
  for (let i = 0; i < data.length; i += step) {
    const value = data[i];
    if (value === padding) continue;
    counts[Math.min(Math.max(value, min), max) - min] += 1;
    total += 1;
  }
  const slope = record.rescale_slope;
  const intercept = record.rescale_intercept;
  const low = (quantile(counts, total * AUTO_TAIL.low) + min) * slope + intercept;
  const high = (quantile(counts, total * (1 - AUTO_TAIL.high)) + min) * slope + intercept;
  return validWindow(
    { center: (low + high) / 2, width: Math.abs(high - low) || Math.abs(slope) },
    'LINEAR_EXACT',
  );
}

/**
 * @param {Uint32Array} counts
 * @param {number} rank
 * @returns {number} the first index at which more than `rank` values are passed
 */
function quantile(counts, rank) {
  let passed = 0;
  for (let i = 0; i < counts.length; i += 1) {
    passed += counts[i];
    if (passed > rank) return i;
  }
  return 0;
}

/**
 * The display value of every sample of a colour image, which has no window: the high eight of its stored bits.
 *
 * @param {ImageRecord} record
 * @param {8 | 16} bits of the array that holds the samples
 * @param {boolean} inverted by the reader
 * @returns {Uint8Array} 256 or 65536 entries
 */
export function colourTable(record, bits, inverted) {
  const { max } = storedRange({ ...record, pixel_representation: 0 });
  const flip = inverted ? WHITE : 0;
  return Uint8Array.from({ length: 2 ** bits }, (_, value) =>
    Math.abs(flip - Math.floor((Math.min(value, max) / max) * WHITE + 0.5)),
  );
}
