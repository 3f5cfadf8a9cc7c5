/** Which viewports stand beside one another: the stack alone, three planes of the volume, or both. */

/**
 * @typedef {'stack' | 'mpr' | '2x2'} LayoutName
 * @typedef {import('../engine/session.js').Session} Session
 * @typedef {import('./volume-panes.js').VolumePanes} VolumePanes
 * @typedef {import('./volume-panes.js').PanesHost} PanesHost
 */

/** @type {[LayoutName, string][]} */
export const LAYOUTS = [
  ['stack', 'Stack'],
  ['mpr', 'Three planes'],
  ['2x2', 'Three planes and stack'],
];

/** @type {Record<string, string>} */
export const SLAB_NAMES = { mip: 'MIP', minip: 'MinIP', mean: 'Mean' };

/** @param {string | null} name @returns {LayoutName} */
export function layoutNamed(name) {
  return LAYOUTS.find(([known]) => known === name)?.[0] ?? 'stack';
}

export class Layouts {
  #container;
  #host;
  /** @type {LayoutName} */
  #wanted = 'stack';
  /** @type {VolumePanes | null} */
  #panes = null;
  /** What the panes are of, or what is being loaded for. @type {object | null} */
  #volume = null;
  /** @type {Session | null} */
  #session = null;
  #failure = '';

  /**
   * @param {HTMLElement} container holds the stage of the stack, and takes the planes
   * @param {PanesHost & {changed: () => void}} host
   */
  constructor(container, host) {
    this.#container = container;
    this.#host = host;
    container.dataset.layout = 'stack';
  }

  /** What the reader has asked for. */
  get wanted() {
    return this.#wanted;
  }

  set wanted(name) {
    if (name === this.#wanted) return;
    this.#wanted = name;
    this.#bringUpToDate();
    this.#host.changed();
  }

  /** The planes, once there are any. */
  get panes() {
    return this.#panes;
  }

  /** Whether planes are shown, or will be unless it turns out that the series is no volume. */
  get expectsPlanes() {
    return this.#container.dataset.layout !== 'stack';
  }

  /** Whether the stack's stage is on the screen. */
  get showsStack() {
    return this.#panes === null || this.#wanted === '2x2';
  }

  /** Why the planes that are wanted cannot be shown, or an empty string. */
  get refusal() {
    const { series } = this.#session ?? {};
    if (this.#wanted === 'stack' || !series) return '';
    if (this.#failure || series.volume !== null) return this.#failure;
    return `Shown as a stack, not as a volume: ${series.noVolume ?? 'its slices do not make one'}`;
  }

  /** @param {Session | null} session whose series is shown */
  follow(session) {
    this.#session = session;
    this.#bringUpToDate();
  }

  #bringUpToDate() {
    const { series } = this.#session ?? {};
    const wanted = this.#wanted !== 'stack';
    if (!wanted) this.#failure = '';
    const volume = (wanted && !this.#failure && series?.volume) || null;
    // before Python has looked at the series nobody knows; the places are kept free meanwhile
    const opening = this.#session !== null && this.#session.error === null;
    const unknown = wanted && opening && !this.#failure && series?.volume === undefined;
    const shown = volume || unknown ? this.#wanted : 'stack';
    const { dataset } = this.#container;
    if (dataset.layout !== shown) dataset.layout = shown;
    const waiting = String(Boolean(unknown || (volume && !this.#panes)));
    if (dataset.waiting !== waiting) dataset.waiting = waiting;
    if (volume === this.#volume) return;
    this.#volume = volume;
    this.#panes?.release();
    this.#panes = null;
    if (volume) void this.#open(volume);
  }

  /**
   * The code of the planes is fetched when they are first asked for: no picture waits for it.
   *
   * @param {object} volume
   */
  async #open(volume) {
    try {
      const { VolumePanes } = await import('./volume-panes.js');
      if (volume !== this.#volume || !this.#session) return;
      this.#panes = VolumePanes.of(this.#session, this.#container, this.#host);
    } catch (error) {
      this.#failure = `The planes could not be opened: ${error instanceof Error ? error.message : error}`;
      console.error(error);
    }
    this.#bringUpToDate();
    this.#host.changed();
  }
}
