"""Which segments make up the prefix of a frame."""

from __future__ import annotations

from dataclasses import dataclass

from firstlight.ports import Piece
from firstlight.ranges import ByteRange


@dataclass(slots=True)
class Part:
    """A segment's share of a frame; offsets count from the frame's first byte."""

    segment: int
    start: int
    stop: int


class PrefixParts:
    """The parts of one frame's prefix, in order and without a gap.

    ``frame_start`` is where the frame lies in its resource.
    """

    def __init__(self, frame_start: int) -> None:
        self._frame_start = frame_start
        self._parts: list[Part] = []

    def begin(self, segment: int, start: int) -> None:
        """A new request continues the prefix at ``start``."""
        self._parts.append(Part(segment, start, start))

    def advance(self, segment: int, stop: int) -> None:
        """A segment now holds bytes up to ``stop``."""
        for part in self._parts:
            if part.segment == segment:
                part.stop = max(part.stop, stop)

    def segments(self) -> list[int]:
        """All segments of the frame."""
        return [part.segment for part in self._parts]

    def pieces(self, extent: ByteRange) -> tuple[Piece, ...]:
        """The pieces that together are ``extent`` of the frame, in offsets of their resource.

        Raises:
            LookupError: not all of it is held.
        """
        at, stop = extent.start, extent.stop
        found: list[Piece] = []
        for part in self._parts:
            if stop is None or at >= stop:
                break
            if part.start <= at < part.stop:
                until = min(part.stop, stop)
                found.append(Piece(part.segment, ByteRange(at, until).shifted(self._frame_start)))
                at = until
        if at != stop:
            raise LookupError(f"bytes {extent} of the frame are not held from {at} on")
        return tuple(found)
