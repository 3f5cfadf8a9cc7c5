/**
 * A codestream to warm up with: 36 x 36 samples of noise, 12 bits, 3 decomposition levels, lossless. Small, because the
 * first decode in a fresh worker is slow for what it touches first, not for its size.
 *
 * Made by `imagecodecs.htj2k_encode(noise, reversible=True, bitspersample=12, resolutions=3, prog_order='RPCL')`.
 */

/** @import { ImageShape } from '../codec.js' */

export const WARM_LEVELS = 3;

/** @type {ImageShape} */
export const WARM_IMAGE = {
  rows: 36,
  columns: 36,
  samplesPerPixel: 1,
  bitsAllocated: 16,
  bitsStored: 12,
  pixelRepresentation: 0,
};

const WARM_BASE64 =
  '/0//UQApQAAAAAAkAAAAJAAAAAAAAAAAAAAAJAAAACQAAAAAAAAAAAABCwEB/1AACAACAAAABv9SAAwAAgABAAMEBEAB/1wADSBocHBwcHBw' +
  'aGho/2QAFwABT3BlbkpQSCBWZXIgMC4zMi4wLv+QAAoAAAAAA7kAAf+TwAK8kmiIAv5CXn65NzhmdHoAwAFbAAV8ABWgC8I8ZgX8T67VnpOX' +
  'AEgmTJDznFLgFne1f4GXALMXNJBi8ECQeGgLNwDAAXcQAF3UABehgAlLsfwq1rKzmjk7bCcXT1EB93IyrYdl8x0UFy8Xe9fdsdUBLvbWd0Ma' +
  'Id0EbUPP4rGs54ceJ5YBHeJTRtGtOkUxSQz6laR28JMKFiOLeuEbdU4JAAMph8lDAEtN8/vuf9ONyF0yopo6iKgS0X0A1c6ZAQVRwqXHRxAA' +
  'YwnCiQpSvDxej5UwEJDYCwDbwkZvPiQoLFHzcY3uPJHDAAv7a2eR8ldF3v9ckNd/kKSCRAF+ywkDOgHAAvtWABfa8AC+8KFhmnxrwIiqUALD' +
  'u2qLRriQSMBnkVrU5Ns/glTIx0pSTIs8CHy1jmVC0GxMcAaI7qsqZ5SIv42Oflw4GEnzleNNE5A9HgNdAGYi4GQGGjdAaFBhCUR6EjmGTEgY' +
  'kaUmHDCgwyBCpJAQICEgyUmAnQoIIdZNwgUIL7NgBsJ6gs3jjVAE1IJnAbXGIQvsPEgx+gQpw3CNxQQO3eSQKS5XzkeUXMkXhY48MLJDYOr5' +
  'IXNJJ9A2jKaPNVIHohCs1GpgquqlEjVxQGeB8lgoodgybttpV2K1BGIhsTeAInNQvqqZRODIqNHwmldAwEjj0FOojE1BxFQMCGKjLXk4Bg0s' +
  'IkCwyiawqoi61ZATMMsDCDfOmSzC8E6gaV8MYcpFiGggHwLmUwgQR2DaeQdOtJEyJMDyEAgdImL0lbJkZosvkWg2AokViITUhNZsCXfIDRDb' +
  'U3LhCUW1as47/2TGjMSh0+2On+TrEuAAHkZ7SsOLVT92GPXDRe1F8hjo8NCRUFTFhpA0BQxQUcNSIFfH54rUyoVKKpypQepcgjWodNy+xDqK' +
  'FSqUlic/urpVQzYE5NkkuJOZKeGVpEKiahdleZzRGHWfkMAYYtPhLJBRrqSBw9NkNSMLif8483yv6kkAEB4+Ny7Y8GvTGdAA4YtBdDmsBCnJ' +
  '+RhdqbGcz2nvnAjxDMoFBGYIKExF6gYwIlAcN+vkBMAlWyqInCPVSzNBQFlTvu4biQFVQCAo3waIB3Cdgss/MRe8AEPqAFX+KonIjcWN3Rd1' +
  'rhKrtVMLtCAMqvMNkhAcF2ZyBG1WHMcEOsoYUgeTyGq3E8kaQ4h7wGOFkElqEBhcA3k9zRX2Tyqzxa88ErWqGq9pZDkdnA0rmD6KohqOhSAR' +
  'UJWVaEspczME/9k=';

/** @returns {Uint8Array} */
export function warmStream() {
  return Uint8Array.from(atob(WARM_BASE64), (character) => character.charCodeAt(0));
}
