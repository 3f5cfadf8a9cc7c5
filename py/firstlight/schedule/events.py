"""What happened, as told to the scheduler. Offsets count from the frame's first byte."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from firstlight.errors import FirstlightError
    from firstlight.retrieve.configuration import RetrieveOptions


@dataclass(frozen=True, slots=True)
class Demand:
    """What the viewports want, stated whole each time: the frames on screen, and where it moves.

    ``visible`` are frame indices, the one the eye is on first; ``direction`` is -1, 0 or 1.
    ``speed`` is how many frames a second pass by, 0 while nothing moves.
    ``volume``: every frame is on screen, as an MPR shows it. ``side_px`` is the longest side of the
    full image on screen in device pixels, None where nobody says. ``window`` is the part of the
    eye's frame that is on screen where not all of it is: left, top, right and bottom, 0 to 1.
    """

    visible: tuple[int, ...]
    direction: int = 0
    volume: bool = False
    side_px: int | None = None
    speed: float = 0.0
    window: tuple[float, float, float, float] | None = None


@dataclass(frozen=True, slots=True)
class Described:
    """The codestream index of a frame, as far as it is known.

    ``level_count`` is the number of resolution levels (decomposition levels plus one).
    ``complete`` tells that ``level_ends`` has all of them. ``wanted_stop`` is the prefix length
    after which the index can be read further, None when it needs nothing more.
    """

    frame_index: int
    level_ends: tuple[int, ...]
    level_count: int
    complete: bool
    wanted_stop: int | None = None
    representation: int = 0


@dataclass(frozen=True, slots=True)
class Examined:
    """A `commands.Describe` is over, whatever was found."""

    frame_index: int
    representation: int = 0


@dataclass(frozen=True, slots=True)
class Sized:
    """How many bytes a frame has, told ahead of its first request."""

    frame_index: int
    length: int
    representation: int = 0


@dataclass(frozen=True, slots=True)
class Opened:
    """The answer to a fetch has begun. ``ranges`` False: this server sends whole resources.

    ``length`` is that of what is fetched for the frame in all, None while unknown.
    """

    request: int
    length: int | None
    ranges: bool


@dataclass(frozen=True, slots=True)
class Reached:
    """The bytes of a request are held up to ``stop``."""

    request: int
    stop: int


@dataclass(frozen=True, slots=True)
class Closed:
    """A fetch is over; its bytes are held up to ``stop``."""

    request: int
    stop: int


@dataclass(frozen=True, slots=True)
class FetchFailed:
    """A fetch failed; its bytes stay held up to ``stop`` (0: nothing held is valid)."""

    request: int
    stop: int
    error: FirstlightError


@dataclass(frozen=True, slots=True)
class Undescribable:
    """The bytes of a frame are not a codestream that can be shown."""

    frame_index: int
    error: FirstlightError
    representation: int = 0


@dataclass(frozen=True, slots=True)
class Decoded:
    """A decode job is done and the page holds its pixels (``stored_bytes`` of them)."""

    job: int
    stored_bytes: int


@dataclass(frozen=True, slots=True)
class DecodeFailed:
    """A decode job failed."""

    job: int
    error: FirstlightError


@dataclass(frozen=True, slots=True)
class Adopted:
    """A request that somebody else started for a frame, from the frame's first byte.

    ``stop`` None is an open range. ``shown_level`` is the finest level already decoded, -1 for
    none, ``stored_bytes`` its size.
    """

    request: int
    frame_index: int
    stop: int | None
    shown_level: int = -1
    stored_bytes: int = 0


@dataclass(frozen=True, slots=True)
class AdoptedHeads:
    """A request of the heads file from its first byte that somebody else started.

    ``stop`` None is an open range. ``shown`` has frame index, finest level already decoded and
    size of its picture for each frame that shows one already.
    """

    request: int
    stop: int | None
    shown: tuple[tuple[int, int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Requested:
    """A custom retriever wants a frame in a certain way; it runs after what it wanted before."""

    frame_index: int
    options: RetrieveOptions


@dataclass(frozen=True, slots=True)
class Limited:
    """How much of every frame is wanted from now on (`sources.base.Limit`); what is held stays."""

    stop: int | None = None
    levels_below: int = 0


@dataclass(frozen=True, slots=True)
class Lifted:
    """A vast frame cannot be had by window: all of it is wanted, as of any other."""

    frame_index: int


@dataclass(frozen=True, slots=True)
class Woken:
    """The time of a `commands.Wake` has come."""


@dataclass(frozen=True, slots=True)
class Retry:
    """The user asks for a failed frame once more."""

    frame_index: int


Event = (
    Demand
    | Described
    | Examined
    | Sized
    | Opened
    | Reached
    | Closed
    | FetchFailed
    | Undescribable
    | Decoded
    | DecodeFailed
    | Adopted
    | AdoptedHeads
    | Requested
    | Limited
    | Lifted
    | Woken
    | Retry
)
