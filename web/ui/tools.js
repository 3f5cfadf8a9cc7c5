/** What a plain drag may do. @typedef {import('./toolbar.js').Tool} Tool */

/** @type {[Tool, string][]} */
export const TOOLS = [
  ['window', 'Window and level (W)'],
  ['pan', 'Pan (P)'],
  ['zoom', 'Zoom (Z)'],
  ['scroll', 'Scroll through frames (S)'],
  ['crosshair', 'Move the crosshair (C)'],
  ['rotate', 'Turn the other planes (X)'],
];

/** Tools that mean something only where planes are shown. @type {Tool[]} */
export const PLANE_TOOLS = ['crosshair', 'rotate'];

/** @type {readonly Tool[]} */
export const TOOL_NAMES = TOOLS.map(([tool]) => tool);
