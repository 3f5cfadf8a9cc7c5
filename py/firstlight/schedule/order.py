"""Which frame matters more: tiers, goals, and the rank of a frame as the eye is placed."""

from __future__ import annotations

from enum import Enum, IntEnum
from typing import TYPE_CHECKING

from firstlight.schedule.capacity import LEAD_MS, MAX_LEAD_FRAMES, NEAR_FRAMES
from firstlight.schedule.frame_set import at_or_after, at_or_before, bits_of, span

if TYPE_CHECKING:
    from firstlight.schedule.events import Demand


class Tier(IntEnum):
    """How much a frame matters now; the lower the sooner."""

    VISIBLE = 0
    NEXT = 1
    REST = 2


class Goal(Enum):
    """How much of a frame is asked for."""

    GLANCE = "glance"  # something to see, for as little as it costs
    SUFFICIENT = "sufficient"  # as many pixels as the screen shows
    FULL = "full"


class View:
    """A demand on a series of ``count`` frames, ready to be asked who matters more.

    Ranks: 0 and up for what is on screen in the order given, then by distance from the eye; behind
    the direction of movement a frame counts as twice as far. With ``volume`` every frame is on
    screen and the distance alone ranks.
    """

    def __init__(self, demand: Demand, count: int) -> None:
        self.demand = demand
        self._seen = () if demand.volume else demand.visible
        self.eye = demand.visible[0] if demand.visible else 0
        everything = span(0, count)
        listed = bits_of(self._seen) & everything
        self.on_screen = everything if demand.volume else listed
        self._lead = min(int(demand.speed * LEAD_MS / 1000), MAX_LEAD_FRAMES)
        after = NEAR_FRAMES // 2 + demand.direction * NEAR_FRAMES // 4
        before = NEAR_FRAMES - after
        if demand.direction > 0:
            after = max(after, self._lead)
        elif demand.direction < 0:
            before = max(before, self._lead)
        near = span(self.eye - before, self.eye + after + 1) & everything
        self.near = 0 if not demand.visible else near & ~self.on_screen
        self.rest = 0 if not demand.visible else everything & ~self.on_screen & ~near
        self.close = listed | self.near
        """What the eye is on, or may be at once; of a volume nothing, it is seen as a whole."""

    def rank(self, index: int) -> int:
        """The place of a frame; smaller is sooner."""
        if index in self._seen:
            return self._seen.index(index)
        distance = index - self.eye
        if self.demand.direction == 0:
            return len(self._seen) + 2 * abs(distance) + (distance < 0)
        behind = self.demand.direction * distance < 0
        return len(self._seen) + (4 * abs(distance) + 1 if behind else 2 * abs(distance))

    def is_on_screen(self, index: int) -> bool:
        """Whether a frame is looked at now."""
        return bool(self.on_screen >> index & 1)

    def is_near(self, index: int) -> bool:
        """Whether a frame is on screen or may be scrolled to at once."""
        ahead = (index - self.eye) * self.demand.direction
        return (
            abs(index - self.eye) <= NEAR_FRAMES or 0 < ahead <= self._lead or index in self._seen
        )

    def tier(self, index: int) -> Tier:
        """The tier of a frame."""
        if self.is_on_screen(index):
            return Tier.VISIBLE
        return Tier.NEXT if self.near >> index & 1 else Tier.REST

    def nearest(self, bits: int) -> int | None:
        """The member of a set (`FrameSet.bits`) with the best rank."""
        if not bits:
            return None
        for index in self._seen:
            if bits >> index & 1:
                return index
        after, before = at_or_after(bits, self.eye), at_or_before(bits, self.eye)
        if after is None or before is None:
            return before if after is None else after
        return min((after, before), key=self.rank)

    def farthest(self, bits: int) -> int | None:
        """The member of a set with the worst rank that is not near."""
        if not bits:
            return None
        ends = (at_or_after(bits, 0) or 0, bits.bit_length() - 1)
        far = max(ends, key=self.rank)
        return None if self.is_near(far) else far
