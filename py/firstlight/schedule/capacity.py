"""The numbers that bound the scheduler, each with unit and reason, and the link as measured."""

from __future__ import annotations

import sys
from dataclasses import dataclass

_KIB = 1024
_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Capacity:
    """What may be in use at once.

    ``requests``: browsers open six connections to an HTTP/1.1 host; a seventh request would wait
    where it can no longer be re-ranked. ``max_requests``: what a host that answers more at once
    (HTTP/2) may get; `concurrency.py` finds out.
    ``decode_jobs``: two for each decoder worker, so that it never waits for Python.
    ``small_job_bytes``, ``small_job``: a smallest level of so few bytes is decoded in 0.3 ms, a
    tenth of the time in which Python hears of it; eight of them are one job.
    ``probe_bytes``: first look at a codestream of unknown structure; holds the main header and,
    for a CT, the first levels.
    ``finish_bytes``: a request with less left is allowed to end when something better comes up;
    a new connection would cost more.
    ``heads_bytes``: one request of the heads file: 70 ms of a 30 Mbit/s link, so that a huge
    series begins near the eye; a CT of 160 slices is one request.
    ``pixel_bytes``, ``compressed_bytes``: memory on the page and in the transport before frames
    far from the eye are dropped.
    ``hidden_bytes``: compressed bytes of series that are not shown, kept for when they are again.
    ``attempts``: tries of a frame that fails in a way that may pass, the first included.
    ``retry_ms``: wait before the second try; each further one waits three times as long. With
    four tries a frame is given up after about 4 s.
    ``retry_max_ms``: the longest wait, also where a server asks for more with Retry-After.
    ``silence_ms``: a request of which nothing is heard for so long is begun anew.
    ``whole_samples``: an image of more is *vast*: its finest levels are loaded by window, where
    they can be. Here none is: a script wants all of an image; a viewer sets `WHOLE_SAMPLES`.
    ``region_bytes``: compressed bytes that windows brought, kept for when they are seen again.
    ``region_settle_ms``: so long a view must stay for its window to be worth requests; a wheel
    that zooms says something new every 16 ms.
    """

    requests: int = 6
    max_requests: int = 32
    decode_jobs: int = 4
    small_job_bytes: int = 2 * _KIB
    small_job: float = 1 / 8
    probe_bytes: int = 4 * _KIB
    finish_bytes: int = 64 * _KIB
    heads_bytes: int = 256 * _KIB
    pixel_bytes: int = 768 * _MIB
    compressed_bytes: int = 512 * _MIB
    hidden_bytes: int = 256 * _MIB
    attempts: int = 4
    retry_ms: float = 300.0
    retry_max_ms: float = 30_000.0
    silence_ms: float = 30_000.0
    whole_samples: int = sys.maxsize
    region_bytes: int = 64 * _MIB
    region_settle_ms: float = 60.0


WHOLE_SAMPLES = 36_000_000
"""6000 x 6000: 72 MB of pixels of 16 bits, 13 s of a 30 Mbit/s link. `web/engine/descriptor.js` has
the same number."""

LOOKAHEAD_MIN_BYTES = 64 * _KIB
"""Below this much left in flight the next request may start: 17 ms of a 30 Mbit/s link."""

LOOKAHEAD_MAX_BYTES = 16 * _MIB
"""Above this, lower tiers would take bandwidth from what is on screen."""

REACTION_MS = 50.0
"""How late Python may hear of a report: its thread also decides, describes and tells the page."""

BRIEF_MS = 250.0
"""A request that is over within this time shows its last picture only, unless the eye is on it."""

NEAR_FRAMES = 8
"""Frames that are fetched before the rest while nothing moves; three of four lie ahead."""

LEAD_MS = 1000.0
"""While something moves: what is scrolled to within this time. A round trip of a slow network and
the decode fit in several times; farther away lies what may never be reached."""

MAX_LEAD_FRAMES = 64
"""However fast it goes: 15 MB of a CT, 4 s of a 30 Mbit/s link; more would come too late anyway."""

PARALLEL_MS = 100.0
"""What the heads file may hold up the frame that the eye is on."""


@dataclass(slots=True)
class Link:
    """Latency and rate as observed, to keep the wire full with as little in flight as possible."""

    latency_ms: float = 0.0
    bytes_per_ms: float = 0.0

    def opened(self, waited_ms: float) -> None:
        """Note the time from a request to the head of its answer."""
        # The smallest wait is the nearest to the line itself; it may only rise slowly.
        known = self.latency_ms or waited_ms
        self.latency_ms = min(waited_ms, known * 1.05)

    def received(self, amount_bytes: int, elapsed_ms: float) -> None:
        """Note what all requests brought in a stretch of time; short ones say nothing."""
        if elapsed_ms < 5 or amount_bytes < LOOKAHEAD_MIN_BYTES // 4:
            return
        rate = amount_bytes / elapsed_ms
        self.bytes_per_ms = rate if self.bytes_per_ms == 0 else (3 * self.bytes_per_ms + rate) / 4

    @property
    def lookahead_bytes(self) -> int:
        """How much may be left in flight when the next request is started."""
        worth = int((2 * self.latency_ms + REACTION_MS) * self.bytes_per_ms)
        return max(LOOKAHEAD_MIN_BYTES, min(worth, LOOKAHEAD_MAX_BYTES))

    def free_bytes(self, requests: int) -> int:
        """What one of ``requests`` short requests may bring while the wire would wait anyway."""
        return int(self.bytes_per_ms * self.latency_ms / max(1, requests))

    def lasts_ms(self, amount_bytes: int) -> float | None:
        """How long an amount takes, None while the rate is unknown."""
        return None if self.bytes_per_ms == 0 else amount_bytes / self.bytes_per_ms
