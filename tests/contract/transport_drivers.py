"""The two transports, driven the same way: httpx in CPython, the worker in Chromium."""

from __future__ import annotations

import asyncio
import base64
import itertools
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from firstlight import errors
from firstlight.adapters.http import MAX_SEGMENT_BYTES, HttpTransport
from firstlight.ports import Closed, Failed, FetchOrder, Milestone, Opened, TransportEvent
from firstlight.ranges import ByteRange
from support.faulty_server import Fault, FaultyServer
from support.patience import WAIT_MS, WAIT_S

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from playwright.sync_api import Browser, Page

ROOT = Path(__file__).resolve().parents[2]
TEST_PAGE = "tests/contract/transport_page.html"


class Driver(Protocol):
    """A transport with its events in queues, one for each segment."""

    sees_all_headers: bool
    """Whether CORS cannot hide headers from it."""

    def fetch(self, order: FetchOrder) -> None: ...
    def watch(self, segment: int, milestones: tuple[int, ...]) -> None: ...
    def cancel(self, segment: int) -> None: ...
    def release(self, segment: int) -> None: ...
    async def read(self, segment: int, extent: ByteRange) -> bytes: ...

    async def next(self, segment: int) -> TransportEvent:
        """The next event of a segment; waits for it."""

    async def unread(self, segment: int) -> int:
        """Number of events of a segment that came and were not asked for."""

    async def outside(self, call: Callable[[], None]) -> None:
        """Run something that blocks on the server's side."""


class HttpxDriver:
    """Drives `HttpTransport`."""

    sees_all_headers = True

    def __init__(self, transport: HttpTransport) -> None:
        self._transport = transport
        self._events: dict[int, asyncio.Queue[TransportEvent]] = {}
        self.watch = transport.watch
        self.cancel = transport.cancel
        self.release = transport.release
        self.read = transport.read
        transport.listen(lambda event: self._events[event.segment].put_nowait(event))

    def fetch(self, order: FetchOrder) -> None:
        self._events[order.segment] = asyncio.Queue()
        self._transport.fetch(order)

    async def next(self, segment: int) -> TransportEvent:
        return await asyncio.wait_for(self._events[segment].get(), WAIT_S)

    async def unread(self, segment: int) -> int:
        return self._events[segment].qsize()

    async def outside(self, call: Callable[[], None]) -> None:
        await asyncio.to_thread(call)


class ChromiumDriver:
    """Drives the transport worker through `transport_driver.js`, as the loader.

    Playwright's calls block, so no method here ever suspends.
    """

    sees_all_headers = False

    def __init__(self, page: Page, max_segment_bytes: int | None) -> None:
        self._page = page
        self._tokens = itertools.count(1)
        self._urls: dict[int, str] = {}
        page.evaluate("limit => { window.driver = new Driver(limit); }", max_segment_bytes)

    def send(self, receiver: str = "loader", **message: object) -> None:
        """Post a message as the loader or the page."""
        self._page.evaluate("([message, as]) => driver.send(message, as)", [message, receiver])

    def message(self, about: object, receiver: str = "loader") -> dict[str, Any]:
        """The next message about a segment, token or job to a receiver; waits for it."""
        key = f"{receiver}/{about}"
        return self._page.evaluate(
            """([key, wait_ms]) => Promise.race([
                driver.next(key),
                new Promise((_, reject) => setTimeout(reject, wait_ms, `nothing for ${key}`)),
            ])""",
            [key, WAIT_MS],
        )

    def fetch(self, order: FetchOrder, receiver: str = "loader") -> None:
        self._urls[order.segment] = order.url
        self.send(
            receiver,
            kind="fetch",
            segment=order.segment,
            url=order.url,
            start=order.extent.start,
            stop=order.extent.stop,
            milestones=list(order.milestones),
            version=order.version,
            priority=order.priority,
        )

    def watch(self, segment: int, milestones: tuple[int, ...]) -> None:
        self.send(kind="watch", segment=segment, milestones=list(milestones))

    def cancel(self, segment: int) -> None:
        self.send(kind="cancel", segment=segment)

    def release(self, segment: int) -> None:
        self.send(kind="release", segment=segment)

    async def read(self, segment: int, extent: ByteRange) -> bytes:
        token = f"read {next(self._tokens)}"
        span = {"start": extent.start, "stop": extent.stop}
        self.send(kind="read", token=token, segment=segment, **span)
        answer = self.message(token)
        if "error" not in answer:
            return base64.b64decode(answer["bytes"])
        if answer["error"]["type"] == "LookupError":
            raise LookupError(answer["error"]["message"])
        raise _error(answer["error"], self._urls[segment])

    async def next(self, segment: int) -> TransportEvent:
        return event_of(self.message(segment), self._urls[segment])

    async def unread(self, segment: int) -> int:
        return len(self._page.evaluate("key => driver.unread(key)", f"loader/{segment}"))

    async def outside(self, call: Callable[[], None]) -> None:
        call()

    def close(self) -> None:
        """End the worker."""
        self._page.evaluate("driver.close()")


def event_of(message: dict[str, Any], url: str = "") -> TransportEvent:
    """The event of `ports.py` that a message of the transport worker stands for."""
    segment, stop = message["segment"], message["stop"]
    match message["kind"]:
        case "opened":
            extent = ByteRange(message["start"], stop)
            told = message["totalBytes"], message["version"], message["ranges"]
            return Opened(segment, extent, *told)
        case "milestone":
            return Milestone(segment, stop)
        case "closed":
            return Closed(segment, stop, message["cancelled"])
        case "failed":
            return Failed(segment, stop, _error(message["error"], url))
    raise AssertionError(f"no event: {message}")


def _error(record: dict[str, Any], url: str) -> errors.FirstlightError:
    kind = getattr(errors, record["type"])
    if kind is errors.HttpStatus:
        return errors.HttpStatus(record["message"], status=record["status"], resource=url)
    return kind(record["message"], resource=url)


class Runner(Protocol):
    """Runs a scenario against a server of files on one of the two transports."""

    def __call__(
        self,
        scenario: Callable[[Any, FaultyServer], Awaitable[None]],
        files: dict[str, bytes],
        faults: dict[str, Fault],
        max_segment_bytes: int | None = None,
    ) -> None: ...


def run_on_httpx(scenario, files, faults, max_segment_bytes=None) -> None:
    async def main(server: FaultyServer) -> None:
        limit = MAX_SEGMENT_BYTES if max_segment_bytes is None else max_segment_bytes
        async with HttpTransport(max_segment_bytes=limit) as transport:
            await scenario(HttpxDriver(transport), server)

    # Playwright's synchronous interface leaves an event loop running in the main thread.
    with FaultyServer(files, faults) as server, ThreadPoolExecutor(1) as thread:
        thread.submit(lambda: asyncio.run(main(server))).result()


def run_on_chromium(page: Page, scenario, files, faults, max_segment_bytes=None) -> None:
    with FaultyServer(files, faults) as server:
        driver = ChromiumDriver(page, max_segment_bytes)
        coroutine = scenario(driver, server)
        try:
            with pytest.raises(StopIteration):
                coroutine.send(None)
        finally:
            driver.close()


@pytest.fixture(scope="session")
def checkout_url() -> Iterator[str]:
    """Where the files of the checkout are served as they are: no build is needed for the worker."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *parts: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(ROOT)))
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def transport_page(browser: Browser, checkout_url: str) -> Iterator[Page]:
    """A page that can start the transport worker."""
    page = browser.new_page()
    page.set_default_timeout(WAIT_MS)
    page.goto(f"{checkout_url}/{TEST_PAGE}")
    page.wait_for_function("window.Driver !== undefined")
    yield page
    page.close()


@pytest.fixture(params=["httpx", pytest.param("chromium", marks=pytest.mark.browser)])
def run(request: pytest.FixtureRequest) -> Runner:
    """Both transports, one after the other."""
    if request.param == "httpx":
        return run_on_httpx
    return partial(run_on_chromium, request.getfixturevalue("transport_page"))
