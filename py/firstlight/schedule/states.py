"""The states of one (frame, resolution level), and the only transitions there are.

README.md says what moves a level from one to the next. Nothing else in the package writes a
level's state: everything goes through `FrameLedger.move`, which refuses what is not in the table.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from firstlight.errors import FirstlightError


class LevelState(Enum):
    """Where one resolution level of one frame stands."""

    WANTED = "wanted"
    FETCHING = "fetching"
    FETCHED = "fetched"
    DECODING = "decoding"
    READY = "ready"
    FAILED = "failed"
    EVICTED = "evicted"


_S = LevelState
TRANSITIONS: Final[dict[LevelState, frozenset[LevelState]]] = {
    _S.WANTED: frozenset({_S.FETCHING, _S.FETCHED, _S.FAILED}),
    _S.FETCHING: frozenset({_S.FETCHED, _S.WANTED, _S.FAILED}),
    _S.FETCHED: frozenset({_S.DECODING, _S.EVICTED, _S.READY, _S.WANTED, _S.FAILED}),
    _S.DECODING: frozenset({_S.READY, _S.FETCHED, _S.FAILED}),
    _S.READY: frozenset({_S.EVICTED}),
    _S.FAILED: frozenset({_S.WANTED, _S.FETCHED}),
    _S.EVICTED: frozenset({_S.WANTED, _S.FETCHED}),
}


class IllegalTransition(RuntimeError):
    """A level was moved along an arrow that the table does not have: a bug of the caller."""


@dataclass(slots=True)
class FrameLedger:
    """Everything the scheduler knows of one frame; scalars only.

    Offsets count from the first byte of the frame's codestream. ``held_stop`` is the length of
    the prefix that the transport holds. ``level_ends`` are the ends known so far, ``described``
    whether that is all of them. ``wanted_stop`` is how far the index reader has to see next.
    """

    index: int
    level_ends: tuple[int, ...] = ()
    described: bool = False
    wanted_stop: int | None = None
    length: int | None = None
    held_stop: int = 0
    request: int | None = None
    job: int | None = None
    job_level: int = -1
    ready_level: int = -1
    stored_bytes: int = 0
    error: FirstlightError | None = None
    levels: list[LevelState] = field(default_factory=list)

    def move(self, level: int, to: LevelState) -> None:
        """Move one level to another state.

        Raises:
            IllegalTransition: the table has no such arrow; nothing has changed then.
        """
        now = self.levels[level]
        if to not in TRANSITIONS[now]:
            raise IllegalTransition(
                f"frame {self.index} level {level}: {now.value} to {to.value} is not a transition"
            )
        self.levels[level] = to

    @property
    def final_level(self) -> int:
        """The full image's level, -1 while the number of levels is unknown."""
        return len(self.levels) - 1

    @property
    def goal_stop(self) -> int | None:
        """Where the bytes of the full image end, None while unknown."""
        return self.level_ends[-1] if self.described else None

    @property
    def fetched_level(self) -> int:
        """The finest level whose bytes are all held, -1 for none."""
        level = -1
        for level_end in self.level_ends:
            if level_end > self.held_stop:
                break
            level += 1
        return level

    @property
    def complete(self) -> bool:
        """Whether the full image is decoded and with the page."""
        return self.ready_level >= 0 and self.ready_level == self.final_level
