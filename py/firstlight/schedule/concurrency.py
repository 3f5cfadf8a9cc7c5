"""How many requests one origin gets at once: found out, not configured."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from firstlight.errors import HttpStatus, ShortBody, Unreachable

if TYPE_CHECKING:
    from firstlight.errors import FirstlightError
    from firstlight.schedule.capacity import Capacity

QUEUEING = 1.5
"""An answer that begins this much later than the quickest has waited in a queue on its way."""

SLACK_MS = 5.0
"""Differences below this are noise of the browser's own."""


@dataclass(slots=True)
class Concurrency:
    """The limit of one origin.

    It grows while answers begin as quickly as ever, which over HTTP/1.1 ends with the connections
    a browser opens and over HTTP/2 with ``max_requests``; it goes back to ``requests`` when they
    begin to queue, and is halved when the origin refuses or breaks.
    """

    capacity: Capacity
    limit: int = 0
    quickest_ms: float = field(default=float("inf"))
    _waits_ms: float = 0.0
    _opened: int = 0
    _was_full: bool = False

    def __post_init__(self) -> None:
        self.limit = self.capacity.requests

    def has_room(self, running: int) -> bool:
        """Whether one more request may start beside ``running`` others."""
        if running < self.limit:
            return True
        self._was_full = True
        return False

    def opened(self, waited_ms: float) -> None:
        """The head of an answer came."""
        self.quickest_ms = min(waited_ms, self.quickest_ms * 1.02)
        self._waits_ms += waited_ms
        self._opened += 1
        if self._opened >= self.limit:
            self._end_round(self._waits_ms / self._opened)

    def failed(self, error: FirstlightError) -> None:
        """A request failed; only what more requests make worse counts."""
        if is_transient(error):
            self.limit = max(1, self.limit // 2)
            self._restart()

    def _end_round(self, mean_ms: float) -> None:
        queueing = mean_ms > QUEUEING * self.quickest_ms + SLACK_MS
        floor = self.capacity.requests
        if self.limit < floor:
            self.limit += 1
        elif queueing:
            self.limit = max(floor, self.limit * 2 // 3)
        elif self._was_full:
            self.limit = min(self.capacity.max_requests, self.limit * 3 // 2)
        self._restart()

    def _restart(self) -> None:
        self._waits_ms, self._opened, self._was_full = 0.0, 0, False


def is_transient(error: FirstlightError) -> bool:
    """Whether the same request may succeed later (RFC 9110 15.5.9, 15.6; RFC 6585 4)."""
    if isinstance(error, HttpStatus):
        return error.status in (408, 425, 429) or error.status >= 500
    return isinstance(error, Unreachable | ShortBody)
