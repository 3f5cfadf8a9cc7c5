/**
 * cornerstone3D with one viewport, set up as its documentation says. The address may name what to
 * open (`?series=data/...&viewport=stack|volume&configuration=range|stream`); `open` does it later.
 */

import * as cornerstone from '@cornerstonejs/core';
import * as dicomImageLoader from '@cornerstonejs/dicom-image-loader';

const { Events, ViewportType } = cornerstone.Enums;
const { FULL_RESOLUTION } = cornerstone.Enums.ImageQualityStatus;
const { imageRetrieveMetadataProvider } = cornerstone.utilities;

/** Its documentation, progressive loading of stacks: "byte range (2 stages)" and "streaming (1 stage)". */
const STACK = {
  range: {
    ...cornerstone.ProgressiveRetrieveImages.sequentialRetrieveStages,
    retrieveOptions: {
      singleFast: { rangeIndex: 0, initialChunkSize: 65536, decodeLevel: 3 },
      singleFinal: { rangeIndex: -1 },
    },
  },
  stream: { retrieveOptions: { single: { streaming: true } } },
};

/** Its documentation, progressive loading of volumes: interleaved, HTJ2K by byte range. */
const VOLUME = {
  ...cornerstone.ProgressiveRetrieveImages.interleavedRetrieveStages,
  retrieveOptions: {
    multipleFast: { rangeIndex: 0, initialChunkSize: 64000, decodeLevel: 0 },
    multipleFinal: { rangeIndex: -1 },
  },
};

/** Its volume example lowers what runs at once, so that what is wanted first comes first. */
const AT_ONCE = { interaction: 6, thumbnail: 16, prefetch: 12 };

/** Stored values for each pixel of a window drag. */
const DRAG_STEP = 4;

const { bench } = globalThis;
const element = document.getElementById('viewport');
const engine = await initialise();

async function initialise() {
  await cornerstone.init();
  await dicomImageLoader.init({ maxWebWorkers: navigator.hardwareConcurrency || 1 });
  for (const [type, count] of Object.entries(AT_ONCE)) {
    cornerstone.imageLoadPoolManager.setMaxSimultaneousRequests(type, count);
  }
  element.addEventListener(Events.IMAGE_RENDERED, () => bench.mark('rendered'));
  element.addEventListener(Events.STACK_NEW_IMAGE, ({ detail: { image } }) => {
    bench.mark('image', { sidePx: Math.max(image.rows, image.columns) });
    if (image.imageQualityStatus === FULL_RESOLUTION) bench.mark('final');
  });
  element.addEventListener('pointermove', dragWindow);
  element.addEventListener('wheel', scroll, { passive: true });
  const { eventTarget } = cornerstone;
  eventTarget.addEventListener(Events.IMAGE_VOLUME_MODIFIED, volumeModified);
  eventTarget.addEventListener(Events.IMAGE_VOLUME_LOADING_COMPLETED, () => bench.mark('complete'));
  return new cornerstone.RenderingEngine('bench');
}

/** The image ids of a series, with their metadata registered. */
async function imageIdsOf(series) {
  const root = new URL(`${series}/`, location.origin);
  const instances = await (await fetch(new URL('metadata', root))).json();
  return instances.map((instance) => {
    const sopInstanceUid = instance['00080018'].Value[0];
    const imageId = `wadors:${root.href}instances/${sopInstanceUid}/frames/1`;
    dicomImageLoader.wadors.metaDataManager.add(imageId, instance);
    return imageId;
  });
}

function viewportOf(type) {
  const there = engine.getViewport('one');
  if (there?.type === type) return there;
  if (there) engine.disableElement('one');
  engine.enableElement({ viewportId: 'one', element, type, defaultOptions: {} });
  return engine.getViewport('one');
}

async function openStack(series, configuration) {
  imageRetrieveMetadataProvider.add('stack', STACK[configuration]);
  const viewport = viewportOf(ViewportType.STACK);
  await viewport.setStack(await imageIdsOf(series), 0);
  viewport.render();
}

async function openVolume(series) {
  imageRetrieveMetadataProvider.add('volume', VOLUME);
  const viewport = viewportOf(ViewportType.ORTHOGRAPHIC);
  const volumeId = `cornerstoneStreamingImageVolume:${series}`;
  const volume = await cornerstone.volumeLoader.createAndCacheVolume(volumeId, {
    imageIds: await imageIdsOf(series),
  });
  volume.load();
  await viewport.setVolumes([{ volumeId }]);
  viewport.render();
}

/** Notes when every slice has data, its own or its neighbour's. */
function volumeModified({ detail: { volumeId } }) {
  if (bench.marked('every-frame')) return;
  const { cachedFrames, imageIds } = cornerstone.cache.getVolume(volumeId);
  if (Object.keys(cachedFrames).length === imageIds.length) bench.mark('every-frame');
}

/** What its window/level tool does, which comes in a package of its own. */
function dragWindow({ buttons, movementX, movementY }) {
  const viewport = engine.getViewport('one');
  const { lower, upper } = viewport?.getProperties().voiRange ?? {};
  if (buttons !== 1 || lower === undefined) return;
  const center = (lower + upper) / 2 + movementY * DRAG_STEP;
  const half = Math.max(1, (upper - lower) / 2 + movementX * DRAG_STEP);
  viewport.setProperties({ voiRange: { lower: center - half, upper: center + half } });
  viewport.render();
}

function scroll({ deltaY }) {
  const viewport = engine.getViewport('one');
  if (viewport) cornerstone.utilities.scroll(viewport, { delta: Math.sign(deltaY) });
}

const ways = { stack: openStack, volume: openVolume };
bench.open = (series, viewport, configuration) => ways[viewport](series, configuration);
bench.memory = () => ({ pixels_mb: cornerstone.cache.getCacheSize() / 1e6 });

const parameters = new URLSearchParams(location.search);
const series = parameters.get('series');
if (series) await bench.open(series, parameters.get('viewport'), parameters.get('configuration'));
