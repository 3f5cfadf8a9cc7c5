"""The order that measures: everything on screen first at its coarsest, then as the eye needs it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from firstlight.retrieve.status import Quality
from firstlight.schedule.capacity import BRIEF_MS, PARALLEL_MS
from firstlight.schedule.frame_set import FrameSet, span
from firstlight.schedule.order import Goal, Tier
from firstlight.schedule.wants import Want

if TYPE_CHECKING:
    from collections.abc import Iterator

    from firstlight.errors import FirstlightError
    from firstlight.retrieve.configuration import Nearby
    from firstlight.schedule import commands as do
    from firstlight.schedule.capacity import Capacity, Link
    from firstlight.schedule.heads import HeadsQueue
    from firstlight.schedule.ledgers import Ledgers
    from firstlight.schedule.memory import Memory
    from firstlight.schedule.order import View
    from firstlight.schedule.states import FrameLedger


class AdaptiveOrder:
    """`LoadingOrder` by tiers and goals.

    For each goal a set is kept of the frames that lack it and may be asked for; a demand then only
    has to find the nearest one.
    """

    def __init__(
        self,
        ledgers: Ledgers,
        heads: HeadsQueue,
        memory: Memory,
        link: Link,
        capacity: Capacity,
        view: View,
    ) -> None:
        self._ledgers = ledgers
        self._heads = heads
        self._memory = memory
        self._link = link
        self._capacity = capacity
        self._view = view
        self._ranges = True
        self._lacking = {goal: FrameSet() for goal in Goal}
        self._changed: dict[int, FrameLedger] = {}
        self._recount()

    # -- what happened --------------------------------------------------------------------------

    def restate(self, view: View) -> None:
        self._settle()
        before, self._view = self._view, view
        if view.demand.side_px != before.demand.side_px:
            # Whoever lacks less than that drops out when it is found (`_frame_want`).
            self._lacking[Goal.SUFFICIENT].bits = self._lacking[Goal.FULL].bits

    def changed(self, frame: FrameLedger) -> None:
        if not frame.representation:
            self._changed[frame.index] = frame

    def _settle(self) -> None:
        """Bring the sets up to date: once for all that has changed of a frame."""
        changed, self._changed = self._changed, {}
        for index, frame in changed.items():
            self._heads.changed(frame)
            for goal, lacking in self._lacking.items():
                lacking.put(index, member=self._lacks(frame, goal))

    def no_ranges(self) -> None:
        """This server sends whole resources: a glance would cost all."""
        self._ranges = False
        self._recount()

    def no_heads(self) -> None:
        """The heads file is missing."""
        self._heads.disable()
        self._recount()

    def _recount(self) -> None:
        """Everybody may lack everything; ledgers that were begun tell it better."""
        for lacking in self._lacking.values():
            lacking.bits = span(0, len(self._ledgers.main))
        if self._heads.open:
            self._lacking[Goal.GLANCE].bits &= ~self._heads.open[0].bits
        for frame in self._ledgers.main.begun():
            self.changed(frame)

    # -- what is lacking ------------------------------------------------------------------------

    def _lacks(self, frame: FrameLedger, goal: Goal) -> bool:
        if not frame.may_fetch or (goal is Goal.GLANCE and self._heads.covers(frame)):
            return False
        return frame.missing(self._stop_for(frame, goal)) is not None

    def _stop_for(self, frame: FrameLedger, goal: Goal) -> int | None:
        """How long a prefix a goal needs; None for all there is."""
        if not self._ranges or not frame.scalable:
            return None
        if goal is Goal.FULL:
            # Where finer levels are left out, first of all where they begin.
            look = frame.levels_below and not frame.described
            return max(self._capacity.probe_bytes, frame.wanted_stop or 0) if look else None
        if goal is Goal.SUFFICIENT:
            level = self._sufficient_level(frame)
            known = 0 <= level < len(frame.level_ends)
            return frame.level_ends[level] if known else None
        if frame.level_ends:
            return frame.level_ends[0]
        return max(self._capacity.probe_bytes, frame.wanted_stop or 0)

    def _sufficient_level(self, frame: FrameLedger) -> int:
        """The smallest level with as many pixels as the screen shows, -1 where that is all."""
        wanted, side, level = self._view.demand.side_px, frame.side_px, frame.final_level
        if wanted is None or side == 0 or level < 0:
            return -1
        while level > 0 and -(-side >> 1) >= wanted:
            side, level = -(-side >> 1), level - 1
        return level

    # -- what is next ---------------------------------------------------------------------------

    def next_want(self, now_ms: float) -> Want | None:
        self._settle()
        return next(self._wants(), None)

    def _wants(self) -> Iterator[Want]:
        """All that could be asked for, the best first; only as far as somebody reads."""
        view = self._view
        if not view.demand.visible:
            return
        if view.demand.volume or len(view.demand.visible) > 1:
            yield from self._heads_want(0, Tier.VISIBLE, beside=True)
            yield from self._frame_want(Tier.VISIBLE, view.on_screen, Goal.GLANCE)
            if view.demand.volume:
                yield from self._heads_want(1, Tier.VISIBLE)
            yield from self._frame_want(Tier.VISIBLE, view.on_screen, Goal.SUFFICIENT)
        yield from self._frame_want(Tier.VISIBLE, view.on_screen, Goal.FULL)
        yield from self._heads_want(0, Tier.NEXT, beside=True)
        for tier, members in ((Tier.NEXT, view.near), (Tier.REST, view.rest)):
            yield from self._heads_want(0, tier)
            for goal in (Goal.GLANCE, Goal.FULL):
                yield from self._frame_want(tier, members, goal)
            yield from self._heads_want(1, Tier.REST)

    def _frame_want(self, tier: Tier, members: int, goal: Goal) -> Iterator[Want]:
        lacking = self._lacking[goal]
        while (index := self._view.nearest(members & lacking.bits)) is not None:
            frame = self._ledgers.main[index]
            extent = frame.missing(self._stop_with_more(frame, goal))
            if extent is None or not frame.may_fetch:
                lacking.put(index, member=False)
                continue
            if self._memory.may_hold(frame, self._view):
                seen = tier is Tier.VISIBLE and index in self._view.demand.visible
                levels = seen or not self._is_brief(frame)
                yield Want(tier, frame, extent, urgent=seen, levels=levels)
            return

    def _stop_with_more(self, frame: FrameLedger, goal: Goal) -> int | None:
        """As `_stop_for`; a glance takes what the wire would have carried for nothing besides."""
        stop = self._stop_for(frame, goal)
        if goal is not Goal.GLANCE or stop is None or not frame.level_ends:
            return stop
        free = self._link.free_bytes(self._capacity.requests)
        return max((end for end in frame.level_ends if end <= free), default=stop)

    def _heads_want(self, number: int, tier: Tier, *, beside: bool = False) -> Iterator[Want]:
        chunk = self._heads.chunk(number, self._view)
        if chunk is None:
            return
        if beside and (self._link.lasts_ms(chunk.stop - chunk.start) or 0) > PARALLEL_MS:
            return
        yield Want(tier, heads=chunk, beside=beside)

    def _is_brief(self, frame: FrameLedger) -> bool:
        """Whether all that is missing of a frame comes in the wink of an eye."""
        end = frame.end
        lasts = None if end is None else self._link.lasts_ms(end - frame.held_stop)
        return lasts is not None and lasts < BRIEF_MS

    def started(self, want: Want, now_ms: float) -> None:
        """Nothing to note: the sets follow the ledgers."""

    # -- pictures -------------------------------------------------------------------------------

    def shows(self, frame: FrameLedger, level: int, now_ms: float) -> bool:
        """Every level of what the eye is on; of others not one that is overtaken at once."""
        if frame.request is None or frame.index in self._view.demand.visible[:1]:
            return True
        return frame.ready_level < 0 or level == frame.final_level or not self._is_brief(frame)

    def quality(self, frame: FrameLedger, level: int) -> Quality:
        return Quality.FULL_RESOLUTION if level == frame.final_level else Quality.SUBRESOLUTION

    def decoding(self, frame: FrameLedger, now_ms: float) -> None:
        """Nothing to note."""

    def nearby(self, frame: FrameLedger) -> tuple[Nearby, ...]:
        return ()

    def failed(self, frame: FrameLedger, error: FirstlightError, now_ms: float) -> None:
        """Nothing to note: the sets follow the ledgers."""

    def retry(self, index: int) -> None:
        """Nothing to note: the sets follow the ledgers."""

    def take_notes(self) -> list[do.Command]:
        return []

    def stage_id(self, index: int) -> str | None:
        return None

    def is_over(self, index: int) -> bool:
        frame = self._ledgers.main[index]
        if not frame.is_limited or frame.complete or frame.request is not None or frame.examining:
            return False
        finest = min(frame.fetched_level, frame.finest_level)
        return frame.missing(None) is None and frame.ready_level >= finest

    def error(self, index: int) -> FirstlightError | None:
        return self._ledgers.main[index].error
