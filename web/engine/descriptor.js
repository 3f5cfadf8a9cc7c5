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
