"""Which request next, which to let go, and how much to leave in flight."""

from __future__ import annotations

from dataclasses import dataclass
from heapq import heappop, heappush
from typing import TYPE_CHECKING

from firstlight.ranges import ByteRange
from firstlight.schedule import commands as do
from firstlight.schedule import events as on
from firstlight.schedule.capacity import Link
from firstlight.schedule.order import Goal, Step, Tier, rank, steps, tier_of
from firstlight.schedule.states import FrameLedger, LevelState

if TYPE_CHECKING:
    from collections.abc import Iterator

    from firstlight.schedule.capacity import Capacity
    from firstlight.schedule.memory import Memory

_OPEN_ENDED = 1 << 62
"""Bytes that a request of unknown length is taken to have left."""


@dataclass(slots=True)
class _Running:
    """One request in flight. ``stop`` None is an open range, ``seen_ms`` the last report of it."""

    frame: FrameLedger
    start: int
    stop: int | None
    started_ms: float
    seen_ms: float
    cancelled: bool = False

    def left_bytes(self) -> int:
        if self.cancelled:
            return 0
        return _OPEN_ENDED if self.stop is None else max(0, self.stop - self.frame.held_stop)


class FetchQueue:
    """Starts requests in the order of `order.steps`, and cancels those that are in the way."""

    def __init__(self, frames: list[FrameLedger], capacity: Capacity, memory: Memory) -> None:
        self._frames = frames
        self._capacity = capacity
        self._memory = memory
        self._link = Link()
        self._ranges = True
        self._next_request = 1000
        self._steps: Iterator[Step] = iter(())
        self._demand = on.Demand(visible=())
        self._unfinished: list[tuple[int, int]] = []
        self._passed_busy = False
        self.running: dict[int, _Running] = {}

    # -- what happened --------------------------------------------------------------------------

    def restate(self, demand: on.Demand) -> None:
        """Start over in a new order."""
        self._demand = demand
        self._rewind()

    def described(self, frame: FrameLedger, out: list[do.Command]) -> None:
        """New facts of a frame: watch for them, or take it up again if nothing runs for it."""
        if frame.request is None:
            if frame.held_stop:
                self.again(frame)
            return
        running = self.running[frame.request]
        if running.stop is None and frame.goal_stop is not None:
            running.stop = frame.goal_stop
        ahead = self._milestones(frame, frame.held_stop, running.stop)
        if ahead and not running.cancelled:
            out.append(do.Watch(frame.request, frame.index, ahead))

    def opened(self, event: on.Opened, now_ms: float) -> None:
        """The head of an answer came."""
        running = self.running.get(event.request)
        if running is None:
            return
        self._link.opened(now_ms - running.started_ms)
        running.seen_ms = now_ms
        self._ranges = self._ranges and event.ranges
        if event.length is not None:
            running.frame.length = event.length
            if running.stop is None or running.stop > event.length:
                running.stop = event.length

    def advanced(
        self, event: on.Reached | on.Closed | on.FetchFailed, now_ms: float
    ) -> FrameLedger | None:
        """Bytes came or a request ended; the frame concerned, None for a request nobody knows."""
        running = self.running.get(event.request)
        if running is None:
            return None
        frame = running.frame
        failed = isinstance(event, on.FetchFailed)
        self._link.received(event.stop - frame.held_stop, now_ms - running.seen_ms)
        running.seen_ms = now_ms
        self._memory.held(frame, event.stop)
        if not isinstance(event, on.Reached):
            del self.running[event.request]
            frame.request = None
            if not failed and not running.cancelled and running.stop is None:
                frame.length = event.stop
            if frame.index in self._demand.visible:
                # It came into view while a shorter request ran for it, or one was being cancelled.
                self.again(frame)
        return frame

    def adopt(self, frame: FrameLedger, event: on.Adopted, now_ms: float) -> None:
        """Take over a request that somebody else started and numbered."""
        self._next_request = max(self._next_request, event.request + 1)
        self.running[event.request] = _Running(frame, 0, event.stop, now_ms, now_ms)
        frame.request = event.request

    def again(self, frame: FrameLedger) -> None:
        """Look at a frame before all others, since it was begun."""
        heappush(self._unfinished, (rank(self._demand, frame.index), frame.index))

    def retry(self, frame: FrameLedger) -> None:
        """Take a frame up that had been given up, and that the order has passed over since."""
        self._rewind()
        self.again(frame)

    def covers(self, frame: FrameLedger, level: int) -> bool:
        """Whether the request that runs for a frame will bring a level's bytes."""
        running = self.running[frame.request] if frame.request is not None else None
        if running is None or running.stop is None or level >= len(frame.level_ends):
            return running is not None
        return frame.level_ends[level] <= running.stop

    # -- what to do -----------------------------------------------------------------------------

    def fill(self, now_ms: float, out: list[do.Command], touched: set[int]) -> None:
        """Start requests while the wire has room, or make room for what is on screen."""
        if any(self._starved(self._frames[index]) for index in self._demand.visible):
            self._make_room(out)
        while len(self.running) < self._capacity.requests and self._wire_has_room():
            step = self._next_step()
            if step is None:
                return
            frame = self._frames[step.frame_index]
            stop = self._stop_for(frame, step)
            self._start(frame, stop, step.tier, now_ms, out)
            touched.add(frame.index)

    def _wire_has_room(self) -> bool:
        left = sum(running.left_bytes() for running in self.running.values())
        return left <= self._link.lookahead_bytes

    def _next_step(self) -> Step | None:
        """The best frame that needs bytes and has no request: begun ones first, then by order."""
        while self._unfinished:
            _, index = heappop(self._unfinished)
            tier = tier_of(self._demand, index)
            step = Step(tier, index, Goal.FULL if tier is Tier.VISIBLE else Goal.GLANCE)
            if self._needs(self._frames[index], step):
                return step
        while True:
            for step in self._steps:
                frame = self._frames[step.frame_index]
                if frame.request is not None:
                    self._passed_busy = True
                elif self._needs(frame, step):
                    return step
            if not self._passed_busy or self.running:
                return None
            # Frames were passed over while a request ran for them: look once more, now it is over.
            self._rewind()

    def _rewind(self) -> None:
        self._steps = steps(self._demand, len(self._frames))
        self._passed_busy = False

    def _needs(self, frame: FrameLedger, step: Step) -> bool:
        if frame.request is not None or frame.error is not None:
            return False
        if step.tier is Tier.REST and self._memory.compressed_full:
            return False
        stop = self._stop_for(frame, step)
        return frame.length is None if stop is None else stop > frame.held_stop

    def _stop_for(self, frame: FrameLedger, step: Step) -> int | None:
        """Where the request for a step ends; None for an open range."""
        if step.goal is Goal.FULL or not self._ranges:
            return frame.goal_stop if frame.described else frame.length
        if frame.level_ends:
            return frame.level_ends[0]
        probe = max(self._capacity.probe_bytes, frame.wanted_stop or 0)
        return probe if frame.length is None else min(probe, frame.length)

    def _start(
        self, frame: FrameLedger, stop: int | None, tier: Tier, now_ms: float, out: list[do.Command]
    ) -> None:
        request, self._next_request = self._next_request, self._next_request + 1
        start = frame.held_stop
        self.running[request] = _Running(frame, start, stop, now_ms, now_ms)
        frame.request = request
        for level, state in enumerate(frame.levels):
            if state is LevelState.EVICTED and level > frame.fetched_level:
                frame.move(level, LevelState.WANTED)
            if frame.levels[level] is LevelState.WANTED and self.covers(frame, level):
                frame.move(level, LevelState.FETCHING)
        milestones = self._milestones(frame, start, stop)
        out.append(do.Fetch(request, frame.index, ByteRange(start, stop), milestones, tier))

    def _milestones(self, frame: FrameLedger, start: int, stop: int | None) -> tuple[int, ...]:
        """Where Python wants to be woken: at level ends, for the index, and near the end."""
        points = set(frame.level_ends)
        if not frame.described:
            points.add(frame.wanted_stop or self._capacity.probe_bytes)
        if stop is not None:
            points.add(stop - self._link.lookahead_bytes)
        last = _OPEN_ENDED if stop is None else stop
        return tuple(sorted(point for point in points if start < point <= last))

    # -- making room ----------------------------------------------------------------------------

    def _starved(self, frame: FrameLedger) -> bool:
        return self._needs(frame, Step(Tier.VISIBLE, frame.index, Goal.FULL))

    def _make_room(self, out: list[do.Command]) -> None:
        """Cancel what is not on screen, unless it is nearly done."""
        for request, running in self.running.items():
            seen = running.frame.index in self._demand.visible
            if not seen and running.left_bytes() > self._capacity.finish_bytes:
                self._cancel(request, out)

    def cancel_frame(self, frame: FrameLedger, out: list[do.Command]) -> None:
        """Stop the request that runs for a frame, if any."""
        if frame.request is not None:
            self._cancel(frame.request, out)

    def _cancel(self, request: int, out: list[do.Command]) -> None:
        running = self.running[request]
        if not running.cancelled:
            running.cancelled = True
            out.append(do.Cancel(request))
