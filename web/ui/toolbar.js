/** The row below the image: tools, window presets, polarity, reset, series. It takes no room from the picture. */

import { icon, make, setIcon } from './dom.js';
import { rateLabel } from './measures.js';
import { Menu } from './menu.js';

/**
 * @typedef {'window' | 'pan' | 'zoom' | 'scroll'} Tool
 *
 * @typedef {object} ToolbarHost
 * @property {(tool: Tool) => void} chooseTool
 * @property {() => import('./menu.js').MenuItem[]} presets
 * @property {() => import('./menu.js').MenuItem[]} series
 * @property {() => void} invert
 * @property {() => void} overlays
 * @property {() => void} playOrPause
 * @property {() => import('./menu.js').MenuItem[]} rates
 * @property {() => void} openFiles
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
  #overlays;
  #play;
  #rates;
  #cine;
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
    this.#invert = button('invert', 'Invert (I)', () => host.invert());
    this.#overlays = button('overlays', 'Overlays (O)', () => host.overlays());
    this.#play = button('play', 'Play (Space)', () => host.playOrPause());
    this.#rates = new Menu('speed', 'Frames a second ([ ])', host.rates);
    this.#cine = make('div', { class: 'group cine' }, [this.#play, this.#rates.element]);
    const full = button('fullscreen', 'Full screen', () => host.fullscreen());
    full.hidden = !document.fullscreenEnabled;
    this.element = make('div', { class: 'bar', role: 'toolbar', 'aria-label': 'Viewer' }, [
      make('div', { class: 'group' }, [...this.#tools.values()]),
      make('div', { class: 'group' }, [
        this.#presets.element,
        this.#invert,
        this.#overlays,
        button('reset', 'Reset (R)', () => host.reset()),
      ]),
      this.#cine,
      make('div', { class: 'group end' }, [
        this.#series.element,
        button('open', 'Open files', () => host.openFiles()),
        full,
        button('help', 'Keys and gestures (?)', () => host.help()),
      ]),
    ]);
  }

  /**
   * @param {{tool: Tool, inverted: boolean, overlays: boolean | null, frameCount: number, playing: boolean, rate: number,
   *   grey: boolean, seriesCount: number, seriesLabel: string}} state `overlays` null where there are none
   */
  update({ tool, inverted, overlays, frameCount, playing, rate, grey, seriesCount, seriesLabel }) {
    for (const [name, element] of this.#tools) {
      element.setAttribute('aria-pressed', String(name === tool));
    }
    this.#invert.setAttribute('aria-pressed', String(inverted));
    this.#overlays.setAttribute('aria-pressed', String(overlays));
    this.#overlays.hidden = overlays === null;
    this.#cine.hidden = frameCount < 2;
    setIcon(this.#play, playing ? 'pause' : 'play');
    const title = playing ? 'Pause (Space)' : 'Play (Space)';
    if (this.#play.title !== title) this.#play.title = this.#play.ariaLabel = title;
    this.#rates.label = rateLabel(rate);
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
