"""The heads file: which stretch of it to ask for next, and what a stretch brings to which frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from firstlight.schedule.frame_set import FrameSet, bits_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from firstlight.schedule.capacity import Capacity
    from firstlight.schedule.ledgers import FrameLedgers
    from firstlight.schedule.order import View
    from firstlight.schedule.states import FrameLedger

MILESTONE_BYTES = 8 * 1024
"""Python is woken after at least so much of the heads file: 2 ms of a 30 Mbit/s link."""


@dataclass(frozen=True, slots=True)
class HeadsPiece:
    """Bytes ``frame_start`` to ``frame_stop`` of a frame lie at ``start`` of the heads file."""

    start: int
    frame_index: int
    frame_start: int
    frame_stop: int

    @property
    def stop(self) -> int:
        """Where it ends in the heads file."""
        return self.start + self.frame_stop - self.frame_start


@dataclass(frozen=True, slots=True)
class Chunk:
    """Pieces that lie one behind the other, all of one pass."""

    pieces: tuple[HeadsPiece, ...]

    @property
    def start(self) -> int:
        """Where it begins in the heads file."""
        return self.pieces[0].start

    @property
    def stop(self) -> int:
        """Where it ends in the heads file."""
        return self.pieces[-1].stop

    def milestones(self) -> tuple[int, ...]:
        """Where Python wants to be woken: after the first piece, and then now and then."""
        points = [self.pieces[0].stop]
        for piece in self.pieces:
            if piece.stop >= points[-1] + MILESTONE_BYTES:
                points.append(piece.stop)
        return (*points, self.stop) if points[-1] != self.stop else tuple(points)


class HeadsQueue:
    """The pieces of all frames by pass; ``open[k]`` are the frames that lack piece k next."""

    def __init__(self, frames: FrameLedgers, capacity: Capacity) -> None:
        self._frames = frames
        self._capacity = capacity
        self._passes: list[dict[int, HeadsPiece]] = []
        self.open: list[FrameSet] = []

    def describe(self, pieces: Sequence[HeadsPiece]) -> None:
        """All pieces of the file; those of one frame in the order of its bytes."""
        count: dict[int, int] = {}
        for piece in pieces:
            number = count.get(piece.frame_index, 0)
            count[piece.frame_index] = number + 1
            if number == len(self._passes):
                self._passes.append({})
                self.open.append(FrameSet())
            self._passes[number][piece.frame_index] = piece
        for number, by_frame in enumerate(self._passes[:1]):
            self.open[number].bits = bits_of(by_frame)

    def changed(self, frame: FrameLedger) -> None:
        """Note what a frame still lacks; one with a request of its own needs no head."""
        held = max(frame.held_stop, frame.promised_stop)
        wanted = frame.may_fetch and not frame.ahead
        for number, by_frame in enumerate(self._passes):
            piece = by_frame.get(frame.index)
            if piece is not None:
                next_in_turn = held == piece.frame_start
                self.open[number].put(frame.index, member=wanted and next_in_turn)

    def covers(self, frame: FrameLedger) -> bool:
        """Whether the first piece of a frame will come without a request of its own."""
        return bool(self.open) and frame.index in self.open[0]

    def exclude(self, index: int) -> None:
        """A frame does without from now on."""
        for number, by_frame in enumerate(self._passes):
            by_frame.pop(index, None)
            self.open[number].put(index, member=False)

    def disable(self) -> None:
        """The file is missing: do without."""
        self._passes.clear()
        self.open.clear()

    def chunk(self, number: int, view: View) -> Chunk | None:
        """The next stretch of a pass: from the nearest frame away from the eye."""
        if number >= len(self.open):
            return None
        wanted = self.open[number]
        index = view.nearest(wanted.bits)
        if index is None:
            return None
        stride = 1 if index >= view.eye else -1
        by_frame = self._passes[number]
        pieces = [by_frame[index]]
        size = pieces[0].stop - pieces[0].start
        while size < self._capacity.heads_bytes and index + stride >= 0:
            index += stride
            piece = by_frame.get(index) if index in wanted else None
            if piece is None or not _adjoin(pieces[-1], piece, stride):
                break
            pieces.append(piece)
            size += piece.stop - piece.start
        return Chunk(tuple(pieces if stride > 0 else reversed(pieces)))

    def from_first_byte(self, stop: int | None) -> Chunk | None:
        """What a request from the file's first byte to ``stop`` brings."""
        pieces = sorted(
            (piece for by_frame in self._passes for piece in by_frame.values()),
            key=lambda piece: piece.start,
        )
        within = [piece for piece in pieces if stop is None or piece.stop <= stop]
        return Chunk(tuple(within)) if within else None


def _adjoin(one: HeadsPiece, other: HeadsPiece, stride: int) -> bool:
    return one.stop == other.start if stride > 0 else other.stop == one.start
