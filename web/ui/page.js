/** The page around the element: reads its address, and asks what to open when that says nothing. */

import '../element.js';
import { srcOf } from '../engine/address.js';
import { acceptDrops, chooseFiles } from './local-files.js';

/** @typedef {import('../element.js').FirstlightViewer} FirstlightViewer */

/** Parameters that are attributes of the element under the same name. */
const SHARED = ['configuration', 'layout', 'max-whole-samples'];

const parameters = new URLSearchParams(location.search);
const src = parameters.get('src');
const viewer = /** @type {FirstlightViewer} */ (document.createElement('firstlight-viewer'));
for (const name of SHARED) {
  const value = parameters.get(name);
  if (value !== null) viewer.setAttribute(name, value);
}
// people count frames from 1, as DICOM does
const frameNumber = Number(parameters.get('frame') ?? 1);
viewer.setAttribute('frame-index', String(Math.max(0, frameNumber - 1 || 0)));
viewer.setAttribute('src', srcOf(location.search));
if (src === null) viewer.addEventListener('firstlight:error', askUnlessShown);
viewer.addEventListener('firstlight:complete', keepForOffline, { once: true });
document.body.append(viewer);
viewer.focus({ preventScroll: true });

/** The viewer itself, for visits without network, when there is nothing else to do. */
function keepForOffline() {
  import('../boot/offline.js').then(
    ({ offline }) => offline(viewer.ready),
    () => {}, // gone from the host: there is a newer build
  );
}

/**
 * No data at the usual place is no failure: the page asks.
 *
 * @param {Event} event
 */
function askUnlessShown(event) {
  const { frameIndex, error } = /** @type {CustomEvent} */ (event).detail;
  if (frameIndex !== null || error.type === 'ConfigurationError') return;
  viewer.removeEventListener('firstlight:error', askUnlessShown);
  const start = document.getElementById('start');
  if (!start) return;
  viewer.remove();
  start.hidden = false;
  document.getElementById('src')?.focus();
  for (const button of start.querySelectorAll('[data-choose]')) {
    const folder = /** @type {HTMLElement} */ (button).dataset.choose === 'folder';
    button.addEventListener('click', () => chooseFiles({ folder }, showLocal));
  }
  const hover = (/** @type {boolean} */ over) => start.classList.toggle('hovering', over);
  acceptDrops(start, { hover, dropped: showLocal });
}

/** @param {File[]} files */
function showLocal(files) {
  const start = document.getElementById('start');
  if (start) start.hidden = true;
  viewer.openFiles(files);
  document.body.append(viewer);
  viewer.focus({ preventScroll: true });
}
