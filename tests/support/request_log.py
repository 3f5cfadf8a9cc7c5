"""What a test server saw, readable and awaitable from the test's thread."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Condition
from typing import TYPE_CHECKING

from support.patience import WAIT_S

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(slots=True)
class RecordedRequest:
    """One request, in the order of arrival; the last three fields grow while it runs.

    ``body_bytes`` counts body bytes that the server handed to the kernel. ``aborted`` means that
    the client went away before the answer was complete.
    """

    method: str
    path: str
    headers: dict[str, str]
    status: int | None = None
    body_bytes: int = 0
    finished: bool = False
    aborted: bool = False

    @property
    def range(self) -> str | None:
        """The ``Range`` header as sent, for example ``bytes=0-99``."""
        return self.headers.get("range")

    def __str__(self) -> str:
        state = "aborted" if self.aborted else "finished" if self.finished else "running"
        answer = f"{self.status}, {self.body_bytes} bytes, {state}"
        return f"{self.method} {self.path} {self.range} -> {answer}"


class RequestLog:
    """The requests of a server, in the order of arrival."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._requests: list[RecordedRequest] = []

    def begin(self, method: str, path: str, headers: dict[str, str]) -> RecordedRequest:
        """Called by the server; header names are lower case."""
        request = RecordedRequest(method, path, headers)
        with self._changed:
            self._requests.append(request)
            self._changed.notify_all()
        return request

    def update(self, change: Callable[[], None]) -> None:
        """Called by the server: change a record and wake whoever waits."""
        with self._changed:
            change()
            self._changed.notify_all()

    def __call__(self, path: str | None = None) -> list[RecordedRequest]:
        """All requests so far, or those for one path."""
        with self._changed:
            return [item for item in self._requests if path in (None, item.path)]

    def body_bytes(self, path: str | None = None) -> int:
        """Body bytes sent so far."""
        return sum(item.body_bytes for item in self(path))

    def clear(self) -> None:
        """Forget everything so far."""
        with self._changed:
            self._requests.clear()

    def wait_until(self, holds: Callable[[list[RecordedRequest]], bool]) -> None:
        """Block until the requests (perhaps none yet) satisfy a condition, or fail the test."""
        with self._changed:
            if not self._changed.wait_for(lambda: holds(self._requests), timeout=WAIT_S):
                seen = "\n".join(map(str, self._requests)) or "no request at all"
                raise AssertionError(f"never happened within {WAIT_S} s; seen:\n{seen}")

    def wait_until_idle(self) -> None:
        """Block until every request so far is finished or aborted."""
        self.wait_until(lambda requests: all(item.finished or item.aborted for item in requests))
