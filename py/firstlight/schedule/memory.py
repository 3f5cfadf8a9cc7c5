"""What may stay in memory: the ledger of pixels and compressed bytes, and what to drop first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from firstlight.schedule import commands as do
from firstlight.schedule.frame_set import FrameSet
from firstlight.schedule.ledgers import NO_PICTURE, Picture
from firstlight.schedule.states import FrameLedger, LevelState

if TYPE_CHECKING:
    from firstlight.schedule.capacity import Capacity
    from firstlight.schedule.ledgers import Ledgers
    from firstlight.schedule.order import View

_NO_BAR = float("inf")


class Memory:
    """Counts what the page and the transport hold; only here is anything evicted.

    When memory is full a frame may still come in if another is farther from the eye: that one goes,
    and nothing as far away as that comes in again before the eye moves.
    """

    def __init__(self, ledgers: Ledgers, capacity: Capacity) -> None:
        self._ledgers = ledgers
        self._capacity = capacity
        self.shown = FrameSet()
        """Frames that show a picture of their own."""
        self._holding = FrameSet()
        self._replicas: dict[int, set[int]] = {}
        self._hold_bar = self._show_bar = _NO_BAR
        self.pixel_bytes = 0
        self.compressed_bytes = 0
        self.evicted = FrameSet()
        """Frames whose pixels were dropped and whose bytes are held."""
        self._dropped = FrameSet()

    # -- compressed bytes -----------------------------------------------------------------------

    def may_hold(self, frame: FrameLedger, view: View) -> bool:
        """Whether bytes of a frame may still be fetched."""
        full = self.compressed_bytes >= self._capacity.compressed_bytes
        return _may_enter(frame.index, self._holding, view, self._hold_bar, full=full)

    def held(self, frame: FrameLedger, start: int, stop: int) -> None:
        """The transport now holds these bytes of a frame; what it had before changes nothing."""
        gained = frame.hold(start, stop)
        if gained:
            self.compressed_bytes += gained
            if frame.held_stop > frame.floor_stop:
                self._holding.put(frame.index, member=True)

    def release(
        self, frame: FrameLedger, out: list[do.Command], *, keep_heads: bool = False
    ) -> None:
        """Forget a frame's compressed bytes; its pixels stay."""
        floor = frame.floor_stop if keep_heads else 0
        for level, state in enumerate(frame.levels):
            if state is LevelState.FETCHED and (not floor or frame.level_ends[level] > floor):
                frame.move(level, LevelState.WANTED)
        self.compressed_bytes -= frame.drop(floor)
        self._dropped.put(frame.index, member=True)
        if all(other.held_stop <= other.floor_stop for other in self._ledgers.of(frame.index)):
            self._holding.put(frame.index, member=False)
            self.evicted.put(frame.index, member=False)
        out.append(do.Release(frame.index, frame.representation, keep_heads))

    def take_dropped(self) -> list[FrameLedger]:
        """Frames whose bytes were released since the last call."""
        dropped, self._dropped = self._dropped, FrameSet()
        return [frame for index in dropped for frame in self._ledgers.of(index)]

    # -- pixels ---------------------------------------------------------------------------------

    def may_show(self, index: int, view: View) -> bool:
        """Whether a frame may still be decoded."""
        full = self.pixel_bytes >= self._capacity.pixel_bytes
        return _may_enter(index, self.shown, view, self._show_bar, full=full)

    def stored(self, index: int, picture: Picture) -> None:
        """The page now shows this of a frame, in place of what it had."""
        before = self._ledgers.pictures[index]
        self.pixel_bytes += picture.stored_bytes - before.stored_bytes
        if before.replica_of is not None:
            self._replicas[before.replica_of].discard(index)
        if picture.replica_of is not None:
            self._replicas.setdefault(picture.replica_of, set()).add(index)
        self._ledgers.pictures[index] = picture
        self.shown.put(index, member=picture.is_own)
        self.evicted.put(index, member=False)

    def evict(self, index: int, out: list[do.Command], touched: set[int]) -> None:
        """Drop the pixels of a frame, and with them what they stood in for."""
        for frame in self._ledgers.of(index):
            if frame.ready_level >= 0:
                frame.move(frame.ready_level, LevelState.EVICTED)
                frame.ready_level = -1
        for replica in sorted(self._replicas.pop(index, ())):
            self._ledgers.pictures[replica] = NO_PICTURE
            touched.add(replica)
        self.stored(index, NO_PICTURE)
        self.evicted.put(index, member=any(f.fetched_level >= 0 for f in self._ledgers.of(index)))
        touched.add(index)
        out.append(do.Evict(index))

    # -- balance --------------------------------------------------------------------------------

    def restate(self) -> None:
        """The eye has moved: what is far away is another question."""
        self._hold_bar = self._show_bar = _NO_BAR

    def balance(self, view: View, out: list[do.Command], touched: set[int]) -> None:
        """Drop what is farthest from the eye until both kinds fit again.

        While a request or a decode runs for the farthest, nothing nearer goes in its place.
        """
        while self.pixel_bytes > self._capacity.pixel_bytes:
            index = view.farthest(self.shown.bits)
            if index is None or any(frame.job is not None for frame in self._ledgers.of(index)):
                break
            self._show_bar = min(self._show_bar, view.rank(index))
            self.evict(index, out, touched)
        while self.compressed_bytes > self._capacity.compressed_bytes:
            index = view.farthest(self._holding.bits)
            if index is None or any(_is_busy(frame) for frame in self._ledgers.of(index)):
                break
            self._hold_bar = min(self._hold_bar, view.rank(index))
            for frame in self._ledgers.of(index):
                if frame.held_stop > frame.floor_stop:
                    self.release(frame, out, keep_heads=True)
            touched.add(index)


def _is_busy(frame: FrameLedger) -> bool:
    return frame.request is not None or frame.job is not None or frame.examining


def _may_enter(index: int, others: FrameSet, view: View, bar: float, *, full: bool) -> bool:
    """Whether a frame is near, or there is room, or one that is farther could go for it."""
    if view.is_near(index):
        return True
    rank = view.rank(index)
    if not full or rank >= bar:
        return rank < bar
    far = view.farthest(others.bits)
    return far is not None and rank < view.rank(far)
