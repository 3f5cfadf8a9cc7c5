"""How the states of a frame's levels follow from its bytes, its request and its picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from firstlight.schedule.states import LevelState

if TYPE_CHECKING:
    from firstlight.schedule.fetches import FetchQueue
    from firstlight.schedule.states import FrameLedger


def settle(frame: FrameLedger) -> None:
    """Bring the states in line with the bytes held and with whether a request runs."""
    fetched = frame.fetched_level
    for level in range(fetched + 1):
        if frame.levels[level] in (LevelState.WANTED, LevelState.FETCHING):
            frame.move(level, LevelState.FETCHED)
    if frame.request is None:
        for level in range(fetched + 1, len(frame.levels)):
            if frame.levels[level] is LevelState.FETCHING:
                frame.move(level, LevelState.WANTED)


def mark_fetching(frame: FrameLedger, fetches: FetchQueue) -> None:
    """A request runs for a frame: the levels that it covers are on their way."""
    for level, state in enumerate(frame.levels):
        if state is LevelState.WANTED and fetches.covers(frame, level):
            frame.move(level, LevelState.FETCHING)


def supersede(frame: FrameLedger, ready_level: int) -> None:
    """A finer picture is there: nobody wants the coarser ones any more."""
    for level in range(ready_level):
        if frame.levels[level] in (LevelState.FETCHED, LevelState.READY):
            frame.move(level, LevelState.EVICTED)
    frame.ready_level = ready_level


def show_ahead(frame: FrameLedger, level: int) -> None:
    """Somebody else has decoded a level already."""
    for coarser in range(level + 1):
        if frame.levels[coarser] in (LevelState.WANTED, LevelState.FETCHING):
            frame.move(coarser, LevelState.FETCHED)
    frame.move(level, LevelState.READY)
    supersede(frame, level)


def withdraw(frame: FrameLedger) -> None:
    """The page shows something better of another representation."""
    if frame.ready_level >= 0:
        frame.move(frame.ready_level, LevelState.EVICTED)
        frame.ready_level = -1


def recall(frame: FrameLedger) -> None:
    """Pixels that were dropped may be decoded again from the bytes held."""
    level = frame.fetched_level
    if frame.ready_level < 0 and level >= 0 and frame.levels[level] is LevelState.EVICTED:
        frame.move(level, LevelState.FETCHED)


def fail(frame: FrameLedger) -> None:
    """What is not here will not come."""
    for level, state in enumerate(frame.levels):
        if state in (LevelState.WANTED, LevelState.FETCHING):
            frame.move(level, LevelState.FAILED)


def may_improve(frame: FrameLedger) -> bool:
    """Whether a finer level than those that failed is here or may still come.

    While the codestream is examined, more levels may be here than are known.
    """
    if frame.request is None and frame.missing(None) is None and not frame.examining:
        last = min(frame.fetched_level, frame.finest_level)
    else:
        last = frame.finest_level
    return last < 0 or frame.levels[last] is not LevelState.FAILED


def revive(frame: FrameLedger) -> None:
    """What had failed is wanted once more."""
    for level, state in enumerate(frame.levels):
        if state is LevelState.FAILED:
            frame.move(level, LevelState.WANTED)


def undescribe(frame: FrameLedger) -> None:
    """What its bytes told of a frame may be wrong, as they may have been."""
    if not frame.told_ahead:
        frame.level_ends, frame.described, frame.wanted_stop = (), False, None
