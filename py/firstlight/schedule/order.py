"""In which order frames are wanted: three tiers, a rank inside each, read lazily."""

from __future__ import annotations

from enum import Enum, IntEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from firstlight.schedule.events import Demand

NEAR_FRAMES = 8
"""Frames of the NEXT tier: a second of scrolling at reading speed, half of it if it turns back."""


class Tier(IntEnum):
    """How much a frame matters now; the lower the sooner."""

    VISIBLE = 0
    NEXT = 1
    REST = 2


class Goal(Enum):
    """How much of a frame a step asks for."""

    GLANCE = "glance"  # the smallest resolution level: something to see
    FULL = "full"


class Step(NamedTuple):
    """Bring a frame to a goal."""

    tier: Tier
    frame_index: int
    goal: Goal


def outward(center: int, direction: int, count: int) -> Iterator[int]:
    """Every other frame by distance from ``center``; the side it moves to first, twice as dense.

    Standing still, both sides alternate.
    """
    ahead = 1 if direction >= 0 else -1
    stride = 2 if direction else 1
    near, far = 1, 1
    while near < count or far < count:
        for _ in range(stride):
            if 0 <= (index := center + ahead * near) < count:
                yield index
            near += 1
        if 0 <= (index := center - ahead * far) < count:
            yield index
        far += 1


def steps(demand: Demand, count: int) -> Iterator[Step]:
    """All that could be fetched, best first.

    The frames on screen in full; then the near ones, first a glance at each, then each in full;
    then the rest in the same way.
    """
    visible = demand.visible
    for index in visible:
        yield Step(Tier.VISIBLE, index, Goal.FULL)
    if not visible:
        return
    others = [i for i in outward(visible[0], demand.direction, count) if i not in visible]
    near, rest = others[:NEAR_FRAMES], others[NEAR_FRAMES:]
    for tier, members in ((Tier.NEXT, near), (Tier.REST, rest)):
        for goal in (Goal.GLANCE, Goal.FULL):
            for index in members:
                yield Step(tier, index, goal)


def rank(demand: Demand, frame_index: int) -> int:
    """The place of a frame in the order of decoding; 0 is on screen, smaller is sooner."""
    if frame_index in demand.visible:
        return demand.visible.index(frame_index)
    if not demand.visible:
        return frame_index + 1
    distance = frame_index - demand.visible[0]
    behind = demand.direction * distance < 0
    return len(demand.visible) + 2 * abs(distance) * (2 if behind else 1)


def tier_of(demand: Demand, frame_index: int) -> Tier:
    """The tier of a frame, as `steps` would give it, but from its distance alone."""
    if frame_index in demand.visible:
        return Tier.VISIBLE
    if demand.visible and abs(frame_index - demand.visible[0]) <= NEAR_FRAMES // 2:
        return Tier.NEXT
    return Tier.REST
