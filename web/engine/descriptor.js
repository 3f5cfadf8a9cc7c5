/** What the prelude reads from a `firstlight.json`; `py/firstlight/sources/README.md` has the format. */

/**
 * @param {any} series
 * @param {any} frame
 */
export function shapeOf(series, frame) {
  const image = { ...series.image, ...frame.image };
  return {
    rows: image.rows,
    columns: image.columns,
    samplesPerPixel: image.samples_per_pixel ?? 1,
    bitsAllocated: image.bits_allocated ?? 16,
    bitsStored: image.bits_stored ?? 16,
    pixelRepresentation: image.pixel_representation ?? 0,
  };
}

/**
 * The first frame's smallest level.
 *
 * @param {any} descriptor
 * @returns {Uint8Array<ArrayBuffer> | null} null where it is not enclosed
 */
export function enclosedLevel({ first_level: enclosed, series: [{ frames }] }) {
  if (!enclosed) return null;
  const bytes = Uint8Array.from(atob(enclosed), (letter) => letter.charCodeAt(0));
  return bytes.length === frames[0].level_ends[0] ? bytes : null;
}

/**
 * The smallest level that has as many pixels as the screen.
 *
 * @param {number} screenPx
 * @param {{rows: number, columns: number}} image
 * @param {number} levelCount
 */
export function levelFor(screenPx, { rows, columns }, levelCount) {
  const last = levelCount - 1;
  const halvings = Math.floor(Math.log2(Math.max(rows, columns) / Math.max(screenPx, 1)));
  return Math.max(0, Math.min(last, last - halvings));
}

/** Images of more samples are vast: `WHOLE_SAMPLES` of `py/firstlight/schedule/capacity.py`. */
const WHOLE_SAMPLES = 36_000_000;

/** `WHOLE_PART` of `py/firstlight/loader/region_view.py`. */
const WHOLE_PART = 4;

/**
 * The largest level that is loaded whole: the last, unless the image is vast. Then finer ones come by window.
 *
 * @param {{rows: number, columns: number, samplesPerPixel: number}} image
 * @param {number} levelCount
 * @param {number} [wholeSamples]
 */
export function wholeLevel({ rows, columns, samplesPerPixel }, levelCount, wholeSamples) {
  const most = wholeSamples ?? WHOLE_SAMPLES;
  /** @param {number} below */
  const samples = (below) =>
    Math.ceil(rows / 2 ** below) * Math.ceil(columns / 2 ** below) * samplesPerPixel;
  if (samples(0) <= most) return levelCount - 1;
  let below = 1;
  while (samples(below) > most / WHOLE_PART && below < levelCount) below += 1;
  return Math.max(0, levelCount - 1 - below);
}

/**
 * The largest level of no more than so many pixels a side.
 *
 * @param {number} sidePx
 * @param {{rows: number, columns: number}} image
 * @param {number} levelCount
 */
export function levelWithin(sidePx, { rows, columns }, levelCount) {
  const halvings = Math.ceil(Math.log2(Math.max(rows, columns) / sidePx));
  return Math.max(0, levelCount - 1 - Math.max(0, halvings));
}

/**
 * @typedef {object} HeadPiece a stretch of the heads file
 * @property {number} at where it ends there
 * @property {number} index of its frame
 * @property {number} held bytes of the frame that are there with it, from the codestream's first one
 *
 * @typedef {object} HeadsPlan
 * @property {string} url
 * @property {number} stop
 * @property {number} frameCount frames that it has something of
 * @property {HeadPiece[]} pieces in the order in which they come
 */

/**
 * What the beginning of a series' heads file brings.
 *
 * @param {any} series
 * @param {number} mostBytes of the file
 * @returns {HeadsPlan | null} null where there is none
 */
export function headsPlan(series, mostBytes) {
  if (!series.heads) return null;
  /** @type {HeadPiece[]} */
  const found = [];
  series.frames.forEach((/** @type {any} */ { heads = [] }, /** @type {number} */ index) => {
    let before = 0;
    for (const [start, stop] of heads) {
      found.push({ at: start + stop - before, index, held: stop });
      before = stop;
    }
  });
  found.sort((a, b) => a.at - b.at);
  const pieces = found.filter(({ at }) => at <= mostBytes);
  const stop = pieces.at(-1)?.at;
  if (stop === undefined) return null;
  const frameCount = new Set(pieces.map(({ index }) => index)).size;
  return { url: series.heads.url, stop, frameCount, pieces };
}

/** After so much of the heads file, 2 ms of 30 Mbit/s, it is looked at again; each look costs a message. */
const MILESTONE_BYTES = 2 ** 13;

/**
 * Where in the heads file news is worth a message: ends of its pieces.
 *
 * @param {HeadsPlan} plan
 * @returns {number[]}
 */
export function milestonesOf({ pieces, stop }) {
  let next = 0;
  const found = pieces
    .map(({ at }) => at)
    .filter((at) => at >= next && (next = at + MILESTONE_BYTES));
  return [...found, stop];
}

/**
 * Where the first `stop` bytes of a codestream lie in the heads file.
 *
 * @param {[start: number, stop: number][]} heads `frames[].heads`
 * @param {number} stop
 * @returns {[start: number, stop: number][]}
 */
export function headPieces(heads, stop) {
  return heads
    .map(([start, end], pass) => {
      const before = heads[pass - 1]?.[1] ?? 0;
      return [start, start + Math.min(end, stop) - before];
    })
    .filter(([start, end]) => end > start)
    .map(([start, end]) => /** @type {[number, number]} */ ([start, end]));
}
