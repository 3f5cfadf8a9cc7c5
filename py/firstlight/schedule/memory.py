"""What may stay in memory: the ledger of pixels and compressed bytes, and what to drop first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from firstlight.schedule import commands as do
from firstlight.schedule.order import NEAR_FRAMES, rank
from firstlight.schedule.states import FrameLedger, LevelState

if TYPE_CHECKING:
    from collections.abc import Iterator

    from firstlight.schedule.capacity import Capacity
    from firstlight.schedule.events import Demand


class Memory:
    """Counts what the page and the transport hold; only here is anything evicted."""

    def __init__(self, frames: list[FrameLedger], capacity: Capacity) -> None:
        self._frames = frames
        self._capacity = capacity
        self.pixel_bytes = 0
        self.compressed_bytes = 0

    @property
    def pixels_full(self) -> bool:
        """Whether only frames near the eye may still be decoded."""
        return self.pixel_bytes >= self._capacity.pixel_bytes

    @property
    def compressed_full(self) -> bool:
        """Whether only frames near the eye may still be fetched."""
        return self.compressed_bytes >= self._capacity.compressed_bytes

    def stored(self, frame: FrameLedger, stored_bytes: int) -> None:
        """The page now holds this many bytes of pixels for a frame, in place of what it held."""
        self.pixel_bytes += stored_bytes - frame.stored_bytes
        frame.stored_bytes = stored_bytes

    def held(self, frame: FrameLedger, stop: int) -> None:
        """The transport now holds this prefix of a frame; a shorter report changes nothing."""
        if stop > frame.held_stop:
            self.compressed_bytes += stop - frame.held_stop
            frame.held_stop = stop

    def release(self, frame: FrameLedger, out: list[do.Command]) -> None:
        """Forget a frame's compressed bytes; its pixels stay."""
        for level, state in enumerate(frame.levels):
            if state is LevelState.FETCHED:
                frame.move(level, LevelState.WANTED)
        self.compressed_bytes -= frame.held_stop
        frame.held_stop = 0
        out.append(do.Release(frame.index))

    def balance(self, demand: Demand, out: list[do.Command], touched: set[int]) -> None:
        """Drop what is farthest from the eye until both kinds fit again."""
        if self.pixel_bytes > self._capacity.pixel_bytes:
            for frame in self._farthest(demand):
                if self.pixel_bytes <= self._capacity.pixel_bytes:
                    break
                if frame.ready_level >= 0:
                    self._evict(frame, out)
                    touched.add(frame.index)
        if self.compressed_bytes > self._capacity.compressed_bytes:
            for frame in self._farthest(demand):
                if self.compressed_bytes <= self._capacity.compressed_bytes:
                    break
                if frame.held_stop and frame.request is None:
                    self.release(frame, out)
                    touched.add(frame.index)

    def _evict(self, frame: FrameLedger, out: list[do.Command]) -> None:
        frame.move(frame.ready_level, LevelState.EVICTED)
        frame.ready_level = -1
        self.pixel_bytes -= frame.stored_bytes
        frame.stored_bytes = 0
        out.append(do.Evict(frame.index))

    def _farthest(self, demand: Demand) -> Iterator[FrameLedger]:
        """Frames that may be dropped, the farthest first; never one that a job is reading."""
        for frame in sorted(self._frames, key=lambda frame: -rank(demand, frame.index)):
            if is_near(rank(demand, frame.index)):
                return
            if frame.job is None:
                yield frame


def is_near(place: int) -> bool:
    """Whether a rank lies among the frames on screen and those that may be scrolled to at once."""
    return place <= 2 * NEAR_FRAMES
