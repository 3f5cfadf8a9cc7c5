"""What to do, as told by the scheduler. Offsets count from the first byte fetched for a frame.

``representation`` 0 is the frame itself, another number one of `Scheduler.representations`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from firstlight.errors import FirstlightError
    from firstlight.ranges import ByteRange
    from firstlight.retrieve.status import Quality
    from firstlight.schedule.heads import HeadsPiece
    from firstlight.schedule.order import Tier


@dataclass(frozen=True, slots=True)
class Fetch:
    """Start one request for ``extent`` of a frame; report when each milestone is held."""

    request: int
    frame_index: int
    extent: ByteRange
    milestones: tuple[int, ...]
    tier: Tier
    representation: int = 0


@dataclass(frozen=True, slots=True)
class FetchHeads:
    """Start one request for ``extent`` of the heads file; offsets count in that file.

    ``pieces`` are what it brings, in its order.
    """

    request: int
    extent: ByteRange
    milestones: tuple[int, ...]
    pieces: tuple[HeadsPiece, ...]
    tier: Tier


@dataclass(frozen=True, slots=True)
class Watch:
    """Report these milestones of a running request too."""

    request: int
    frame_index: int
    milestones: tuple[int, ...]
    representation: int = 0


@dataclass(frozen=True, slots=True)
class WatchHeads:
    """A request of the heads file that was adopted brings these pieces; report the milestones."""

    request: int
    milestones: tuple[int, ...]
    pieces: tuple[HeadsPiece, ...]


@dataclass(frozen=True, slots=True)
class Cancel:
    """Stop a running request; what it brought stays held."""

    request: int


@dataclass(frozen=True, slots=True)
class Describe:
    """Read the codestream index further, now that ``held_stop`` bytes are there.

    `events.Examined` is to follow in any case.
    """

    frame_index: int
    held_stop: int
    representation: int = 0


@dataclass(frozen=True, slots=True)
class Decode:
    """Decode the first ``stop`` bytes of a frame at a resolution level.

    ``quality`` is what the picture counts as.
    """

    job: int
    frame_index: int
    resolution_level: int
    stop: int
    quality: Quality
    representation: int = 0


@dataclass(frozen=True, slots=True)
class Evict:
    """Drop the decoded pixels of a frame."""

    frame_index: int


@dataclass(frozen=True, slots=True)
class Release:
    """Drop the compressed bytes of a frame; ``keep_heads``: but not those in the heads file."""

    frame_index: int
    representation: int = 0
    keep_heads: bool = False


@dataclass(frozen=True, slots=True)
class Wake:
    """Send `events.Woken` when the clock says so."""

    at_ms: float


@dataclass(frozen=True, slots=True)
class StageEnded:
    """All requests of a stage have settled; times count from the beginning of the series."""

    stage_id: str
    number_of_images: int
    number_of_failures: int
    number_of_skipped: int
    start_duration_ms: float
    stage_duration_ms: float


@dataclass(frozen=True, slots=True)
class Retrieved:
    """A request of a custom retriever has settled: with the quality held, or with an error."""

    frame_index: int
    quality: Quality | None
    error: FirstlightError | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """Tell that something is missing which the series does without."""

    error: FirstlightError


Command = (
    Fetch
    | FetchHeads
    | Watch
    | WatchHeads
    | Cancel
    | Describe
    | Decode
    | Evict
    | Release
    | Wake
    | StageEnded
    | Retrieved
    | Notice
)
