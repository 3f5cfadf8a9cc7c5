"""The sole owner of queue state: an event and a time in, commands out; no I/O, no clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from firstlight.errors import ResourceChanged, TransportError
from firstlight.schedule import commands as do
from firstlight.schedule import events as on
from firstlight.schedule.capacity import Capacity
from firstlight.schedule.decodes import DecodeQueue
from firstlight.schedule.fetches import FetchQueue
from firstlight.schedule.memory import Memory
from firstlight.schedule.order import rank
from firstlight.schedule.states import FrameLedger, LevelState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from firstlight.errors import FirstlightError


class Scheduler:
    """Decides for one series of ``frame_count`` frames.

    `handle` is the only way in. Frames whose codestream index is known ahead are described with
    `Described` events before the first `Demand`.
    """

    def __init__(self, frame_count: int, capacity: Capacity | None = None) -> None:
        self.capacity = capacity or Capacity()
        self.frames = [FrameLedger(index) for index in range(frame_count)]
        self.demand = on.Demand(visible=())
        self._memory = Memory(self.frames, self.capacity)
        self._fetches = FetchQueue(self.frames, self.capacity, self._memory)
        self._decodes = DecodeQueue(self.frames, self.capacity)
        self._touched: set[int] = set()

    def handle(self, event: on.Event, now_ms: float) -> list[do.Command]:
        """Take one event that happened at ``now_ms``; return what to do about it, in order."""
        return self.handle_all((event,), now_ms)

    def handle_all(self, events: Sequence[on.Event], now_ms: float) -> list[do.Command]:
        """Take several events at once and decide once, after the last of them."""
        out: list[do.Command] = []
        for event in events:
            self._take(event, now_ms, out)
        self._fetches.fill(now_ms, out, self._touched)
        self._decodes.fill(self._memory, out)
        self._memory.balance(self.demand, out, self._touched)
        return out

    def touched(self) -> set[int]:
        """Frames whose ledger changed since the last call."""
        touched, self._touched = self._touched, set()
        return touched

    def close(self) -> list[do.Command]:
        """Cancel everything that runs; the scheduler is not used after this."""
        return [do.Cancel(request) for request in self._fetches.running]

    # -- events ---------------------------------------------------------------------------------

    def _take(self, event: on.Event, now_ms: float, out: list[do.Command]) -> None:
        match event:
            case on.Demand():
                self._restate(event)
            case on.Described():
                self._describe(event, out)
            case on.Sized():
                self.frames[event.frame_index].length = event.length
            case on.Opened():
                self._fetches.opened(event, now_ms)
            case on.Reached() | on.Closed() | on.FetchFailed():
                self._arrived(event, now_ms, out)
            case on.Decoded() | on.DecodeFailed():
                self._decoded(event, out)
            case on.Undescribable():
                self._fail(self.frames[event.frame_index], event.error, out)
            case on.Adopted():
                self._adopt(event, now_ms)
            case on.Retry():
                self._retry(self.frames[event.frame_index], out)

    def _restate(self, demand: on.Demand) -> None:
        if demand == self.demand:
            return
        self.demand = demand
        self._fetches.restate(demand)
        self._decodes.restate(demand)
        for index in demand.visible:
            self._recall(self.frames[index])

    def _describe(self, event: on.Described, out: list[do.Command]) -> None:
        frame = self.frames[event.frame_index]
        frame.level_ends = event.level_ends
        frame.described = event.complete
        frame.wanted_stop = event.wanted_stop
        if not frame.levels:
            frame.levels = [LevelState.WANTED] * event.level_count
            if frame.request is not None:
                self._mark_fetching(frame)
        self._fetches.described(frame, out)
        self._settle(frame)

    def _arrived(
        self, event: on.Reached | on.Closed | on.FetchFailed, now_ms: float, out: list[do.Command]
    ) -> None:
        frame = self._fetches.advanced(event, now_ms)
        if frame is None:
            return
        self._settle(frame)
        if isinstance(event, on.FetchFailed):
            self._fail(frame, event.error, out)
        elif not frame.described and (
            frame.wanted_stop is None
            or frame.held_stop >= frame.wanted_stop
            or isinstance(event, on.Closed)
        ):
            out.append(do.Describe(frame.index, frame.held_stop))

    def _decoded(self, event: on.Decoded | on.DecodeFailed, out: list[do.Command]) -> None:
        frame = self._decodes.finished(event.job)
        if frame is None:
            return
        level = frame.job_level
        frame.job, frame.job_level = None, -1
        if isinstance(event, on.DecodeFailed):
            for other in range(level, frame.fetched_level + 1):
                # A finer level contains the coarser ones: it cannot be better than they are.
                frame.move(other, LevelState.FAILED)
            self._fail(frame, event.error, out)
        else:
            frame.move(level, LevelState.READY)
            self._memory.stored(frame, event.stored_bytes)
            self._supersede(frame, level)
            self._decodes.offer(frame, rank(self.demand, frame.index))
        self._touched.add(frame.index)

    def _adopt(self, event: on.Adopted, now_ms: float) -> None:
        frame = self.frames[event.frame_index]
        self._fetches.adopt(frame, event, now_ms)
        if frame.levels:
            self._mark_fetching(frame)
        if event.shown_level >= 0 and frame.levels:
            for level in range(event.shown_level + 1):
                self._to_fetched(frame, level)
            frame.move(event.shown_level, LevelState.READY)
            self._memory.stored(frame, event.stored_bytes)
            self._supersede(frame, event.shown_level)
        self._touched.add(frame.index)

    def _retry(self, frame: FrameLedger, out: list[do.Command]) -> None:
        if frame.error is None:
            return
        # Bytes of a broken connection are good; of a bad codestream or another version, not.
        broken_off = isinstance(frame.error, TransportError)
        suspect = not broken_off or isinstance(frame.error, ResourceChanged)
        frame.error = None
        for level, state in enumerate(frame.levels):
            if state is LevelState.FAILED:
                frame.move(level, LevelState.WANTED)
        if suspect and frame.held_stop:
            self._memory.release(frame, out)
        self._fetches.retry(frame)
        self._touched.add(frame.index)

    # -- levels ---------------------------------------------------------------------------------

    def _settle(self, frame: FrameLedger) -> None:
        """Bring the states of a frame's levels in line with the bytes held and the request."""
        for level in range(frame.fetched_level + 1):
            self._to_fetched(frame, level)
        if frame.request is None:
            for level in range(frame.fetched_level + 1, len(frame.levels)):
                if frame.levels[level] is LevelState.FETCHING:
                    frame.move(level, LevelState.WANTED)
        self._decodes.offer(frame, rank(self.demand, frame.index))
        self._touched.add(frame.index)

    def _to_fetched(self, frame: FrameLedger, level: int) -> None:
        if frame.levels[level] in (LevelState.WANTED, LevelState.FETCHING):
            frame.move(level, LevelState.FETCHED)

    def _mark_fetching(self, frame: FrameLedger) -> None:
        for level, state in enumerate(frame.levels):
            if state is LevelState.WANTED and self._fetches.covers(frame, level):
                frame.move(level, LevelState.FETCHING)

    def _supersede(self, frame: FrameLedger, ready_level: int) -> None:
        """A finer picture is there: nobody wants the coarser ones any more."""
        for level in range(ready_level):
            if frame.levels[level] in (LevelState.FETCHED, LevelState.READY):
                frame.move(level, LevelState.EVICTED)
        frame.ready_level = ready_level

    def _recall(self, frame: FrameLedger) -> None:
        """A frame on screen whose pixels were dropped is decoded again from the bytes held."""
        level = frame.fetched_level
        if frame.ready_level < 0 and level >= 0 and frame.levels[level] is LevelState.EVICTED:
            frame.move(level, LevelState.FETCHED)
        self._decodes.offer(frame, rank(self.demand, frame.index))

    def _fail(self, frame: FrameLedger, error: FirstlightError, out: list[do.Command]) -> None:
        frame.error = error
        self._fetches.cancel_frame(frame, out)
        for level, state in enumerate(frame.levels):
            if state in (LevelState.WANTED, LevelState.FETCHING):
                frame.move(level, LevelState.FAILED)
        self._touched.add(frame.index)
