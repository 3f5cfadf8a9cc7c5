"""The sole owner of queue state: an event and a time in, commands out; no I/O, no clock."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from firstlight.schedule import commands as do
from firstlight.schedule import events as on
from firstlight.schedule import levels
from firstlight.schedule.capacity import Capacity, Link
from firstlight.schedule.frame_events import FrameEvents
from firstlight.schedule.order import View
from firstlight.schedule.running import STALL_MS, Limits

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from firstlight.retrieve.plan import Plan
    from firstlight.schedule.heads import HeadsPiece
    from firstlight.schedule.ledgers import FrameFacts


def _half() -> float:
    return 0.5


class Scheduler(FrameEvents):
    """Decides for one series of ``frame_count`` frames.

    `handle` is the only way in. ``facts`` tells what is known of a frame's representation when
    it is first needed; ``heads`` are the pieces of the heads file. ``plan`` None, or an adaptive
    one, leaves the order to `AdaptiveOrder`. ``link`` and ``limits`` are what was learned of the
    network before. ``jitter`` gives numbers from 0 to 1 that spread retries.
    """

    def __init__(
        self,
        frame_count: int,
        capacity: Capacity | None = None,
        *,
        plan: Plan | None = None,
        heads: Sequence[HeadsPiece] = (),
        facts: Callable[[int, int], FrameFacts] | None = None,
        link: Link | None = None,
        limits: Limits | None = None,
        jitter: Callable[[], float] = _half,
    ) -> None:
        super().__init__(
            frame_count,
            capacity or Capacity(),
            plan=plan,
            heads=heads,
            facts=facts,
            link=link,
            limits=limits,
            jitter=jitter,
        )
        self._takers: dict[type[on.Event], Callable[[Any], None]] = {
            on.Demand: self._restate,
            on.Described: self._describe,
            on.Examined: self._examined,
            on.Sized: self._sized,
            on.Opened: self._opened,
            on.Reached: self._arrived,
            on.Closed: self._arrived,
            on.FetchFailed: self._arrived,
            on.Undescribable: self._undescribable,
            on.Decoded: self._decoded,
            on.DecodeFailed: self._decoded,
            on.Adopted: self._adopt,
            on.AdoptedHeads: self._adopt_heads,
            on.Requested: self._requested,
            on.Limited: self._limited,
            on.Lifted: self._lifted,
            on.Woken: self._woken,
            on.Retry: self._retry,
        }

    def handle(self, event: on.Event, now_ms: float) -> list[do.Command]:
        """Take one event that happened at ``now_ms``; return what to do about it, in order."""
        return self.handle_all((event,), now_ms)

    def handle_all(self, events: Sequence[on.Event], now_ms: float) -> list[do.Command]:
        """Take several events at once and decide once, after the last of them."""
        out = self._out = []
        self._now_ms = now_ms
        for event in events:
            self._takers[type(event)](event)
        if not self._suspended:
            self._touched.update(
                frame.index for frame in self._fetches.fill(self.order, self._view, now_ms, out)
            )
            self._pictures.recall(self._view)
            self._decodes.fill(self.order, self._view, now_ms, out)
        self._memory.balance(self._view, out, self._touched)
        for frame in self._memory.take_dropped():
            self.order.changed(frame)
        out += self.order.take_notes()
        self._set_alarm()
        return out

    def touched(self) -> set[int]:
        """Frames whose ledger changed since the last call."""
        touched, self._touched = self._touched, set()
        return touched

    def suspend(self, now_ms: float) -> list[do.Command]:
        """Another series is shown: nothing runs until the next `Demand`; bytes stay held."""
        out = self._out = []
        self._now_ms = now_ms
        self._suspended = True
        self.demand = on.Demand(visible=())
        self._fetches.cancel_all(out)
        for index, picture in enumerate(self.ledgers.pictures):
            if picture.quality is not None:
                self._memory.evict(index, [], self._touched)
        return out

    def replan(self, plan: Plan) -> None:
        """Go on in another order with what is held and runs."""
        self.order = self._order_of(plan)

    @property
    def compressed_bytes(self) -> int:
        """What the transport holds for this series."""
        return self._memory.compressed_bytes

    @property
    def is_fetching(self) -> bool:
        """Whether a request runs."""
        return bool(self._fetches.running)

    # -- events ---------------------------------------------------------------------------------

    def _restate(self, demand: on.Demand) -> None:
        if demand == self.demand:
            return
        self._suspended = False
        self.demand = demand
        self._view = View(demand, len(self.frames))
        self._memory.restate()
        self.order.restate(self._view)
        for index in demand.visible:
            for frame in self.ledgers.of(index):
                levels.recall(frame)
                self._fetches.show_levels(frame, self._out)
                self._decodes.offer(frame)

    def _requested(self, event: on.Requested) -> None:
        if self._staged is not None:
            self._staged.requested(event.frame_index, event.options)

    def _adopt(self, event: on.Adopted) -> None:
        frame = self.frames[event.frame_index]
        self._fetches.adopt(frame, event, self._now_ms)
        if frame.levels:
            levels.mark_fetching(frame, self._fetches)
        self._pictures.show_ahead(frame, event.shown_level, event.stored_bytes, self.order)
        self.order.changed(frame)
        self._touched.add(frame.index)

    def _adopt_heads(self, event: on.AdoptedHeads) -> None:
        chunk = self._heads.from_first_byte(event.stop)
        if chunk is None:
            return
        origin = self.frames[0].origin
        self._fetches.adopt_heads(event, chunk, origin, self._now_ms, self._out)
        for index, level, stored_bytes in event.shown:
            self._pictures.show_ahead(self.frames[index], level, stored_bytes, self.order)
            self._touched.add(index)
        for piece in chunk.pieces:
            self.order.changed(self.frames[piece.frame_index])

    def _woken(self, event: on.Woken) -> None:
        self._alarm.rang()
        self._fetches.cancel_silent(self._now_ms, self._out)
        for index, representation in self._retries.take_due(self._now_ms):
            frame = self.ledgers.get(index, representation)
            frame.retry_at_ms = None
            self.order.changed(frame)
            self._touched.add(index)

    def _set_alarm(self) -> None:
        """Ask to be woken for the next try, and now and then while something runs."""
        check_ms = self._now_ms + STALL_MS if self._fetches.running else float("inf")
        at_ms = self._alarm.set(self._retries.next_ms, check_ms)
        if at_ms is not None:
            self._out.append(do.Wake(at_ms))

    def _retry(self, event: on.Retry) -> None:
        for frame in self.ledgers.of(event.frame_index):
            if frame.error is not None or frame.refused is not None:
                self._revive(frame)
        self.order.retry(event.frame_index)
