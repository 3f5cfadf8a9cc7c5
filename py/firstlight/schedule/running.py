"""The requests in flight, and how fast bytes come."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from firstlight.errors import ShortBody, Unreachable
from firstlight.schedule.concurrency import Concurrency
from firstlight.schedule.events import Closed, FetchFailed

if TYPE_CHECKING:
    from firstlight.errors import FirstlightError
    from firstlight.schedule.capacity import Capacity, Link
    from firstlight.schedule.events import Reached
    from firstlight.schedule.heads import Chunk
    from firstlight.schedule.order import View
    from firstlight.schedule.states import FrameLedger

OPEN_ENDED = 1 << 62
"""Bytes that a request of unknown length is taken to have left."""

STALL_MS = 2000.0
"""After this time without the head of an answer a request does not keep others waiting."""

SAMPLE_BYTES = 64 * 1024
"""Requests for less tell nothing of the rate."""

SAMPLE_MS = 40.0
"""The rate is measured over stretches of this length: reports of a request come in lumps."""


@dataclass(slots=True)
class Running:
    """One request in flight, of a frame or of the heads file.

    ``stop`` None is an open range, ``at`` how far it is held, ``seen_ms`` its last report.
    ``silent``: it was ended because nothing was heard of it. ``is_adopted``: somebody else started
    it, and knows when.
    """

    request: int
    origin: str
    start: int
    stop: int | None
    started_ms: float
    seen_ms: float
    frame: FrameLedger | None = None
    heads: Chunk | None = None
    levels: bool = True
    at: int = 0
    heads_done: int = 0
    is_open: bool = False
    is_metered: bool = False
    is_adopted: bool = False
    cancelled: bool = False
    silent: bool = False

    @property
    def is_long(self) -> bool:
        """Whether it tells how fast the link is."""
        return self.stop is None or self.stop - self.start >= SAMPLE_BYTES

    def may_stay(self, wanted: FrameLedger, view: View) -> bool:
        """Whether it is on screen, and no full image beside that of the eye's frame, ``wanted``."""
        frame = self.frame
        if frame is None or not view.is_on_screen(frame.index):
            return frame is None
        full = self.stop is None or self.stop == frame.end
        return wanted.index != view.eye or frame.index == view.eye or not full

    def left_bytes(self, now_ms: float) -> int:
        """What is still to come of it; one that no answer comes for leaves the wire to others."""
        if self.cancelled or (not self.is_open and now_ms - self.started_ms >= STALL_MS):
            return 0
        return OPEN_ENDED if self.stop is None else max(0, self.stop - max(self.at, self.start))


def failure(
    event: Reached | Closed | FetchFailed, running: Running, capacity: Capacity
) -> FirstlightError | None:
    """Why a request failed; one that was ended because it brought nothing has failed too."""
    if isinstance(event, FetchFailed):
        return None if running.cancelled and not running.silent else event.error
    if isinstance(event, Closed) and running.silent:
        return Unreachable(f"nothing came for {round(capacity.silence_ms / 1000)} s")
    pieces = () if running.heads is None else running.heads.pieces
    if isinstance(event, Closed) and not running.cancelled and running.heads_done < len(pieces):
        return ShortBody(f"the heads file ends at {event.stop}")
    return None


@dataclass(slots=True)
class Limits:
    """The limit of each origin; kept over several series."""

    capacity: Capacity
    by_origin: dict[str, Concurrency] = field(default_factory=dict)

    def of(self, origin: str) -> Concurrency:
        """The limit of one origin."""
        limit = self.by_origin.get(origin)
        if limit is None:
            limit = self.by_origin[origin] = Concurrency(self.capacity)
        return limit


@dataclass(slots=True)
class Meter:
    """Adds up what requests bring while at least one of them flows, to tell the link's rate.

    The time between a request and its answer does not count: then the wire waits for us. Short
    bodies do not count either: they are reported in less time than they take.
    """

    link: Link
    _flowing: int = 0
    _since_ms: float = 0.0
    _busy_ms: float = 0.0
    _bytes: int = 0

    def opened(self, running: Running, now_ms: float) -> None:
        """The head of an answer came."""
        running.is_metered = running.is_long
        if running.is_metered:
            if self._flowing == 0:
                self._since_ms = now_ms
            self._flowing += 1

    def received(self, running: Running, amount_bytes: int, now_ms: float) -> None:
        """So many bytes of a request were reported."""
        if not running.is_metered:
            return
        self._bytes += amount_bytes
        self._busy_ms += now_ms - self._since_ms
        self._since_ms = now_ms
        if self._busy_ms >= SAMPLE_MS:
            self._note()

    def closed(self, running: Running) -> None:
        """A request is over, after what it brought last was reported."""
        if running.is_metered:
            running.is_metered = False
            self._flowing -= 1
            if self._flowing == 0 and self.link.bytes_per_ms == 0:
                self._note()  # a short stretch is better than none

    def _note(self) -> None:
        self.link.received(self._bytes, self._busy_ms)
        self._busy_ms, self._bytes = 0.0, 0
