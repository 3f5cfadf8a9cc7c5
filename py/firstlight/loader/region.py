"""Images too large to load whole: of the window on screen, the packets of the level shown."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from firstlight import ports
from firstlight.errors import FirstlightError, RangeIgnored
from firstlight.loader.region_fetch import RegionFetches
from firstlight.loader.region_frame import Goal, VastFrame, study
from firstlight.loader.region_view import WHOLE_IMAGE, View, contains, grown, lowered, view_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from firstlight.j2k.region import RegionPlan
    from firstlight.loader.executor import Means
    from firstlight.loader.streams import Streams
    from firstlight.ranges import ByteRange
    from firstlight.schedule.events import Demand
    from firstlight.schedule.ledgers import Ledgers


WINDOW_BRIEF_MS: Final = 100.0
"""What is over within this time shows no lower level first, which takes 20 to 50 ms to decode."""


class Regions:
    """Loads the window on screen of the frame that the eye is on, where that is vast.

    ``tag`` marks its decode orders. ``lift`` is told of a frame that has to be loaded whole after
    all, ``tell`` of one of which there is news for the page. One window is loaded at a time; what
    earlier ones brought stays held, up to `Capacity.region_bytes`.
    """

    def __init__(
        self,
        tag: int,
        means: Means,
        streams: Streams,
        ledgers: Ledgers,
        *,
        lift: Callable[[int], None],
        tell: Callable[[int], None],
    ) -> None:
        self._tag = tag
        self._means = means
        self._streams = streams
        self._ledgers = ledgers
        self._lift = lift
        self._tell = tell
        self._fetches = RegionFetches(means, streams, self._advance_of, self._bring, self._failed)
        self._demand: Demand | None = None
        self._frames: dict[int, VastFrame] = {}
        self._goal: Goal | None = None
        self._job: tuple[int, Goal, int] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._studies: dict[int, asyncio.Task[None]] = {}

    def state(self, frame_index: int) -> dict[str, object]:
        """Of a vast frame: the level that is loaded whole, and why a window is not sharper."""
        ledger, frame = self._ledgers.main[frame_index], self._frames.get(frame_index)
        if not ledger.whole_below or ledger.final_level < 0:
            return {}
        error = None if frame is None or frame.error is None else frame.error.record()
        return {
            "wholeLevel": max(0, ledger.final_level - ledger.whole_below),
            "regionError": error,
        }

    @property
    def is_idle(self) -> bool:
        """Whether nothing of a window is on its way or being decoded."""
        return self._job is None and not self._studies and not self._fetches.is_fetching

    # -- from the series ------------------------------------------------------------------------

    def want(self, demand: Demand) -> None:
        """The viewport shows something else now."""
        self._demand = demand
        if self._frames:
            # A zoom states many demands in a row; where it comes to rest is worth a request.
            if self._timer is not None:
                self._timer.cancel()
            wait_s = self._means.capacity.region_settle_ms / 1000
            self._timer = asyncio.get_running_loop().call_later(wait_s, self._look_again)

    def _look_again(self) -> None:
        """What could not be found out of a frame may be now."""
        seen = self._demand.visible[:1] if self._demand is not None else ()
        for frame in filter(None, map(self._frames.get, seen)):
            if not frame.is_known and frame.error is not None:
                self._clear(frame)
                self._begin_study(frame)
        self._settle()

    def _clear(self, frame: VastFrame) -> None:
        """Nothing has failed for it yet."""
        frame.attempts = 0
        if frame.error is not None:
            frame.error = None
            self._tell(frame.ledger.index)

    def changed(self, frame_index: int) -> None:
        """More of a frame is held, or shown."""
        ledger = self._ledgers.main[frame_index]
        if not ledger.whole_below or ledger.final_level < 0 or not ledger.held_stop:
            return
        frame = self._frames.get(frame_index)
        if frame is None:
            frame = VastFrame(ledger, self._streams.of((frame_index, 0)))
            self._frames[frame_index] = frame
        if not frame.is_known and frame.error is None:
            self._begin_study(frame)
        elif self._goal is None:
            self._settle()

    def retry(self, frame_index: int) -> None:
        """The user asks for a frame once more."""
        frame = self._frames.get(frame_index)
        if frame is None or frame.error is None:
            return
        self._clear(frame)
        self._goal = None
        if frame.is_known:
            self._settle()
        else:
            self._begin_study(frame)

    def close(self) -> None:
        """This series is not shown any more: stop what runs, let go of what windows brought."""
        if self._timer is not None:
            self._timer.cancel()
        for task in self._studies.values():
            task.cancel()
        self._fetches.release_all()
        self._studies.clear()
        self._frames.clear()
        self._timer = self._goal = self._demand = self._job = None

    # -- what a frame is ------------------------------------------------------------------------

    def _begin_study(self, frame: VastFrame) -> None:
        index = frame.ledger.index
        if index not in self._studies:
            self._studies[index] = asyncio.get_running_loop().create_task(self._study(frame))

    async def _study(self, frame: VastFrame) -> None:
        async def fetch(extent: ByteRange) -> bytes:
            return await self._fetches.read(frame, extent)

        index, was_held, usable = frame.ledger.index, frame.is_held, True
        try:
            usable = await study(frame, self._means.transport, fetch)
        except FirstlightError as error:
            self._failed(frame, error)
        except LookupError:
            self._frames.pop(index, None)  # its bytes were dropped: from the beginning next time
        finally:
            self._studies.pop(index, None)
        if not usable:
            self._refuse(frame)
        elif frame.is_known:
            self._settle()
        elif frame.is_held and not was_held and frame.error is None:
            self._begin_study(frame)  # that came meanwhile

    def _refuse(self, frame: VastFrame) -> None:
        """Windows of it cannot be had: it is loaded whole, as other images are."""
        frame.is_known = False
        self._forget_goal(frame)
        self._fetches.release(frame)
        self._lift(frame.ledger.index)

    def _failed(self, frame: VastFrame, error: FirstlightError) -> None:
        if isinstance(error, RangeIgnored):
            self._refuse(frame)
            return
        error.frame_index, error.resource = frame.ledger.index, frame.bytes.extent.url
        frame.error = error
        self._tell(frame.ledger.index)

    def _forget_goal(self, frame: VastFrame) -> None:
        if self._goal is not None and self._goal.frame is frame:
            self._goal = None

    # -- which window ---------------------------------------------------------------------------

    def _settle(self) -> None:
        """Begin to load what is on screen, unless that is being done."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        found = self._seen()
        if self._goal is not None and (found is None or found[0] is not self._goal.frame):
            self._fetches.stop(self._goal.frame)
            self._goal = None
        if found is not None and not (self._goal and contains(self._goal.view, found[1])):
            self._begin(*found)

    def _seen(self) -> tuple[VastFrame, View] | None:
        """The frame that the eye is on, where the screen shows more of it than its whole level."""
        demand = self._demand
        if demand is None or demand.volume or not demand.visible or demand.side_px is None:
            return None
        frame = self._frames.get(demand.visible[0])
        if frame is None or not frame.is_ready or frame.ledger.error is not None:
            return None
        seen = (frame.ledger.index, demand.window or WHOLE_IMAGE, demand.side_px)
        limit = self._means.capacity.whole_samples
        view = view_of(frame.image, frame.ledger.final_level, seen, limit)
        return (frame, view) if view.level > frame.whole_level else None

    def _begin(self, frame: VastFrame, view: View) -> None:
        index = frame.index
        assert index is not None
        box = grown(view.box, frame.image, frame.ledger.final_level - view.level)
        plans = tuple(
            index.plan(lowered(box, view.level - level), level, frame.base_level)
            for level in range(frame.whole_level + 1, view.level + 1)
        )
        runs = tuple(map(frame.beyond, plans))
        self._goal = Goal(frame, View(view.frame_index, view.level, box), plans, runs)
        self._clear(frame)
        self._bring(frame)

    def _bring(self, frame: VastFrame) -> None:
        """Ask for what is missing of a frame's window."""
        if self._goal is not None and self._goal.frame is frame and frame.error is None:
            self._fetches.bring(frame, self._goal.all_runs)
            self._advance()

    # -- pictures -------------------------------------------------------------------------------

    def _advance_of(self, frame: VastFrame) -> None:
        if self._goal is not None and self._goal.frame is frame:
            self._advance()

    def _advance(self) -> None:
        """Have the finest level decoded that can be, one job at a time."""
        goal = self._goal
        if goal is None or self._job is not None or goal.frame.error is not None:
            return
        plan = goal.best_held()
        if plan is None or plan.level <= goal.shown_level:
            return
        if plan.level == goal.view.level or not self._ends_soon(goal):
            try:
                self._decode(goal, plan)
            except LookupError:
                self._forget_goal(goal.frame)  # the whole level was dropped: `changed` begins anew

    def _ends_soon(self, goal: Goal) -> bool:
        lasts_ms = self._means.link.lasts_ms(goal.frame.stretches.coming_bytes)
        return lasts_ms is not None and lasts_ms < WINDOW_BRIEF_MS

    def _decode(self, goal: Goal, plan: RegionPlan) -> None:
        frame = goal.frame
        assert frame.bytes.coding is not None
        pieces = tuple(piece for extent in plan.extents() for piece in frame.pieces(extent))
        job = next(self._means.numbers)
        self._job = (job, goal, plan.level)
        self._means.pool.decode(
            ports.DecodeOrder(
                job=job,
                series_index=self._tag,
                frame_index=frame.ledger.index,
                codec=frame.bytes.coding.codec,
                pieces=pieces,
                resolution_level=plan.level,
                decomposition_levels=frame.ledger.final_level,
                image=frame.image,
                region=plan.message(),
            )
        )

    def transport_event(self, event: ports.TransportEvent) -> bool:
        """Something happened to a segment; False when it is not one of a window's."""
        return self._fetches.transport_event(event)

    def decode_event(self, event: ports.DecodeEvent) -> bool:
        """A job is over; False when it is not one of a window's."""
        if self._job is None or self._job[0] != event.job:
            return False
        _, goal, level = self._job
        self._job = None
        if isinstance(event, ports.Decoded):
            goal.shown_level = max(goal.shown_level, level)
        elif goal is self._goal:
            self._failed(goal.frame, event.error)
        self._advance()
        return True
