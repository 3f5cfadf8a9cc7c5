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
