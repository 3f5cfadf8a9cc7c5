/**
 * Runs before any script of either page: notes when events happen and when the visible canvas changes.
 *
 * After every animation frame the middle of the canvas is copied and read, in a task of its own, so
 * that what the frame has drawn is seen at once. Both peers pay the same for it.
 */
(() => {
  const READ_PX = 256;
  const probe = new OffscreenCanvas(READ_PX, READ_PX);
  const context = probe.getContext('2d', { alpha: false, willReadFrequently: true });
  const { port1, port2 } = new MessageChannel();
  const bench = {
    /** @type {{name: string, at: number, detail: unknown}[]} times of `performance.now()` */
    marks: [],
    /** @type {{at: number, picture: number}[]} a number for what was seen, 0 for one colour only */
    reads: [],
    /** @type {(() => void)[]} called after every frame */
    watchers: [],
    startedAt: 0,
    reading: true,
    /** @type {string | null} why there is nothing more to wait for */
    failure: null,
    mark(name, detail = null) {
      bench.marks.push({ name, at: performance.now(), detail });
    },
    marked: (name) => bench.marks.find((mark) => mark.name === name),
    /** Whether what the mark tells of has been drawn, and the canvas read after that. */
    seen(name) {
      const from = bench.marked(name)?.at ?? Infinity;
      const drawn = bench.marks.find((mark) => mark.name === 'rendered' && mark.at >= from);
      return drawn !== undefined && bench.reads.at(-1)?.at >= drawn.at;
    },
    /** Forgets what was, keeps what is on the canvas as "the picture before". */
    start() {
      bench.marks.length = 0;
      bench.reads.length = 0;
      bench.startedAt = performance.now();
      read();
    },
    canvas: () =>
      document.querySelector('firstlight-viewer')?.shadowRoot?.querySelector('canvas') ??
      document.querySelector('.cornerstone-canvas'),
  };

  function read() {
    const canvas = bench.canvas();
    if (!canvas?.width || !bench.reading) return;
    const side = Math.min(READ_PX, canvas.width, canvas.height);
    const x = (canvas.width - side) >> 1;
    const y = (canvas.height - side) >> 1;
    context.drawImage(canvas, x, y, side, side, 0, 0, side, side);
    const pixels = new Uint32Array(context.getImageData(0, 0, side, side).data.buffer);
    bench.reads.push({ at: performance.now(), picture: numberOf(pixels) });
  }

  /** @param {Uint32Array} pixels */
  function numberOf(pixels) {
    let mixed = 0x811c9dc5;
    let varied = 0;
    for (const pixel of pixels) {
      mixed = Math.imul(mixed ^ pixel, 0x01000193);
      varied |= pixel ^ pixels[0];
    }
    return varied === 0 ? 0 : mixed >>> 0 || 1;
  }

  port2.onmessage = () => {
    read();
    for (const watcher of bench.watchers) watcher();
  };
  const onFrame = () => {
    port1.postMessage(null);
    requestAnimationFrame(onFrame);
  };
  requestAnimationFrame(onFrame);

  addEventListener('error', ({ error }) => {
    if (error) bench.failure ??= String(error);
  });
  addEventListener('unhandledrejection', ({ reason }) => (bench.failure ??= String(reason)));
  addEventListener('wheel', onWheel, { capture: true, passive: true });

  /** Notes how long it takes from an input's own time to the first change of the canvas. */
  function onWheel(event) {
    const before = bench.reads.at(-1)?.picture;
    const watcher = () => {
      const { at, picture } = bench.reads.at(-1);
      if (picture === before) return;
      bench.watchers.splice(bench.watchers.indexOf(watcher), 1);
      bench.mark('scrolled', at - event.timeStamp);
    };
    bench.watchers.push(watcher);
  }
  globalThis.bench = bench;
})();
