"""Which segments hold which stretches of a frame's resource, beyond the prefix that is loaded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from firstlight.ports import Piece
from firstlight.ranges import ByteRange

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MAX_GAP_BYTES: Final = 32 * 1024
"""Ranges this near are one request: the gap costs 9 ms at 30 Mbit/s, a request about as much."""


@dataclass(slots=True)
class Stretch:
    """What one request was for, and up to where its segment holds it; offsets of the resource."""

    segment: int
    start: int
    held_stop: int
    asked_stop: int
    runs: bool = True
    used: int = 0


class RegionBytes:
    """The stretches of one frame's resource; they may overlap, and lie anywhere."""

    def __init__(self) -> None:
        self._stretches: dict[int, Stretch] = {}
        self._uses = 0

    @property
    def held_bytes(self) -> int:
        """What the transport holds for them."""
        return sum(one.held_stop - one.start for one in self._stretches.values())

    @property
    def coming_bytes(self) -> int:
        """What requests that run were asked for."""
        return sum(one.asked_stop - one.start for one in self.running())

    def begin(self, segment: int, extent: ByteRange) -> None:
        """A request starts."""
        assert extent.stop is not None
        self._stretches[segment] = Stretch(segment, extent.start, extent.start, extent.stop)

    def get(self, segment: int) -> Stretch | None:
        """The stretch of a segment."""
        return self._stretches.get(segment)

    def forget(self, segment: int) -> None:
        """A segment is released."""
        self._stretches.pop(segment, None)

    def running(self) -> list[Stretch]:
        """Requests that are not over."""
        return [one for one in self._stretches.values() if one.runs]

    def pieces(self, run: ByteRange) -> tuple[Piece, ...]:
        """The pieces that are a range of the resource.

        Raises:
            LookupError: not all of it is held.
        """
        found = []
        for one, start, stop in self._cover(run):
            if one is None:
                raise LookupError(f"bytes [{start}, {stop}) of the resource are not held")
            found.append(Piece(one.segment, ByteRange(start, stop)))
        return tuple(found)

    def holds(self, run: ByteRange) -> bool:
        """Whether a range is held."""
        return all(one is not None for one, _, _ in self._cover(run))

    def missing(self, runs: Iterable[ByteRange]) -> list[ByteRange]:
        """The requests that bring what is neither held nor on its way."""
        lacking = sorted(
            (start, stop)
            for run in runs
            for one, start, stop in self._cover(run, soon=True)
            if one is None
        )
        merged: list[tuple[int, int]] = []
        for start, stop in lacking:
            if merged and self._may_join(merged[-1][1], start):
                merged[-1] = (merged[-1][0], max(merged[-1][1], stop))
            else:
                merged.append((start, stop))
        return [ByteRange(start, stop) for start, stop in merged]

    def _may_join(self, stop: int, start: int) -> bool:
        """Whether a gap is so small, and nothing in it held, that it may be fetched too."""
        if start <= stop or start - stop > MAX_GAP_BYTES:
            return start <= stop
        return all(one is None for one, _, _ in self._cover(ByteRange(stop, start), soon=True))

    def unneeded(self, runs: Iterable[ByteRange]) -> list[Stretch]:
        """Requests that run and bring none of these ranges."""
        wanted = list(runs)

        def brings(one: Stretch, run: ByteRange) -> bool:
            return run.start < one.asked_stop and one.start < (run.stop or 0)

        return [one for one in self.running() if not any(brings(one, run) for run in wanted)]

    def touch(self, runs: Iterable[ByteRange]) -> None:
        """These ranges are in use: what holds them goes last."""
        self._uses += 1
        for run in runs:
            for one, _, _ in self._cover(run, soon=True):
                if one is not None:
                    one.used = self._uses

    def surplus(self, limit_bytes: int) -> list[int]:
        """The segments to release so that no more than a limit is held, the longest unused first.

        Never one that runs or was touched last.
        """
        over = self.held_bytes - limit_bytes
        found = []
        for one in sorted(self._stretches.values(), key=lambda one: one.used):
            if over <= 0:
                break
            if not one.runs and one.used < self._uses:
                over -= one.held_stop - one.start
                found.append(one.segment)
        return found

    def _cover(
        self, run: ByteRange, *, soon: bool = False
    ) -> Iterator[tuple[Stretch | None, int, int]]:
        """A range part by part: which stretch holds it, or will ``soon``; None for none."""
        at, stop = run.start, run.stop or 0
        while at < stop:
            best, until, gap_stop = None, at, stop
            for one in self._stretches.values():
                end = one.asked_stop if one.runs and soon else one.held_stop
                if one.start <= at:
                    if end > until:
                        best, until = one, end
                elif end > one.start:
                    gap_stop = min(gap_stop, one.start)
            until = min(until, stop) if best is not None else gap_stop
            yield best, at, until
            at = until
