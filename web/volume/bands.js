/** How good each part of a volume is, along its normal; pure. */

/**
 * @typedef {'final' | 'reduced' | 'interpolated' | 'failed'} SliceStatus `reduced`: a coarser level, or lossy before the
 *   final one; `interpolated`: not here yet; `failed`: cannot be had
 * @typedef {SliceStatus | 'gap' | 'missing' | 'outside'} VoxelStatus `gap`: the series has no slice there; `missing`:
 *   nothing is held to interpolate from
 * @typedef {{from: number, to: number, status: VoxelStatus}} Band mm along the normal
 */

/**
 * The volume cut into bands of one status, in order; a slice reaches half way to its neighbours, and no further than
 * half a spacing.
 *
 * @param {import('./grid.js').VolumeGeometry} geometry
 * @param {SliceStatus[]} statuses of the slices
 * @param {boolean} anyHeld
 * @returns {Band[]}
 */
export function bandsOf({ positions, spacing, gaps }, statuses, anyHeld) {
  const half = spacing[2] / 2;
  const gapAfter = new Set(gaps.map(([slice]) => slice));
  /** @type {Band[]} */
  const bands = [];
  const add = (/** @type {number} */ to, /** @type {VoxelStatus} */ wished) => {
    const status = anyHeld || wished === 'failed' ? wished : 'missing';
    const last = bands.at(-1);
    const from = last ? last.to : positions[0] - half;
    if (last && last.status === status) last.to = to;
    else bands.push({ from, to, status });
  };
  statuses.forEach((status, slice) => {
    const next = positions[slice + 1];
    if (next === undefined) add(positions[slice] + half, status);
    else if (gapAfter.has(slice)) {
      add(positions[slice] + half, status);
      add(next - half, 'gap');
    } else add((positions[slice] + next) / 2, status);
  });
  return bands;
}

/**
 * @param {Band[]} bands
 * @param {number} t mm along the normal
 * @returns {VoxelStatus}
 */
export function statusAt(bands, t) {
  let low = 0;
  let high = bands.length - 1;
  if (high < 0 || !(t >= bands[0].from && t <= bands[high].to)) return 'outside';
  while (low < high) {
    const middle = (low + high) >> 1;
    if (t > bands[middle].to) low = middle + 1;
    else high = middle;
  }
  return bands[low].status;
}
