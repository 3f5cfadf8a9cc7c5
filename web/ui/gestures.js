/** Pointers and wheel on the stage, turned into commands; nothing here knows images. */

/**
 * @typedef {import('./toolbar.js').Tool} Tool
 *
 * @typedef {object} GestureTarget lengths in CSS px, points from the stage's corner
 * @property {Tool} tool
 * @property {number} frameCount
 * @property {() => void} beginWindow a window/level drag starts
 * @property {(dx: number, dy: number) => void} windowBy whole way since `beginWindow`
 * @property {(dx: number, dy: number) => void} pan
 * @property {(factor: number, x: number, y: number) => void} zoom
 * @property {(frames: number) => void} scroll
 * @property {(x: number, y: number) => void} pick puts the crosshair there
 * @property {(fromX: number, fromY: number, toX: number, toY: number) => void} turn the other planes, about the crosshair
 * @property {() => void} reset
 * @property {(dragging: boolean) => void} dragging
 */

/** A drag of this many px doubles or halves. */
const ZOOM_DOUBLES_PX = 160;

/** A drag of this many px is one frame; fewer where the whole series would not fit the stage. */
const SCROLL_FRAME_PX = 8;

/** Wheel px of one frame: less than a notch of a wheel (100 or 120), more than a tremble on a pad. */
const WHEEL_FRAME_PX = 50;

/** Wheel px that zoom by two. */
const WHEEL_DOUBLES_PX = 600;

/** What `deltaMode` counts, in px. */
const WHEEL_UNIT_PX = [1, 16, 400];

export class Gestures {
  #stage;
  #target;
  /** @type {Map<number, {x: number, y: number}>} */
  #pointers = new Map();
  /** @type {{tool: Tool, x: number, y: number, lastX: number, lastY: number, rest: number} | null} */
  #drag = null;
  #wheelPx = 0;

  /**
   * @param {HTMLElement} stage
   * @param {GestureTarget} target
   * @param {() => void} [doubleClick] resets where absent
   */
  constructor(stage, target, doubleClick = () => target.reset()) {
    this.#stage = stage;
    this.#target = target;
    stage.addEventListener('pointerdown', (event) => this.#onDown(event));
    stage.addEventListener('pointermove', (event) => this.#onMove(event));
    for (const end of /** @type {const} */ (['pointerup', 'pointercancel', 'lostpointercapture'])) {
      stage.addEventListener(end, (event) => this.#onEnd(event));
    }
    stage.addEventListener('wheel', (event) => this.#onWheel(event), { passive: false });
    stage.addEventListener('dblclick', (event) => {
      if (!fromControl(event)) doubleClick();
    });
    stage.addEventListener('contextmenu', (event) => event.preventDefault());
  }

  /** @param {PointerEvent} event */
  #onDown(event) {
    if (fromControl(event)) return;
    const point = this.#point(event);
    this.#stage.setPointerCapture(event.pointerId);
    this.#pointers.set(event.pointerId, point);
    if (this.#pointers.size > 1) {
      this.#drag = null;
      return;
    }
    const { x, y } = point;
    this.#drag = { tool: this.#toolFor(event), x, y, lastX: x, lastY: y, rest: 0 };
    if (this.#drag.tool === 'window') this.#target.beginWindow();
    if (this.#drag.tool === 'crosshair') this.#target.pick(x, y);
    this.#target.dragging(true);
  }

  /** @param {PointerEvent} event */
  #toolFor({ button, shiftKey, ctrlKey, metaKey }) {
    if (button === 1 || (button === 0 && shiftKey)) return 'pan';
    return button === 2 || ctrlKey || metaKey ? 'zoom' : this.#target.tool;
  }

  /** @param {PointerEvent} event */
  #onMove(event) {
    const before = this.#pointers.get(event.pointerId);
    if (!before) return;
    const now = this.#point(event);
    if (this.#pointers.size === 2) this.#pinch(event.pointerId, before, now);
    this.#pointers.set(event.pointerId, now);
    if (!this.#drag || this.#pointers.size !== 1) return;
    const drag = this.#drag;
    const { lastX, lastY } = drag;
    const dx = now.x - lastX;
    const dy = now.y - lastY;
    drag.lastX = now.x;
    drag.lastY = now.y;
    if (drag.tool === 'window') this.#target.windowBy(now.x - drag.x, now.y - drag.y);
    else if (drag.tool === 'pan') this.#target.pan(dx, dy);
    else if (drag.tool === 'zoom') this.#target.zoom(2 ** (-dy / ZOOM_DOUBLES_PX), drag.x, drag.y);
    else if (drag.tool === 'crosshair') this.#target.pick(now.x, now.y);
    else if (drag.tool === 'rotate') this.#target.turn(lastX, lastY, now.x, now.y);
    else this.#scrollBy(drag, dy);
  }

  /**
   * @param {{rest: number}} drag
   * @param {number} dy
   */
  #scrollBy(drag, dy) {
    const whole = this.#stage.clientHeight / this.#target.frameCount;
    const framePx = Math.max(1, Math.min(SCROLL_FRAME_PX, whole));
    const frames = Math.trunc((drag.rest + dy) / framePx);
    drag.rest += dy - frames * framePx;
    if (frames !== 0) this.#target.scroll(frames);
  }

  /**
   * @param {number} pointerId
   * @param {{x: number, y: number}} before
   * @param {{x: number, y: number}} now
   */
  #pinch(pointerId, before, now) {
    const other = [...this.#pointers].find(([id]) => id !== pointerId)?.[1];
    if (!other) return;
    const distance = Math.hypot(before.x - other.x, before.y - other.y);
    const grown = Math.hypot(now.x - other.x, now.y - other.y);
    this.#target.pan((now.x - before.x) / 2, (now.y - before.y) / 2);
    if (distance > 1 && grown > 1) {
      this.#target.zoom(grown / distance, (now.x + other.x) / 2, (now.y + other.y) / 2);
    }
  }

  /** @param {PointerEvent} event */
  #onEnd(event) {
    if (!this.#pointers.delete(event.pointerId)) return;
    this.#drag = null;
    this.#target.dragging(false);
  }

  /** @param {WheelEvent} event */
  #onWheel(event) {
    if (fromControl(event)) return;
    event.preventDefault();
    const px = event.deltaY * (WHEEL_UNIT_PX[event.deltaMode] ?? 1);
    if (event.ctrlKey || event.metaKey || this.#target.frameCount < 2) {
      const { x, y } = this.#point(event);
      this.#target.zoom(2 ** (-px / WHEEL_DOUBLES_PX), x, y);
      return;
    }
    this.#wheelPx = px * this.#wheelPx < 0 ? px : this.#wheelPx + px;
    if (Math.abs(this.#wheelPx) < WHEEL_FRAME_PX) return;
    this.#target.scroll(Math.sign(px) * Math.max(1, Math.round(Math.abs(px) / 100)));
    this.#wheelPx = 0;
  }

  /** @param {MouseEvent} event */
  #point(event) {
    const box = this.#stage.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }
}

/**
 * Buttons and cards on the stage keep their own pointers.
 *
 * @param {Event} event
 */
function fromControl({ target }) {
  return target instanceof Element && target.closest('button, .failure, .help, .drop') !== null;
}
