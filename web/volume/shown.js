/** What a view of a volume shows: how good it is, what is under a pixel, what a slice has to do with it; pure. */

import { firstAfter } from './grid.js';
import { outlineOf, partOf } from './outline.js';
import { PARALLEL } from './planes.js';
import { sampleSlab } from './slab.js';
import { along, dot } from './vectors.js';
import { regionOf, slabGrid, toPatient } from './view.js';

/**
 * @typedef {import('./vectors.js').Vector} Vector
 * @typedef {import('./planes.js').Plane} Plane
 * @typedef {import('./view.js').View} View
 * @typedef {import('./view.js').Screen} Screen
 * @typedef {import('./volume.js').Volume} Volume
 * @typedef {import('./linked.js').Slab} Slab
 * @typedef {import('./slab.js').SlabGrid} SlabGrid
 * @typedef {Record<Exclude<import('./bands.js').VoxelStatus, 'outside'>, number>} Quality fractions of what is shown
 */

/** Intervals between the planes of a slab of which the quality is taken. */
const SLAB_PLANES = 8;

/** @type {Vector} */
const NOWHERE = [0, 0, 0];

/**
 * Whether a plane is parallel to the slices.
 *
 * @param {Volume} volume
 * @param {Plane} plane
 */
function isInSlices({ geometry }, { normal }) {
  return Math.abs(dot(normal, geometry.normal)) > PARALLEL;
}

/**
 * A point moved along the normal of a plane: from slice to slice where the plane is one, else by about a voxel.
 *
 * @param {Volume} volume
 * @param {Plane} plane
 * @param {Vector} point
 * @param {number} steps
 * @returns {Vector}
 */
export function scrolled(volume, plane, point, steps) {
  const { grid, slices } = volume;
  const { normal } = plane;
  if (!isInSlices(volume, plane)) return along(point, normal, steps * grid.voxelSize(normal));
  const forward = dot(normal, grid.geometry.normal) > 0 ? 1 : -1;
  const wished = volume.sliceAt(point) + Math.round(steps) * forward;
  return volume.pointOn(Math.min(Math.max(wished, 0), slices.length - 1), point);
}

/**
 * Where along its normal a plane through a point is: `mm` from the origin of the patient, `index` among `count` steps.
 *
 * @param {Volume} volume
 * @param {Plane} plane
 * @param {Vector} point
 */
export function positionOf(volume, plane, point) {
  const { grid, slices } = volume;
  const { normal } = plane;
  const mm = dot(point, normal);
  if (isInSlices(volume, plane)) {
    const slice = volume.sliceAt(point);
    const isForward = dot(normal, grid.geometry.normal) > 0;
    return { index: isForward ? slice : slices.length - 1 - slice, count: slices.length, mm };
  }
  const places = grid.corners.map((corner) => dot(corner, normal));
  const low = Math.min(...places);
  const step = grid.voxelSize(normal);
  const count = Math.max(1, Math.round((Math.max(...places) - low) / step));
  return { index: Math.min(count - 1, Math.max(0, Math.floor((mm - low) / step))), count, mm };
}

/**
 * What is drawn at a point. `value` is in modality units, null while there is nothing; `stored` is the nearest sample of
 * the slice itself, null where another value stands in for it.
 *
 * @param {Volume} volume
 * @param {View} view
 * @param {Vector} point on its plane
 * @param {{slab: Slab, interpolation: 'linear' | 'nearest'}} look
 */
export function probe(volume, view, point, look) {
  const linear = look.interpolation === 'linear';
  const found = volume.valueAt(point, linear);
  if (!found) return null;
  const slab = slabGrid(view, volume.grid, look.slab);
  if (slab) {
    const origin = volume.grid.toVoxel(point);
    const pixel = { origin, right: NOWHERE, down: NOWHERE, columns: 1, rows: 1 };
    const values = new Float32Array(1);
    sampleSlab(volume.field, pixel, slab, linear, values);
    found.value = Number.isNaN(values[0]) ? null : values[0];
  }
  const isItself = !slab && (found.status === 'final' || found.status === 'reduced');
  return { ...found, point, stored: isItself ? volume.storedAt(point) : null };
}

/**
 * What is shown, by how good it is: fractions of the part of the plane, or of the slab, that is on the screen and in the
 * volume.
 *
 * @param {Volume} volume
 * @param {View} view
 * @param {Screen} screen
 * @param {SlabGrid | null} slab
 * @returns {Quality}
 */
export function qualityShown({ grid, bands }, view, screen, slab) {
  /** @type {Quality} */
  const found = { final: 0, reduced: 0, interpolated: 0, failed: 0, gap: 0, missing: 0 };
  const region = regionOf(view, screen, grid);
  if (!region) return found;
  const outline = outlineOf(view, screen, grid, region);
  let whole = 0;
  for (const { from, to, status } of bands) {
    if (status === 'outside') continue;
    for (const t of someOf(slab)) {
      const part = partOf(outline, from - t, to - t);
      const area = part ? areaOf(part.polygon) : 0;
      found[status] += area;
      whole += area;
    }
  }
  for (const name of /** @type {(keyof Quality)[]} */ (Object.keys(found))) {
    found[name] = whole > 0 ? found[name] / whole : 0;
  }
  return found;
}

/**
 * How far some planes of a slab are from its middle along the volume's normal, its faces among them.
 *
 * @param {SlabGrid | null} slab
 */
function someOf(slab) {
  if (!slab) return [0];
  const last = slab.offsets.length - 1;
  const count = Math.min(last, SLAB_PLANES);
  return Array.from(
    { length: count + 1 },
    (_, i) => slab.offsets[Math.round((i / count) * last)][2],
  );
}

/** @param {import('./view.js').Point[]} polygon */
function areaOf(polygon) {
  const doubled = polygon.reduce((sum, { x, y }, i) => {
    const next = polygon[(i + 1) % polygon.length];
    return sum + x * next.y - next.x * y;
  }, 0);
  return Math.abs(doubled) / 2;
}

/**
 * The parts of what is shown that are not there or not final, in device px; of a slab, every part that any of it reaches.
 *
 * @param {Volume} volume
 * @param {View} view
 * @param {Screen} screen
 * @param {SlabGrid | null} slab
 */
export function bandsShown({ grid, bands }, view, screen, slab) {
  const region = regionOf(view, screen, grid);
  if (!region || bands.every(({ status }) => status === 'final')) return [];
  const outline = outlineOf(view, screen, grid, region);
  const reach = slab?.offsets.map((offset) => offset[2]) ?? [0];
  const [least, most] = [Math.min(...reach), Math.max(...reach)];
  return bands
    .filter(({ status }) => status !== 'final')
    .flatMap(({ from, to, status }) => {
      const part = partOf(outline, from - most, to - least);
      return part ? [{ status, ...part }] : [];
    });
}

/**
 * Whether anything that is shown may depend on a slice: it stands in for its neighbours until they are held.
 *
 * @param {Volume} volume
 * @param {View} view
 * @param {Screen} screen
 * @param {SlabGrid | null} slab
 * @param {number} slice
 */
export function touches({ grid, field, geometry }, view, screen, slab, slice) {
  const region = regionOf(view, screen, grid);
  if (!region) return false;
  const offsets = slab?.offsets.map((offset) => offset[2]) ?? [0];
  const { x, y, width, height } = region;
  const shown = [
    { x, y },
    { x: x + width, y },
    { x, y: y + height },
    { x: x + width, y: y + height },
  ].map((corner) => grid.toVoxel(toPatient(view, screen, corner))[2]);
  const low = Math.min(...shown) + Math.min(...offsets) - grid.margin;
  const high = Math.max(...shown) + Math.max(...offsets) + grid.margin;
  // as far as the nearest slices that are held on both sides
  const place = geometry.positions[slice];
  const after = firstAfter(field.positions, place);
  const before = field.positions[after - 1] === place ? after - 2 : after - 1;
  return (
    (field.positions[before] ?? -Infinity) <= high && (field.positions[after] ?? Infinity) >= low
  );
}
