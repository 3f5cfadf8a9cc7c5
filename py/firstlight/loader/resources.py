"""Whole small resources (descriptors, metadata) for sources, over the one transport."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from firstlight.errors import LimitExceeded
from firstlight.ports import MAX_READ_BYTES, Closed, Failed, FetchOrder, Milestone, Opened
from firstlight.ranges import ByteRange

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
        self._waiting: dict[int, asyncio.Future[int]] = {}
        self._limits: dict[int, tuple[str, int]] = {}
        self.head_starts: dict[str, int] = {}
        self.early: dict[int, list[TransportEvent]] = {}

    async def whole(self, url: str, *, limit_bytes: int) -> bytes:
        """All bytes of a resource; its segment is released again.

        Raises:
            TransportError: it did not come.
            LimitExceeded: it is larger than ``limit_bytes``.
        """
        done: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        adopted = self.head_starts.pop(url, None)
        segment = next(self._numbers) if adopted is None else adopted
        self._waiting[segment] = done
        self._limits[segment] = (url, limit_bytes)
        try:
            if adopted is None:
                self._transport.fetch(FetchOrder(segment, url, ByteRange(0), priority="high"))
            for event in self.early.pop(segment, ()):
                self.deliver(event)
            stop = await done
            chunks = [
                await self._transport.read(
                    segment, ByteRange(start, min(start + MAX_READ_BYTES, stop))
                )
                for start in range(0, stop, MAX_READ_BYTES)
            ]
        finally:
            del self._waiting[segment], self._limits[segment]
            self._transport.release(segment)
        return b"".join(chunks)

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

    def deliver(self, event: TransportEvent) -> bool:
        """Take an event of one of these segments; False when it belongs to somebody else."""
        if event.segment in self.early:
            self.early[event.segment].append(event)
            return True
        done = self._waiting.get(event.segment)
        if done is None:
            return False
        if not done.done():
            self._settle(done, event)
        return True

    def _settle(self, done: asyncio.Future[int], event: TransportEvent) -> None:
        url, limit_bytes = self._limits[event.segment]
        match event:
            case Opened(total_bytes=total) if total is not None and total > limit_bytes:
                done.set_exception(_too_large(url, limit_bytes))
            case Closed(stop=stop):
                if stop > limit_bytes:
                    done.set_exception(_too_large(url, limit_bytes))
                else:
                    done.set_result(stop)
            case Failed(error=error):
                done.set_exception(error)
            case Opened() | Milestone():
                pass


def _too_large(url: str, limit_bytes: int) -> LimitExceeded:
    return LimitExceeded(f"larger than {limit_bytes} bytes", resource=url)
