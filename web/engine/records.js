/**
 * Facts as the page knows them; image attributes keep their DICOM names in snake case
 * (`py/firstlight/dicom/attributes.py`).
 *
 * @typedef {{first_value: number, bits: number, entries: Uint8Array | Uint16Array, explanation?: string}} LookupTable
 * @typedef {{first_value: number, entries: Uint8Array}} PaletteColor red, green, blue of each entry
 *
 * @typedef {object} Overlay
 * @property {number} rows
 * @property {number} columns
 * @property {[number, number]} [origin] row and column of its first pixel in the image, from 1
 * @property {'G' | 'R'} [overlay_type]
 * @property {string} [label]
 * @property {string} [data] base64, one bit a pixel, the first in the lowest bit
 * @property {number} [bit_position] of the pixel cells, where there is no `data`
 *
 * @typedef {object} ImageRecord
 * @property {number} rows
 * @property {number} columns
 * @property {number} samples_per_pixel
 * @property {string} photometric_interpretation
 * @property {number} planar_configuration
 * @property {number} bits_allocated
 * @property {number} bits_stored
 * @property {number} pixel_representation
 * @property {number} rescale_slope
 * @property {number} rescale_intercept
 * @property {string} rescale_type
 * @property {LookupTable} [modality_lut]
 * @property {{center: number, width: number, explanation?: string}[]} windows
 * @property {string} voi_lut_function
 * @property {LookupTable[]} voi_luts
 * @property {string} presentation_lut_shape 'INVERSE' or nothing
 * @property {PaletteColor} [palette_color]
 * @property {number} [pixel_padding_value]
 * @property {number} [pixel_padding_range_limit]
 * @property {Overlay[]} overlays
 * @property {boolean} lossy_image_compression before this transfer syntax, or by it
 * @property {number} [frame_time_ms]
 * @property {[number, number]} [pixel_spacing] mm between rows, between columns
 * @property {string} pixel_spacing_source
 * @property {[number, number]} [pixel_aspect_ratio] vertical, horizontal
 * @property {number[]} [image_position_patient]
 * @property {number[]} [image_orientation_patient]
 *
 * @typedef {{index: number, modality: string, description: string, number: number | null, frameCount: number}} SeriesSummary
 * @typedef {{index: number, modality: string, description: string, number: number | null, reversible: boolean, frames: ImageRecord[],
 *   volume?: any, noVolume?: string | null, notices?: string[]}} Series `volume`: `VolumeGeometry` of `py/firstlight/volume`, null
 *   where the frames make none, and `noVolume` says why
 * @typedef {{type: string, message: string, resource: string | null, frame_index: number | null, range: string | null}} ErrorRecord
 *
 * @typedef {object} FrameState
 * @property {number} frameIndex
 * @property {'waiting' | 'loading' | 'retrying' | 'lossless' | 'complete' | 'configured' | 'failed'} status `complete`: final, but
 *   lossy by its transfer syntax; `configured`: all that the configuration asks for is here, though it is not full resolution
 * @property {number | null} resolutionLevel
 * @property {number | null} decompositionLevels
 * @property {number} heldBytes
 * @property {number | null} totalBytes
 * @property {ErrorRecord | null} error
 * @property {string | null} [quality] name of the `Quality` of the picture held, or of the one that stands in for it
 * @property {number | null} [replicaOf] frame whose picture stands in for it
 * @property {string | null} [stage] id of the stage that it is in
 * @property {number} [attempts] tries so far
 * @property {number} [wholeLevel] of a vast frame: the largest level that is loaded whole; finer ones come by window
 * @property {{resolutionLevel: number, left: number, top: number, columns: number, rows: number}[]} [regions] of a vast frame:
 *   the windows of finer levels that are held, in pixels of those
 * @property {ErrorRecord | null} [regionError] why its window on the screen is not finer
 */

/** HTJ2K that need not be reversible (PS3.6 Annex A). */
const HTJ2K = '1.2.840.10008.1.2.4.203';

/** The defaults of `ImageAttributes`. */
const DEFAULTS = {
  samples_per_pixel: 1,
  photometric_interpretation: 'MONOCHROME2',
  planar_configuration: 0,
  bits_allocated: 16,
  bits_stored: 16,
  pixel_representation: 0,
  rescale_slope: 1,
  rescale_intercept: 0,
  rescale_type: '',
  windows: [],
  voi_lut_function: 'LINEAR',
  voi_luts: [],
  presentation_lut_shape: '',
  overlays: [],
  lossy_image_compression: false,
  pixel_spacing_source: '',
};

/**
 * @param {any} record a series as Python publishes it
 * @returns {Series}
 */
export function withDefaults(record) {
  const unpack = unpacker();
  const frames = record.frames.map((/** @type {any} */ given) => {
    const image = { ...DEFAULTS, ...given };
    const { modality_lut, palette_color, voi_luts } = image;
    if (modality_lut) image.modality_lut = unpack(modality_lut);
    if (palette_color) image.palette_color = unpack(palette_color);
    image.voi_luts = voi_luts.map(unpack).filter(Boolean);
    return image;
  });
  return { ...record, frames };
}

/** What gives tables their entries for the base64 of `LookupTable` and `PaletteColor`; the same text is read once. */
function unpacker() {
  /** @type {Map<string, Uint8Array | Uint16Array>} */
  const known = new Map();
  return (/** @type {any} */ { data, ...table }) => {
    const key = `${table.bits} ${data}`;
    const bytes = known.has(key) ? null : bytesOf(data);
    if (bytes) known.set(key, table.bits > 8 ? wordsOf(bytes) : bytes);
    const entries = known.get(key);
    return entries?.length ? { ...table, entries } : undefined;
  };
}

/**
 * @param {string} text base64
 * @returns {Uint8Array<ArrayBuffer>} empty where it is none
 */
export function bytesOf(text) {
  try {
    return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  } catch {
    return new Uint8Array();
  }
}

/** @param {Uint8Array} bytes low byte first */
function wordsOf(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return Uint16Array.from({ length: bytes.length >> 1 }, (_, i) => view.getUint16(2 * i, true));
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
  const first = { ...head(one, 0), reversible, frames, ...volumeOf(one) };
  return { summaries, first: withDefaults(first) };
}

/**
 * What `prepare` has found out of all frames.
 *
 * @param {any} series
 */
function volumeOf({ volume, no_volume: noVolume, volume_notices: notices }) {
  return volume === undefined ? {} : { volume, noVolume, notices };
}

/**
 * @param {any} series
 * @param {number} index
 */
function head(series, index) {
  const { modality = '', series_description = '', series_number = null } = series;
  return { index, modality, description: series_description, number: series_number };
}

/**
 * Marks a decode with the session and series it is for (`LoaderService.open` in Python counts alike).
 *
 * @param {number} epoch
 * @param {number} seriesIndex
 */
export function seriesTag(epoch, seriesIndex) {
  return epoch * SERIES_PER_EPOCH + seriesIndex;
}

const SERIES_PER_EPOCH = 65536;

/**
 * What is known of a frame before anything is.
 *
 * @param {number} frameIndex
 * @returns {FrameState}
 */
export function waiting(frameIndex) {
  return {
    frameIndex,
    status: 'waiting',
    resolutionLevel: null,
    decompositionLevels: null,
    heldBytes: 0,
    totalBytes: null,
    error: null,
  };
}

/**
 * Whether another entry of a descriptor is of the same series.
 *
 * @param {any} series
 * @returns {(other: any) => boolean}
 */
export function isPartOf(series) {
  const { study_instance_uid: study, series_instance_uid: uid } = series;
  return (other) =>
    other !== series &&
    Boolean(uid) &&
    other.series_instance_uid === uid &&
    other.study_instance_uid === study;
}
