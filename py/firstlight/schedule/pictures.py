"""What the page shows of each frame: its best picture, or its neighbour's until that is here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from firstlight.retrieve.status import replaces
from firstlight.schedule import levels
from firstlight.schedule.ledgers import Picture

if TYPE_CHECKING:
    from firstlight.retrieve.configuration import Nearby
    from firstlight.schedule.decodes import DecodeQueue
    from firstlight.schedule.ledgers import Ledgers
    from firstlight.schedule.memory import Memory
    from firstlight.schedule.order import View
    from firstlight.schedule.states import FrameLedger
    from firstlight.schedule.wants import LoadingOrder


class Pictures:
    """Notes what was decoded; `states.Ledgers.pictures` are the facts."""

    def __init__(self, ledgers: Ledgers, memory: Memory, decodes: DecodeQueue) -> None:
        self._ledgers = ledgers
        self._memory = memory
        self._decodes = decodes

    def show(
        self, frame: FrameLedger, level: int, stored_bytes: int, order: LoadingOrder
    ) -> set[int]:
        """A level was decoded and takes the place of what is shown, unless that is better.

        Returns the frames that show something else now.
        """
        held = self._ledgers.pictures[frame.index]
        quality = order.quality(frame, level)
        levels.supersede(frame, level)
        if not replaces(quality, stored_bytes, held.quality, held.stored_bytes):
            levels.withdraw(frame)
            return set()
        for other in self._ledgers.of(frame.index):
            if other is not frame:
                levels.withdraw(other)
        picture = Picture(quality, frame.representation, level, stored_bytes)
        self._memory.stored(frame.index, picture)
        near = {self._replicate(frame.index, nearby) for nearby in order.nearby(frame)}
        return {frame.index, *(index for index in near if index is not None)}

    def show_ahead(
        self, frame: FrameLedger, level: int, stored_bytes: int, order: LoadingOrder
    ) -> None:
        """Somebody else has decoded a level before; -1 is none."""
        if frame.ready_level < level < len(frame.levels):
            levels.show_ahead(frame, level)
            quality = order.quality(frame, level)
            self._memory.stored(frame.index, Picture(quality, 0, level, stored_bytes))

    def lose(self, frame: FrameLedger, level: int) -> None:
        """A level was decoded for a page that shows another series by now."""
        levels.supersede(frame, level)
        levels.withdraw(frame)
        self._memory.evicted.put(frame.index, member=True)

    def _replicate(self, index: int, nearby: Nearby) -> int | None:
        """A frame of which nothing better is here is shown by its neighbour's picture."""
        target = index + nearby.offset
        if not 0 <= target < len(self._ledgers.main):
            return None
        held = self._ledgers.pictures[target].quality
        if held is not None and held >= nearby.image_quality_status:
            return None
        self._memory.stored(target, Picture(nearby.image_quality_status, replica_of=index))
        return target

    def recall(self, view: View) -> None:
        """Where memory allows it, pixels that were dropped come back from the bytes held."""
        evicted = self._memory.evicted
        while evicted and self._decodes.has_room:
            index = view.nearest(evicted.bits)
            if index is None or not self._memory.may_show(index, view):
                return
            evicted.put(index, member=False)
            for frame in self._ledgers.of(index):
                levels.recall(frame)
                self._decodes.offer(frame)
