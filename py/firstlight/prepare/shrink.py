"""Smaller images by a proper low-pass filter, on stored values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from firstlight.prepare.stored import Pixels

_LOBES: Final = 2
"""Of the windowed sinc (Lanczos): sharper than averaging, with little ringing."""


def shrink(values: Pixels, reduction: int, *, indices: bool = False) -> Pixels:
    """An image with a side of 1/``reduction`` (rounded up), each pixel where its centre belongs.

    ``indices``: the values are palette indices, which cannot be averaged; the pixel at the centre
    is taken. Otherwise results are rounded, and kept within the values that occur.
    """
    if reduction == 1:
        return values
    if indices:
        return np.ascontiguousarray(
            values[reduction // 2 :: reduction, reduction // 2 :: reduction]
        )
    smaller = values
    for axis in (0, 1):
        smaller = _along(smaller, axis, reduction)
    limited = np.clip(np.rint(smaller), values.min(), values.max())
    return np.ascontiguousarray(limited.astype(values.dtype))


def _along(values: NDArray[Any], axis: int, reduction: int) -> NDArray[np.float32]:
    """Filter and take every ``reduction``-th along one axis; edges are repeated."""
    size = values.shape[axis]
    first = np.arange(-(-size // reduction)) * reduction
    before = _LOBES * reduction
    padding = [(0, 0)] * values.ndim
    padding[axis] = (before, before + reduction)
    padded = np.pad(values, padding, mode="edge")
    shape = (*values.shape[:axis], len(first), *values.shape[axis + 1 :])
    total = np.zeros(shape, np.float32)
    for tap, weight in enumerate(_weights(reduction)):
        if weight:
            total += weight * np.take(padded, first + tap, axis=axis)
    return total


def _weights(reduction: int) -> NDArray[np.float32]:
    """Taps from `_LOBES` smaller pixels before a block to as many behind; they add up to one."""
    tap = np.arange(-_LOBES * reduction, (_LOBES + 1) * reduction)
    distance = (tap - (reduction - 1) / 2) / reduction
    taps = np.sinc(distance) * np.sinc(distance / _LOBES) * (np.abs(distance) < _LOBES)
    weights: NDArray[np.float32] = (taps / taps.sum()).astype(np.float32)
    return weights
