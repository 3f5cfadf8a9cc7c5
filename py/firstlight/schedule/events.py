"""What happened, as told to the scheduler. Offsets count from the frame's first byte."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from firstlight.errors import FirstlightError


@dataclass(frozen=True, slots=True)
class Demand:
    """What the viewports want, stated whole each time: the frames on screen, and where it moves.

    ``visible`` are frame indices, the one the eye is on first; ``direction`` is -1, 0 or 1.
    """

    visible: tuple[int, ...]
    direction: int = 0


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


@dataclass(frozen=True, slots=True)
class Sized:
    """How many bytes a frame has, told ahead of its first request."""

    frame_index: int
    length: int


@dataclass(frozen=True, slots=True)
class Opened:
    """The answer to a fetch has begun. ``ranges`` False: this server sends whole resources."""

    request: int
    length: int | None
    ranges: bool


@dataclass(frozen=True, slots=True)
class Reached:
    """The prefix of the frame is held up to ``stop``."""

    request: int
    stop: int


@dataclass(frozen=True, slots=True)
class Closed:
    """A fetch is over; the prefix is held up to ``stop``."""

    request: int
    stop: int


@dataclass(frozen=True, slots=True)
class FetchFailed:
    """A fetch failed; the prefix stays held up to ``stop`` (0: nothing held is valid)."""

    request: int
    stop: int
    error: FirstlightError


@dataclass(frozen=True, slots=True)
class Undescribable:
    """The bytes of a frame are not a codestream that can be shown."""

    frame_index: int
    error: FirstlightError


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
class Retry:
    """The user asks for a failed frame once more."""

    frame_index: int


Event = (
    Demand
    | Described
    | Sized
    | Opened
    | Reached
    | Closed
    | FetchFailed
    | Undescribable
    | Decoded
    | DecodeFailed
    | Adopted
    | Retry
)
