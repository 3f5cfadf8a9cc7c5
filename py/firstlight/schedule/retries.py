"""When a failed request is tried once more, and when Python has to be woken for it."""

from __future__ import annotations

from heapq import heappop, heappush
from typing import TYPE_CHECKING

from firstlight.errors import HttpStatus
from firstlight.schedule.concurrency import is_transient

if TYPE_CHECKING:
    from collections.abc import Callable

    from firstlight.errors import FirstlightError
    from firstlight.schedule.capacity import Capacity
    from firstlight.schedule.states import FrameLedger

GROWTH = 3.0
"""Each wait is so many times the one before."""


class Retries:
    """Frames that wait for their next try. ``jitter`` gives numbers from 0 to 1.

    Jitter spreads the tries of many frames, or many pages, that failed at one moment.
    """

    def __init__(self, capacity: Capacity, jitter: Callable[[], float]) -> None:
        self._capacity = capacity
        self._jitter = jitter
        self._due: list[tuple[float, int, int]] = []

    def failed(self, frame: FrameLedger, error: FirstlightError, now_ms: float) -> bool:
        """Note a failure; whether the frame will be tried once more."""
        if frame.held_stop - frame.tried_stop >= self._capacity.finish_bytes:
            frame.attempts = 0  # a connection that breaks now and then does bring the image
        frame.tried_stop = frame.held_stop
        frame.attempts += 1
        if not is_transient(error) or frame.attempts >= self._capacity.attempts:
            return False
        wait_ms = self._capacity.retry_ms * GROWTH ** (frame.attempts - 1)
        wait_ms *= 0.75 + 0.5 * self._jitter()
        if isinstance(error, HttpStatus):
            wait_ms = max(wait_ms, error.retry_after_ms or 0)
        frame.retry_at_ms = now_ms + min(wait_ms, self._capacity.retry_max_ms)
        heappush(self._due, (frame.retry_at_ms, frame.index, frame.representation))
        return True

    @property
    def next_ms(self) -> float:
        """When the next try is due; infinite for never."""
        return self._due[0][0] if self._due else float("inf")

    def take_due(self, now_ms: float) -> list[tuple[int, int]]:
        """Index and representation of what may be tried now."""
        due = []
        while self._due and self._due[0][0] <= now_ms:
            _, index, representation = heappop(self._due)
            due.append((index, representation))
        return due


class Alarm:
    """When the scheduler is to be woken, so that it asks once for each time."""

    def __init__(self) -> None:
        self._set_ms = float("inf")

    def rang(self) -> None:
        """The scheduler was woken."""
        self._set_ms = float("inf")

    def set(self, retry_ms: float, check_ms: float) -> float | None:
        """The time to ask for, None when nothing new is needed.

        A retry is waited for exactly; to check what runs any earlier alarm will do.
        """
        wanted = min(retry_ms, check_ms) if self._set_ms == float("inf") else retry_ms
        if wanted >= self._set_ms:
            return None
        self._set_ms = wanted
        return wanted
