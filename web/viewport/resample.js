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
 * Linear interpolation at the middle of each screen pixel of a region; linear, because it invents no value that lies
 * outside those around it. Beyond the ends of the source its edge is repeated.
 *
 * @param {Buffer} source
 * @param {import('./geometry.js').Transform} place of the source on the screen
 * @param {import('./geometry.js').Region} region of the screen
 * @returns {Buffer} of that region
 */
export function fitToScreen(source, place, region) {
  const { width: columns, height: rows } = region;
  const samples = source.samplesPerPixel;
  const data = sameKind(source.data, columns * rows * samples);
  const across = steps(region.x, columns, place.scaleX, place.offsetX, source.columns);
  const down = steps(region.y, rows, place.scaleY, place.offsetY, source.rows);
  const Row = source.data.BYTES_PER_ELEMENT > 2 ? Float64Array : Float32Array;
  const length = columns * samples;
  let above = new Row(length);
  let below = new Row(length);
  let heldRow = -1; // of the source, in `above`
  let heldNext = -1; // in `below`
  for (let row = 0, at = 0; row < rows; row += 1, at += length) {
    const [first, second] = [down.first[row], down.second[row]];
    if (first === heldNext && first !== heldRow) {
      [above, below] = [below, above];
      [heldRow, heldNext] = [heldNext, heldRow];
    }
    if (first !== heldRow) interpolateRow(source, first, across, above);
    heldRow = first;
    const weight = down.weight[row];
    if (weight > 0 && second !== heldNext) {
      interpolateRow(source, second, across, below);
      heldNext = second;
    }
    mix(above, below, weight, data, at);
  }
  return { data, columns, rows, samplesPerPixel: samples };
}

/**
 * @param {Float32Array | Float64Array} above
 * @param {Float32Array | Float64Array} below not looked at where its weight is 0
 * @param {number} weight
 * @param {StoredValues} out
 * @param {number} at
 */
function mix(above, below, weight, out, at) {
  const half = out instanceof Float32Array ? 0 : 0.5;
  const { length } = above;
  if (weight === 0 && half === 0) out.set(above, at);
  else if (half === 0) {
    for (let i = 0; i < length; i += 1) out[at + i] = above[i] + (below[i] - above[i]) * weight;
  } else if (weight === 0) {
    for (let i = 0; i < length; i += 1) out[at + i] = Math.floor(above[i] + 0.5);
  } else {
    for (let i = 0; i < length; i += 1) {
      out[at + i] = Math.floor(above[i] + (below[i] - above[i]) * weight + 0.5);
    }
  }
}

/**
 * Between which source pixels each screen pixel lies, and how far from the first.
 *
 * @param {number} start first screen pixel
 * @param {number} count of them
 * @param {number} scale screen px of a source pixel
 * @param {number} offset of the source on the screen
 * @param {number} size of the source
 */
function steps(start, count, scale, offset, size) {
  const first = new Int32Array(count);
  const second = new Int32Array(count);
  const weight = new Float32Array(count);
  for (let i = 0; i < count; i += 1) {
    const place = Math.min(Math.max((start + i + 0.5 - offset) / scale - 0.5, 0), size - 1);
    const before = Math.floor(place);
    first[i] = before;
    second[i] = Math.min(before + 1, size - 1);
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
function interpolateRow({ data, columns, samplesPerPixel }, row, { first, second, weight }, out) {
  const start = row * columns * samplesPerPixel;
  const count = first.length;
  if (samplesPerPixel === 1) {
    for (let i = 0; i < count; i += 1) {
      const left = data[start + first[i]];
      const part = weight[i]; // of none, what is not a number beside it must not be seen
      out[i] = part === 0 ? left : left + (data[start + second[i]] - left) * part;
    }
    return;
  }
  for (let i = 0, to = 0; i < count; i += 1) {
    const left = start + first[i] * samplesPerPixel;
    const right = start + second[i] * samplesPerPixel;
    for (let sample = 0; sample < samplesPerPixel; sample += 1, to += 1) {
      out[to] = data[left + sample] + (data[right + sample] - data[left + sample]) * weight[i];
    }
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
