"""Measures what a link really carries."""

from __future__ import annotations

import time

import httpx

PROBE_BYTES = 3_000_000


def probe(url: str) -> float:
    """Mbit/s at which ``PROBE_BYTES`` come from the server's own ``/__probe``.

    The clock starts with the first chunk, which is therefore not counted.

    Raises:
        httpx.HTTPError: the server did not answer.
    """
    address = f"{url.rstrip('/')}/__probe?bytes={PROBE_BYTES}"
    with httpx.stream("GET", address, timeout=60) as response:
        response.raise_for_status()
        chunks = response.iter_raw()
        next(chunks)
        started_s = time.monotonic()
        received_bytes = sum(len(chunk) for chunk in chunks)
        return received_bytes * 8e-6 / (time.monotonic() - started_s)
