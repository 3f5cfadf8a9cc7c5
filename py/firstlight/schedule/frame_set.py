"""Sets of frame indices in which the nearest to a place is found at once, whatever the size."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator


class FrameSet:
    """Frame indices as the bits of one integer: every operation takes about a microsecond.

    Sorting 5,000 frames anew for each scroll would take milliseconds in Pyodide; this needs none.
    """

    __slots__ = ("bits",)

    def __init__(self, bits: int = 0) -> None:
        self.bits = bits

    def put(self, index: int, *, member: bool) -> None:
        """Make an index a member or none."""
        if member:
            self.bits |= 1 << index
        else:
            self.bits &= ~(1 << index)

    def __contains__(self, index: int) -> bool:
        return bool(self.bits >> index & 1)

    def __bool__(self) -> bool:
        return self.bits != 0

    def __iter__(self) -> Iterator[int]:
        bits = self.bits
        while bits:
            lowest = bits & -bits
            yield lowest.bit_length() - 1
            bits ^= lowest


def span(start: int, stop: int) -> int:
    """The bits of indices ``start`` to ``stop`` (excluded); what lies below 0 is left out."""
    start, stop = max(0, start), max(0, stop)
    return (1 << stop) - (1 << min(start, stop))


def at_or_after(bits: int, index: int) -> int | None:
    """The smallest member that is not before ``index``."""
    index = max(0, index)
    rest = bits >> index
    return index + (rest & -rest).bit_length() - 1 if rest else None


def at_or_before(bits: int, index: int) -> int | None:
    """The largest member that is not after ``index``."""
    rest = bits & span(0, index + 1)
    return rest.bit_length() - 1 if rest else None


def bits_of(indices: Collection[int]) -> int:
    """The set of these indices."""
    flags = bytearray(max(indices, default=-8) // 8 + 1)
    for index in indices:
        flags[index >> 3] |= 1 << (index & 7)
    return int.from_bytes(flags, "little")
