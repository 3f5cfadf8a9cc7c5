"""Where frames lie in Pixel Data: native frames by arithmetic, offset tables by their entries."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from firstlight.errors import LimitExceeded, NotDicom

if TYPE_CHECKING:
    from collections.abc import Sequence

    from firstlight.ranges import ByteRange

MAX_FRAMES: Final = 1 << 18
"""Refused beyond this; a day of video at three frames a second."""

ITEM_HEADER_BYTES: Final = 8


@dataclass(frozen=True, slots=True)
class FramePlace:
    """One frame's bytes: ``length`` of them from ``start`` on, or the ``fragments`` joined.

    ``item_checked`` False: `start` and `length` follow from an offset table and hold if the frame
    is one fragment; the item header just before ``start`` tells (`check_item`). ``first_bit``
    counts the bits of the first byte that belong to the frame before.
    """

    start: int
    length: int
    fragments: tuple[ByteRange, ...] = ()
    item_checked: bool = True
    first_bit: int = 0


@dataclass(slots=True)
class PixelShape:
    """What of the Image Pixel module decides the size of a native frame (PS3.3 C.7.6.3)."""

    rows: int = 0
    columns: int = 0
    samples_per_pixel: int = 1
    bits_allocated: int = 16
    photometric_interpretation: str = ""
    frame_count: int = 1

    @property
    def frame_bits(self) -> int:
        """Bits of one frame, with chroma shared between pixels where the name says so."""
        samples = {
            ("YBR_FULL_422", 3): 4,
            ("YBR_PARTIAL_422", 3): 4,
            ("YBR_PARTIAL_420", 3): 3,
        }.get((self.photometric_interpretation, self.samples_per_pixel))
        doubled = 2 * self.samples_per_pixel if samples is None else samples
        return self.rows * self.columns * doubled * self.bits_allocated // 2


def native_frames(
    shape: PixelShape, start: int, length: int, *, resource: str | None
) -> tuple[FramePlace, ...]:
    """Frames that lie end to end, without padding, even between frames of one bit a pixel.

    Raises:
        NotDicom: Pixel Data is too short for the frames announced.
        LimitExceeded: more than `MAX_FRAMES`.
    """
    bits = shape.frame_bits
    if bits <= 0:
        raise NotDicom("no image: Rows, Columns or Bits Allocated is zero", resource=resource)
    needed = (bits * shape.frame_count + 7) // 8
    if needed > length:
        text = f"Pixel Data has {length} bytes, {shape.frame_count} frames need {needed}"
        raise NotDicom(text, resource=resource)
    check_count(shape.frame_count, resource=resource)
    return tuple(native_frame(shape, start, index) for index in range(shape.frame_count))


def native_frame(shape: PixelShape, start: int, frame_index: int) -> FramePlace:
    """One frame of those that lie end to end from ``start`` on."""
    bits = shape.frame_bits
    first, first_bit = divmod(frame_index * bits, 8)
    stop = ((frame_index + 1) * bits + 7) // 8
    return FramePlace(start + first, stop - first, first_bit=first_bit)


def check_count(frame_count: int, *, resource: str | None) -> None:
    """Refuse senseless numbers of frames before memory is taken for them.

    Raises:
        LimitExceeded: more than `MAX_FRAMES`.
    """
    if frame_count > MAX_FRAMES:
        raise LimitExceeded(f"more than {MAX_FRAMES} frames", resource=resource)


def offsets_from(value: bytes, width_bytes: int) -> tuple[int, ...]:
    """The entries of an offset table, little-endian as all encapsulated syntaxes are."""
    return tuple(
        int.from_bytes(value[at : at + width_bytes], "little")
        for at in range(0, len(value) - width_bytes + 1, width_bytes)
    )


def grows_from_zero(offsets: Sequence[int]) -> bool:
    """Whether a table is one to be believed: the first frame first, each after the one before."""
    pairs = pairwise(offsets)
    return bool(offsets) and offsets[0] == 0 and all(b >= a + 8 for a, b in pairs)


def frames_of_extended_table(
    first_item: int, offsets: Sequence[int], lengths: Sequence[int]
) -> tuple[FramePlace, ...]:
    """Frames of an Extended Offset Table, each one fragment (PS3.5 A.4, PS3.3 C.7.6.3.1.8)."""
    return tuple(
        FramePlace(first_item + offset + ITEM_HEADER_BYTES, length)
        for offset, length in zip(offsets, lengths, strict=True)
    )


def frames_of_basic_table(
    first_item: int, offsets: Sequence[int], last: FramePlace
) -> tuple[FramePlace, ...]:
    """Frames of a Basic Offset Table (PS3.5 A.4), each taken to be one fragment but not checked.

    A table tells where frames begin. ``last`` is the last frame, whose end it does not tell.
    """
    starts = [first_item + offset for offset in offsets]
    places = [
        FramePlace(start + ITEM_HEADER_BYTES, stop - start - ITEM_HEADER_BYTES, item_checked=False)
        for start, stop in pairwise(starts)
    ]
    return (*places, last)


def check_item(place: FramePlace, header: bytes, *, resource: str | None = None) -> bool:
    """Whether the eight bytes before an unchecked frame say that it is one fragment.

    False: it has several, and its item headers have to be walked.

    Raises:
        NotDicom: no item begins there.
    """
    if header[:4] != b"\xfe\xff\x00\xe0" or len(header) < ITEM_HEADER_BYTES:
        raise NotDicom("no fragment begins where the offset table says", resource=resource)
    length = int.from_bytes(header[4:8], "little")
    if length > place.length:
        raise NotDicom("a fragment is longer than its frame", resource=resource)
    return length == place.length
