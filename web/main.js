/** What another page imports: it defines `<firstlight-viewer>` and does nothing else. */

export { FirstlightViewer } from './element.js';
