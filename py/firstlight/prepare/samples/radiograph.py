"""A generated chest radiograph of 3036 x 3036 pixels; there is no person in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from firstlight.prepare.samples.shapes import clouds, ellipse, enlarged, grid, inside, outside, tube

if TYPE_CHECKING:
    from firstlight.prepare.samples.shapes import Map

SIDE_PX: Final = 3036
BITS_STORED: Final = 12
_DRAWN_PX: Final = 759
"""Anatomy is drawn at a quarter of the size; only grain and noise need every pixel."""

_GRAY_PER_ATTENUATION: Final = 560.0
_QUANTUM_NOISE: Final = 17.0
"""Standard deviation in gray levels where the beam is not weakened at all."""


def radiograph(seed: int = 7) -> Map:
    """Stored values, (`SIDE_PX`, `SIDE_PX`), 12 bits, bright where much is absorbed."""
    rng = np.random.default_rng(seed)
    attenuation = enlarged(_attenuation(rng), SIDE_PX)
    bone_grain = enlarged(clouds(rng, _DRAWN_PX, 260), SIDE_PX)
    attenuation += 0.012 * bone_grain * attenuation
    noise = rng.standard_normal((SIDE_PX, SIDE_PX), dtype=np.float32)
    noise *= _QUANTUM_NOISE * np.exp(attenuation * 0.22)
    gray = (180 + _GRAY_PER_ATTENUATION * attenuation + noise) * enlarged(_exposed(), SIDE_PX)
    return np.clip(gray + 40, 0, (1 << BITS_STORED) - 1).astype(np.uint16)


def _attenuation(rng: np.random.Generator) -> Map:
    x, y = grid(_DRAWN_PX)
    lungs = _lungs(x, y)
    body = _body(x, y)
    total = 2.9 * body - 1.75 * lungs
    total += 0.11 * lungs * _vessels(rng, x, y)
    total += _heart(x, y) + _spine(x, y) * body
    total += (0.46 * _ribs(x, y) + 0.9 * _shoulders(x, y)) * np.sqrt(body)
    total -= 0.55 * inside(ellipse(x, y, (0.01, -0.78), (0.045, 0.42)), 0.5)
    total -= 0.6 * inside(ellipse(x, y, (0.36, 0.62), (0.13, 0.07), 0.2), 0.4)
    total += 0.05 * body * clouds(rng, _DRAWN_PX, 9) + 0.025 * body * clouds(rng, _DRAWN_PX, 40)
    return np.maximum(total, 0).astype(np.float32)


def _body(x: Map, y: Map) -> Map:
    """Thickness of the trunk, the shoulders and the neck."""
    half_width = 0.90 - 0.06 * np.cos(2.2 * y)
    trunk = np.clip(1 - np.abs(x / half_width) ** 3.2, 0, 1) ** 0.5
    shoulder_line = -0.86 + 0.34 * np.clip(np.abs(x) - 0.18, 0, 1) ** 1.4
    below = 1 / (1 + np.exp(-(y - shoulder_line) / 0.035))
    neck = np.clip(1 - (x / 0.24) ** 2, 0, 1) ** 0.5
    return np.maximum(trunk * below, 0.72 * neck) * (0.84 + 0.16 * np.clip(y + 0.4, 0, 1))


def _lungs(x: Map, y: Map) -> Map:
    right = inside(ellipse(x, y, (-0.415, -0.02), (0.315, 0.74), -0.10), 0.16)
    left = inside(ellipse(x, y, (0.425, 0.0), (0.305, 0.76), 0.11), 0.16)
    right *= outside(ellipse(x, y, (-0.42, 1.07), (0.62, 0.62)), 0.05)
    left *= outside(ellipse(x, y, (0.44, 1.13), (0.62, 0.62)), 0.05)
    mediastinum = 1 / (1 + np.exp((np.abs(x - 0.01) - 0.12) / 0.016))
    return np.clip(right + left, 0, 1) * (1 - mediastinum)


def _heart(x: Map, y: Map) -> Map:
    ventricles = inside(ellipse(x, y, (0.13, 0.24), (0.335, 0.25), 0.55), 0.14)
    atrium = inside(ellipse(x, y, (-0.08, 0.22), (0.155, 0.21)), 0.2)
    arch = inside(ellipse(x, y, (0.115, -0.30), (0.09, 0.10)), 0.25)
    roots = inside(ellipse(x, y, (0.0, -0.05), (0.215, 0.16)), 0.7)
    return 0.98 * np.maximum(ventricles, atrium) + 0.42 * arch + 0.34 * roots


def _spine(x: Map, y: Map) -> Map:
    bend = x - 0.012 * np.sin(2.3 * y)
    discs = 0.5 + 0.5 * np.cos(2 * np.pi * (y * 6.2 + 0.2 * y * y))
    width = 0.088 + 0.012 * discs
    return 0.62 * tube(bend, 0.1) * (0.62 + 0.38 * discs) + 0.18 * inside(np.abs(bend) / width, 0.3)


def _ribs(x: Map, y: Map) -> Map:
    """Ten pairs: behind, falling from the spine; in front, fainter, falling towards the middle."""
    out = np.abs(x)
    total = np.zeros((_DRAWN_PX, _DRAWN_PX), np.float32)
    for number in range(10):
        top = -0.80 + 0.148 * number
        reach = 0.50 + 0.30 * min(1.0, (number + 1) / 5)
        along = np.clip(out / reach, 0, 1)
        behind = top + 0.30 * along**2.2 - 0.09 * np.sin(np.pi * along)
        fade = inside(out / reach, 0.12) * outside(out / 0.06, 0.3)
        total += tube(y - behind, 0.030) * fade
        if number < 7:
            front = top + 0.20 + 0.36 * (1 - along) ** 1.3
            ends = inside(out / reach, 0.12) * outside(out / 0.30, 0.35)
            total += 0.42 * tube(y - front, 0.034) * ends
    return total


def _shoulders(x: Map, y: Map) -> Map:
    """Clavicles, shoulder blades and the heads of the arms."""
    out = np.abs(x)
    line = -0.70 - 0.16 * np.clip(out - 0.05, 0, 1) + 0.03 * np.sin(9 * out)
    ends = inside(out / 0.80, 0.06) * outside(out / 0.075, 0.2)
    clavicle = 0.62 * tube(y - line, 0.034) * ends
    blade = inside(ellipse(out, y, (0.74, -0.36), (0.13, 0.32), -0.35), 0.3)
    head = inside(ellipse(out, y, (0.93, -0.62), (0.13, 0.13)), 0.25)
    return clavicle + 0.26 * blade + 0.5 * head


def _vessels(rng: np.random.Generator, x: Map, y: Map) -> Map:
    """Ridges of smooth noise, thinning out away from the roots of the lungs."""
    total = np.zeros((_DRAWN_PX, _DRAWN_PX), np.float32)
    for cells, weight in ((14, 1.0), (30, 0.7), (62, 0.45)):
        ridge = 1 - np.clip(np.abs(clouds(rng, _DRAWN_PX, cells)) * 2.4, 0, 1)
        total += weight * ridge**2
    root = np.minimum(
        ellipse(x, y, (-0.17, -0.02), (0.5, 0.75)), ellipse(x, y, (0.19, -0.05), (0.5, 0.75))
    )
    return total * (0.35 + 2.1 * np.exp(-2.2 * root))


def _exposed() -> Map:
    """1 inside the collimated field, nearly 0 outside, its edge slightly turned and soft."""
    x, y = grid(_DRAWN_PX)
    turned_x, turned_y = x + 0.012 * y, y - 0.012 * x
    field = np.maximum(np.abs(turned_x) / 0.955, np.abs(turned_y) / 0.965)
    return 0.03 + 0.97 * inside(field, 0.008)
