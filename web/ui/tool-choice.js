/** What a plain drag does, and that it is something that the layout has. */

import { PLANE_TOOLS, TOOL_NAMES } from './tools.js';

/** @typedef {import('./toolbar.js').Tool} Tool */

export class ToolChoice {
  /** @type {Tool} */
  #tool = 'window';
  /** The tool that was chosen before planes were shown. @type {Tool} */
  #stackTool = 'window';
  #planes = false;

  get tool() {
    return this.#tool;
  }

  /**
   * @param {Tool} tool
   * @param {boolean} planes whether planes are shown
   * @returns {boolean} whether there is such a tool there
   */
  choose(tool, planes) {
    if (!TOOL_NAMES.includes(tool)) return false;
    if (PLANE_TOOLS.includes(tool) && !planes) return false;
    this.#tool = tool;
    return true;
  }

  /** @param {boolean} planes whether planes are shown now */
  followLayout(planes) {
    if (planes && !this.#planes) {
      this.#stackTool = this.#tool;
      if (this.#tool === 'window') this.#tool = 'crosshair';
    } else if (!planes && PLANE_TOOLS.includes(this.#tool)) this.#tool = this.#stackTool;
    this.#planes = planes;
  }
}
