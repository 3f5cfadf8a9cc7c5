"""The loader in CPython: one frame of a ``src``, at a resolution level, with no byte to spare."""

from __future__ import annotations

import asyncio
import itertools
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from firstlight import errors
from firstlight.adapters.file import FileTransport
from firstlight.adapters.http import HttpTransport
from firstlight.adapters.native import NativePool
from firstlight.adapters.page import CollectingPage, Picture
from firstlight.dicom.attributes import ImageAttributes
from firstlight.errors import FirstlightError
from firstlight.loader import Loader, Outside
from firstlight.loader.resources import HeldResources
from firstlight.ports import Closed, DecodeOrder, Failed, Milestone, Opened
from firstlight.sources.address import split_limit

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping
    from contextlib import AbstractAsyncContextManager

    from firstlight.ports import FetchOrder, Transport, TransportEvent
    from firstlight.ranges import ByteRange


_FINEST: Final = 32
"""No codestream has more decomposition levels (ISO/IEC 15444-1 A.6.1)."""

SRC_KINDS: Final = ("jphuri", "wadouri", "dicomweb")


class MonotonicClock:
    """A `firstlight.ports.Clock`."""

    def now_ms(self) -> float:
        return time.monotonic() * 1000


async def everything_installed(package: str) -> None:
    """What a source may need is a dependency of this package."""


def transport_for(
    url: str, headers: Mapping[str, str] | None = None
) -> AbstractAsyncContextManager[HttpTransport | FileTransport]:
    """A transport for the scheme of a URL; ``headers`` go with every HTTP request."""
    if urlsplit(url).scheme in ("http", "https"):
        return HttpTransport(headers=headers)
    return FileTransport()


@asynccontextmanager
async def open_resources(
    url: str, headers: Mapping[str, str] | None = None
) -> AsyncIterator[HeldResources]:
    """What a source may ask for, over the transport for a URL."""
    async with transport_for(url, headers) as transport:
        resources = HeldResources(transport, itertools.count(1), everything_installed)

        def deliver(event: TransportEvent) -> None:
            resources.deliver(event)

        transport.listen(deliver)
        yield resources


class Economy:
    """A Transport that lets through what is asked for, counts it, and holds back what is not yet.

    The loader fetches the neighbours of the frame on screen ahead of time; a script has no use for
    them. Orders of less than high priority wait here until they are cancelled.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._held_back: dict[int, FetchOrder] = {}
        self._starts: dict[int, int] = {}
        self._stops: dict[int, int] = {}
        self._halted = False
        self._sink: Callable[[TransportEvent], None] | None = None
        transport.listen(self._pass_on)

    @property
    def fetched_bytes(self) -> int:
        """Bytes of bodies that came and were kept."""
        return sum(stop - self._starts[segment] for segment, stop in self._stops.items())

    @property
    def requests(self) -> int:
        """How many orders were let through."""
        return len(self._starts)

    def halt(self) -> None:
        """Break off all that runs, and let nothing more through; what came stays held."""
        self._halted = True
        for segment in self._starts:
            self._transport.cancel(segment)

    def listen(self, sink: Callable[[TransportEvent], None]) -> None:
        self._sink = sink

    def fetch(self, order: FetchOrder) -> None:
        if self._halted or order.priority != "high":
            self._held_back[order.segment] = order
            return
        self._starts[order.segment] = order.extent.start
        self._transport.fetch(order)

    def watch(self, segment: int, milestones: tuple[int, ...]) -> None:
        self._transport.watch(segment, milestones)

    def cancel(self, segment: int) -> None:
        order = self._held_back.pop(segment, None)
        if order is None:
            self._transport.cancel(segment)
        elif self._sink is not None:
            closed = Closed(segment, order.extent.start, cancelled=True)
            asyncio.get_running_loop().call_soon(self._sink, closed)

    async def read(self, segment: int, extent: ByteRange) -> bytes:
        return await self._transport.read(segment, extent)

    def release(self, segment: int) -> None:
        self._held_back.pop(segment, None)
        self._transport.release(segment)

    def _pass_on(self, event: TransportEvent) -> None:
        match event:
            case Milestone(segment, stop) | Closed(segment, stop) | Failed(segment, stop):
                self._stops[segment] = max(stop, self._stops.get(segment, 0))
            case Opened():
                pass
        if self._sink is not None:
            self._sink(event)


@dataclass(frozen=True, slots=True)
class LoadedFrame:
    """One frame as loaded, and what it cost.

    ``series`` is the loader's record of the series (`loader.report.series_record`).
    ``fetched_bytes`` counts the bodies of all ``requests``, those of the metadata too.
    """

    picture: Picture
    image: ImageAttributes
    series: dict[str, Any]
    frame_index: int
    fetched_bytes: int
    requests: int


async def load_frame(
    src: str,
    frame_index: int = 0,
    resolution_level: int | None = None,
    *,
    series_index: int = 0,
    headers: Mapping[str, str] | None = None,
    max_samples: int | None = None,
    configuration: object = None,
) -> LoadedFrame:
    """Load one frame of a series of a ``src``, at a level (None: the full image).

    ``src`` is one that `sources.open` reads, its address one of HTTP or of fsspec. The request is
    broken off as soon as the level's bytes are here. Where the ``src`` asks for less (a limit of
    ``jphuri:``), the finest picture within that. Full images of more than ``max_samples`` are
    refused. With a ``configuration`` (`retrieve.load`) the requests are those that it asks for, and
    the picture the best that comes of them; no level can be chosen then.

    Raises:
        FirstlightError: what the source, the transport or the decoder failed with.
        LookupError: there is no such series, frame or level.
    """
    async with transport_for(address_of(src), headers) as bare:
        transport, page = Economy(bare), CollectingPage()

        def enough(order: DecodeOrder) -> None:
            if order.frame_index == frame_index:
                transport.halt()

        with NativePool(
            transport,
            page.keep,
            only_level=None if configuration else _only_level(src, resolution_level),
            enough=enough,
            max_samples=max_samples,
        ) as pool:
            clock = MonotonicClock()
            loader = Loader(Outside(transport, pool, page, clock, everything_installed))
            try:
                await loader.open(src, frame_index=frame_index, configuration=configuration)
                if series_index and page.error is None:
                    # No request of the first series has begun: nothing has been awaited since.
                    _check_series(page, series_index)
                    loader.select(series_index, frame_index)
                if configuration:
                    await _settled(page, frame_index)
                picture = await _picture(page, frame_index, resolution_level)
            finally:
                loader.close()
        assert page.series is not None
        return LoadedFrame(
            picture=picture,
            image=ImageAttributes.from_json(page.series["frames"][frame_index]),
            series=page.series,
            frame_index=frame_index,
            fetched_bytes=transport.fetched_bytes,
            requests=transport.requests,
        )


def address_of(src: str) -> str:
    """The URL in a ``src``, without the word for its kind."""
    kind, _, address = src.partition(":")
    return address if kind in SRC_KINDS else src


def _only_level(src: str, resolution_level: int | None) -> int | None:
    """The one level worth a decode; None where only the bytes tell how fine it can be."""
    if resolution_level is None and split_limit(address_of(src))[1] is not None:
        return None
    return _FINEST if resolution_level is None else resolution_level


def _check_series(page: CollectingPage, series_index: int) -> None:
    count = len(page.series_list)
    if not 0 <= series_index < count:
        raise LookupError(f"no series {series_index + 1}, there are {count}")


async def _settled(page: CollectingPage, frame_index: int) -> None:
    """Wait until all that a configuration asks of a frame is here, or something prevents it."""
    final = ("lossless", "complete", "configured", "failed")

    def settled(page: CollectingPage) -> bool:
        frames = page.series["frames"] if page.series else ()
        exists = page.error is None and 0 <= frame_index < len(frames)
        return not exists or page.states.get(frame_index, {}).get("status") in final

    await page.until(settled)


async def _picture(page: CollectingPage, frame_index: int, level: int | None) -> Picture:
    """Wait for a frame's picture at a level, or for what prevents it."""
    if page.error is not None:
        raise error_of(page.error)
    count = len(page.series["frames"]) if page.series else 0
    if not 0 <= frame_index < count:
        raise LookupError(f"no frame {frame_index + 1}, there are {count}")

    def here(page: CollectingPage) -> bool:
        picture, state = page.pictures.get(frame_index), page.states.get(frame_index, {})
        fine = picture is not None and (picture.is_final or picture.resolution_level == level)
        levels = state.get("decompositionLevels")
        too_fine = level is not None and levels is not None and level > levels
        return fine or too_fine or state.get("status") in ("failed", "configured")

    await page.until(here)
    picture, state = page.pictures.get(frame_index), page.states.get(frame_index, {})
    levels = state.get("decompositionLevels")
    if level is not None and levels is not None and level > levels:
        raise LookupError(f"no resolution level {level}, there are 0 to {levels}")
    if state.get("status") == "configured" and picture is not None and level is None:
        return picture
    if picture is None or not (picture.is_final or picture.resolution_level == level):
        if state["error"] is None:
            text = "no level is" if level is None else f"level {level} is not"
            raise LookupError(f"{text} in the bytes that the src asks for")
        raise error_of(state["error"])
    return picture


def error_of(record: Mapping[str, Any]) -> FirstlightError:
    """The error that a record was made of; its range is lost, and the status of HttpStatus."""
    kind = getattr(errors, record["type"], FirstlightError)
    if kind is errors.HttpStatus:
        kind = errors.TransportError
    error: FirstlightError = kind(
        record["message"], resource=record["resource"], frame_index=record["frame_index"]
    )
    return error
