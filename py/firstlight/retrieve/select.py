"""Which frames of a series a stage selects."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from firstlight.errors import ConfigurationError

if TYPE_CHECKING:
    from firstlight.retrieve.configuration import Stage


def position_index(position: float, count: int) -> int | None:
    """The index that a position means among ``count`` frames, None where there is no such frame.

    From 0 to below 1 it is a fraction of the way from the first to the last frame, rounded down;
    1 and more is an index; a negative one counts from the end, -1 the last.
    """
    if position < 0:
        index = count + math.floor(position)
    elif position < 1:
        index = math.floor((count - 1) * position)
    else:
        index = math.floor(position)
    return index if 0 <= index < count else None


def decimated(count: int, decimate: int, offset: int) -> range:
    """Every ``decimate``-th index below ``count``, from ``offset`` on."""
    return range(offset, count, decimate)


def selected(stage: Stage, count: int, path: str = "stage") -> tuple[int, ...]:
    """Indices of the frames of a stage in their order, each once.

    Raises:
        ConfigurationError: it names a frame that a series of ``count`` frames does not have; the
            message begins with ``path``.
    """
    if not stage.positions:
        return tuple(decimated(count, stage.decimate, stage.offset))
    found: dict[int, None] = {}
    for place, position in enumerate(stage.positions):
        index = position_index(position, count)
        if index is None:
            text = f"{path}.positions[{place}]: there is no frame {position:g} among {count}"
            raise ConfigurationError(text)
        found[index] = None
    return tuple(found)
