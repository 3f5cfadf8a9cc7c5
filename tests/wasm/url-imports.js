/** Loader hooks: what vite makes of `import url from 'file?url'`, for Node. */

import { fileURLToPath } from 'node:url';

/**
 * @param {string} specifier
 * @param {import('node:module').ResolveHookContext} context
 * @param {(specifier: string, context: import('node:module').ResolveHookContext) => Promise<{url: string}>} next
 */
export async function resolve(specifier, context, next) {
  if (!specifier.endsWith('?url')) return next(specifier, context);
  const { url } = await next(specifier.slice(0, -'?url'.length), context);
  const source = `export default ${JSON.stringify(fileURLToPath(url))}`;
  return { url: `data:text/javascript,${encodeURIComponent(source)}`, shortCircuit: true };
}
