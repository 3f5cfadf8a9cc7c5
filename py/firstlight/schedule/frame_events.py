"""What becomes of a frame as things happen to it: the inner half of the scheduler."""

from __future__ import annotations

from typing import TYPE_CHECKING

from firstlight.errors import ResourceChanged, TransportError
from firstlight.schedule import commands as do
from firstlight.schedule import events as on
from firstlight.schedule import levels
from firstlight.schedule.adaptive import AdaptiveOrder
from firstlight.schedule.capacity import Link
from firstlight.schedule.decodes import DecodeQueue
from firstlight.schedule.fetches import FetchQueue
from firstlight.schedule.heads import HeadsQueue
from firstlight.schedule.ledgers import Ledgers
from firstlight.schedule.memory import Memory
from firstlight.schedule.order import View
from firstlight.schedule.pictures import Pictures
from firstlight.schedule.retries import Alarm, Retries
from firstlight.schedule.running import Limits, failure
from firstlight.schedule.staged import StagedOrder
from firstlight.schedule.states import FrameLedger, LevelState

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from firstlight.errors import FirstlightError
    from firstlight.retrieve.plan import Plan
    from firstlight.schedule.capacity import Capacity
    from firstlight.schedule.heads import HeadsPiece
    from firstlight.schedule.ledgers import FrameFacts, FrameLedgers
    from firstlight.schedule.wants import LoadingOrder


class FrameEvents:
    """Owns the parts and takes the events of single frames; `scheduler.Scheduler` does the rest."""

    def __init__(
        self,
        frame_count: int,
        capacity: Capacity,
        *,
        plan: Plan | None,
        heads: Sequence[HeadsPiece],
        facts: Callable[[int, int], FrameFacts] | None,
        link: Link | None,
        limits: Limits | None,
        jitter: Callable[[], float],
    ) -> None:
        self.capacity = capacity
        self.link = link or Link()
        self.limits = limits or Limits(self.capacity)
        self.ledgers = Ledgers(frame_count, facts)
        self.demand = on.Demand(visible=())
        self._view = View(self.demand, frame_count)
        self._memory = Memory(self.ledgers, self.capacity)
        self._heads = HeadsQueue(self.frames, self.capacity)
        self._heads.describe(heads)
        self._fetches = FetchQueue(self.frames, self.capacity, self._memory, self.link, self.limits)
        self._decodes = DecodeQueue(self.ledgers, self.capacity, self._memory)
        self._pictures = Pictures(self.ledgers, self._memory, self._decodes)
        self._retries = Retries(self.capacity, jitter)
        self._now_ms = 0.0
        self._alarm = Alarm()
        self._out: list[do.Command] = []
        self._touched: set[int] = set()
        self._suspended = False
        self._staged: StagedOrder | None = None
        self.order = self._order_of(plan)

    def _order_of(self, plan: Plan | None) -> LoadingOrder:
        variants = self.variants
        if plan is None or plan.adaptive:
            return AdaptiveOrder(
                self.ledgers, self._heads, self._memory, self.link, self.capacity, self._view
            )
        self._staged = StagedOrder(
            plan, self.ledgers, self._memory, self._view, self._revive, self._is_pending, variants
        )
        return self._staged

    @property
    def frames(self) -> FrameLedgers:
        """The ledger of each frame itself, without its other representations."""
        return self.ledgers.main

    @property
    def variants(self) -> dict[tuple[str, str], int]:
        """Representations by frames path and URL arguments; 0 is the frame itself."""
        return {("", ""): 0} if self._staged is None else self._staged.variants

    # -- bytes and their structure ----------------------------------------------------------------

    def _describe(self, event: on.Described) -> None:
        frame = self.ledgers.get(event.frame_index, event.representation)
        frame.level_ends = event.level_ends
        frame.described = event.complete
        frame.wanted_stop = event.wanted_stop
        if len(frame.levels) != event.level_count:
            levels.withdraw(frame)
            frame.levels = [LevelState.WANTED] * event.level_count
            if frame.request is not None:
                levels.mark_fetching(frame, self._fetches)
        self._fetches.described(frame, self._out)
        if frame.held_stop or frame.request is not None:
            self._settle(frame)
        else:
            self.order.changed(frame)

    def _examined(self, event: on.Examined) -> None:
        frame = self.ledgers.get(event.frame_index, event.representation)
        frame.examining = False
        self._give_up(frame)
        self.order.changed(frame)
        if frame.is_limited:
            self._touched.add(frame.index)  # that was all there is to come of it, perhaps

    def _sized(self, event: on.Sized) -> None:
        frame = self.ledgers.get(event.frame_index, event.representation)
        frame.length = event.length
        self.order.changed(frame)

    def _limited(self, event: on.Limited) -> None:
        for frame in self.frames:
            frame.limit_stop = event.stop
            frame.levels_below = max(event.levels_below, frame.whole_below)
            self._settle(frame)

    def _lifted(self, event: on.Lifted) -> None:
        frame = self.frames[event.frame_index]
        if frame.levels_below == frame.whole_below:
            frame.levels_below = 0
        frame.whole_below = 0
        self._settle(frame)

    def _undescribable(self, event: on.Undescribable) -> None:
        self._fail(self.ledgers.get(event.frame_index, event.representation), event.error)

    def _opened(self, event: on.Opened) -> None:
        running = self._fetches.opened(event, self._now_ms)
        if running is not None and not event.ranges:
            self.order.no_ranges()

    def _arrived(self, event: on.Reached | on.Closed | on.FetchFailed) -> None:
        found = self._fetches.advanced(event, self._now_ms)
        if found is None:
            return
        running, frames = found
        self._fetches.end_if_enough(running, self._out)
        for frame in frames:
            self._examine(frame, over=not isinstance(event, on.Reached))
            self._settle(frame)
        error = failure(event, running, self.capacity)
        if error is None:
            return
        self.limits.of(running.origin).failed(error)
        if running.frame is None:
            if self._heads.open:
                self.order.no_heads()
                self._out.append(do.Notice(error))
        elif self._retries.failed(running.frame, error, self._now_ms):
            self.order.changed(running.frame)
        else:
            self._fail(running.frame, error)

    def _examine(self, frame: FrameLedger, *, over: bool) -> None:
        """Have the codestream index read further where the bytes for it are here."""
        known = frame.described or frame.error is not None or not frame.held_stop
        enough = frame.wanted_stop is None or frame.held_stop >= frame.wanted_stop
        if not known and (enough or over):
            frame.examining = True
            self._out.append(do.Describe(frame.index, frame.held_stop, frame.representation))

    # -- pictures ---------------------------------------------------------------------------------

    def _decoded(self, event: on.Decoded | on.DecodeFailed) -> None:
        frame = self._decodes.finished(event.job)
        if frame is None:
            return
        level = frame.job_level
        frame.job, frame.job_level = None, -1
        if isinstance(event, on.DecodeFailed):
            frame.move(level, LevelState.FAILED)
            frame.refused = event.error
            if frame.floor_stop:
                # The heads file may be to blame: once more, from the frame's own bytes alone.
                self._heads.exclude(frame.index)
                frame.error = event.error
                self._revive(frame)
            else:
                self._give_up(frame)
        else:
            frame.move(level, LevelState.READY)
            frame.refused = None
            if self._suspended:
                self._pictures.lose(frame, level)
            else:
                shown = self._pictures.show(frame, level, event.stored_bytes, self.order)
                self._touched |= shown
        for other in self.ledgers.of(frame.index):
            self._decodes.offer(other)
        self.order.changed(frame)
        self._touched.add(frame.index)

    def _is_pending(self, frame: FrameLedger) -> bool:
        return self._decodes.is_pending(frame, self.order, self._view, self._now_ms)

    # -- the frame itself -------------------------------------------------------------------------

    def _settle(self, frame: FrameLedger) -> None:
        levels.settle(frame)
        self._give_up(frame)
        self._decodes.offer(frame)
        self.order.changed(frame)
        self._touched.add(frame.index)

    def _give_up(self, frame: FrameLedger) -> None:
        """A level that cannot be decoded is not the end of a frame: a finer one may do."""
        if frame.refused is not None and frame.error is None and not levels.may_improve(frame):
            self._fail(frame, frame.refused)

    def _fail(self, frame: FrameLedger, error: FirstlightError) -> None:
        frame.error = error
        self._fetches.cancel_frame(frame, self._out)
        levels.fail(frame)
        self.order.failed(frame, error, self._now_ms)
        self.order.changed(frame)
        self._touched.add(frame.index)

    def _revive(self, frame: FrameLedger) -> None:
        """A failed frame may be asked for again."""
        error = frame.error
        # Bytes of a broken connection are good; of a bad codestream or another version, not.
        suspect = not isinstance(error, TransportError) or isinstance(error, ResourceChanged)
        frame.error = frame.refused = None
        frame.attempts = 0
        levels.revive(frame)
        if suspect:
            self._fetches.drop(frame)
            self._memory.release(frame, self._out)
            levels.undescribe(frame)
        self._settle(frame)
