/** Runs before any script of our page: the element's events as marks under the names both peers use. */
(() => {
  const { bench } = globalThis;
  const viewer = () => document.querySelector('firstlight-viewer');

  addEventListener('firstlight:frame-render', ({ detail }) => {
    const { resolutionLevel, decompositionLevels } = detail;
    const final = resolutionLevel === decompositionLevels;
    bench.mark('image', { halvings: decompositionLevels - resolutionLevel });
    if (final && !bench.marked('final')) bench.mark('final');
    bench.mark('rendered');
  });
  addEventListener('firstlight:complete', () => {
    bench.mark('complete');
    bench.mark('rendered');
  });
  addEventListener('firstlight:error', ({ detail: { error } }) => {
    bench.failure ??= `${error.type}: ${error.message}`;
  });

  let ready = null;
  bench.watchers.push(() => {
    const element = viewer();
    if (!element?.state) return;
    if (element.ready !== ready) {
      ready = element.ready;
      ready.then(() => bench.mark('ready')).catch(() => {});
    }
    if (bench.marked('every-frame')) return;
    const states = element.state();
    if (states.length > 0 && states.every(({ resolutionLevel }) => resolutionLevel !== null)) {
      bench.mark('every-frame');
      bench.mark('rendered');
    }
  });

  bench.open = (src) => (viewer().src = src);
  /** Marks when the two files that `web/boot/kept.js` keeps are there, and `web/boot/offline.js` has come to an end. */
  const lookForKept = async () => {
    const isOver = performance.getEntriesByName('firstlight:offline').length > 0;
    for (const name of isOver ? await caches.keys() : []) {
      if (!name.startsWith('firstlight-python')) continue;
      if ((await (await caches.open(name)).keys()).length === 2) return bench.mark('kept');
    }
    setTimeout(lookForKept, 100);
  };
  addEventListener('firstlight:complete', lookForKept, { once: true });
  bench.python = () => viewer().ready;
  bench.memory = async () => {
    const { pythonHeapBytes, pixelBytes } = await viewer().memory();
    return { pixels_mb: pixelBytes / 1e6, python_heap_mb: pythonHeapBytes / 1e6 };
  };
})();
