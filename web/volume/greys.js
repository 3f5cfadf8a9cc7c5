/** From modality values to greys: the windows of `viewport/voi.js`, quick for many values; pure. */

import { WHITE, applyWindow } from '../viewport/voi.js';

/**
 * @typedef {import('../viewport/voi.js').Window} Window
 *
 * @typedef {object} Look
 * @property {Window} window
 * @property {boolean} inverted the smallest value is white: by the image, or by the reader
 */

const OPAQUE = 0xff000000;

/**
 * @param {Float32Array} values what is not a number is black in either polarity: there is no image
 * @param {Look} look
 * @param {Uint32Array} out RGBA, little-endian
 */
export function mapGreys(values, look, out) {
  const grey = ramp(look.window);
  const flip = look.inverted ? WHITE : 0;
  if (!grey) {
    for (let i = 0; i < values.length; i += 1) {
      const value = values[i];
      const shade = Math.abs(flip - Math.floor(applyWindow(value, look.window) + 0.5));
      out[i] = value === value ? OPAQUE | (shade * 0x010101) : OPAQUE;
    }
    return;
  }
  const { scale, offset } = grey;
  for (let i = 0; i < values.length; i += 1) {
    const value = values[i];
    if (value !== value) {
      out[i] = OPAQUE;
      continue;
    }
    const exact = value * scale + offset + 0.5;
    const shade = exact < 0 ? 0 : exact > WHITE ? WHITE : exact | 0;
    out[i] = OPAQUE | ((flip ? WHITE - shade : shade) * 0x010101);
  }
}

/**
 * A window that is a straight line between black and white.
 *
 * @param {Window} window
 * @returns {{scale: number, offset: number} | null} grey = value * scale + offset, clamped; null for other windows
 */
export function ramp({ center, width, function: name, lut }) {
  const exact = name === 'LINEAR_EXACT';
  const span = exact ? width : width - 1;
  if (lut || name === 'SIGMOID' || !(span > 0)) return null;
  const scale = WHITE / span;
  return { scale, offset: WHITE / 2 - (exact ? center : center - 0.5) * scale };
}
