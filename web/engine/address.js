/**
 * A `src` that means the same in every thread.
 *
 * @param {string} src as in an attribute, possibly relative to the page
 */
export function absolute(src) {
  if (src.startsWith('local:')) return src;
  const kind = /^(jphuri|wadouri|dicomweb|jpip):/.exec(src)?.[0] ?? '';
  const url = new URL(src.slice(kind.length), document.baseURI);
  // One frame is in such a file; Python leaves the number out too, and must find the same address.
  if (kind === 'jphuri:') url.searchParams.delete('frame');
  return kind + url.href;
}

/** What is tried when the page's address names no source: where `firstlight serve` has its data. */
const USUAL_SRC = 'data/firstlight.json';

/**
 * What the page is to open.
 *
 * @param {string} query of its address
 */
export function srcOf(query) {
  return new URLSearchParams(query).get('src') ?? USUAL_SRC;
}

/**
 * Whether a `src` is a `firstlight.json`, which the prelude reads too.
 *
 * @param {string} src absolute
 */
export function isDescriptor(src) {
  return /^https?:/.test(src) && new URL(src).pathname.endsWith('.json');
}
