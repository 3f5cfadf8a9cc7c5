"""Which decode next: a heap of frames that hold a finer level than they show."""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING

from firstlight.schedule import commands as do
from firstlight.schedule.memory import Memory, is_near
from firstlight.schedule.order import rank
from firstlight.schedule.states import LevelState

if TYPE_CHECKING:
    from firstlight.schedule.capacity import Capacity
    from firstlight.schedule.events import Demand
    from firstlight.schedule.states import FrameLedger


class DecodeQueue:
    """Hands out at most ``capacity.decode_jobs`` jobs; the rest stays here and can be re-ranked."""

    def __init__(self, frames: list[FrameLedger], capacity: Capacity) -> None:
        self._frames = frames
        self._capacity = capacity
        self._waiting: list[tuple[int, int]] = []
        self._queued: set[int] = set()
        self._jobs: dict[int, FrameLedger] = {}
        self._next_job = 1

    def offer(self, frame: FrameLedger, place: int) -> None:
        """Queue a frame if it holds something finer than it shows."""
        if frame.index not in self._queued and _decodable(frame) is not None:
            self._queued.add(frame.index)
            heappush(self._waiting, (place, frame.index))

    def restate(self, demand: Demand) -> None:
        """Rank what waits by a new demand."""
        self._waiting = [(rank(demand, index), index) for index in self._queued]
        heapify(self._waiting)

    def fill(self, memory: Memory, out: list[do.Command]) -> None:
        """Hand out jobs while there is room, the best frame first, its finest level only."""
        while self._waiting and len(self._jobs) < self._capacity.decode_jobs:
            place, index = self._waiting[0]
            if memory.pixels_full and not is_near(place):
                return
            heappop(self._waiting)
            self._queued.discard(index)
            frame = self._frames[index]
            level = _decodable(frame)
            if level is None:
                continue
            frame.move(level, LevelState.DECODING)
            frame.job, frame.job_level = self._next_job, level
            self._jobs[self._next_job] = frame
            out.append(do.Decode(self._next_job, index, level, frame.level_ends[level]))
            self._next_job += 1

    def finished(self, job: int) -> FrameLedger | None:
        """The frame of a job that is over; None for a job nobody knows."""
        return self._jobs.pop(job, None)


def _decodable(frame: FrameLedger) -> int | None:
    """The finest level that is fetched and not shown; one job a frame, so that order is kept."""
    if frame.job is not None:
        return None
    level = frame.fetched_level
    if level > frame.ready_level and frame.levels[level] is LevelState.FETCHED:
        return level
    return None
