"""Real requests, each bounded in bytes and time, and what came of them."""

from __future__ import annotations

import asyncio
import importlib.util
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import httpx

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType
    from typing import Self

SILENCE_S: Final = 10.0
"""A server that says nothing for so long is given up."""

EXCHANGE_SILENCES: Final = 2
"""No exchange takes longer than so many silences, however slowly the bytes trickle."""

MAX_REQUESTS: Final = 60
"""Of one inquiry, lest a strange codestream lead to endless small reads."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer, its body as it came over the wire and cut at the limit asked for.

    ``failure`` is why there is none, empty where there is one. ``whole``: the body ended by
    itself. ``connection`` tells connections apart, None where that is unknown.
    """

    status: int = 0
    headers: httpx.Headers = field(default_factory=httpx.Headers)
    body: bytes = b""
    whole: bool = False
    http_version: str = ""
    connection: object = None
    failure: str = ""
    url: str = ""

    def header(self, name: str) -> str:
        """A header's value, empty where it is absent."""
        return str(self.headers.get(name, "")).strip()

    def listed(self, name: str) -> set[str]:
        """The items of a comma-separated header, in lower case."""
        return {item.strip().lower() for item in self.header(name).split(",") if item.strip()}


def can_http2() -> bool:
    """Whether the package that speaks HTTP/2 is installed."""
    return importlib.util.find_spec("h2") is not None


class Probe:
    """Asks one server as a page of ``origin`` would, and counts its requests."""

    def __init__(
        self,
        origin: str,
        *,
        headers: Mapping[str, str] | None = None,
        silence_s: float = SILENCE_S,
    ) -> None:
        self.origin = origin
        self._silence_s = silence_s
        self.requests = 0
        self._headers = {"Origin": origin, "Accept-Encoding": "identity", **(headers or {})}
        self._clients = {
            version: httpx.AsyncClient(
                http2=version == 2,
                follow_redirects=True,
                timeout=httpx.Timeout(silence_s),
            )
            for version in (1, 2)
            if version == 1 or can_http2()
        }

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for client in self._clients.values():
            await client.aclose()

    async def get(
        self,
        url: str,
        headers: Mapping[str, str] | None = None,
        *,
        method: str = "GET",
        limit_bytes: int = 1 << 16,
        http_major: int = 1,
    ) -> Reply:
        """One exchange; never raises for what a server or a network does."""
        self.requests += 1
        if self.requests > MAX_REQUESTS:
            return Reply(failure="more requests than a check may send", url=url)
        sent = {**self._headers, **(headers or {})}
        try:
            async with (
                asyncio.timeout(EXCHANGE_SILENCES * self._silence_s),
                self._clients[http_major].stream(method, url, headers=sent) as response,
            ):
                return await _received(response, limit_bytes)
        except (TimeoutError, httpx.TimeoutException):
            return Reply(failure=f"nothing came for {self._silence_s:g} s", url=url)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return Reply(failure=str(error) or type(error).__name__, url=url)

    async def range(self, url: str, start: int, stop: int, **headers: str) -> Reply:
        """Bytes ``[start, stop)``; header names are given with underscores."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        asked = {"Range": f"bytes={start}-{stop - 1}", **named}
        return await self.get(url, asked, limit_bytes=stop - start + 1)


async def _received(response: httpx.Response, limit_bytes: int) -> Reply:
    connection = _connection(response)  # not to be asked any more once it is closed
    body = bytearray()
    whole = True
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > limit_bytes:
            whole = False
            break
    return Reply(
        status=response.status_code,
        headers=response.headers,
        body=bytes(body[:limit_bytes]),
        whole=whole,
        http_version=response.http_version,
        connection=connection,
        url=str(response.url),
    )


def _connection(response: httpx.Response) -> object:
    stream = response.extensions.get("network_stream")
    return None if stream is None else stream.get_extra_info("client_addr")


def origin_of(url: str) -> str:
    """Scheme, host and port of a URL, as a browser compares them."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
