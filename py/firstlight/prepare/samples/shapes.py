"""Smooth things to build phantoms from; all maps are float32 arrays of (rows, columns)."""

from __future__ import annotations

from typing import Any

import numpy as np

Map = Any
"""An array of (rows, columns): float32 while it is drawn, integers when it is stored."""


def grid(side_px: int) -> tuple[Map, Map]:
    """Coordinates x (to the right) and y (down) of a square, from -1 to 1."""
    axis = np.linspace(-1, 1, side_px, dtype=np.float32)
    return axis[None, :], axis[:, None]


def enlarged(small: Map, side_px: int) -> Map:
    """A square map at another size, linearly between its points."""
    place = np.linspace(0, small.shape[0] - 1, side_px, dtype=np.float32)
    low = np.minimum(place.astype(np.intp), small.shape[0] - 2)
    weight = place - low
    tall = small[low] * (1 - weight[:, None]) + small[low + 1] * weight[:, None]
    return tall[:, low] * (1 - weight) + tall[:, low + 1] * weight


def clouds(rng: np.random.Generator, side_px: int, cells: int) -> Map:
    """Smooth noise of unit variance, ``cells`` bumps across."""
    coarse = rng.standard_normal((cells + 3, cells + 3), dtype=np.float32)
    between = enlarged(coarse, 4 * cells)
    softened = (between + np.roll(between, 1, 0) + np.roll(between, 1, 1)) / 3
    smooth = enlarged(softened, side_px)
    return smooth / smooth.std()


def inside(distance: Map, softness: float) -> Map:
    """1 where a distance is below 1, 0 above, with an edge ``softness`` wide."""
    ramp = np.clip((1 - distance) / softness + 0.5, 0, 1)
    return ramp * ramp * (3 - 2 * ramp)


def outside(distance: Map, softness: float) -> Map:
    """1 where a distance is above 1, 0 below."""
    return 1 - inside(distance, softness)


def ellipse(
    x: Map,
    y: Map,
    center: tuple[float, float],
    radii: tuple[float, float],
    tilt: float = 0.0,
) -> Map:
    """Distance from the center in units of the radii; ``tilt`` in radians."""
    dx, dy = x - center[0], y - center[1]
    along = dx * np.cos(tilt) + dy * np.sin(tilt)
    across = dy * np.cos(tilt) - dx * np.sin(tilt)
    return np.hypot(along / radii[0], across / radii[1])


def tube(distance: Map, radius: float) -> Map:
    """What a ray sees of a bone: a filled rod with a denser rim."""
    depth = np.sqrt(np.clip(1 - (distance / radius) ** 2, 0, 1))
    rim = np.exp(-(((np.abs(distance) - 0.82 * radius) / (0.16 * radius)) ** 2))
    return depth * 0.75 + rim * 0.55
