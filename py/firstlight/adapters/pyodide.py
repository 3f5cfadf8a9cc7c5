"""The ports over the worker's messages: the only module that knows it runs in a browser.

`loader.worker.js` calls `start` with its *bridge*, an object of functions that post one message
each. Scalars cross; a header of at most `MAX_READ_BYTES` is the one exception.
"""

from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING, Protocol

from js import Object
from pyodide.ffi import create_proxy, to_js

from firstlight import errors, ports
from firstlight.loader import Adoption, Loader, Outside
from firstlight.ranges import ByteRange

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

JOBS_PER_WORKER = 2
"""One being decoded and one waiting in the worker, so that it never waits for Python."""


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
    ) -> None:
        """Start an exchange."""

    def watch(self, segment: int, milestones: object) -> None:
        """Add milestones."""

    def segment(self, kind: str, segment: int) -> None:
        """``cancel``, ``release`` or ``adopt`` a segment."""

    def read(self, segment: int, start: int, stop: int | None) -> Awaitable[HeldBytes | None]:
        """Copy held bytes; None when they are not held."""

    def decode(self, order: object) -> None:
        """Hand a job over, given as an object with the message's names."""

    def evict(self, frame_index: int) -> None:
        """Drop a decoded array."""

    def publish(self, kind: str, record_json: str) -> None:
        """Tell the page something."""

    def need(self, package: str) -> Awaitable[None]:
        """Make an optional Python package importable."""


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

    def failed(self, segment: int, stop: int, kind: str, message: str, status: int | None) -> None:
        url = self._urls.get(segment)
        self._sink(ports.Failed(segment, stop, make_error(kind, message, url, status)))


class MessagePool:
    """`ports.DecoderPool`: gives each job to the decoder worker with the fewest."""

    def __init__(self, bridge: Bridge, worker_count: int) -> None:
        self._bridge = bridge
        self._load = [0] * worker_count
        self._orders: dict[int, tuple[int, ports.DecodeOrder]] = {}
        self._sink: Callable[[ports.DecodeEvent], None] = lambda event: None

    @property
    def capacity(self) -> int:
        return JOBS_PER_WORKER * len(self._load)

    def listen(self, sink: Callable[[ports.DecodeEvent], None]) -> None:
        self._sink = sink

    def decode(self, order: ports.DecodeOrder) -> None:
        worker = self._load.index(min(self._load))
        self._load[worker] += 1
        self._orders[order.job] = (worker, order)
        self._bridge.decode(
            to_js(_decode_message(order, worker), dict_converter=Object.fromEntries)
        )

    # -- called from JavaScript -----------------------------------------------------------------

    def decoded(self, job: int, stored_bytes: int, elapsed_ms: float) -> None:
        if self._finished(job) is not None:
            self._sink(ports.Decoded(job, stored_bytes, elapsed_ms))

    def undecoded(self, job: int, kind: str, message: str) -> None:
        order = self._finished(job)
        if order is not None:
            error = make_error(kind, message, None, None)
            error.frame_index = order.frame_index
            self._sink(ports.DecodeFailed(job, error))

    def _finished(self, job: int) -> ports.DecodeOrder | None:
        worker, order = self._orders.pop(job, (-1, None))
        if order is not None:
            self._load[worker] -= 1
        return order


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


def _decode_message(order: ports.DecodeOrder, worker: int) -> dict[str, object]:
    return {
        "kind": "decode",
        "job": order.job,
        "worker": worker,
        "seriesIndex": order.series_index,
        "frameIndex": order.frame_index,
        "codec": order.codec,
        "pieces": [[p.segment, p.extent.start, p.extent.stop] for p in order.pieces],
        "resolutionLevel": order.resolution_level,
        "decompositionLevels": order.decomposition_levels,
        "image": {
            "rows": order.rows,
            "columns": order.columns,
            "samplesPerPixel": order.samples_per_pixel,
            "bitsAllocated": order.bits_allocated,
            "bitsStored": order.bits_stored,
            "pixelRepresentation": order.pixel_representation,
        },
    }


def make_error(
    kind: str, message: str, url: str | None, status: int | None
) -> errors.FirstlightError:
    """The error of `errors.py` that a worker named; an unknown name is a DecodeError's bug."""
    found = getattr(errors, kind, None)
    if found is errors.HttpStatus:
        return errors.HttpStatus(message, status=status or 0, resource=url)
    if isinstance(found, type) and issubclass(found, errors.FirstlightError):
        return found(message, resource=url)
    return errors.DecodeError(f"{kind}: {message}", resource=url)


class LoaderService:
    """What `loader.worker.js` talks to: the loader, and the receivers of the workers' answers."""

    def __init__(self, bridge: Bridge, worker_count: int) -> None:
        self._bridge = bridge
        self.transport = MessageTransport(bridge)
        self.pool = MessagePool(bridge, worker_count)
        self._loader: Loader | None = None
        self._opening: asyncio.Task[None] | None = None
        self._page = MessagePage(bridge)

    def open(self, src: str, frame_index: int, adoptions_json: str) -> None:
        """Open a ``src``; ``adoptions_json`` lists what the prelude started (`Adoption`)."""
        adoptions = tuple(Adoption(**record) for record in json.loads(adoptions_json))
        urls = {adoption.segment: adoption.url for adoption in adoptions}
        outside = Outside(
            transport=self.transport,
            pool=self.pool,
            page=self._page,
            clock=MonotonicClock(),
            need=self._need,
            adopt=lambda segment: self.transport.adopt(segment, urls[segment]),
        )
        self._loader = Loader(outside)
        opening = self._loader.open(src, frame_index=frame_index, adoptions=adoptions)
        self._opening = asyncio.ensure_future(opening)
        self._opening.add_done_callback(self._report_crash)

    def want(self, frame_index: int, direction: int) -> None:
        if self._loader is not None:
            self._loader.want(frame_index, direction)

    def select(self, series_index: int, frame_index: int) -> None:
        if self._loader is not None:
            self._loader.select(series_index, frame_index)

    def retry(self, frame_index: int) -> None:
        if self._loader is not None:
            self._loader.retry(frame_index)

    def _report_crash(self, opening: asyncio.Future[None]) -> None:
        """A bug of ours must be seen on the page too, not only in the console."""
        error = None if opening.cancelled() else opening.exception()
        if error is not None:
            self._page.publish(
                "error", make_error(type(error).__name__, str(error), None, None).record()
            )

    async def _need(self, package: str) -> None:
        await self._bridge.need(package)


def start(bridge: Bridge, worker_count: int) -> object:
    """Make the service and a proxy of it for JavaScript, which keeps it as long as the worker."""
    return create_proxy(LoaderService(bridge, worker_count))
