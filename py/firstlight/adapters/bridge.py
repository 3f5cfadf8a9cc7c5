"""What `loader.worker.js` gives Python to speak with, and what its words for errors mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from firstlight import errors

if TYPE_CHECKING:
    from collections.abc import Awaitable


class HeldBytes(Protocol):
    """A JavaScript Uint8Array, as far as it is used here."""

    def to_bytes(self) -> bytes:
        """Copy it into Python."""


class Bridge(Protocol):
    """The functions of `loader.worker.js`, each of which posts one message (`web/README.md`)."""

    def fetch(
        self,
        segment: int,
        url: str,
        start: int,
        stop: int | None,
        milestones: object,
        version: str | None,
        priority: str,
        accept: str,
        whole: bool,
    ) -> None:
        """Start an exchange."""

    def watch(self, segment: int, milestones: object) -> None:
        """Add milestones."""

    def segment(self, kind: str, segment: int) -> None:
        """``cancel``, ``release`` or ``adopt`` a segment."""

    def read(self, segment: int, start: int, stop: int | None) -> Awaitable[HeldBytes | None]:
        """Copy held bytes; None when they are not held."""

    def takeOver(self) -> Awaitable[str]:  # noqa: N802 (JavaScript's name)
        """Make the page stop loading by itself; JSON of what it has begun (`Adoption`)."""

    def decode(self, order_json: str) -> None:
        """Hand a job over, given as JSON with the message's names."""

    def replaceDecoder(self, worker: int) -> None:  # noqa: N802 (JavaScript's name)
        """End a decoder worker and start another in its place."""

    def evict(self, frame_index: int) -> None:
        """Drop a decoded array."""

    def publish(self, kind: str, record_json: str) -> None:
        """Tell the page something."""

    def need(self, package: str) -> Awaitable[None]:
        """Make an optional Python package importable."""


def make_error(
    kind: str,
    message: str,
    url: str | None,
    status: int | None,
    retry_after_ms: float | None = None,
) -> errors.FirstlightError:
    """The error of `errors.py` that a worker named; an unknown name is a DecodeError's bug."""
    found = getattr(errors, kind, None)
    if found is errors.HttpStatus:
        return errors.HttpStatus(
            message, status=status or 0, retry_after_ms=retry_after_ms, resource=url
        )
    if isinstance(found, type) and issubclass(found, errors.FirstlightError):
        return found(message, resource=url)
    return errors.DecodeError(f"{kind}: {message}", resource=url)
