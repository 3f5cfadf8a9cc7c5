"""A generated CT of chest and abdomen: 100 slices of 512 x 512, no person in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from firstlight.prepare.samples.shapes import clouds, enlarged, grid, inside

if TYPE_CHECKING:
    from collections.abc import Iterator

    from firstlight.prepare.samples.shapes import Map


SLICES: Final = 100
SIDE_PX: Final = 512
PIXEL_SPACING_MM: Final = 0.78
SLICE_STEP_MM: Final = 3.0
RESCALE_SLOPE: Final = 0.125
RESCALE_INTERCEPT: Final = 1024.0
"""Stored -16384 is air at -1024 HU; an eighth of a unit keeps the noise, as some scanners do."""

_NOISE_HU: Final = 21.0
_DRAWN_PX: Final = SIDE_PX // 2
"""A scanner blurs by about two pixels; so does drawing at half the size."""


class _Organ(NamedTuple):
    """An ellipsoid: center and radii as (x, y, z) from -1 to 1, its value, its edge."""

    center: tuple[float, float, float]
    radii: tuple[float, float, float]
    hounsfield: float
    softness: float = 0.06


_ORGANS: Final = (
    _Organ((-0.34, -0.06, -0.62), (0.27, 0.37, 0.74), -860, 0.10),
    _Organ((0.35, -0.05, -0.62), (0.25, 0.37, 0.74), -860, 0.10),
    _Organ((0.08, -0.16, -0.36), (0.26, 0.23, 0.40), 42, 0.08),
    _Organ((0.05, -0.17, -0.34), (0.12, 0.11, 0.24), 150, 0.20),
    _Organ((0.16, -0.12, -0.40), (0.08, 0.10, 0.20), 165, 0.20),
    _Organ((0.0, 0.03, -1.1), (0.045, 0.05, 0.62), -980, 0.10),
    _Organ((0.09, 0.22, 0.0), (0.060, 0.060, 1.8), 155, 0.10),
    _Organ((-0.30, -0.05, 0.26), (0.40, 0.43, 0.42), 62, 0.05),
    _Organ((-0.36, 0.05, 0.30), (0.05, 0.03, 0.20), 140, 0.30),
    _Organ((-0.14, -0.30, 0.42), (0.09, 0.10, 0.16), 8, 0.10),
    _Organ((0.36, -0.14, 0.22), (0.22, 0.24, 0.30), 28, 0.06),
    _Organ((0.38, -0.24, 0.20), (0.15, 0.09, 0.20), -930, 0.08),
    _Organ((0.52, 0.16, 0.22), (0.15, 0.22, 0.28), 95, 0.06),
    _Organ((-0.34, 0.30, 0.70), (0.12, 0.14, 0.30), 125, 0.08),
    _Organ((0.36, 0.30, 0.66), (0.12, 0.14, 0.30), 125, 0.08),
    _Organ((-0.33, 0.29, 0.70), (0.05, 0.05, 0.14), 5, 0.20),
    _Organ((0.35, 0.29, 0.66), (0.05, 0.05, 0.14), 5, 0.20),
    _Organ((0.10, -0.10, 0.86), (0.46, 0.30, 0.36), 20, 0.10),
    _Organ((0.28, -0.22, 0.94), (0.11, 0.08, 0.30), -780, 0.15),
    _Organ((-0.26, -0.20, 1.0), (0.12, 0.07, 0.26), -700, 0.15),
)


def slices(count: int = SLICES, seed: int = 11) -> Iterator[Map]:
    """Stored values of each slice from the neck to the hip, (`SIDE_PX`, `SIDE_PX`)."""
    rng = np.random.default_rng(seed)
    fine, coarse = clouds(rng, _DRAWN_PX, 90), clouds(rng, _DRAWN_PX, 24)
    for index in range(count):
        z = -1 + 2 * index / max(1, count - 1)
        shift = 3 * index
        bumps = np.roll(coarse, -shift, 1)
        texture = 8 * np.roll(fine, shift, 0) + 6 * bumps
        hounsfield = enlarged(_section(z, texture, bumps), SIDE_PX)
        noise = rng.standard_normal((SIDE_PX, SIDE_PX), dtype=np.float32)
        hounsfield += noise * _noise_hu(z)
        stored = (hounsfield - RESCALE_INTERCEPT) / RESCALE_SLOPE
        yield np.clip(np.rint(stored), -16384, 16383).astype(np.int16)


def _section(z: float, texture: Map, bumps: Map) -> Map:
    x, y = grid(_DRAWN_PX)
    width, depth = 0.86 - 0.07 * z * z, 0.60 - 0.05 * z * z + 0.03 * z
    skin = np.hypot(x / width, y / depth)
    body = inside(skin, 0.02)
    fat = -100 + texture * 0.6
    muscle = inside(skin / (0.90 + 0.02 * np.cos(3 * z)), 0.03)
    values = (-1000 + body * (fat + 1000)).astype(np.float32)
    _blend(values, muscle * _wall(skin, z), 52 + texture)
    _blend(values, muscle * (1 - _wall(skin, z)), -55 + 3 * texture)
    for organ in _ORGANS:
        _put(values, organ, z, texture, bumps)
    _skeleton(values, skin, x, y, z)
    return values


def _wall(skin: Map, z: float) -> Map:
    """1 in the muscle of the trunk's wall, 0 in the fat of the abdomen inside it."""
    return 1 - inside(skin / 0.72, 0.10) * float(np.clip((z + 0.1) / 0.3, 0, 1))


def _put(
    values: Map,
    organ: _Organ,
    z: float,
    texture: Map,
    bumps: Map,
) -> None:
    """Draw an organ where this section cuts it."""
    height = 1 - ((z - organ.center[2]) / organ.radii[2]) ** 2
    if height <= 0:
        return
    x, y = grid(_DRAWN_PX)
    shrink = np.sqrt(height)
    rx, ry = organ.radii[0] * shrink, organ.radii[1] * shrink
    columns = np.flatnonzero(np.abs(x[0] - organ.center[0]) < 1.2 * rx)
    rows = np.flatnonzero(np.abs(y[:, 0] - organ.center[1]) < 1.2 * ry)
    if not len(columns) or not len(rows):
        return
    window = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    dx = (x[:, window[1]] - organ.center[0]) / rx
    dy = (y[window[0]] - organ.center[1]) / ry
    wobble = 1 + 0.022 * bumps[window]
    grain = 3.0 if organ.hounsfield < -500 else 0.7
    _blend(
        values[window],
        inside(np.hypot(dx, dy) * wobble, organ.softness),
        organ.hounsfield + grain * texture[window],
    )


def _skeleton(
    values: Map,
    skin: Map,
    x: Map,
    y: Map,
    z: float,
) -> None:
    """The spine with its canal, ribs that move forward along z, and the breastbone."""
    disc = 0.5 + 0.5 * np.cos(2 * np.pi * 9 * z)
    vertebra = np.hypot(x / 0.115, (y - 0.34) / 0.095)
    _blend(values, inside(vertebra, 0.08), np.float32(230 - 140 * disc))
    cortex = np.exp(-(((vertebra - 0.95) / 0.08) ** 2)) * (1 - 0.8 * disc)
    _blend(values, cortex, np.float32(620))
    process = inside(np.hypot(x / 0.03, (y - 0.52) / 0.07), 0.2)
    wings = inside(np.hypot(x / 0.17, (y - 0.455) / 0.022), 0.3)
    _blend(values, np.maximum(process, wings) * (1 - 0.7 * disc), np.float32(480))
    _blend(values, inside(np.hypot(x / 0.052, (y - 0.445) / 0.042), 0.15), np.float32(22))
    if z < 0.45:
        angle = np.arctan2(y, np.abs(x))
        phase = np.mod(angle * 3.4 - z * 26, 2 * np.pi)
        along = np.clip(1 - np.abs(phase - np.pi) / 0.95, 0, 1)
        ring = np.exp(-(((skin - 0.845) / 0.032) ** 2))
        _blend(values, ring * np.clip(along * 4, 0, 1), (260 + 420 * (1 - along)))
    if z < 0.0:
        breastbone = np.hypot(x / 0.075, (y + 0.50) / 0.022)
        _blend(values, inside(breastbone, 0.2), np.float32(330))


def _noise_hu(z: float) -> Map:
    """Noise grows where more is in the way: towards the middle, and below the lungs."""
    x, y = grid(64)
    strength = 0.75 + 0.55 * np.exp(-2.2 * (x * x + 1.8 * y * y)) + 0.15 * z
    return enlarged((_NOISE_HU * strength).astype(np.float32), SIDE_PX)


def _blend(
    values: Map,
    weight: Map,
    other: Map,
) -> None:
    values += weight * (other - values)
