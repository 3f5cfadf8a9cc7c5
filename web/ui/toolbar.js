/** The row below the image: tools, window presets, polarity, reset, series. It takes no room from the picture. */

import { icon, make } from './dom.js';
import { Menu } from './menu.js';

/**
 * @typedef {'window' | 'pan' | 'zoom' | 'scroll'} Tool
 *
 * @typedef {object} ToolbarHost
 * @property {(tool: Tool) => void} chooseTool
 * @property {() => import('./menu.js').MenuItem[]} presets
 * @property {() => import('./menu.js').MenuItem[]} series
 * @property {() => void} invert
 * @property {() => void} reset
 * @property {() => void} fullscreen
 * @property {() => void} help
 */

/** @type {[Tool, string][]} */
const TOOLS = [
  ['window', 'Window and level (W)'],
  ['pan', 'Pan (P)'],
  ['zoom', 'Zoom (Z)'],
  ['scroll', 'Scroll through frames (S)'],
];

/** @type {readonly Tool[]} */
export const TOOL_NAMES = TOOLS.map(([tool]) => tool);

export class Toolbar {
  /** @type {Map<Tool, HTMLButtonElement>} */
  #tools = new Map();
  #invert;
  #presets;
  #series;
  element;

  /** @param {ToolbarHost} host */
  constructor(host) {
    for (const [tool, title] of TOOLS) {
      this.#tools.set(
        tool,
        button(tool, title, () => host.chooseTool(tool)),
      );
    }
    this.#presets = new Menu('presets', 'Window presets', host.presets);
    this.#series = new Menu('series', 'Series', host.series);
    this.#invert = button('invert', 'Invert (I)', host.invert);
    const full = button('fullscreen', 'Full screen', host.fullscreen);
    full.hidden = !document.fullscreenEnabled;
    this.element = make('div', { class: 'bar', role: 'toolbar', 'aria-label': 'Viewer' }, [
      make('div', { class: 'group' }, [...this.#tools.values()]),
      make('div', { class: 'group' }, [
        this.#presets.element,
        this.#invert,
        button('reset', 'Reset (R)', host.reset),
      ]),
      make('div', { class: 'group end' }, [
        this.#series.element,
        full,
        button('help', 'Keys and gestures (?)', host.help),
      ]),
    ]);
  }

  /**
   * @param {{tool: Tool, inverted: boolean, frameCount: number, grey: boolean, seriesCount: number, seriesLabel: string}} state
   */
  update({ tool, inverted, frameCount, grey, seriesCount, seriesLabel }) {
    for (const [name, element] of this.#tools) {
      element.setAttribute('aria-pressed', String(name === tool));
    }
    this.#invert.setAttribute('aria-pressed', String(inverted));
    const scroll = this.#tools.get('scroll');
    if (scroll) scroll.hidden = frameCount < 2;
    this.#presets.element.hidden = !grey;
    this.#series.element.hidden = seriesCount < 2;
    this.#series.label = seriesLabel;
  }
}

/**
 * @param {import('./dom.js').IconName} name
 * @param {string} title
 * @param {() => void} act
 */
function button(name, title, act) {
  const element = make('button', { type: 'button', title, 'aria-label': title }, [icon(name)]);
  element.addEventListener('click', act);
  return element;
}
