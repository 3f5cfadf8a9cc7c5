/** What commands act on: the plane that was last used, or the stack where that was last. */

/**
 * @typedef {object} ActiveViewHost
 * @property {import('./layouts.js').Layouts} layouts
 */

export class ActiveView {
  #stack;
  #host;

  /**
   * @param {import('../viewport/viewport.js').Viewport} stack
   * @param {ActiveViewHost} host
   */
  constructor(stack, host) {
    this.#stack = stack;
    this.#host = host;
  }

  /** The plane that was last pointed at, or null where that is the stack. */
  get plane() {
    return this.#host.layouts.panes?.active ?? null;
  }

  /** What all planes share, where there are any. */
  get linked() {
    return this.#host.layouts.panes?.linked ?? null;
  }

  get view() {
    return this.plane ?? this.#stack;
  }

  /** Values that windows are for, where those matter. */
  get data() {
    return this.plane ? undefined : this.#stack.frame?.data;
  }

  /** Of the stack and of the planes. @param {{center: number, width: number} | null} window null for the image's own */
  setWindow(window) {
    this.view.userWindow = window;
    this.#linkLook();
  }

  /** Of the stack and of the planes. */
  invert() {
    this.view.inverted = !this.view.inverted;
    this.#linkLook();
  }

  /** Planes tell the stack by themselves. */
  #linkLook() {
    if (!this.plane) this.#host.layouts.panes?.takeLook();
  }
}
