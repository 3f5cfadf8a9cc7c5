"""How good a picture of a frame is."""

from __future__ import annotations

from enum import IntEnum


class Quality(IntEnum):
    """Quality status of a picture; a worse one never replaces a better one.

    The values are those of cornerstone3D's ImageQualityStatus, which configurations may use. The
    gaps are its own.
    """

    FAR_REPLICATE = 1
    """The picture of a frame further away, standing in."""
    ADJACENT_REPLICATE = 3
    """The picture of the frame beside it, standing in."""
    SUBRESOLUTION = 6
    """This frame, with fewer pixels than it has."""
    LOSSY = 7
    """This frame, all its pixels, not exactly as stored."""
    FULL_RESOLUTION = 8
    """This frame, as good as its source has it."""


def replaces(new: Quality, new_pixels: int, held: Quality | None, held_pixels: int) -> bool:
    """Whether a picture takes the place of the one held (None: there is none).

    Pixels are rows times columns. Of two pictures with equally many pixels the later one counts: it
    was decoded from more bytes.
    """
    if held is None or new != held:
        return held is None or new > held
    return new != Quality.SUBRESOLUTION or new_pixels >= held_pixels
