/** The inverse discrete cosine transform of 8 x 8 samples (ISO/IEC 10918-1 A.3.3), in floating point. */

/** Where the coefficients of a block lie, in the order of the stream (figure A.6). */
export const ZIGZAG = zigzag();

/** `BASIS[8 * x + u]`: what coefficient `u` adds to sample `x`. */
const BASIS = Float64Array.from({ length: 64 }, (_, i) => {
  const x = i >> 3;
  const u = i & 7;
  return (u === 0 ? Math.SQRT1_2 : 1) * 0.5 * Math.cos(((2 * x + 1) * u * Math.PI) / 16);
});

const rowsDone = new Float64Array(64); // scratch: nothing of it outlives a call

/**
 * @param {Float64Array} coefficients row by row
 * @param {number} precision
 * @param {Uint16Array} samples receives the block, level shifted and clamped to the precision
 * @param {number} start
 * @param {number} width of a row of `samples`
 */
export function inverseDct(coefficients, precision, samples, start, width) {
  for (let row = 0; row < 64; row += 8) transformRow(coefficients, row);
  const shift = 2 ** (precision - 1);
  const most = 2 ** precision - 1;
  for (let y = 0; y < 8; y++) {
    for (let x = 0; x < 8; x++) {
      let sum = shift;
      for (let v = 0; v < 8; v++) sum += BASIS[8 * y + v] * rowsDone[8 * v + x];
      samples[start + y * width + x] = Math.min(Math.max(Math.round(sum), 0), most);
    }
  }
}

/**
 * @param {Float64Array} coefficients
 * @param {number} row
 */
function transformRow(coefficients, row) {
  let last = 7;
  while (last > 0 && coefficients[row + last] === 0) last -= 1;
  for (let x = 0; x < 8; x++) {
    let sum = 0;
    for (let u = 0; u <= last; u++) sum += BASIS[8 * x + u] * coefficients[row + u];
    rowsDone[row + x] = sum;
  }
}

function zigzag() {
  const order = Array.from({ length: 64 }, (_, i) => i);
  /** @param {number} i */
  const key = (i) => {
    const [row, column] = [i >> 3, i & 7];
    const diagonal = row + column;
    return 8 * diagonal + (diagonal % 2 === 0 ? column : row);
  };
  return Uint8Array.from(order.sort((a, b) => key(a) - key(b)));
}
