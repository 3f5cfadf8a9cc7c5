"""Which window of which resolution level the screen needs of an image too large to load whole."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Final

from firstlight.j2k.region import Box

if TYPE_CHECKING:
    from firstlight.dicom.attributes import ImageAttributes

Window = tuple[float, float, float, float]
"""Left, top, right and bottom as parts of the image's columns and rows, 0 to 1."""

REGION_CODEC: Final = "openjph"
"""The one decoder that makes a window of a level."""

WHOLE_IMAGE: Final[Window] = (0.0, 0.0, 1.0, 1.0)

WHOLE_PART: Final = 4
"""The largest level that is loaded whole has at most the limit divided by this: between that and
the limit a level costs seconds at 30 Mbit/s, and a window of it the twentieth part."""

MARGIN_PART: Final = 16
"""The part of a window's side that is loaded beyond it on each side: a small pan is free."""

MARGIN_PX: Final = 32
"""At least so much, also of a tiny window: less than a precinct, which comes whole anyway."""


@dataclass(frozen=True, slots=True)
class View:
    """What the screen shows of one frame: ``box`` in pixels of a resolution level."""

    frame_index: int
    level: int
    box: Box


def vast_levels_below(image: ImageAttributes, whole_samples: int) -> int:
    """How many levels below the full image an image is loaded whole; 0 if it is not vast.

    Vast is one of more than ``whole_samples`` samples (rows x columns x samples per pixel).
    """
    if _samples(image, 0) <= whole_samples:
        return 0
    below = 1
    while _samples(image, below) > whole_samples // WHOLE_PART and below < image.columns:
        below += 1
    return below


def _samples(image: ImageAttributes, below: int) -> int:
    rows, columns = -(-image.rows >> below), -(-image.columns >> below)
    return rows * columns * image.samples_per_pixel


def level_shown(image: ImageAttributes, levels: int, side_px: int) -> int:
    """The smallest of ``levels`` decompositions and the full image that has ``side_px`` pixels."""
    side, level = max(image.rows, image.columns), levels
    while level > 0 and -(-side >> 1) >= side_px:
        side, level = -(-side >> 1), level - 1
    return level


def view_of(
    image: ImageAttributes,
    levels: int,
    demand: tuple[int, Window, int],
    whole_samples: int,
) -> View:
    """The level and the pixels of it that are on screen.

    ``demand`` is the frame, its window, and the longest side of the full image on screen in device
    pixels. A window that has more than ``whole_samples`` at that level is had at a lower one.
    """
    frame_index, window, side_px = demand
    level = level_shown(image, levels, side_px)
    while True:
        box = box_at(image, levels - level, window)
        samples = (box.right - box.left) * (box.bottom - box.top) * image.samples_per_pixel
        if samples <= whole_samples or level == 0:
            return View(frame_index, level, box)
        level -= 1


def box_at(image: ImageAttributes, below: int, window: Window) -> Box:
    """A window in whole pixels, at least one, of the level ``below`` the full image."""
    columns, rows = -(-image.columns >> below), -(-image.rows >> below)
    left, top = _start(window[0], columns), _start(window[1], rows)
    return Box(left, top, _stop(window[2], left, columns), _stop(window[3], top, rows))


def _start(part: float, size: int) -> int:
    return min(max(int(part * size), 0), size - 1)


def _stop(part: float, start: int, size: int) -> int:
    return min(max(ceil(part * size), start + 1), size)


def grown(box: Box, image: ImageAttributes, below: int) -> Box:
    """A box with its margin, as far as the level ``below`` the full image goes."""
    columns, rows = -(-image.columns >> below), -(-image.rows >> below)
    across = max(MARGIN_PX, (box.right - box.left) // MARGIN_PART)
    down = max(MARGIN_PX, (box.bottom - box.top) // MARGIN_PART)
    return Box(
        max(0, box.left - across),
        max(0, box.top - down),
        min(columns, box.right + across),
        min(rows, box.bottom + down),
    )


def lowered(box: Box, by: int) -> Box:
    """The pixels that stand for a box ``by`` levels lower."""
    return Box(
        box.left >> by,
        box.top >> by,
        -(-box.right >> by),
        -(-box.bottom >> by),
    )


def contains(outer: View, inner: View) -> bool:
    """Whether what one view shows is in another, at the same level or a finer one."""
    by = outer.level - inner.level
    if outer.frame_index != inner.frame_index or by < 0:
        return False
    box = lowered(outer.box, by)
    across = box.left <= inner.box.left and inner.box.right <= box.right
    return across and box.top <= inner.box.top and inner.box.bottom <= box.bottom
