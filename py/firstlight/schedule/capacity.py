"""The numbers that bound the scheduler, each with unit and reason, and the link as measured."""

from __future__ import annotations

from dataclasses import dataclass

_KIB = 1024
_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Capacity:
    """What may be in use at once.

    ``requests``: browsers open six connections to an HTTP/1.1 host; a seventh request would wait
    where it can no longer be re-ranked.
    ``decode_jobs``: two for each decoder worker, so that it never waits for Python.
    ``probe_bytes``: first look at a codestream of unknown structure; holds the main header and,
    for a CT, the first levels.
    ``finish_bytes``: a request with less left is allowed to end when something better comes up;
    a new connection would cost more.
    ``pixel_bytes``, ``compressed_bytes``: memory on the page and in the transport before frames
    far from the eye are dropped.
    """

    requests: int = 6
    decode_jobs: int = 4
    probe_bytes: int = 4 * _KIB
    finish_bytes: int = 64 * _KIB
    pixel_bytes: int = 768 * _MIB
    compressed_bytes: int = 512 * _MIB


LOOKAHEAD_MIN_BYTES = 64 * _KIB
"""Below this much left in flight the next request may start: 17 ms of a 30 Mbit/s link."""

LOOKAHEAD_MAX_BYTES = 8 * _MIB
"""Above this, lower tiers would take bandwidth from what is on screen."""


@dataclass(slots=True)
class Link:
    """Latency and rate as observed, to keep the wire full with as little in flight as possible."""

    latency_ms: float = 20.0
    bytes_per_ms: float = 0.0

    def opened(self, waited_ms: float) -> None:
        """Note the time from a request to the head of its answer."""
        # The smallest wait is the nearest to the line itself; it may only rise slowly.
        self.latency_ms = min(waited_ms, self.latency_ms * 1.05)

    def received(self, amount_bytes: int, elapsed_ms: float) -> None:
        """Note a stretch of body; short stretches say nothing about the rate."""
        if elapsed_ms < 5 or amount_bytes < LOOKAHEAD_MIN_BYTES // 4:
            return
        rate = amount_bytes / elapsed_ms
        self.bytes_per_ms = rate if self.bytes_per_ms == 0 else (3 * self.bytes_per_ms + rate) / 4

    @property
    def lookahead_bytes(self) -> int:
        """How much may be left in flight when the next request is started: two latencies' worth."""
        worth = int(2 * self.latency_ms * self.bytes_per_ms)
        return max(LOOKAHEAD_MIN_BYTES, min(worth, LOOKAHEAD_MAX_BYTES))
