"""The ports over the worker's messages: the only module that knows it runs in a browser.

`loader.worker.js` calls `start` with its *bridge*, an object of functions that post one message
each. Scalars cross; a header of at most `MAX_READ_BYTES` is the one exception.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from typing import TYPE_CHECKING

from pyodide.ffi import create_proxy, to_js

from firstlight import ports
from firstlight.adapters.adoptions import read_adoptions
from firstlight.adapters.bridge import make_error
from firstlight.adapters.page_retriever import PageRetrievers
from firstlight.adapters.pool import MessagePool
from firstlight.adapters.rehearsal import BUSY_WAIT_S, rehearse
from firstlight.errors import MalformedDescriptor
from firstlight.loader import FIRST_SEGMENT, Adoption, Loader, Outside
from firstlight.ranges import ByteRange
from firstlight.schedule.capacity import WHOLE_SAMPLES, Capacity
from firstlight.sources.address import limit_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from firstlight.adapters.bridge import Bridge


SERIES_PER_EPOCH = 65536
"""`seriesTag` in web/engine/records.js counts alike."""


IDLE_WAITS = 2
"""How often nothing must have been going on, `BUSY_WAIT_S` apart, before Python rehearses."""


class MessageTransport:
    """`ports.Transport`: posts orders to the transport worker, turns its answers into events."""

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge
        self._urls: dict[int, str] = {}
        self._sink: Callable[[ports.TransportEvent], None] = lambda event: None

    def listen(self, sink: Callable[[ports.TransportEvent], None]) -> None:
        self._sink = sink

    def fetch(self, order: ports.FetchOrder) -> None:
        self._urls[order.segment] = order.url
        self._bridge.fetch(
            order.segment,
            order.url,
            order.extent.start,
            order.extent.stop,
            to_js(order.milestones),
            order.version,
            order.priority,
            order.accept,
            order.whole,
        )

    def watch(self, segment: int, milestones: tuple[int, ...]) -> None:
        self._bridge.watch(segment, to_js(milestones))

    def cancel(self, segment: int) -> None:
        self._bridge.segment("cancel", segment)

    def release(self, segment: int) -> None:
        self._urls.pop(segment, None)
        self._bridge.segment("release", segment)

    def adopt(self, segment: int, url: str) -> None:
        """Take over a segment that the page's prelude started."""
        self._urls[segment] = url
        self._bridge.segment("adopt", segment)

    async def read(self, segment: int, extent: ByteRange) -> bytes:
        held = await self._bridge.read(segment, extent.start, extent.stop)
        if held is None:
            raise LookupError(f"segment {segment} does not hold bytes {extent}")
        return held.to_bytes()

    # -- called from JavaScript, scalars only ---------------------------------------------------

    def opened(
        self, segment: int, start: int, stop: int | None, total: int | None, version: str, ok: bool
    ) -> None:
        self._sink(ports.Opened(segment, ByteRange(start, stop), total, version, ok))

    def milestone(self, segment: int, stop: int) -> None:
        self._sink(ports.Milestone(segment, stop))

    def closed(self, segment: int, stop: int, cancelled: bool) -> None:
        self._sink(ports.Closed(segment, stop, cancelled))

    def failed(
        self,
        segment: int,
        stop: int,
        kind: str,
        message: str,
        status: int | None,
        retry_after_ms: float | None = None,
    ) -> None:
        url = self._urls.get(segment)
        error = make_error(kind, message, url, status, retry_after_ms)
        self._sink(ports.Failed(segment, stop, error))


class MessagePage:
    """`ports.Page`: facts as JSON text, which crosses faster than an object of proxies."""

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge

    def evict(self, frame_index: int) -> None:
        self._bridge.evict(frame_index)

    def publish(self, kind: str, record: object) -> None:
        self._bridge.publish(kind, json.dumps(record, separators=(",", ":")))


class MonotonicClock:
    """`ports.Clock` over Python's own counter."""

    def now_ms(self) -> float:
        return time.perf_counter() * 1000


class LoaderService:
    """What `loader.worker.js` talks to: the loader, and the receivers of the workers' answers."""

    def __init__(self, bridge: Bridge, worker_count: int) -> None:
        self._bridge = bridge
        self.transport = MessageTransport(bridge)
        self.pool = MessagePool(bridge, worker_count)
        self._loader: Loader | None = None
        self._opening: asyncio.Task[None] | None = None
        self._numbers = itertools.count(FIRST_SEGMENT)
        self._page = MessagePage(bridge)
        self._retrievers = PageRetrievers(self._page)
        self._rehearsing = asyncio.ensure_future(self._rehearse())

    async def _rehearse(self) -> None:
        """Once nothing has been going on for a while."""
        for _ in range(IDLE_WAITS):
            await asyncio.sleep(BUSY_WAIT_S)
            while self._is_busy():
                await asyncio.sleep(BUSY_WAIT_S)
        await rehearse(self._is_busy)

    def _is_busy(self) -> bool:
        opening = self._opening is not None and not self._opening.done()
        return opening or (self._loader is not None and not self._loader.is_idle)

    def open(
        self,
        src: str,
        epoch: int,
        frame_index: int,
        adoptions_json: str,
        files_json: str,
        configuration_json: str = "null",
        whole_samples: int | None = None,
    ) -> None:
        """Open a ``src`` in place of the one before; ``epoch`` marks what is decoded for it.

        ``adoptions_json`` lists what the page fetched for the source to read (`Adoption`),
        ``files_json`` the [name, address] of each local file, ``configuration_json`` is what the
        page wrote about retrieval (`PageRetrievers.read`). ``whole_samples``: see `Capacity`.
        """
        outside = Outside(
            transport=self.transport,
            pool=self.pool,
            page=self._page,
            clock=MonotonicClock(),
            need=self._need,
            adopt=self.transport.adopt,
            take_over=self._take_over,
        )
        self.close()
        self._loader = Loader(
            outside,
            self._numbers,
            series_base=epoch * SERIES_PER_EPOCH,
            capacity=Capacity(whole_samples=whole_samples or WHOLE_SAMPLES),
        )
        files = tuple((str(name), str(url)) for name, url in json.loads(files_json))
        self._retrievers = PageRetrievers(self._page)
        opening = self._loader.open(
            src,
            frame_index=frame_index,
            adoptions=read_adoptions(adoptions_json),
            files=files,
            configuration=self._retrievers.read(configuration_json),
        )
        self._opening = asyncio.ensure_future(opening)
        self._opening.add_done_callback(self._report_crash)

    def close(self) -> None:
        """Stop the work for the present ``src``; nothing of it is reported any more."""
        if self._opening is not None:
            self._opening.cancel()
        if self._loader is not None:
            self._loader.close()
            self._loader = None

    def want(self, frame_index: int, direction: int, more_json: str = "{}") -> None:
        """``more_json``: ``visible, volume, sidePx, speed, window``, where given."""
        if self._loader is not None:
            more = json.loads(more_json)
            window = more.get("window")
            self._loader.want(
                frame_index,
                direction,
                visible=more.get("visible") or (),
                volume=bool(more.get("volume")),
                side_px=more.get("sidePx"),
                speed=float(more.get("speed") or 0),
                window=None if window is None else (window[0], window[1], window[2], window[3]),
            )

    def select(self, series_index: int, frame_index: int) -> None:
        if self._loader is not None:
            self._loader.select(series_index, frame_index)

    def limit(self, byte_range: str | None, decode_level: str | None) -> None:
        """How much of every frame is wanted from now on, as a ``jphuri:`` says it."""
        if self._loader is not None:
            try:
                self._loader.limit(limit_of(byte_range, decode_level))
            except MalformedDescriptor as error:
                self._page.publish("configuration", error.record())

    def retry(self, frame_index: int) -> None:
        if self._loader is not None:
            self._loader.retry(frame_index)

    def retriever(self, retriever: int, step: str, frame_index: int, details_json: str) -> None:
        """A step of a retriever on the page (`PageRetrievers.answer`)."""
        if self._loader is not None:
            self._retrievers.answer(retriever, step, frame_index, details_json)

    def _report_crash(self, opening: asyncio.Future[None]) -> None:
        """A bug of ours must be seen on the page too, not only in the console."""
        error = None if opening.cancelled() else opening.exception()
        if error is not None:
            self._page.publish(
                "error", make_error(type(error).__name__, str(error), None, None).record()
            )

    async def _take_over(self) -> tuple[Adoption, ...]:
        return read_adoptions(await self._bridge.takeOver())

    async def _need(self, package: str) -> None:
        await self._bridge.need(package)


def start(bridge: Bridge, worker_count: int) -> object:
    """Make the service and a proxy of it for JavaScript, which keeps it as long as the worker."""
    return create_proxy(LoaderService(bridge, worker_count))
