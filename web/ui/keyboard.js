/** Keys, turned into commands. */

/**
 * @typedef {object} KeyTarget
 * @property {(frames: number) => void} scroll
 * @property {(end: 'first' | 'last') => void} goToEnd
 * @property {(factor: number) => void} zoom
 * @property {(index: number) => void} preset
 * @property {(tool: import('./toolbar.js').Tool) => void} chooseTool
 * @property {() => void} reset
 * @property {() => void} fit
 * @property {() => void} invert
 * @property {() => void} overlays
 * @property {() => void} timeline
 * @property {() => void} nextLayout
 * @property {() => void} nextSlabMode
 * @property {(direction: 1 | -1) => void} changeThickness
 * @property {() => void} playOrPause
 * @property {(direction: 1 | -1) => void} changeRate
 * @property {() => void} help
 * @property {() => boolean} escape whether something was closed
 */

/** One press of + or -. */
const ZOOM_STEP = 1.25;

/** Frames of one Page Up or Page Down. */
const PAGE_FRAMES = 10;

/**
 * @param {KeyTarget} target
 * @param {KeyboardEvent} event
 * @returns {boolean} whether the key had a meaning here
 */
export function onKey(target, event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return false;
  // a button that has the focus is pressed by it
  if (event.key === ' ' && event.composedPath()[0] instanceof HTMLButtonElement) return false;
  const command = COMMANDS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (command) return command(target) !== false;
  if (/^[1-9]$/.test(event.key)) {
    target.preset(Number(event.key) - 1);
    return true;
  }
  return false;
}

/** @type {Record<string, (target: KeyTarget) => void | boolean>} */
const COMMANDS = {
  ArrowUp: (target) => target.scroll(-1),
  ArrowLeft: (target) => target.scroll(-1),
  ArrowDown: (target) => target.scroll(1),
  ArrowRight: (target) => target.scroll(1),
  PageUp: (target) => target.scroll(-PAGE_FRAMES),
  PageDown: (target) => target.scroll(PAGE_FRAMES),
  Home: (target) => target.goToEnd('first'),
  End: (target) => target.goToEnd('last'),
  Escape: (target) => target.escape(),
  '+': (target) => target.zoom(ZOOM_STEP),
  '=': (target) => target.zoom(ZOOM_STEP),
  '-': (target) => target.zoom(1 / ZOOM_STEP),
  0: (target) => target.reset(),
  r: (target) => target.reset(),
  f: (target) => target.fit(),
  i: (target) => target.invert(),
  o: (target) => target.overlays(),
  t: (target) => target.timeline(),
  l: (target) => target.nextLayout(),
  m: (target) => target.nextSlabMode(),
  ',': (target) => target.changeThickness(-1),
  '.': (target) => target.changeThickness(1),
  c: (target) => target.chooseTool('crosshair'),
  x: (target) => target.chooseTool('rotate'),
  ' ': (target) => target.playOrPause(),
  '[': (target) => target.changeRate(-1),
  ']': (target) => target.changeRate(1),
  w: (target) => target.chooseTool('window'),
  p: (target) => target.chooseTool('pan'),
  z: (target) => target.chooseTool('zoom'),
  s: (target) => target.chooseTool('scroll'),
  '?': (target) => target.help(),
};
