"""Sentences for the reader about what is left out of a volume, or made up in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


def count(number: int, noun: str) -> str:
    """``1 frame``, ``2 frames``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def gap_notice(missing: int, start: float, stop: float) -> str:
    """Of slices that are missing between two positions along the normal, in mm."""
    slices, are, they = ("slices", "are", "they are") if missing > 1 else ("slice", "is", "it is")
    return (
        f"{missing} {slices} {are} missing between {mm(start)} and {mm(stop)} mm; "
        f"{they} interpolated and marked"
    )


def irregular_notice(least: float, most: float) -> str:
    """Of slices at unequal distances, in mm."""
    return f"the distance between slices varies from {mm(least)} to {mm(most)} mm"


def tilt_notice(angle: float) -> str:
    """Of slices that are shifted against each other, by an angle in degrees."""
    return f"the slices are shifted against each other by {angle:.1f} degrees (gantry tilt)"


def duplicates_notice(frames: int, positions: int) -> Iterator[str]:
    """Of frames that lie where another one does; nothing where there are none."""
    extra = frames - positions
    if extra > 0:
        lie = "lies" if extra == 1 else "lie"
        yield f"{count(extra, 'frame')} {lie} where another one does; the first of each is used"


def left_out_notice(frames: int, which: str) -> str:
    """Of frames that are no slices of the volume; ``which`` tells what is different of them."""
    verb = "is" if frames == 1 else "are"
    return f"{count(frames, 'frame')} {which} {verb} left out of the volume"


def mm(value: float) -> str:
    """At most two digits after the point."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
