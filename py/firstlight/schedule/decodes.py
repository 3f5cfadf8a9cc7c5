"""Which decode next: the nearest frame that holds a finer level than it shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from firstlight.schedule import commands as do
from firstlight.schedule.frame_set import FrameSet
from firstlight.schedule.states import LevelState

if TYPE_CHECKING:
    from firstlight.schedule.capacity import Capacity
    from firstlight.schedule.ledgers import Ledgers
    from firstlight.schedule.memory import Memory
    from firstlight.schedule.order import View
    from firstlight.schedule.states import FrameLedger
    from firstlight.schedule.wants import LoadingOrder


class DecodeQueue:
    """Hands out at most ``capacity.decode_jobs`` jobs; the rest stays here and can be re-ranked."""

    def __init__(self, ledgers: Ledgers, capacity: Capacity, memory: Memory) -> None:
        self._ledgers = ledgers
        self._capacity = capacity
        self._memory = memory
        self._waiting = FrameSet()
        self._jobs: dict[int, FrameLedger] = {}
        self._load = 0.0
        self._next_job = 1

    @property
    def has_room(self) -> bool:
        """Whether a decoder would take a job now."""
        return self._load < self._capacity.decode_jobs

    def offer(self, frame: FrameLedger) -> None:
        """Queue a frame if it holds something finer than it shows."""
        if frame.fetched_level > frame.ready_level:
            self._waiting.put(frame.index, member=True)

    def fill(self, order: LoadingOrder, view: View, now_ms: float, out: list[do.Command]) -> None:
        """Hand out jobs while there is room, the best frame first, its finest level only."""
        while self._waiting and self.has_room:
            index = self._next(view)
            if index is None:
                return
            self._waiting.put(index, member=False)
            found = self._best(index, order, now_ms)
            if found is not None:
                self._hand_out(*found, order, now_ms, out)

    def _next(self, view: View) -> int | None:
        """What is looked at or may be at once, then who shows nothing, then the rest."""
        waiting = self._waiting.bits
        for members in (waiting & view.close, waiting & ~self._memory.shown.bits, waiting):
            index = view.nearest(members)
            if index is not None and self._memory.may_show(index, view):
                return index
        return None

    def is_pending(
        self, frame: FrameLedger, order: LoadingOrder, view: View, now_ms: float
    ) -> bool:
        """Whether a picture of what a frame holds is being made, or will be."""
        if frame.job is not None:
            return True
        level = self._level(frame, order, now_ms)
        return level is not None and self._memory.may_show(frame.index, view)

    def finished(self, job: int) -> FrameLedger | None:
        """The frame of a job that is over; None for a job nobody knows."""
        frame = self._jobs.pop(job, None)
        if frame is not None:
            self._load -= self._weight(frame, frame.job_level)
        return frame

    def _weight(self, frame: FrameLedger, level: int) -> float:
        """What a job is beside one of usual size."""
        small = level == 0 and frame.job_stop <= self._capacity.small_job_bytes
        return self._capacity.small_job if small else 1.0

    def _best(
        self, index: int, order: LoadingOrder, now_ms: float
    ) -> tuple[FrameLedger, int] | None:
        """The representation and level to decode; one job a frame, so that order is kept."""
        ledgers = self._ledgers.of(index)
        if any(frame.job is not None for frame in ledgers):
            return None
        found = [(frame, self._level(frame, order, now_ms)) for frame in ledgers]
        levels = [(frame, level) for frame, level in found if level is not None]
        return max(levels, key=lambda pair: order.quality(*pair), default=None)

    def _level(self, frame: FrameLedger, order: LoadingOrder, now_ms: float) -> int | None:
        """The finest level that is fetched, not shown, and worth showing."""
        picture = self._ledgers.pictures[frame.index]
        other = picture.is_own and picture.representation != frame.representation
        for level in range(min(frame.fetched_level, frame.finest_level), frame.ready_level, -1):
            if frame.levels[level] is not LevelState.FETCHED:
                continue
            if other and order.quality(frame, level) < (picture.quality or 0):
                return None
            if order.shows(frame, level, now_ms):
                return level
        return None

    def _hand_out(
        self,
        frame: FrameLedger,
        level: int,
        order: LoadingOrder,
        now_ms: float,
        out: list[do.Command],
    ) -> None:
        frame.move(level, LevelState.DECODING)
        frame.job, frame.job_level = self._next_job, level
        frame.job_stop = frame.level_ends[level]
        self._jobs[self._next_job] = frame
        self._load += self._weight(frame, level)
        order.decoding(frame, now_ms)
        quality, stop = order.quality(frame, level), frame.job_stop
        out.append(
            do.Decode(self._next_job, frame.index, level, stop, quality, frame.representation)
        )
        self._next_job += 1
