/** The row below the image: tools, window presets, polarity, reset, series. It takes no room from the picture. */

import { icon, make, setIcon } from './dom.js';
import { rateLabel } from './measures.js';
import { Menu } from './menu.js';
import { PLANE_TOOLS, TOOLS } from './tools.js';

/**
 * @typedef {'window' | 'pan' | 'zoom' | 'scroll' | 'crosshair' | 'rotate'} Tool
 *
 * @typedef {object} ToolbarHost
 * @property {(tool: Tool) => void} chooseTool
 * @property {() => import('./menu.js').MenuItem[]} presets
 * @property {() => import('./menu.js').MenuItem[]} series
 * @property {() => import('./menu.js').MenuItem[]} layouts
 * @property {() => import('./menu.js').MenuItem[]} slabs
 * @property {() => void} invert
 * @property {() => void} overlays
 * @property {() => void} timeline
 * @property {() => void} playOrPause
 * @property {() => import('./menu.js').MenuItem[]} rates
 * @property {() => void} openFiles
 * @property {() => void} reset
 * @property {() => void} fullscreen
 * @property {() => void} help
 */

export class Toolbar {
  /** @type {Map<Tool, HTMLButtonElement>} */
  #tools = new Map();
  #invert;
  #overlays;
  #timeline;
  #play;
  #rates;
  #cine;
  #presets;
  #layouts;
  #slabs;
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
    this.#layouts = new Menu('layout', 'Layout (L)', host.layouts);
    this.#slabs = new Menu('slab', 'Slab: thickness and projection (M)', host.slabs);
    this.#series = new Menu('series', 'Series', host.series);
    this.#invert = button('invert', 'Invert (I)', () => host.invert());
    this.#overlays = button('overlays', 'Overlays (O)', () => host.overlays());
    this.#play = button('play', 'Play (Space)', () => host.playOrPause());
    this.#rates = new Menu('speed', 'Frames a second ([ ])', host.rates);
    this.#cine = make('div', { class: 'group cine' }, [this.#play, this.#rates.element]);
    this.#timeline = button('timeline', 'Timeline (T)', () => host.timeline());
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
      make('div', { class: 'group planes' }, [this.#layouts.element, this.#slabs.element]),
      make('div', { class: 'group end' }, [
        this.#series.element,
        this.#timeline,
        button('open', 'Open files', () => host.openFiles()),
        full,
        button('help', 'Keys and gestures (?)', () => host.help()),
      ]),
    ]);
  }

  /**
   * @param {{tool: Tool, inverted: boolean, overlays: boolean | null, frameCount: number, playing: boolean, rate: number,
   *   grey: boolean, seriesCount: number, seriesLabel: string, planes: boolean, layout: string, slab: string}} state
   *   `overlays` null where there are none; `planes`: whether planes of a volume are shown
   */
  update(state) {
    const { tool, inverted, overlays, frameCount, playing, rate, grey } = state;
    for (const [name, element] of this.#tools) {
      press(element, name === tool);
      hide(element, PLANE_TOOLS.includes(name) && !state.planes);
    }
    press(this.#invert, inverted);
    press(this.#overlays, overlays === true);
    hide(this.#overlays, overlays === null);
    hide(this.#cine, frameCount < 2);
    const title = playing ? 'Pause (Space)' : 'Play (Space)';
    if (this.#play.title !== title) {
      this.#play.title = this.#play.ariaLabel = title;
      setIcon(this.#play, playing ? 'pause' : 'play');
    }
    this.#rates.label = rateLabel(rate);
    const scroll = this.#tools.get('scroll');
    if (scroll) hide(scroll, frameCount < 2);
    hide(this.#presets.element, !grey);
    hide(this.#layouts.element, frameCount < 2);
    this.#layouts.label = state.layout;
    hide(this.#slabs.element, !state.planes);
    this.#slabs.label = state.slab;
    hide(this.#series.element, state.seriesCount < 2);
    this.#series.label = state.seriesLabel;
  }
}

/**
 * Attributes are written only when they differ: every write may cost the browser a new look at all styles.
 *
 * @param {HTMLElement} element
 * @param {boolean} pressed
 */
function press(element, pressed) {
  const value = String(pressed);
  if (element.getAttribute('aria-pressed') !== value) element.setAttribute('aria-pressed', value);
}

/**
 * @param {HTMLElement} element
 * @param {boolean} hidden
 */
function hide(element, hidden) {
  if (element.hidden !== hidden) element.hidden = hidden;
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
