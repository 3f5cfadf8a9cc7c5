/** What stands around the picture. No picture waits for it: it is fetched when there is one. */

import { make } from './dom.js';
import { FURNITURE_STYLES } from './furniture-styles.js';
import { Help } from './help.js';
import { Strip } from './strip.js';
import { Toolbar } from './toolbar.js';

export class Furniture {
  styles = make('style', {}, [FURNITURE_STYLES]);
  help;
  strip;
  toolbar;

  /**
   * @param {import('./toolbar.js').ToolbarHost} commands
   * @param {{goTo: (frameIndex: number) => void, focus: () => void}} host
   */
  constructor(commands, host) {
    this.help = new Help(() => host.focus());
    this.strip = new Strip((frameIndex) => host.goTo(frameIndex));
    this.toolbar = new Toolbar(commands);
  }
}
