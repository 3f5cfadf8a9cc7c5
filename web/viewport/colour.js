/** From stored colour to red, green and blue (PS3.3 C.7.6.3.1.2, C.7.6.3.1.5); pure. */

/**
 * @typedef {import('../engine/records.js').ImageRecord} ImageRecord
 * @typedef {import('./resample.js').Buffer} Buffer
 *
 * @typedef {'grey' | 'palette' | 'rgb' | 'ybr_full' | 'ybr_partial'} ColourModel
 * @typedef {{model: ColourModel} | {refusal: string}} Reading
 */

/** @type {Record<string, ColourModel>} */
const OF_THREE = {
  RGB: 'rgb',
  YBR_ICT: 'rgb', // undone by the decoder, as is the next
  YBR_RCT: 'rgb',
  YBR_FULL: 'ybr_full',
  YBR_FULL_422: 'ybr_full',
  YBR_PARTIAL_422: 'ybr_partial',
  YBR_PARTIAL_420: 'ybr_partial',
};

/**
 * How the samples of an image are to be read. Where Photometric Interpretation and the number of samples contradict
 * each other, the number decides: one is grey, three are RGB.
 *
 * @param {ImageRecord} record
 * @param {number} [samplesPerPixel] as decoded
 * @returns {Reading}
 */
export function readingOf(record, samplesPerPixel = record.samples_per_pixel) {
  const photometric = record.photometric_interpretation;
  if (['ARGB', 'CMYK', 'HSV'].includes(photometric)) {
    return { refusal: `Photometric Interpretation ${photometric} is retired and not shown` };
  }
  if (samplesPerPixel === 3) return { model: OF_THREE[photometric] ?? 'rgb' };
  if (samplesPerPixel !== 1) return { refusal: `${samplesPerPixel} samples a pixel are not shown` };
  if (photometric !== 'PALETTE COLOR') return { model: 'grey' };
  return record.palette_color
    ? { model: 'palette' }
    : { refusal: 'PALETTE COLOR without usable Palette Color Lookup Tables' };
}

/**
 * @param {ImageRecord} record
 * @param {number} [samplesPerPixel] as decoded
 */
export function isGrey(record, samplesPerPixel) {
  const reading = readingOf(record, samplesPerPixel);
  return 'model' in reading && reading.model === 'grey';
}

/**
 * Whether a picture may be shown. A reduced level of palette indices is a mixture of indices, which means other
 * colours: worse than nothing.
 *
 * @param {ImageRecord} record
 * @param {import('../engine/frame-store.js').StoredFrame} frame
 */
export function isShowable(record, { samplesPerPixel, resolutionLevel, decompositionLevels }) {
  const reading = readingOf(record, samplesPerPixel);
  if ('refusal' in reading) return false;
  return reading.model !== 'palette' || resolutionLevel === decompositionLevels;
}

/**
 * The picture in red, green and blue; the source itself where it is that already.
 *
 * @param {Buffer} source
 * @param {ImageRecord} record
 * @param {ColourModel} model not grey
 * @returns {{buffer: Buffer, largest: number}} `largest`: what stands for full intensity
 */
export function toRgb(source, record, model) {
  const { columns, rows } = source;
  const largest = 2 ** Math.min(record.bits_stored, 8 * source.data.BYTES_PER_ELEMENT) - 1;
  const made = (/** @type {Uint8Array | Uint16Array} */ data, /** @type {number} */ white) => {
    return { buffer: { data, columns, rows, samplesPerPixel: 3 }, largest: white };
  };
  if (model === 'palette') return made(fromPalette(source, record), 255);
  if (model === 'ybr_full') return made(fromYbr(source, largest, FULL), largest);
  if (model === 'ybr_partial') return made(fromYbr(source, largest, PARTIAL), largest);
  return { buffer: source, largest };
}

/**
 * @param {Buffer} source
 * @param {ImageRecord} record
 */
function fromPalette({ data }, { palette_color: palette }) {
  const out = new Uint8Array(3 * data.length);
  if (!palette) return out;
  const { entries, first_value: first } = palette;
  const last = Math.floor(entries.length / 3) - 1;
  for (let i = 0, to = 0; i < data.length; i += 1, to += 3) {
    const at = 3 * Math.min(Math.max(data[i] - first, 0), last);
    out[to] = entries[at];
    out[to + 1] = entries[at + 1];
    out[to + 2] = entries[at + 2];
  }
  return out;
}

/**
 * How far luma and chroma reach, of a largest value of 255 (ITU-R BT.601): PARTIAL leaves head and foot room.
 *
 * @typedef {{black: number, luma: number, chroma: number}} Reach
 */
const FULL = { black: 0, luma: 255, chroma: 255 };
const PARTIAL = { black: 16, luma: 219, chroma: 224 };

/**
 * @param {Buffer} source Y, CB, CR of each pixel, chroma of shared pixels repeated
 * @param {number} largest
 * @param {Reach} reach
 */
function fromYbr({ data }, largest, reach) {
  const bytes = largest <= 255;
  // clamped arrays round halves to even; the standard's example, and the tests, round them up
  const out = bytes ? new Uint8Array(data.length) : new Uint16Array(data.length);
  const half = (largest + 1) / 2;
  const black = (reach.black * (largest + 1)) / 256;
  const luma = 255 / reach.luma;
  const [toRed, toBlue] = [(1.402 * 255) / reach.chroma, (1.772 * 255) / reach.chroma];
  const [redInGreen, blueInGreen] = [(-0.299 * toRed) / 0.587, (-0.114 * toBlue) / 0.587];
  const round = (/** @type {number} */ value) =>
    Math.min(Math.max(Math.floor(value + 0.5), 0), largest);
  for (let i = 0; i + 2 < data.length; i += 3) {
    const y = (data[i] - black) * luma;
    const blue = data[i + 1] - half;
    const red = data[i + 2] - half;
    out[i] = round(y + toRed * red);
    out[i + 1] = round(y + redInGreen * red + blueInGreen * blue);
    out[i + 2] = round(y + toBlue * blue);
  }
  return out;
}
