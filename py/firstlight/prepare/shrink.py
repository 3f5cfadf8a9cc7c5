"""Smaller images by a proper low-pass filter, on stored values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from firstlight.prepare.stored import Pixels

_LOBES: Final = 2
"""Of the windowed sinc (Lanczos): sharper than averaging, with little ringing."""


_ROWS_AT_ONCE: Final = 256


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


def shrink_by_rows(
    rows: Callable[[int, int], Pixels], shape: tuple[int, ...], reduction: int, *, indices: bool
) -> Pixels:
    """As `shrink`, bit for bit, of an image of which only some rows are held at a time.

    ``rows`` returns those from a first to before a last; ``shape`` is that of the whole.
    """
    height, halo = shape[0], _LOBES * reduction
    if indices:
        middle = range(reduction // 2, height, reduction)
        return np.concatenate([rows(y, y + 1)[:, reduction // 2 :: reduction] for y in middle])
    count, low, high, done = -(-height // reduction), None, None, []
    at_once = max(1, _ROWS_AT_ONCE // reduction)
    for first in range(0, count, at_once):
        stop = min(first + at_once, count)
        start, end = first * reduction - halo, stop * reduction + halo
        block = rows(max(start, 0), min(end, height))
        low = block.min() if low is None else min(low, block.min())
        high = block.max() if high is None else max(high, block.max())
        padded = _padded(block, 0, max(0, -start), max(0, end - height))
        done.append(_along(_filtered(padded, 0, stop - first, reduction), 1, reduction))
    smaller = np.concatenate(done)
    return np.clip(np.rint(smaller), low, high).astype(block.dtype)


def _along(values: NDArray[Any], axis: int, reduction: int) -> NDArray[np.float32]:
    """Filter and take every ``reduction``-th along one axis; edges are repeated."""
    before = _LOBES * reduction
    padded = _padded(values, axis, before, before + reduction)
    return _filtered(padded, axis, -(-values.shape[axis] // reduction), reduction)


def _padded(values: NDArray[Any], axis: int, before: int, after: int) -> NDArray[Any]:
    padding = [(0, 0)] * values.ndim
    padding[axis] = (before, after)
    return np.pad(values, padding, mode="edge")


def _filtered(padded: NDArray[Any], axis: int, count: int, reduction: int) -> NDArray[np.float32]:
    """``count`` results along an axis, the first from the padding's beginning."""
    first = np.arange(count) * reduction
    shape = (*padded.shape[:axis], count, *padded.shape[axis + 1 :])
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
