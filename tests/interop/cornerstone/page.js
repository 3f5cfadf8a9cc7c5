/** cornerstone3D as a reader of WADO-RS: `readSeries` gives the pixels of each frame by their hash. */

import * as cornerstone from '@cornerstonejs/core';
import * as dicomImageLoader from '@cornerstonejs/dicom-image-loader';

await cornerstone.init();
await dicomImageLoader.init({ maxWebWorkers: 2 });

async function sha256(bytes) {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Every frame of a series, from its metadata on; pixels hashed as 32-bit integers. */
globalThis.readSeries = async (url) => {
  const root = new URL(`${url}/`, location.origin);
  const instances = await (await fetch(new URL('metadata', root))).json();
  const found = [];
  for (const instance of instances) {
    const sopInstanceUid = instance['00080018'].Value[0];
    const frames = instance['00280008']?.Value?.[0] ?? 1;
    for (let frame = 1; frame <= frames; frame++) {
      const imageId = `wadors:${root.href}instances/${sopInstanceUid}/frames/${frame}`;
      dicomImageLoader.wadors.metaDataManager.add(imageId, instance);
      const image = await cornerstone.imageLoader.loadAndCacheImage(imageId, {
        preScale: { enabled: false },
      });
      const values = Int32Array.from(image.getPixelData());
      found.push({
        sopInstanceUid,
        frame,
        rows: image.rows,
        columns: image.columns,
        count: values.length,
        sha256: await sha256(values.buffer),
      });
    }
  }
  return found;
};
globalThis.ready = true;
