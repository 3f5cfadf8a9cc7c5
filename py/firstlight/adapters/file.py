"""The Transport for files and object stores: fsspec instead of HTTP, with the same behaviour."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlsplit

import fsspec

from firstlight.errors import (
    FirstlightError,
    HttpStatus,
    LimitExceeded,
    ResourceChanged,
    ShortBody,
    Unreachable,
)
from firstlight.ports import MAX_READ_BYTES, Closed, Failed, Milestone, Opened
from firstlight.ranges import ByteRange

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import TracebackType
    from typing import Self

    from firstlight.ports import FetchOrder, TransportEvent

LEAST_STRETCH_BYTES: Final = 1 << 16
"""Over a network each stretch is a request; a smaller one takes as long as this one."""

MOST_STRETCH_BYTES: Final = 1 << 22
"""A stretch cannot be broken off: no more than this comes over a network after a cancel."""

LOCAL_STRETCH_BYTES: Final = 1 << 16
"""Of a local disk small stretches cost nothing."""

_VERSION_KEYS: Final = ("ETag", "etag", "generation", "mtime", "LastModified", "updated", "created")
"""Where the file systems of fsspec tell one version of a file from another, the surest first."""


class FileTransport:
    """A `firstlight.ports.Transport` for ``file:``, ``memory:``, ``s3:``, ``gs:`` and so on.

    It belongs to the event loop it is used in; reads run in threads. A file that is not there
    fails as a 404 does, one that may not be read as a 403, a range behind the end as a 416:
    whoever asks need not know where the bytes lie.
    """

    def __init__(self) -> None:
        self._deliveries: dict[int, _Delivery] = {}
        self._sink: Callable[[TransportEvent], None] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        tasks = [delivery.task for delivery in self._deliveries.values()]
        for segment in tuple(self._deliveries):
            self.release(segment)
        await asyncio.gather(*tasks, return_exceptions=True)

    def listen(self, sink: Callable[[TransportEvent], None]) -> None:
        self._sink = sink

    def fetch(self, order: FetchOrder) -> None:
        """Start reading; returns at once.

        Raises:
            ValueError: the segment is there already.
        """
        if order.segment in self._deliveries:
            raise ValueError(f"segment {order.segment} is there already")
        self._deliveries[order.segment] = _Delivery(order, self._tell)

    def watch(self, segment: int, milestones: tuple[int, ...]) -> None:
        if segment in self._deliveries:
            self._deliveries[segment].watch(milestones)

    def cancel(self, segment: int) -> None:
        if segment in self._deliveries:
            self._deliveries[segment].cancel()

    async def read(self, segment: int, extent: ByteRange) -> bytes:
        """Copy held bytes; an open ``extent`` ends where the held bytes end.

        Raises:
            LookupError: those bytes are not held.
            LimitExceeded: more than `MAX_READ_BYTES`.
        """
        if segment not in self._deliveries:
            raise LookupError(f"no segment {segment}")
        return self._deliveries[segment].copy(extent)

    def release(self, segment: int) -> None:
        if segment in self._deliveries:
            self._deliveries.pop(segment).release()

    def _tell(self, event: TransportEvent) -> None:
        if self._sink is not None:
            asyncio.get_running_loop().call_soon(self._sink, event)


class _Delivery:
    """One order on its way, and the bytes that came of it."""

    def __init__(self, order: FetchOrder, tell: Callable[[TransportEvent], None]) -> None:
        self.order = order
        self._tell = tell
        self._held = bytearray()
        self._pending = sorted(set(order.milestones))
        self._opened = False
        self._over = False
        self.task = asyncio.get_running_loop().create_task(self._run())

    @property
    def stop(self) -> int:
        """Offset in the resource where the held bytes end."""
        return self.order.extent.start + len(self._held)

    def watch(self, milestones: Iterable[int]) -> None:
        self._pending = sorted({*self._pending, *milestones})
        if self._opened:
            self._pass_milestones()

    def cancel(self) -> None:
        if not self._over:
            self._end(Closed(self.order.segment, self.stop, cancelled=True))
            self.task.cancel()

    def release(self) -> None:
        self._held = bytearray()
        self.cancel()

    def copy(self, extent: ByteRange) -> bytes:
        first = self.order.extent.start
        stop = self.stop if extent.stop is None else extent.stop
        if not first <= extent.start <= stop <= self.stop:
            raise LookupError(f"bytes {extent} asked for, [{first}, {self.stop}) held")
        if stop - extent.start > MAX_READ_BYTES:
            text = f"more than {MAX_READ_BYTES} bytes in one read"
            raise LimitExceeded(text, resource=self.order.url, extent=extent)
        return bytes(self._held[extent.start - first : stop - first])

    async def _run(self) -> None:
        order = self.order
        if order.extent.length != 0:
            try:
                await self._read()
            except FirstlightError as error:
                self._end(Failed(order.segment, self.stop, error))
                return
        self._end(Closed(order.segment, self.stop, cancelled=False))

    async def _read(self) -> None:
        order = self.order
        file_system, path = await self._attempt(_locate, order.url)
        info = await self._attempt(file_system.info, path)
        total, version = int(info.get("size") or 0), _version(info)
        if order.version is not None and order.version != version:
            text = f"version {order.version} is held, {version} came"
            raise ResourceChanged(text, resource=order.url, extent=order.extent)
        if order.extent.start >= total:
            raise self._status(416, f"the file has {total} bytes")
        stop = total if order.extent.stop is None else min(order.extent.stop, total)
        self._opened = True
        extent = ByteRange(order.extent.start, stop)
        self._tell(Opened(order.segment, extent, total, version, ranges=True))
        self._pass_milestones()
        while self.stop < stop:
            until = min(stop, self._stretch_stop(local=not file_system.async_impl))
            # By name: what comes second differs between file systems.
            part = partial(file_system.cat_file, path, start=self.stop, end=until)
            data = await self._attempt(part)
            self._held += data
            self._pass_milestones()
            await asyncio.sleep(0)  # whoever hears of a milestone may cancel before the next one
            if self.stop < until:
                text = f"the file ended at {self.stop} instead of {total}"
                raise ShortBody(text, resource=order.url, extent=order.extent)

    def _stretch_stop(self, *, local: bool) -> int:
        """Up to the next milestone, but not in too small and not in too large steps."""
        at = self.stop
        milestone = next((point for point in self._pending if point > at), at + (1 << 62))
        if local:
            return min(milestone, at + LOCAL_STRETCH_BYTES)
        return min(max(milestone, at + LEAST_STRETCH_BYTES), at + MOST_STRETCH_BYTES)

    async def _attempt(self, call: Callable[..., Any], *arguments: object) -> Any:  # noqa: ANN401
        """Run a call of fsspec in a thread, its failures as ours."""
        try:
            return await asyncio.to_thread(call, *arguments)
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
            raise self._status(404, "no such file") from error
        except PermissionError as error:
            raise self._status(403, "reading is not permitted") from error
        except Exception as error:  # every file system has kinds of its own
            text = f"no access ({str(error) or type(error).__name__})"
            raise Unreachable(text, resource=self.order.url, extent=self.order.extent) from error

    def _status(self, status: int, text: str) -> HttpStatus:
        return HttpStatus(text, status=status, resource=self.order.url, extent=self.order.extent)

    def _pass_milestones(self) -> None:
        while self._pending and self._pending[0] <= self.stop:
            self._tell(Milestone(self.order.segment, self._pending.pop(0)))

    def _end(self, event: Closed | Failed) -> None:
        if not self._over:
            self._over = True
            self._tell(event)


def _locate(url: str) -> tuple[Any, str]:
    """The file system of a URL, and the path in it; a ``file:`` URL is percent-encoded."""
    parts = urlsplit(url)
    if not parts.scheme:
        raise ValueError("not a URL")
    if parts.scheme == "file":
        return fsspec.filesystem("file"), unquote(parts.path)
    file_system, path = fsspec.core.url_to_fs(url)
    return file_system, path


def _version(info: dict[str, Any]) -> str:
    """An entity tag from what a file system tells of a file."""
    told = next((info[key] for key in _VERSION_KEYS if info.get(key)), "")
    text = str(told).strip('"')
    return f'"{text}-{info.get("size")}"'
