/**
 * A `src` that means the same in every thread.
 *
 * @param {string} src as in an attribute, possibly relative to the page
 */
export function absolute(src) {
  if (src.startsWith('local:')) return src;
  const kind = /^(jphuri|wadouri|dicomweb|jpip):/.exec(src)?.[0] ?? '';
  return kind + new URL(src.slice(kind.length), document.baseURI).href;
}
