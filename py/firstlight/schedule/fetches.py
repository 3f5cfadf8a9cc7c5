"""Which requests run: started as an order wants them, within what the wire and the origin take."""

from __future__ import annotations

from typing import TYPE_CHECKING

from firstlight.ranges import ByteRange
from firstlight.schedule import commands as do
from firstlight.schedule import events as on
from firstlight.schedule.running import OPEN_ENDED, Meter, Running
from firstlight.schedule.states import FrameLedger, LevelState

if TYPE_CHECKING:
    from firstlight.schedule.capacity import Capacity, Link
    from firstlight.schedule.heads import Chunk
    from firstlight.schedule.ledgers import FrameLedgers
    from firstlight.schedule.memory import Memory
    from firstlight.schedule.order import View
    from firstlight.schedule.running import Limits
    from firstlight.schedule.wants import LoadingOrder, Want

FIRST_REQUEST = 1000
"""Smaller numbers are the page's prelude's, whose requests are adopted under their own."""


LAST_REPORTS = 4
LAST_PARTS = range(1, LAST_REPORTS + 1)
"""How often Python is woken while the last `Link.lookahead_bytes` of a request come."""


class FetchQueue:
    """Starts requests, follows them, and cancels those that are in the way."""

    def __init__(
        self,
        frames: FrameLedgers,
        capacity: Capacity,
        memory: Memory,
        link: Link,
        limits: Limits,
    ) -> None:
        self._frames = frames
        self._capacity = capacity
        self._memory = memory
        self._link = link
        self._limits = limits
        self._meter = Meter(link)
        self._next_request = FIRST_REQUEST
        self.running: dict[int, Running] = {}

    # -- what happened --------------------------------------------------------------------------

    def opened(self, event: on.Opened, now_ms: float) -> Running | None:
        """The head of an answer came."""
        running = self.running.get(event.request)
        if running is None:
            return None
        if not running.is_open:
            if not running.is_adopted:
                waited_ms = now_ms - running.started_ms
                self._link.opened(waited_ms)
                self._limits.of(running.origin).opened(waited_ms)
            self._meter.opened(running, now_ms)
        running.is_open, running.seen_ms = True, now_ms
        if event.length is not None and running.frame is not None:
            running.frame.length = event.length
            if running.stop is None or running.stop > event.length:
                running.stop = event.length
        return running

    def advanced(
        self, event: on.Reached | on.Closed | on.FetchFailed, now_ms: float
    ) -> tuple[Running, list[FrameLedger]] | None:
        """Bytes came or a request ended: the request and the frames that hold more now."""
        running = self.running.get(event.request)
        if running is None:
            return None
        gained = max(0, event.stop - max(running.at, running.start))
        self._meter.received(running, gained, now_ms)
        running.seen_ms = now_ms
        running.at = max(running.at, event.stop)
        over = not isinstance(event, on.Reached)
        if over:
            del self.running[event.request]
            self._meter.closed(running)
        if running.heads is not None:
            return running, self._heads_advanced(running, running.heads, over=over)
        frame = running.frame
        assert frame is not None
        if event.stop > running.start:
            self._memory.held(frame, running.start, event.stop)
        if over:
            frame.request = None
            if isinstance(event, on.Closed) and not running.cancelled and running.stop is None:
                frame.length = event.stop
        return running, [frame]

    def _heads_advanced(self, running: Running, chunk: Chunk, *, over: bool) -> list[FrameLedger]:
        frames = []
        while running.heads_done < len(chunk.pieces):
            piece = chunk.pieces[running.heads_done]
            if piece.stop > running.at:
                break
            running.heads_done += 1
            frame = self._frames[piece.frame_index]
            frame.floor_stop = max(frame.floor_stop, piece.frame_stop)
            self._memory.held(frame, piece.frame_start, piece.frame_stop)
            frames.append(frame)
        if over:
            for piece in chunk.pieces[running.heads_done :]:
                frame = self._frames[piece.frame_index]
                frame.promised_stop = 0
                frames.append(frame)
        return frames

    def described(self, frame: FrameLedger, out: list[do.Command]) -> None:
        """New facts of a frame: the request that runs for it may know its end, and is watched."""
        if frame.request is None:
            return
        running = self.running[frame.request]
        if frame.end is not None and (running.stop is None or frame.end < running.stop):
            running.stop = frame.end
        self._watch(running, frame, out)

    def end_if_enough(self, running: Running, out: list[do.Command]) -> None:
        """End a request that was begun before it was known how little of it is wanted."""
        frame, stop = running.frame, running.stop
        mine = frame is not None and frame.is_limited and frame.request == running.request
        if mine and stop is not None and running.at >= stop:
            self._cancel(running, out)

    def show_levels(self, frame: FrameLedger, out: list[do.Command]) -> None:
        """A frame came on screen while its request runs: each level counts now."""
        running = None if frame.request is None else self.running[frame.request]
        if running is not None and not running.levels:
            running.levels = True
            self._watch(running, frame, out)

    def _watch(self, running: Running, frame: FrameLedger, out: list[do.Command]) -> None:
        ahead = self._milestones(frame, running.at, running.stop, levels=running.levels)
        if ahead and not running.cancelled:
            out.append(do.Watch(running.request, frame.index, ahead, frame.representation))

    # -- requests that somebody else started ------------------------------------------------------

    def adopt(self, frame: FrameLedger, event: on.Adopted, now_ms: float) -> None:
        """Take over a request that somebody else started and numbered."""
        self._own(event.request)
        self.running[event.request] = Running(
            event.request, frame.origin, 0, event.stop, now_ms, now_ms, frame, is_adopted=True
        )
        frame.request = event.request

    def adopt_heads(
        self,
        event: on.AdoptedHeads,
        chunk: Chunk,
        origin: str,
        now_ms: float,
        out: list[do.Command],
    ) -> None:
        """Take over a request of the heads file."""
        self._own(event.request)
        self.running[event.request] = Running(
            event.request, origin, 0, chunk.stop, now_ms, now_ms, heads=chunk, is_adopted=True
        )
        self._promise(chunk)
        out.append(do.WatchHeads(event.request, chunk.milestones(), chunk.pieces))

    def _own(self, request: int) -> None:
        self._next_request = max(self._next_request, request + 1)

    def _promise(self, chunk: Chunk) -> list[FrameLedger]:
        frames = []
        for piece in chunk.pieces:
            frame = self._frames[piece.frame_index]
            if max(frame.held_stop, frame.promised_stop) >= piece.frame_start:
                frame.promised_stop = max(frame.promised_stop, piece.frame_stop)
            frames.append(frame)
        return frames

    # -- what to do -----------------------------------------------------------------------------

    def fill(
        self, order: LoadingOrder, view: View, now_ms: float, out: list[do.Command]
    ) -> list[FrameLedger]:
        """Start requests while there is room, and make room for what is on screen.

        Returns the frames whose ledgers changed.
        """
        changed: list[FrameLedger] = []
        while (want := order.next_want(now_ms)) is not None:
            if want.urgent and want.frame is not None:
                self._make_room(want.frame, view, now_ms, out)
            if not want.beside and not self._wire_has_room(now_ms):
                break
            origin = self._origin(want)
            if not self._limits.of(origin).has_room(self._running_at(origin)):
                break
            started = self._start(want, origin, now_ms, out)
            order.started(want, now_ms)
            for frame in started:
                order.changed(frame)
            changed += started
        return changed

    def _origin(self, want: Want) -> str:
        return self._frames[0].origin if want.frame is None else want.frame.origin

    def _running_at(self, origin: str) -> int:
        return sum(running.origin == origin for running in self.running.values())

    def _wire_has_room(self, now_ms: float) -> bool:
        left = sum(running.left_bytes(now_ms) for running in self.running.values())
        return left <= self._link.lookahead_bytes

    def _start(
        self, want: Want, origin: str, now_ms: float, out: list[do.Command]
    ) -> list[FrameLedger]:
        request, self._next_request = self._next_request, self._next_request + 1
        if want.heads is not None:
            chunk = want.heads
            self.running[request] = Running(
                request, origin, chunk.start, chunk.stop, now_ms, now_ms, heads=chunk
            )
            out.append(
                do.FetchHeads(
                    request,
                    ByteRange(chunk.start, chunk.stop),
                    chunk.milestones(),
                    chunk.pieces,
                    want.tier,
                )
            )
            return self._promise(chunk)
        frame, extent = want.frame, want.extent
        assert frame is not None and extent is not None
        self.running[request] = Running(
            request, origin, extent.start, extent.stop, now_ms, now_ms, frame, levels=want.levels
        )
        frame.request = request
        for level, state in enumerate(frame.levels):
            if state is LevelState.EVICTED and level > frame.fetched_level:
                frame.move(level, LevelState.WANTED)
            if frame.levels[level] is LevelState.WANTED and self.covers(frame, level):
                frame.move(level, LevelState.FETCHING)
        points = self._milestones(frame, extent.start, extent.stop, levels=want.levels)
        out.append(do.Fetch(request, frame.index, extent, points, want.tier, frame.representation))
        return [frame]

    def covers(self, frame: FrameLedger, level: int) -> bool:
        """Whether the request that runs for a frame will bring a level's bytes."""
        running = self.running[frame.request] if frame.request is not None else None
        if running is None or running.stop is None or level >= len(frame.level_ends):
            return running is not None
        return frame.level_ends[level] <= running.stop

    def _milestones(
        self, frame: FrameLedger, start: int, stop: int | None, *, levels: bool
    ) -> tuple[int, ...]:
        """Where Python wants to be woken: at level ends, for the index, and near the end."""
        points = set(frame.level_ends) if levels else set()
        if not frame.described and frame.scalable:
            points.add(frame.wanted_stop or self._capacity.probe_bytes)
        if stop is not None:
            # Several requests end together: each tells now and then how much is left of it.
            ahead = self._link.lookahead_bytes
            points.update(
                stop - ahead * part // LAST_REPORTS for part in range(1, LAST_REPORTS + 1)
            )
        last = OPEN_ENDED if stop is None else stop
        return tuple(sorted(point for point in points if start < point <= last))

    # -- ending requests --------------------------------------------------------------------------

    def _make_room(
        self, wanted: FrameLedger, view: View, now_ms: float, out: list[do.Command]
    ) -> None:
        """Cancel what is in the way of a frame on screen, unless it is nearly done.

        In the way is what is not on screen, and of the eye's frame every other's full image.
        """
        for running in self.running.values():
            frame = running.frame
            if frame is None or frame is wanted or running.may_stay(wanted, view):
                continue
            if running.left_bytes(now_ms) > self._capacity.finish_bytes:
                self._cancel(running, out)

    def cancel_frame(self, frame: FrameLedger, out: list[do.Command]) -> None:
        """Stop the request that runs for a frame, if any."""
        if frame.request is not None:
            self._cancel(self.running[frame.request], out)

    def drop(self, frame: FrameLedger) -> None:
        """The bytes of a frame are released, and with them a request that still brings some."""
        if frame.request is not None:
            self._meter.closed(self.running.pop(frame.request))
            frame.request = None

    def cancel_all(self, out: list[do.Command]) -> None:
        """Stop everything."""
        for running in self.running.values():
            self._cancel(running, out)

    def cancel_silent(self, now_ms: float, out: list[do.Command]) -> None:
        """Stop what nothing was heard of for too long."""
        for running in self.running.values():
            if now_ms - running.seen_ms >= self._capacity.silence_ms and not running.cancelled:
                running.silent = True
                self._cancel(running, out)

    @staticmethod
    def _cancel(running: Running, out: list[do.Command]) -> None:
        if not running.cancelled:
            running.cancelled = True
            out.append(do.Cancel(running.request))
