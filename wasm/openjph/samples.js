/** @import { StoredValues } from '../codec.js' */

/**
 * The library pulls the lines of a picture without colour transform component by component, but stores them as if
 * they came interleaved. Puts every line where it belongs; sizes are those of the resolution level.
 *
 * @template {StoredValues} T
 * @param {T} scrambled
 * @param {number} rows
 * @param {number} columns
 * @param {number} samplesPerPixel
 * @returns {T}
 */
export function unscramble(scrambled, rows, columns, samplesPerPixel) {
  const interleaved = scrambled.slice();
  const stride = columns * samplesPerPixel;
  for (let line = 0; line < rows * samplesPerPixel; line++) {
    let from = Math.floor(line / samplesPerPixel) * stride + (line % samplesPerPixel);
    let to = (line % rows) * stride + Math.floor(line / rows);
    for (let x = 0; x < columns; x++) {
      interleaved[to] = scrambled[from];
      from += samplesPerPixel;
      to += samplesPerPixel;
    }
  }
  return /** @type {T} */ (interleaved);
}
