/** From the samples as a library leaves them in its heap to stored values as DICOM describes them. */

/** @import { ImageShape, Pixels, StoredValues } from './codec.js' */

/** @typedef {{precision: number, isSigned: boolean}} Coding bits a sample and the sign, as the stream has them */

/**
 * Turns decoded samples into an array of the type that Bits Allocated and Pixel Representation ask for; the same array
 * where it is of that type already.
 *
 * A codestream may disagree with Pixel Representation about the sign. Then its bits are right and its reading of them
 * is not: they are read anew as two's complement or unsigned, from Bits Stored.
 *
 * @param {StoredValues} samples
 * @param {number} levelShift subtracted from each sample: 2^(precision - 1) where a signed stream was decoded as unsigned
 * @param {Coding} component
 * @param {ImageShape} image
 * @returns {StoredValues}
 */
export function storedValues(samples, levelShift, component, image) {
  const { precision, isSigned } = component;
  const wantSigned = image.pixelRepresentation === 1;
  const Wanted = arrayType(image.bitsAllocated > 8, wantSigned);
  if (samples instanceof Wanted && levelShift === 0 && isSigned === wantSigned) return samples;

  const stored = new Wanted(samples.length);
  if (isSigned === wantSigned) {
    for (let i = 0; i < samples.length; i++) stored[i] = samples[i] - levelShift;
    return stored;
  }
  const low = isSigned ? -(2 ** (precision - 1)) : 0;
  const high = low + 2 ** precision - 1;
  const unused = 32 - Math.min(precision, image.bitsStored);
  for (let i = 0; i < samples.length; i++) {
    // an overshoot would change its sign when read anew
    const bits = Math.min(Math.max(samples[i] - levelShift, low), high) << unused;
    stored[i] = wantSigned ? bits >> unused : bits >>> unused;
  }
  return stored;
}

/**
 * @param {boolean} isWide
 * @param {boolean} isSigned
 */
export function arrayType(isWide, isSigned) {
  if (isWide) return isSigned ? Int16Array : Uint16Array;
  return isSigned ? Int8Array : Uint8Array;
}

/**
 * Samples that lie colour by colour, brought together pixel by pixel.
 *
 * @template {StoredValues} T
 * @param {T} planes
 * @param {number} samplesPerPixel
 * @returns {T}
 */
export function interleaved(planes, samplesPerPixel) {
  const pixels = planes.slice();
  const planeLength = planes.length / samplesPerPixel;
  for (let sample = 0; sample < samplesPerPixel; sample++) {
    const start = sample * planeLength;
    for (let i = 0; i < planeLength; i++) pixels[i * samplesPerPixel + sample] = planes[start + i];
  }
  return /** @type {T} */ (pixels);
}

/**
 * Stored values of whole cells, and the cells themselves where they are wanted.
 *
 * @param {StoredValues | Float64Array<ArrayBuffer>} cells as many bits each as are allocated; becomes the stored values
 * @param {ImageShape} image
 * @returns {Pick<Pixels, 'data' | 'cells' | 'isRounded'>}
 */
export function fromCells(cells, image) {
  if (cells instanceof Float64Array) return narrowed(cells);
  if (image.isFloat) return { data: cells };
  const { bitsAllocated, bitsStored, samplesPerPixel } = image;
  const hasOthers = bitsAllocated > bitsStored && bitsAllocated <= 16 && samplesPerPixel === 1;
  if (!image.wantsCells || !hasOthers) return { data: clearUnusedBits(cells, image) };
  const { buffer } = cells.slice();
  const patterns = bitsAllocated === 16 ? new Uint16Array(buffer) : new Uint8Array(buffer);
  return { data: clearUnusedBits(cells, image), cells: patterns };
}

/**
 * The floats of 32 bits nearest to those of 64, which nothing behind the decoder reads.
 *
 * @param {Float64Array} wide
 * @returns {Pick<Pixels, 'data' | 'isRounded'>}
 */
function narrowed(wide) {
  const data = Float32Array.from(wide);
  const isRounded = data.some((value, i) => !Object.is(value, wide[i]));
  return isRounded ? { data, isRounded } : { data };
}

/**
 * Clears, or fills with the sign, the bits of each element that lie outside of Bits Stored (PS3.5 8.1.1), in place.
 *
 * @template {StoredValues} T
 * @param {T} cells as many bits each as are allocated
 * @param {ImageShape} image
 * @returns {T}
 */
export function clearUnusedBits(
  cells,
  { bitsAllocated, bitsStored, highBit, pixelRepresentation },
) {
  if (bitsStored === bitsAllocated) return cells;
  const isPossible = highBit !== undefined && highBit >= bitsStored - 1 && highBit < bitsAllocated;
  const above = 31 - (isPossible ? highBit : bitsStored - 1);
  const unused = 32 - bitsStored;
  if (pixelRepresentation === 1) {
    for (let i = 0; i < cells.length; i++) cells[i] = (cells[i] << above) >> unused;
  } else {
    for (let i = 0; i < cells.length; i++) cells[i] = (cells[i] << above) >>> unused;
  }
  return cells;
}

/**
 * One bit a pixel to one byte a pixel; the first pixel is in the lowest bit (PS3.5 8.1.1, 8.2).
 *
 * @param {Uint8Array} packed
 * @param {number} firstBit
 * @param {number} count
 */
export function unpackBits(packed, firstBit, count) {
  const pixels = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    const bit = firstBit + i;
    pixels[i] = (packed[bit >> 3] >> (bit & 7)) & 1;
  }
  return pixels;
}

/**
 * The array type for whole cells, signed as Pixel Representation says.
 *
 * @param {ImageShape} image
 */
export function cellType({ bitsAllocated, pixelRepresentation, isFloat }) {
  const isSigned = pixelRepresentation === 1;
  if (bitsAllocated <= 16) return arrayType(bitsAllocated === 16, isSigned);
  if (isFloat) return bitsAllocated === 64 ? Float64Array : Float32Array;
  return isSigned ? Int32Array : Uint32Array;
}
