"""The ledgers of a series, what is known before they are begun, and what the page shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from firstlight.schedule.states import FrameLedger, LevelState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from firstlight.retrieve.status import Quality


@dataclass(frozen=True, slots=True)
class Picture:
    """What the page shows for a frame.

    ``quality`` None is nothing. ``replica_of`` is the frame whose picture stands in, None where it
    is the frame's own: then ``representation`` and ``level`` tell which, ``stored_bytes`` its size.
    """

    quality: Quality | None = None
    representation: int = 0
    level: int = -1
    stored_bytes: int = 0
    replica_of: int | None = None

    @property
    def is_own(self) -> bool:
        """Whether it shows this very frame."""
        return self.quality is not None and self.replica_of is None


NO_PICTURE: Final = Picture()


@dataclass(frozen=True, slots=True)
class FrameFacts:
    """What is known of a frame before any of its bytes is here.

    ``level_ends``, if any, are all of them. ``side_px`` is the longest side of the full image,
    ``origin`` names who serves it. ``scalable``: a prefix of it is a picture. ``limit_stop`` and
    ``levels_below`` are the most that is wanted (`sources.base.Limit`), ``whole_below`` how many
    levels below the full image a vast one is loaded whole.
    """

    level_ends: tuple[int, ...] = ()
    length: int | None = None
    side_px: int = 0
    scalable: bool = True
    origin: str = ""
    limit_stop: int | None = None
    levels_below: int = 0
    whole_below: int = 0

    def ledger(self, index: int, representation: int = 0) -> FrameLedger:
        """The ledger of a frame of which this is known."""
        return FrameLedger(
            index,
            representation,
            level_ends=self.level_ends,
            described=bool(self.level_ends),
            told_ahead=bool(self.level_ends),
            length=self.length,
            levels=[LevelState.WANTED] * len(self.level_ends),
            side_px=self.side_px,
            scalable=self.scalable,
            origin=self.origin,
            limit_stop=self.limit_stop,
            levels_below=max(self.levels_below, self.whole_below),
            whole_below=self.whole_below,
        )


class FrameLedgers:
    """The ledger of each frame itself, begun when it is first asked for: a series may be long."""

    def __init__(self, count: int, facts: Callable[[int, int], FrameFacts] | None) -> None:
        self._made: list[FrameLedger | None] = [None] * count
        self._facts = facts

    def __len__(self) -> int:
        return len(self._made)

    def __getitem__(self, index: int) -> FrameLedger:
        frame = self._made[index]
        if frame is None:
            index %= len(self._made)
            facts = FrameFacts() if self._facts is None else self._facts(index, 0)
            frame = self._made[index] = facts.ledger(index)
        return frame

    def __iter__(self) -> Iterator[FrameLedger]:
        return (self[index] for index in range(len(self._made)))

    def begun(self) -> Iterator[FrameLedger]:
        """Those that were asked for so far."""
        return (frame for frame in self._made if frame is not None)


class Ledgers:
    """The ledgers of all frames of a series, and what the page shows for each."""

    def __init__(self, count: int, facts: Callable[[int, int], FrameFacts] | None = None) -> None:
        self.main = FrameLedgers(count, facts)
        self.pictures = [NO_PICTURE] * count
        self._others: dict[int, dict[int, FrameLedger]] = {}
        self._facts = facts

    def get(self, index: int, representation: int = 0) -> FrameLedger:
        """The ledger of one representation, begun when it is first asked for."""
        if representation == 0:
            return self.main[index]
        others = self._others.setdefault(index, {})
        if representation not in others:
            known = self._facts and self._facts(index, representation)
            others[representation] = (known or FrameFacts()).ledger(index, representation)
        return others[representation]

    def of(self, index: int) -> tuple[FrameLedger, ...]:
        """Every representation of a frame that was begun, the frame itself first."""
        others = self._others.get(index)
        return (self.main[index], *others.values()) if others else (self.main[index],)
