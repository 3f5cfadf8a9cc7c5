"""A configuration applied to a series: every request of every frame, in the order of starting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from firstlight.retrieve.select import selected

if TYPE_CHECKING:
    from collections.abc import Sequence

    from firstlight.retrieve.configuration import (
        Nearby,
        RetrieveConfiguration,
        RetrieveOptions,
        Stage,
    )


@dataclass(frozen=True, slots=True)
class Task:
    """One request of one frame. ``stage`` is an index of `Plan.stages`."""

    frame_index: int
    stage: int
    options: RetrieveOptions
    nearby: tuple[Nearby, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """All requests of a series.

    ``tasks`` are in the order in which they may start: by request type, priority, stage, place in
    the stage. The tasks of one frame are a chain in the order of their *stages*: the next may
    start when the one before has settled, well or badly; once the frame is FULL_RESOLUTION the
    rest is skipped. ``adaptive``: there are no tasks, the scheduler has an order of its own.
    """

    name: str
    adaptive: bool
    stages: tuple[Stage, ...] = ()
    tasks: tuple[Task, ...] = ()


def compile_plan(
    configuration: RetrieveConfiguration,
    frame_count: int,
    transfer_syntax_uids: Sequence[str],
    *,
    volume: bool = False,
) -> Plan:
    """The requests that a configuration asks for.

    ``transfer_syntax_uids`` has one entry for each frame, or one for all; "" is an unknown one.
    ``volume``: the series is shown as a volume.

    Raises:
        ConfigurationError: a stage names a frame that the series does not have.
    """
    stages = configuration.stages_for(volume=volume)
    if configuration.adaptive or configuration.create is not None:
        return Plan(configuration.name, configuration.adaptive, stages)
    uids = list(transfer_syntax_uids) or [""]
    if len(uids) == 1:
        uids *= frame_count
    members = [
        selected(stage, frame_count, f"stages[{index}]") for index, stage in enumerate(stages)
    ]
    order = sorted(
        range(len(stages)), key=lambda index: (stages[index].request_type, stages[index].priority)
    )
    tasks = tuple(
        Task(
            frame_index,
            index,
            configuration.options(stages[index].retrieve_type, uids[frame_index]),
            stages[index].nearby_frames,
        )
        for index in order
        for frame_index in members[index]
    )
    return Plan(configuration.name, False, stages, tasks)
