"""The tasks of each frame as a chain in the order of stages, and the count of each stage."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from firstlight.schedule.commands import StageEnded

if TYPE_CHECKING:
    from firstlight.errors import FirstlightError
    from firstlight.retrieve.plan import Plan, Task
    from firstlight.schedule.states import FrameLedger

CUSTOM = -1
"""As `Task.stage`: a custom retriever asked for it."""

UNSTAGED = -2
"""As `Task.stage`: no stage selects the frame, but it is looked at."""


@dataclass(slots=True)
class Active:
    """A task that was begun: its number, and the representation that it is about."""

    number: int
    task: Task
    frame: FrameLedger


@dataclass(slots=True)
class StageCount:
    """How far a stage has come; times are the scheduler's."""

    pending: int = 0
    images: int = 0
    failures: int = 0
    skipped: int = 0
    started_ms: float | None = None


@dataclass(slots=True)
class Chain:
    """Numbers of a frame's tasks, how many are over, and what became of them."""

    numbers: list[int] = field(default_factory=list)
    at: int = 0
    active: Active | None = None
    error: FirstlightError | None = None

    @property
    def next_number(self) -> int | None:
        """The task that is next or under way, None when all are over."""
        return self.numbers[self.at] if self.at < len(self.numbers) else None


def chains_of(plan: Plan, frame_count: int) -> list[Chain]:
    """One chain a frame: its tasks by stage, whatever order they may start in."""
    chains = [Chain() for _ in range(frame_count)]
    for number, task in enumerate(plan.tasks):
        chains[task.frame_index].numbers.append(number)
    for chain in chains:
        chain.numbers.sort(key=lambda number: plan.tasks[number].stage)
    return chains


class StageCounts:
    """How far each stage has come; tells when one has ended."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._counts = [StageCount() for _ in plan.stages]
        self._begun_ms: float | None = None
        self._ended: list[StageEnded] = []
        for task in plan.tasks:
            self._counts[task.stage].pending += 1
            self._counts[task.stage].images += 1

    def begun(self, stage: int, now_ms: float) -> None:
        """A task of a stage was begun."""
        if self._begun_ms is None:
            self._begun_ms = now_ms
        if stage >= 0 and self._counts[stage].started_ms is None:
            self._counts[stage].started_ms = now_ms

    def settled(
        self, stage: int, now_ms: float, *, failed: bool = False, skipped: bool = False
    ) -> None:
        """A task of a stage is over."""
        if stage < 0:
            return
        count = self._counts[stage]
        if count.pending == 0:
            return  # it had ended, and the user asked once more
        count.pending -= 1
        count.failures += failed
        count.skipped += skipped
        if count.pending == 0:
            self._ended.append(self._end(stage, count, now_ms))

    def _end(self, stage: int, count: StageCount, now_ms: float) -> StageEnded:
        begun = now_ms if self._begun_ms is None else self._begun_ms
        started = now_ms if count.started_ms is None else count.started_ms
        return StageEnded(
            self._plan.stages[stage].id,
            count.images,
            count.failures,
            count.skipped,
            started - begun,
            now_ms - started,
        )

    def take_ended(self) -> list[StageEnded]:
        """The stages that have ended since the last call."""
        ended, self._ended = self._ended, []
        return ended
