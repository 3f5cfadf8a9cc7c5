/** All codecs as the decoder worker has them, for Node. */

import { createDeflatedFrame } from '../../wasm/deflated-frame/deflated-frame.js';
import { loadCharls } from '../../wasm/charls/charls.js';
import { createJpegLossless } from '../../wasm/jpeg-lossless/jpeg-lossless.js';
import { loadLibjpegTurbo } from '../../wasm/libjpeg-turbo/libjpeg-turbo.js';
import { createNative } from '../../wasm/native/native.js';
import { loadOpenjpeg } from '../../wasm/openjpeg/openjpeg.js';
import { loadOpenjph } from '../../wasm/openjph/openjph.js';
import { createRle } from '../../wasm/rle/rle.js';

/**
 * @param {{maxSamples?: number}} options
 * @returns {import('../../wasm/runner.js').CodecTable}
 */
export function codecTable(options) {
  return {
    openjph: () => loadOpenjph(options),
    openjpeg: () => loadOpenjpeg(options),
    charls: () => loadCharls(options),
    'libjpeg-turbo': () => loadLibjpegTurbo(options),
    'jpeg-lossless': async () => createJpegLossless(options),
    rle: async () => createRle(options),
    'native-le': async () => createNative({ ...options, isBigEndian: false }),
    'native-be': async () => createNative({ ...options, isBigEndian: true }),
    'deflated-frame': async () => createDeflatedFrame(options),
  };
}

export const ALTERNATIVES = { openjph: 'openjpeg' };
