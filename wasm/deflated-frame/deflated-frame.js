/**
 * Deflated Image Frame Compression (PS3.5 A.4.13): each frame is uncompressed little-endian pixels, deflated (RFC 1951).
 */

import { checkOnlyLevel, checkShape } from '../codec.js';
import { inflate } from '../inflate.js';
import { readNative } from '../native/native.js';

/** @import { Codec } from '../codec.js' */

/** What the other codecs allow. */
const MAX_SAMPLES = 400_000_000;

/**
 * @param {{maxSamples?: number}} [options]
 * @returns {Codec}
 */
export function createDeflatedFrame({ maxSamples = MAX_SAMPLES } = {}) {
  return {
    name: 'deflated-frame',
    warm: () => false,
    heapBytes: () => 0,
    decode: (bytes, resolutionLevel, decompositionLevels, image, most = maxSamples) => {
      checkOnlyLevel(resolutionLevel, decompositionLevels);
      const limit = Math.min(most, maxSamples);
      const frameBytes = Math.ceil((checkShape(image, limit) * image.bitsAllocated) / 8);
      // frames begin at a byte of their own here
      return readNative(inflate(bytes, frameBytes), { ...image, firstBit: 0 }, false, limit);
    },
  };
}
