/** A promise that is settled from outside; `Promise.withResolvers` is younger than browsers in use. */

/** @returns {PromiseWithResolvers<void>} */
export function withResolvers() {
  /** @type {any} */
  const made = {};
  made.promise = new Promise((resolve, reject) => Object.assign(made, { resolve, reject }));
  made.promise.catch(() => {}); // nobody need wait for it
  return made;
}
