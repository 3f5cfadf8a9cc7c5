/** From the samples as the library leaves them in its heap to stored values as DICOM describes them. */

/** @import { Component } from '../codestream.js' */
/** @import { ImageShape, StoredValues } from '../codec.js' */

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

/**
 * Turns decoded samples into an array of the type that Bits Allocated and Pixel Representation ask for; the same array
 * where it is of that type already.
 *
 * A codestream may disagree with Pixel Representation about the sign. Then its bits are right and its reading of them
 * is not: they are read anew as two's complement or unsigned, from Bits Stored.
 *
 * @param {StoredValues} samples
 * @param {number} levelShift subtracted from each sample: 2^(precision - 1) where a signed stream was decoded as unsigned
 * @param {Component} component
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
