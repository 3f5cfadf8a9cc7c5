"""What to do, as told by the scheduler. Offsets count from the frame's first byte."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from firstlight.ranges import ByteRange
    from firstlight.schedule.order import Tier


@dataclass(frozen=True, slots=True)
class Fetch:
    """Start one request for ``extent`` of a frame; report when each milestone is held."""

    request: int
    frame_index: int
    extent: ByteRange
    milestones: tuple[int, ...]
    tier: Tier


@dataclass(frozen=True, slots=True)
class Watch:
    """Report these milestones of a running request too."""

    request: int
    frame_index: int
    milestones: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Cancel:
    """Stop a running request; what it brought stays held."""

    request: int


@dataclass(frozen=True, slots=True)
class Describe:
    """Read the codestream index further, now that ``held_stop`` bytes are there."""

    frame_index: int
    held_stop: int


@dataclass(frozen=True, slots=True)
class Decode:
    """Decode the first ``stop`` bytes of a frame at a resolution level."""

    job: int
    frame_index: int
    resolution_level: int
    stop: int


@dataclass(frozen=True, slots=True)
class Evict:
    """Drop the decoded pixels of a frame."""

    frame_index: int


@dataclass(frozen=True, slots=True)
class Release:
    """Drop the compressed bytes of a frame."""

    frame_index: int


Command = Fetch | Watch | Cancel | Describe | Decode | Evict | Release
