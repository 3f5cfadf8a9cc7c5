"""Small resources and small ranges for sources, over the one transport."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from firstlight.errors import LimitExceeded
from firstlight.ports import MAX_READ_BYTES, Closed, Failed, FetchOrder, Milestone, Opened
from firstlight.ranges import ByteRange
from firstlight.sources.base import Part

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from firstlight.ports import Transport, TransportEvent


class HeldResources:
    """Implements `sources.base.Resources`.

    ``head_starts`` maps URLs to segments that already run: the page's prelude puts its own there,
    `head_start` adds to it, and whoever uses a URL takes its segment from there.
    """

    def __init__(
        self,
        transport: Transport,
        numbers: Iterator[int],
        need: Callable[[str], Awaitable[None]],
    ) -> None:
        self._transport = transport
        self._numbers = numbers
        self._need = need
        self._exchanges: dict[int, _Exchange] = {}
        self._heads: dict[str, _Head] = {}
        self.head_starts: dict[str, int] = {}
        self.early: dict[int, list[TransportEvent]] = {}
        self.notices: list[str] = []

    async def whole(self, url: str, *, limit_bytes: int, accept: str = "") -> bytes:
        """All bytes of a resource; its segment is released again.

        Raises:
            TransportError: it did not come.
            LimitExceeded: it is larger than ``limit_bytes``.
        """
        adopted = self.head_starts.pop(url, None)
        if adopted is not None:
            return (await self._collect(adopted, url, 0, limit_bytes)).data
        number = next(self._numbers)
        order = FetchOrder(number, url, ByteRange(0), priority="high", accept=accept, whole=True)
        return (await self._fetch(order, limit_bytes)).data

    async def part(
        self, url: str, extent: ByteRange, *, version: str | None = None, accept: str = ""
    ) -> Part:
        """A range of at most `MAX_READ_BYTES`.

        The first one that begins a resource is kept for the frame that may begin in it
        (`take_heads`), the others are released again.

        Raises:
            TransportError: it did not come; ResourceChanged: it is of another version.
        """
        order = FetchOrder(
            next(self._numbers), url, extent, version=version, priority="high", accept=accept
        )
        keep = extent.start == 0 and url not in self._heads
        return await self._fetch(order, MAX_READ_BYTES, keep=keep)

    def take_heads(self) -> list[tuple[str, Opened, Closed]]:
        """URL and events of every beginning that was kept; its segment is the caller's now."""
        heads = [(url, head.opened, head.closed) for url, head in self._heads.items()]
        self._heads.clear()
        return heads

    def release_all(self) -> None:
        """Let go of everything that nobody has taken."""
        for segment in (
            *self.head_starts.values(),
            *(h.closed.segment for h in self._heads.values()),
        ):
            self._transport.release(segment)
        self.head_starts.clear()
        self._heads.clear()
        self.early.clear()

    async def _fetch(self, order: FetchOrder, limit_bytes: int, *, keep: bool = False) -> Part:
        self._transport.fetch(order)
        start = order.extent.start
        return await self._collect(order.segment, order.url, start, limit_bytes, keep=keep)

    async def _collect(
        self, segment: int, url: str, start: int, limit_bytes: int, *, keep: bool = False
    ) -> Part:
        """Wait for a segment's end and copy it."""
        exchange = _Exchange(url, start, limit_bytes, asyncio.get_running_loop().create_future())
        self._exchanges[segment] = exchange
        kept = False
        try:
            for event in self.early.pop(segment, ()):
                self.deliver(event)
            stop = await exchange.done
            chunks = [
                await self._transport.read(segment, ByteRange(at, min(at + MAX_READ_BYTES, stop)))
                for at in range(start, stop, MAX_READ_BYTES)
            ]
            kept = keep and exchange.can_be_continued
        finally:
            del self._exchanges[segment]
            if not kept:
                self._transport.release(segment)
        opened = exchange.opened
        if kept and opened is not None:
            self._heads[url] = _Head(opened, Closed(segment, stop, cancelled=False))
        if opened is None:
            return Part(b"".join(chunks), None, "", ranges=False)
        return Part(b"".join(chunks), opened.total_bytes, opened.version, opened.ranges)

    def head_start(self, url: str) -> None:
        """Start the stream of a frame's resource, unless one runs."""
        if url not in self.head_starts:
            segment = next(self._numbers)
            self.head_starts[url] = segment
            self.early[segment] = []
            self._transport.fetch(FetchOrder(segment, url, ByteRange(0), priority="high"))

    async def need(self, package: str) -> None:
        """Make an optional Python package importable."""
        await self._need(package)

    def notice(self, text: str) -> None:
        """Keep a notice of the source for the page."""
        self.notices.append(text)

    def deliver(self, event: TransportEvent) -> bool:
        """Take an event of one of these segments; False when it belongs to somebody else."""
        if event.segment in self.early:
            self.early[event.segment].append(event)
            return True
        exchange = self._exchanges.get(event.segment)
        if exchange is None:
            return False
        if not exchange.done.done():
            exchange.settle(event)
        return True


@dataclass(frozen=True, slots=True)
class _Head:
    """The beginning of a resource that is held, as the events that brought it."""

    opened: Opened
    closed: Closed


@dataclass(slots=True)
class _Exchange:
    """A resource, or a part of it from ``start`` on, that somebody waits for."""

    url: str
    start: int
    limit_bytes: int
    done: asyncio.Future[int]
    opened: Opened | None = None

    @property
    def can_be_continued(self) -> bool:
        """Whether the rest can be asked for: not of what the server encodes on its way."""
        opened = self.opened
        return opened is not None and (opened.ranges or opened.total_bytes is not None)

    def settle(self, event: TransportEvent) -> None:
        """Note what happened; the future gets the offset at which the bytes end."""
        match event:
            case Opened(extent=extent):
                self.opened = event
                if extent.length is not None and extent.length > self.limit_bytes:
                    self.done.set_exception(_too_large(self.url, self.limit_bytes))
            case Closed(stop=stop):
                if stop - self.start > self.limit_bytes:
                    self.done.set_exception(_too_large(self.url, self.limit_bytes))
                else:
                    self.done.set_result(stop)
            case Failed(error=error):
                self.done.set_exception(error)
            case Milestone():
                pass


def _too_large(url: str, limit_bytes: int) -> LimitExceeded:
    return LimitExceeded(f"larger than {limit_bytes} bytes", resource=url)
