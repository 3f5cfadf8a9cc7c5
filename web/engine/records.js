/**
 * Facts as the page knows them; image attributes keep their DICOM names in snake case
 * (`py/firstlight/dicom/attributes.py`).
 *
 * @typedef {object} ImageRecord
 * @property {number} rows
 * @property {number} columns
 * @property {number} samples_per_pixel
 * @property {string} photometric_interpretation
 * @property {number} bits_allocated
 * @property {number} bits_stored
 * @property {number} pixel_representation
 * @property {number} rescale_slope
 * @property {number} rescale_intercept
 * @property {string} rescale_type
 * @property {{center: number, width: number, explanation?: string}[]} windows
 * @property {string} voi_lut_function
 * @property {number} [pixel_padding_value]
 * @property {[number, number]} [pixel_spacing] mm between rows, between columns
 * @property {string} pixel_spacing_source
 * @property {number[]} [image_position_patient]
 * @property {number[]} [image_orientation_patient]
 *
 * @typedef {{index: number, modality: string, description: string, number: number | null, frameCount: number}} SeriesSummary
 * @typedef {{index: number, modality: string, description: string, number: number | null, reversible: boolean, frames: ImageRecord[]}} Series
 * @typedef {{type: string, message: string, resource: string | null, frame_index: number | null, range: string | null}} ErrorRecord
 *
 * @typedef {object} FrameState
 * @property {number} frameIndex
 * @property {'waiting' | 'loading' | 'lossless' | 'complete' | 'failed'} status `complete`: final, but lossy by its transfer syntax
 * @property {number | null} resolutionLevel
 * @property {number | null} decompositionLevels
 * @property {number} heldBytes
 * @property {number | null} totalBytes
 * @property {ErrorRecord | null} error
 */

/** HTJ2K that need not be reversible (PS3.6 Annex A). */
const HTJ2K = '1.2.840.10008.1.2.4.203';

/** The defaults of `ImageAttributes`. */
const DEFAULTS = {
  samples_per_pixel: 1,
  photometric_interpretation: 'MONOCHROME2',
  bits_allocated: 16,
  bits_stored: 16,
  pixel_representation: 0,
  rescale_slope: 1,
  rescale_intercept: 0,
  rescale_type: '',
  windows: [],
  voi_lut_function: 'LINEAR',
  pixel_spacing_source: '',
};

/**
 * @param {any} record a series as Python publishes it
 * @returns {Series}
 */
export function withDefaults(record) {
  const frames = record.frames.map((/** @type {object} */ image) => ({ ...DEFAULTS, ...image }));
  return { ...record, frames };
}

/**
 * What the page needs of a `firstlight.json` before Python is there.
 *
 * @param {any} descriptor
 * @returns {{summaries: SeriesSummary[], first: Series}}
 */
export function seriesFromDescriptor(descriptor) {
  const filled = descriptor.series.filter((/** @type {any} */ { frames }) => frames.length > 0);
  const summaries = filled.map((/** @type {any} */ series, /** @type {number} */ index) => ({
    ...head(series, index),
    frameCount: series.frames.length,
  }));
  const [one] = filled;
  const frames = one.frames.map((/** @type {any} */ { image }) => ({ ...one.image, ...image }));
  const reversible = one.transfer_syntax_uid !== HTJ2K;
  return { summaries, first: withDefaults({ ...head(one, 0), reversible, frames }) };
}

/**
 * @param {any} series
 * @param {number} index
 */
function head(series, index) {
  const { modality = '', series_description = '', series_number = null } = series;
  return { index, modality, description: series_description, number: series_number };
}
