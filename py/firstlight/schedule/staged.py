"""The order of a retrieve configuration: a chain of requests for each frame, as its plan says."""

from __future__ import annotations

from dataclasses import replace
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING

from firstlight.retrieve.configuration import RetrieveOptions
from firstlight.retrieve.plan import Task
from firstlight.retrieve.status import Quality
from firstlight.schedule import commands as do
from firstlight.schedule.chains import CUSTOM, UNSTAGED, Active, StageCounts, chains_of
from firstlight.schedule.wants import Want

if TYPE_CHECKING:
    from collections.abc import Callable

    from firstlight.errors import FirstlightError
    from firstlight.ranges import ByteRange
    from firstlight.retrieve.configuration import Nearby
    from firstlight.retrieve.plan import Plan
    from firstlight.schedule.ledgers import Ledgers
    from firstlight.schedule.memory import Memory
    from firstlight.schedule.order import View
    from firstlight.schedule.states import FrameLedger


class StagedOrder:
    """`LoadingOrder` by a `Plan`.

    The tasks of a frame run one after the other. The next of frames on screen go first, then all
    in the plan's order. ``variants`` numbers the pairs of frames path and URL arguments: those are
    the representations. ``revive`` makes a failed ledger usable again, ``is_pending`` tells whether
    a picture of what a ledger holds is still to come.
    """

    def __init__(
        self,
        plan: Plan,
        ledgers: Ledgers,
        memory: Memory,
        view: View,
        revive: Callable[[FrameLedger], None],
        is_pending: Callable[[FrameLedger], bool],
        variants: dict[tuple[str, str], int],
    ) -> None:
        self._plan = plan
        self._tasks = list(plan.tasks)
        self._ledgers = ledgers
        self._memory = memory
        self._view = view
        self._revive = revive
        self._is_pending = is_pending
        self._chains = chains_of(plan, len(ledgers.main))
        self._stages = StageCounts(plan)
        self._notes: list[do.Command] = []
        self._changed: dict[int, None] = {}
        self._last_decode: dict[int, tuple[float, int]] = {}
        self._blocked: list[int] = []
        self.variants = dict(variants)
        self._ready = [chain.numbers[0] for chain in self._chains if chain.numbers]
        heapify(self._ready)
        for task in self._tasks:
            self._representation(task.options)

    # -- what happened --------------------------------------------------------------------------

    def restate(self, view: View) -> None:
        self._view = view
        for number in self._blocked:
            heappush(self._ready, number)
        self._blocked.clear()
        for index in view.demand.visible:
            chain, quality = self._chains[index], self._ledgers.pictures[index].quality
            if not chain.numbers and self._plan.tasks:
                self._append(index, UNSTAGED, RetrieveOptions())
            elif chain.next_number is None and quality is None and chain.error is None:
                self._reopen(index)  # it was dropped from memory

    def changed(self, frame: FrameLedger) -> None:
        self._changed[frame.index] = None

    def requested(self, index: int, options: RetrieveOptions) -> None:
        """A custom retriever wants this too."""
        self._append(index, CUSTOM, options)

    def _append(self, index: int, stage: int, options: RetrieveOptions) -> None:
        chain = self._chains[index]
        number = len(self._tasks)
        self._tasks.append(Task(index, stage, options))
        self._representation(options)
        chain.numbers.append(number)
        if chain.next_number == number:
            heappush(self._ready, number)

    def retry(self, index: int) -> None:
        if self._chains[index].error is not None:
            self._reopen(index)

    def _reopen(self, index: int) -> None:
        """The last task of a frame is to run again; what is held is not fetched again."""
        chain = self._chains[index]
        if (
            chain.active is None
            and chain.numbers
            and self._tasks[chain.numbers[-1]].stage != CUSTOM
        ):
            chain.error = None
            if chain.next_number is None:
                chain.at = len(chain.numbers) - 1
                heappush(self._ready, chain.numbers[chain.at])

    def failed(self, frame: FrameLedger, error: FirstlightError, now_ms: float) -> None:
        active = self._chains[frame.index].active
        if active is not None and active.frame is frame:
            self._settle(frame.index, error, now_ms)

    def no_ranges(self) -> None:
        """Nothing to note: what came besides is held, and the next task finds it."""

    def no_heads(self) -> None:
        """Nothing to note: a plan says itself which bytes it wants."""

    # -- what is next ---------------------------------------------------------------------------

    def next_want(self, now_ms: float) -> Want | None:
        self._settle_changed(now_ms)
        if not self._view.demand.visible:
            return None
        for index in () if self._view.demand.volume else self._view.demand.visible:
            chain = self._chains[index]
            if chain.active is None and chain.next_number is not None:
                want = self._want(chain.next_number, now_ms)
                if want is not None:
                    return want
        while self._ready:
            number = self._ready[0]
            chain = self._chains[self._tasks[number].frame_index]
            if chain.active is not None or chain.next_number != number:
                heappop(self._ready)
                continue
            want = self._want(number, now_ms)
            if want is not None:
                return want
            if chain.active is None and chain.next_number == number:
                self._blocked.append(heappop(self._ready))  # memory is full; it is too far away
        return None

    def _want(self, number: int, now_ms: float) -> Want | None:
        """The request of a task; None where it needs none, and is begun, or must wait."""
        task = self._tasks[number]
        held = self._ledgers.pictures[task.frame_index].quality
        if held is Quality.FULL_RESOLUTION and task.stage != CUSTOM:
            self._skip_rest(task.frame_index, now_ms)
            return None
        frame = self._frame_of(task)
        if frame.error is not None:
            self._revive(frame)
        extent = self._extent(frame, task.options)
        if extent is None or not frame.may_fetch:
            # All is held, or a request runs that somebody else has begun.
            self._begin(number, frame, now_ms)
            self._settle_if_over(task.frame_index, now_ms)
            return None
        if not self._memory.may_hold(frame, self._view):
            return None
        levels = task.options.streaming
        tier = self._view.tier(frame.index)
        urgent = frame.index in self._view.demand.visible and not self._view.demand.volume
        return Want(tier, frame, extent, urgent=urgent, levels=levels, task=number)

    def _extent(self, frame: FrameLedger, options: RetrieveOptions) -> ByteRange | None:
        stop = options.prefix_bytes
        return frame.missing(None if stop is None or not frame.scalable else stop)

    def started(self, want: Want, now_ms: float) -> None:
        if want.frame is not None:
            self._begin(want.task, want.frame, now_ms)

    def _begin(self, number: int, frame: FrameLedger, now_ms: float) -> None:
        task = self._tasks[number]
        self._chains[task.frame_index].active = Active(number, task, frame)
        frame.full_quality = task.options.image_quality_status
        self._stages.begun(task.stage, now_ms)

    # -- settling -------------------------------------------------------------------------------

    def _settle_changed(self, now_ms: float) -> None:
        while self._changed:
            changed, self._changed = self._changed, {}
            for index in changed:
                self._settle_if_over(index, now_ms)

    def _settle_if_over(self, index: int, now_ms: float) -> None:
        """End a task whose bytes are here and shown, or take it up again if it was cancelled."""
        chain = self._chains[index]
        active = chain.active
        if active is None:
            return
        frame = active.frame
        if frame.request is not None or frame.retry_at_ms is not None or frame.error is not None:
            return  # errors come through `failed`
        if self._extent(frame, active.task.options) is not None:
            chain.active = None
            heappush(self._ready, active.number)
        elif not frame.examining and not self._is_pending(frame):
            self._settle(index, frame.refused if frame.ready_level < 0 else None, now_ms)

    def _settle(self, index: int, error: FirstlightError | None, now_ms: float) -> None:
        chain = self._chains[index]
        task = self._tasks[chain.numbers[chain.at]]
        if error is None:
            self._declare(task)
        chain.active = None
        chain.at += 1
        chain.error = error
        self._stages.settled(task.stage, now_ms, failed=error is not None)
        quality = self._ledgers.pictures[index].quality
        if task.stage == CUSTOM:
            own = quality if self._ledgers.pictures[index].is_own else None
            self._notes.append(do.Retrieved(index, own, error))
        if quality is Quality.FULL_RESOLUTION:
            self._skip_rest(index, now_ms)
        elif chain.next_number is not None:
            heappush(self._ready, chain.next_number)

    def _declare(self, task: Task) -> None:
        """Bytes that an earlier task brought may count for more now."""
        picture, frame = self._ledgers.pictures[task.frame_index], self._frame_of(task)
        shown = picture.is_own and picture.representation == frame.representation
        if shown and frame.complete and frame.is_whole and picture.quality is not None:
            quality = max(picture.quality, task.options.image_quality_status)
            self._ledgers.pictures[task.frame_index] = replace(picture, quality=quality)

    def _skip_rest(self, index: int, now_ms: float) -> None:
        chain = self._chains[index]
        for number in chain.numbers[chain.at :]:
            task = self._tasks[number]
            if task.stage == CUSTOM:
                return
            chain.at += 1
            self._stages.settled(task.stage, now_ms, skipped=True)

    def take_notes(self) -> list[do.Command]:
        notes, self._notes = self._notes, []
        return [*notes, *self._stages.take_ended()]

    # -- pictures -------------------------------------------------------------------------------

    def shows(self, frame: FrameLedger, level: int, now_ms: float) -> bool:
        active = self._chains[frame.index].active
        if active is None or active.frame is not frame:
            return frame.request is None
        options = active.task.options
        if frame.is_whole and level == frame.final_level:
            return True
        if frame.request is not None and not options.streaming:
            return False
        if options.decode_level is not None and level > frame.final_level - options.decode_level:
            return False
        if frame.request is None:
            return True
        at_ms, at_bytes = self._last_decode.get(frame.index, (-1e9, 0))
        if now_ms - at_ms < options.decode_interval_ms:
            return False
        return at_bytes == 0 or frame.held_stop - at_bytes >= options.min_chunk_size_bytes

    def decoding(self, frame: FrameLedger, now_ms: float) -> None:
        self._last_decode[frame.index] = (now_ms, frame.held_stop)

    def quality(self, frame: FrameLedger, level: int) -> Quality:
        whole = level == frame.final_level and frame.is_whole
        return frame.full_quality if whole else Quality.SUBRESOLUTION

    def nearby(self, frame: FrameLedger) -> tuple[Nearby, ...]:
        active = self._chains[frame.index].active
        return active.task.nearby if active is not None and active.frame is frame else ()

    # -- representations ------------------------------------------------------------------------

    def _representation(self, options: RetrieveOptions) -> int:
        key = (options.frames_path, options.url_arguments)
        return self.variants.setdefault(key, len(self.variants))

    def _frame_of(self, task: Task) -> FrameLedger:
        return self._ledgers.get(task.frame_index, self._representation(task.options))

    # -- for the page ---------------------------------------------------------------------------

    def stage_id(self, index: int) -> str | None:
        number = self._chains[index].next_number
        stage = CUSTOM if number is None else self._tasks[number].stage
        return None if stage < 0 else self._plan.stages[stage].id

    def is_over(self, index: int) -> bool:
        chain = self._chains[index]
        return chain.next_number is None and bool(chain.numbers)

    def error(self, index: int) -> FirstlightError | None:
        chain = self._chains[index]
        return chain.error if chain.next_number is None else None
