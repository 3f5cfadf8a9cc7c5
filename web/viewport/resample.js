/**
 * Stored values at about the resolution of the screen: averaged over squares, or interpolated; pure.
 *
 * Both happen before the window is applied: a window that saturates would else turn each coarse pixel into a blot.
 *
 * @typedef {Uint8Array | Int8Array | Uint16Array | Int16Array | Uint32Array | Int32Array | Float32Array} StoredValues
 *
 * @typedef {object} Buffer stored values to be mapped and drawn
 * @property {StoredValues} data
 * @property {number} columns
 * @property {number} rows
 * @property {number} samplesPerPixel
 */

/**
 * Averages squares of `factor` pixels; those cut by the right and bottom edge average what they have.
 *
 * @param {Buffer} source
 * @param {number} factor 1 gives the source itself
 * @returns {Buffer}
 */
export function averageSquares(source, factor) {
  if (factor <= 1) return source;
  const samples = source.samplesPerPixel;
  const columns = Math.ceil(source.columns / factor);
  const rows = Math.ceil(source.rows / factor);
  const data = sameKind(source.data, columns * rows * samples);
  const isWide = source.data.BYTES_PER_ELEMENT > 2;
  const sums = new (isWide ? Float64Array : Int32Array)(columns * samples);
  const round = rounding(data);
  for (let row = 0; row < rows; row += 1) {
    const top = row * factor;
    const height = Math.min(factor, source.rows - top);
    sums.fill(0);
    for (let y = top; y < top + height; y += 1) addRow(sums, source, y, factor);
    const inner = Math.floor(source.columns / factor) * samples;
    const at = row * columns * samples;
    const whole = factor * height;
    for (let i = 0; i < inner; i += 1) data[at + i] = round(sums[i] / whole);
    const part = (source.columns % factor) * height;
    for (let i = inner; i < sums.length; i += 1) data[at + i] = round(sums[i] / part);
  }
  return { data, columns, rows, samplesPerPixel: samples };
}

/**
 * @param {Int32Array | Float64Array} sums
 * @param {Buffer} source
 * @param {number} y
 * @param {number} factor
 */
function addRow(sums, source, y, factor) {
  const { data, columns, samplesPerPixel: samples } = source;
  let at = y * columns * samples;
  if (samples === 1) {
    const end = at + columns;
    for (let i = 0; at < end; i += 1) {
      const stop = Math.min(at + factor, end);
      let sum = 0;
      for (; at < stop; at += 1) sum += data[at];
      sums[i] += sum;
    }
    return;
  }
  for (let x = 0; x < columns; x += 1) {
    const i = Math.floor(x / factor) * samples;
    for (let sample = 0; sample < samples; sample += 1) sums[i + sample] += data[at++];
  }
}

/**
 * Interpolates linearly to `factor` times as many pixels each way; linear, because it invents no value that lies
 * outside those around it.
 *
 * @param {Buffer} source one sample a pixel
 * @param {import('./geometry.js').Region} region of the source; beyond its last column and row the edge is repeated
 * @param {number} factor
 * @returns {Buffer} of that region
 */
export function interpolate(source, region, factor) {
  const columns = region.width * factor;
  const rows = region.height * factor;
  const data = sameKind(source.data, columns * rows);
  const across = steps(region.x, columns, factor, source.columns);
  const down = steps(region.y, rows, factor, source.rows);
  const Row = source.data.BYTES_PER_ELEMENT > 2 ? Float64Array : Float32Array;
  let above = new Row(columns);
  let below = new Row(columns);
  const round = rounding(data);
  let heldRow = -1;
  for (let row = 0, at = 0; row < rows; row += 1) {
    if (down.first[row] !== heldRow) {
      const isNext = heldRow >= 0 && down.first[row] === heldRow + 1;
      if (isNext) [above, below] = [below, above];
      else interpolateRow(source, down.first[row], across, above);
      interpolateRow(source, down.second[row], across, below);
      heldRow = down.first[row];
    }
    const weight = down.weight[row];
    for (let i = 0; i < columns; i += 1, at += 1) {
      data[at] = round(above[i] + (below[i] - above[i]) * weight);
    }
  }
  return { data, columns, rows, samplesPerPixel: 1 };
}

/**
 * Between which source pixels each new one lies, and how far from the first.
 *
 * @param {number} start
 * @param {number} count of new pixels
 * @param {number} factor
 * @param {number} size of the source
 */
function steps(start, count, factor, size) {
  const first = new Int32Array(count);
  const second = new Int32Array(count);
  const weight = new Float32Array(count);
  for (let i = 0; i < count; i += 1) {
    const place = start + (i + 0.5) / factor - 0.5;
    const before = Math.floor(place);
    first[i] = Math.min(Math.max(before, 0), size - 1);
    second[i] = Math.min(Math.max(before + 1, 0), size - 1);
    weight[i] = place - before;
  }
  return { first, second, weight };
}

/**
 * @param {Buffer} source
 * @param {number} row
 * @param {ReturnType<typeof steps>} across
 * @param {Float32Array | Float64Array} out
 */
function interpolateRow({ data, columns }, row, { first, second, weight }, out) {
  const start = row * columns;
  for (let i = 0; i < out.length; i += 1) {
    const left = data[start + first[i]];
    out[i] = left + (data[start + second[i]] - left) * weight[i];
  }
}

/**
 * Halves upwards; what is not whole in the first place stays as it is.
 *
 * @param {StoredValues} data
 * @returns {(value: number) => number}
 */
function rounding(data) {
  return data instanceof Float32Array ? (value) => value : (value) => Math.floor(value + 0.5);
}

/**
 * @param {StoredValues} data
 * @param {number} length
 * @returns {StoredValues}
 */
function sameKind(data, length) {
  return new /** @type {new (length: number) => StoredValues} */ (data.constructor)(length);
}
