"""The states of one (frame, resolution level), and the only transitions there are.

README.md says what moves a level from one to the next. Nothing else in the package writes a
level's state: everything goes through `FrameLedger.move`, which refuses what is not in the table.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Final

from firstlight.ranges import ByteRange
from firstlight.retrieve.status import Quality

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
    """Everything the scheduler knows of one representation of a frame; scalars only.

    ``representation`` 0 is the frame itself. Offsets count from the first byte fetched for it.
    ``level_ends`` are the ends known so far, ``described`` whether that is all of them,
    ``told_ahead`` that no byte was needed for it. ``wanted_stop`` is how far the index reader has
    to see next, ``examining`` whether it is reading.

    ``held_stop`` is the length of the prefix that the transport holds, ``floor_stop`` how much of
    that lies in the heads file and is kept. ``promised_stop`` is the prefix there will be when the
    heads under way have come. ``ahead`` are stretches held behind a gap that the heads will
    close. ``limit_stop`` and ``levels_below`` are the most that is
    wanted; ``whole_below`` says from which level on, so many below the full image, a vast frame
    comes by window.

    ``job`` is a decode under way, of the first ``job_stop`` bytes at ``job_level``.
    ``refused`` is why a level could not be decoded that is not the last.
    ``attempts`` counts requests that failed without bringing much, ``retry_at_ms`` is when the next
    one is due. ``full_quality`` is what its full image counts as, ``origin`` names who serves it.
    """

    index: int
    representation: int = 0
    level_ends: tuple[int, ...] = ()
    described: bool = False
    told_ahead: bool = False
    wanted_stop: int | None = None
    examining: bool = False
    length: int | None = None
    held_stop: int = 0
    floor_stop: int = 0
    promised_stop: int = 0
    ahead: list[tuple[int, int]] = field(default_factory=list)
    request: int | None = None
    job: int | None = None
    job_level: int = -1
    job_stop: int = 0
    ready_level: int = -1
    attempts: int = 0
    retry_at_ms: float | None = None
    tried_stop: int = 0
    error: FirstlightError | None = None
    refused: FirstlightError | None = None
    levels: list[LevelState] = field(default_factory=list)
    side_px: int = 0
    scalable: bool = True
    origin: str = ""
    full_quality: Quality = Quality.FULL_RESOLUTION
    limit_stop: int | None = None
    levels_below: int = 0
    whole_below: int = 0

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
    def finest_level(self) -> int:
        """The finest level that is wanted."""
        return max(0, self.final_level - self.levels_below)

    @property
    def goal_stop(self) -> int | None:
        """Where the bytes of the full image end, None while unknown."""
        return self.level_ends[-1] if self.described else None

    @property
    def end(self) -> int | None:
        """Where the bytes that are wanted of it end, as far as that is known."""
        end = self.level_ends[-1] if self.described else self.length
        if self.levels_below and self.levels and self.finest_level < len(self.level_ends):
            end = self.level_ends[self.finest_level]
        if self.limit_stop is not None:
            end = self.limit_stop if end is None else min(end, self.limit_stop)
        return end

    @property
    def is_limited(self) -> bool:
        """Whether less than all of it is wanted."""
        return self.limit_stop is not None or self.levels_below > 0

    @property
    def is_whole(self) -> bool:
        """Whether all bytes of the full image are held."""
        end = self.level_ends[-1] if self.described else self.length
        return end is not None and self.held_stop >= end

    @property
    def fetched_level(self) -> int:
        """The finest level whose bytes are all held, -1 for none."""
        return bisect_right(self.level_ends, self.held_stop) - 1

    @property
    def complete(self) -> bool:
        """Whether the full image is decoded and with the page."""
        return self.ready_level >= 0 and self.ready_level == self.final_level

    @property
    def may_fetch(self) -> bool:
        """Whether a request may be started for it now."""
        return self.request is None and self.error is None and self.retry_at_ms is None

    def missing(self, stop: int | None) -> ByteRange | None:
        """The next request on the way to a prefix of ``stop`` bytes (None: all there are).

        None when nothing has to be asked for.
        """
        start = max(self.held_stop, self.promised_stop)
        for held_start, held_stop in self.ahead:
            if held_start > start:
                return ByteRange(start, held_start)
            start = max(start, held_stop)
        end = self.end
        if stop is None or (end is not None and stop > end):
            stop = end
        return ByteRange(start, stop) if stop is None or stop > start else None

    def hold(self, start: int, stop: int) -> int:
        """Bytes ``start`` to ``stop`` are held; how many the prefix has gained."""
        before = self.held_stop
        if start <= before and not self.ahead:
            self.held_stop = max(before, stop)
            return self.held_stop - before
        behind = []
        for held_start, held_stop in sorted([*self.ahead, (start, stop)]):
            if held_start <= self.held_stop:
                self.held_stop = max(self.held_stop, held_stop)
            else:
                behind.append((held_start, held_stop))
        self.ahead = behind
        return self.held_stop - before

    def drop(self, stop: int = 0) -> int:
        """Only the first ``stop`` bytes are held from now on; how many were let go."""
        gone = self.held_stop - min(stop, self.held_stop)
        self.held_stop -= gone
        self.floor_stop = self.promised_stop = self.held_stop
        self.ahead.clear()
        return gone
