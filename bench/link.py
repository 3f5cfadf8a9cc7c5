"""One server behind one link for each measurement, and a count of what was asked and sent."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from starlette.datastructures import MutableHeaders

from firstlight.serve.app import create_app
from firstlight.serve.link import PROFILES, Profile
from firstlight.serve.probe import probe
from firstlight.serve.run import Server

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

NETWORKS: Final[Mapping[str, Profile | None]] = {"local": None, **PROFILES}

LEAST_SHARE: Final = 0.9
"""A run is void when the probe carried less of the link's rate: 27 of 30 Mbit/s."""


class BenchServer(Server):
    """Serves a built page and the prepared data over a link, as `firstlight serve` does.

    Image data may not be cached: a second visit to the page fetches them again, from either peer.
    """

    def __init__(self, data: Path, viewer: Path, network: str, *, port: int = 0) -> None:
        self.counts = Counts()
        self.network = network
        app = _Counter(create_app(data, viewer), self.counts)
        super().__init__(app, network=NETWORKS[network], port=port)

    def probe_mbit_s(self) -> float:
        """What the link carries now; the probe itself is not counted."""
        rate = probe(self.url)
        self.counts.clear()
        return rate


def is_void(network: str, mbit_s: float) -> bool:
    profile = NETWORKS[network]
    return profile is not None and mbit_s < LEAST_SHARE * profile.down_bits_per_s / 1e6


def floor_ms(network: str, length_bytes: float) -> float | None:
    """The least time in which the link delivers so many bytes, its round trip included."""
    profile = NETWORKS[network]
    if profile is None:
        return None
    return length_bytes * 8000 / profile.down_bits_per_s + profile.rtt_ms


class Counts:
    """Requests and body bytes since the last `clear`, by what they were for."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.clear()

    def clear(self) -> None:
        with self._lock:
            self.requests = {"data": 0, "code": 0}
            self.body_bytes = {"data": 0, "code": 0}

    def add(self, path: str, *, requests: int = 0, body_bytes: int = 0) -> None:
        kind = "data" if path.startswith("/data/") else "code"
        with self._lock:
            self.requests[kind] += requests
            self.body_bytes[kind] += body_bytes

    def metrics(self) -> dict[str, float]:
        with self._lock:
            return {
                "data_bytes": self.body_bytes["data"],
                "code_bytes": self.body_bytes["code"],
                "requests": sum(self.requests.values()),
            }


class _Counter:
    """Passes everything on, counts it, and keeps image data out of caches."""

    def __init__(self, app: ASGIApp, counts: Counts) -> None:
        self._app = app
        self._counts = counts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        self._counts.add(path, requests=1)

        async def send_counted(message: Message) -> None:
            if message["type"] == "http.response.start" and path.startswith("/data/"):
                MutableHeaders(scope=message)["Cache-Control"] = "no-store"
            self._counts.add(path, body_bytes=len(message.get("body", b"")))
            await send(message)

        await self._app(scope, receive, send_counted)
