/** Elements made in one expression; text is always text, never markup. */

const SVG = 'http://www.w3.org/2000/svg';

/**
 * @template {keyof HTMLElementTagNameMap} Name
 * @param {Name} name
 * @param {Record<string, string>} [attributes]
 * @param {(Node | string)[]} [children]
 * @returns {HTMLElementTagNameMap[Name]}
 */
export function make(name, attributes = {}, children = []) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

/** Drawn on a field of 20 by 20, strokes only. */
const ICONS = {
  window: 'M10 3a7 7 0 1 0 0 14a7 7 0 1 0 0-14M10 3v14M10 6l5.7 0M10 10h7M10 14h5.7',
  pan: 'M10 2v16M2 10h16M7.5 4.5L10 2l2.5 2.5M7.5 15.5L10 18l2.5-2.5M4.5 7.5L2 10l2.5 2.5M15.5 7.5L18 10l-2.5 2.5',
  zoom: 'M8.5 3a5.5 5.5 0 1 0 0 11a5.5 5.5 0 1 0 0-11M12.5 12.5L17.5 17.5M6 8.5h5M8.5 6v5',
  scroll: 'M3 7.5L10 4l7 3.5L10 11zM3 11l7 3.5L17 11M3 14.2l7 3.5 7-3.5',
  presets: 'M3 6h14M3 10h14M3 14h14M7 4v4M13 8v4M5.5 12v4',
  invert: 'M4 4h12v12H4zM4 16L16 4M8 16l8-8M12 16l4-4',
  reset: 'M4.5 8A6 6 0 1 1 4 11.5M4 4v4h4',
  series: 'M3 4h6v5H3zM11 4h6v5h-6zM3 11h6v5H3zM11 11h6v5h-6z',
  play: 'M6 4l10 6-10 6z',
  pause: 'M7 4v12M13 4v12',
  speed: 'M3.5 14.5a7.5 7.5 0 1 1 13 0M10 12l3.5-4.5',
  overlays: 'M3 3h14v14H3zM5.5 14.5l4-6 3 3.5 2.5-4.5',
  crosshair: 'M10 2v6M10 12v6M2 10h6M12 10h6M10 10h.01',
  rotate:
    'M3.5 14.5L16.5 5.5M16.6 10.5a6.8 6.8 0 0 1-5 6M11 13.9l.3 2.7 2.7-.4M3.4 9.5a6.8 6.8 0 0 1 5-6M9 6.1l-.3-2.7-2.7.4',
  layout: 'M3 4h14v12H3zM11 4v12M11 10h6',
  slab: 'M2.5 9L10 5.5 17.5 9 10 12.5zM2.5 9v3L10 15.5 17.5 12V9',
  timeline: 'M3 3v14h14M6 6h5M8.5 9.5h6M11 13h5.5',
  open: 'M3 16V4.5h5l1.5 2H17V16zM3 9h14',
  fullscreen: 'M3 7V3h4M13 3h4v4M17 13v4h-4M7 17H3v-4',
  help: 'M7.3 7.5a2.7 2.7 0 1 1 3.9 2.4c-.8.4-1.2.9-1.2 1.8v.4M10 15v.4',
};

/** @typedef {keyof typeof ICONS} IconName */

/** @param {IconName} name */
export function icon(name) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 20 20');
  svg.setAttribute('aria-hidden', 'true');
  svg.append(document.createElementNS(SVG, 'path'));
  setIcon(svg, name);
  return svg;
}

/**
 * @param {Element} svg that `icon` made, or what contains it
 * @param {IconName} name
 */
export function setIcon(svg, name) {
  svg.querySelector('path')?.setAttribute('d', ICONS[name]);
}

/**
 * Writes text only when it differs, so that nothing is laid out or announced anew.
 *
 * @param {Element} element
 * @param {string} text
 */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
