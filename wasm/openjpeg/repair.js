/** Makes a prefix of a codestream one that ends by the rules, which is all that OpenJPEG decodes. */

import { CodecError } from '../codec.js';
import { viewOf } from '../codestream.js';

const SOT = 0xff90;
const SOD = 0xff93;
const EOC = 0xffd9;
const SOT_BYTES = 12;
const PSOT = 6; // offset from SOT

/**
 * @typedef {object} Ending
 * @property {number} stop bytes to keep
 * @property {number | undefined} lastTilePart where the SOT is whose length has to be what is left of it
 * @property {boolean} hasEoc
 */

/**
 * Follows the tile-parts (ISO/IEC 15444-1 A.4.2) to where the bytes end. A codestream that is not as expected before
 * that is left as it is: the library judges it.
 *
 * @param {Uint8Array} codestream
 * @param {number} mainHeaderBytes
 * @returns {Ending}
 */
export function findEnding(codestream, mainHeaderBytes) {
  const view = viewOf(codestream);
  const { length } = codestream;
  const whole = { stop: length, lastTilePart: undefined, hasEoc: true };
  let at = mainHeaderBytes;
  while (at + SOT_BYTES <= length) {
    if (view.getUint16(at) === EOC) return whole;
    if (view.getUint16(at) !== SOT) return whole;
    const partBytes = view.getUint32(at + PSOT);
    if (partBytes === 0) return { ...whole, hasEoc: endsInEoc(codestream) };
    if (at + partBytes > length) {
      const isBegun = hasData(view, at, length);
      return { stop: isBegun ? length : at, lastTilePart: isBegun ? at : undefined, hasEoc: false };
    }
    at += partBytes;
  }
  if (at + 2 <= length && view.getUint16(at) === EOC) return whole;
  if (at === mainHeaderBytes) throw new CodecError('DecodeError', 'the first tile-part is cut');
  return { stop: at, lastTilePart: undefined, hasEoc: false };
}

/**
 * Copies the codestream to where the library reads it, with the repairs its ending needs.
 *
 * @param {Uint8Array} codestream
 * @param {Ending} ending
 * @param {(bytes: number) => Uint8Array} allocate
 */
export function copyRepaired(codestream, { stop, lastTilePart, hasEoc }, allocate) {
  const copy = allocate(stop + (hasEoc ? 0 : 2));
  copy.set(codestream.subarray(0, stop));
  const view = viewOf(copy);
  if (lastTilePart !== undefined) view.setUint32(lastTilePart + PSOT, stop - lastTilePart);
  if (!hasEoc) view.setUint16(stop, EOC);
  return copy;
}

/**
 * Whether a tile-part's header is complete: SOD is there.
 *
 * @param {DataView} view
 * @param {number} start
 * @param {number} length
 */
function hasData(view, start, length) {
  for (let at = start + SOT_BYTES; at + 2 <= length;) {
    if (view.getUint16(at) === SOD) return true;
    if (at + 4 > length) return false;
    at += 2 + view.getUint16(at + 2);
  }
  return false;
}

/** @param {Uint8Array} codestream */
function endsInEoc(codestream) {
  const end = codestream.at(-1) === 0 ? codestream.length - 1 : codestream.length; // DICOM pads to even lengths
  return codestream[end - 2] === 0xff && codestream[end - 1] === 0xd9;
}
