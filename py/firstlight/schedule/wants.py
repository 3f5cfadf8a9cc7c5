"""What an order of loading has to answer: what is wanted next, and what a picture is worth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from firstlight.errors import FirstlightError
    from firstlight.ranges import ByteRange
    from firstlight.retrieve.configuration import Nearby
    from firstlight.retrieve.status import Quality
    from firstlight.schedule import commands as do
    from firstlight.schedule.heads import Chunk
    from firstlight.schedule.order import Tier, View
    from firstlight.schedule.states import FrameLedger


@dataclass(frozen=True, slots=True)
class Want:
    """The next request: ``extent`` of a frame, or a chunk of the heads file.

    ``beside``: so little that it may start while the wire is full. ``urgent``: what is in its way
    is cancelled. ``levels``: it shows each level
    as it comes. ``task`` is the order's own name for it.
    """

    tier: Tier
    frame: FrameLedger | None = None
    extent: ByteRange | None = None
    heads: Chunk | None = None
    beside: bool = False
    urgent: bool = False
    levels: bool = True
    task: int = -1


class LoadingOrder(Protocol):
    """Decides what is asked for next; `adaptive.py` by measuring, `staged.py` by a plan."""

    def restate(self, view: View) -> None:
        """The demand has changed."""

    def changed(self, frame: FrameLedger) -> None:
        """The ledger of a frame has changed; called after every change, before `next_want`."""

    def next_want(self, now_ms: float) -> Want | None:
        """The best request that may start now; the same until it is `started` or things change."""

    def started(self, want: Want, now_ms: float) -> None:
        """The request was started."""

    def shows(self, frame: FrameLedger, level: int, now_ms: float) -> bool:
        """Whether a level whose bytes are held is worth a decode now."""

    def quality(self, frame: FrameLedger, level: int) -> Quality:
        """What the picture of a level counts as."""

    def decoding(self, frame: FrameLedger, now_ms: float) -> None:
        """A decode of what is held has begun."""

    def nearby(self, frame: FrameLedger) -> tuple[Nearby, ...]:
        """Which frames a picture of this one may stand in for."""

    def failed(self, frame: FrameLedger, error: FirstlightError, now_ms: float) -> None:
        """A frame has failed, and was tried as often as it is worth it."""

    def no_ranges(self) -> None:
        """The server sends whole resources only."""

    def no_heads(self) -> None:
        """The heads file is missing."""

    def retry(self, index: int) -> None:
        """The user asks for a failed frame once more."""

    def take_notes(self) -> list[do.Command]:
        """What is to be told since the last call."""

    # -- for the page -----------------------------------------------------------------------------

    def stage_id(self, index: int) -> str | None:
        """The stage that a frame is in, None without stages or when they are over."""

    def is_over(self, index: int) -> bool:
        """Whether nothing more will be asked for a frame, though it is not FULL_RESOLUTION."""

    def error(self, index: int) -> FirstlightError | None:
        """Why a frame is given up, None while it is not."""
