"""The Transport of CPython: httpx instead of ``web/transport``, with the same behaviour."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import httpx

from firstlight.adapters.http_answer import read_head
from firstlight.errors import (
    FirstlightError,
    LimitExceeded,
    RangeIgnored,
    ShortBody,
    Unreachable,
)
from firstlight.ports import MAX_READ_BYTES, Closed, Failed, Milestone, Opened
from firstlight.ranges import ByteRange

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from types import TracebackType
    from typing import Self

    from firstlight.adapters.http_answer import Head
    from firstlight.ports import FetchOrder, TransportEvent

MAX_SEGMENT_BYTES: Final = 1 << 31
"""Refused beyond this, as in the browser: far above any image's codestream."""

SILENCE_S: Final = 60.0
"""A connection that gives nothing for so long is given up; browsers wait about as long."""


class HttpTransport:
    """A `firstlight.ports.Transport`; an asynchronous context manager that owns its connections.

    It belongs to the event loop it is used in. The sink is called from that loop, never from
    inside a call of this class.
    """

    def __init__(
        self,
        *,
        headers: Mapping[str, str] | None = None,
        max_segment_bytes: int = MAX_SEGMENT_BYTES,
    ) -> None:
        self._client = httpx.AsyncClient(
            headers=dict(headers or {}),
            follow_redirects=True,
            timeout=httpx.Timeout(SILENCE_S, pool=None),
        )
        self._max_segment_bytes = max_segment_bytes
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
        await self.aclose()

    async def aclose(self) -> None:
        """Abort what runs, drop all bytes and close the connections."""
        tasks = [delivery.task for delivery in self._deliveries.values()]
        for segment in tuple(self._deliveries):
            self.release(segment)
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._client.aclose()

    def listen(self, sink: Callable[[TransportEvent], None]) -> None:
        """Name the one receiver of events."""
        self._sink = sink

    def fetch(self, order: FetchOrder) -> None:
        """Start an exchange; returns at once.

        Raises:
            ValueError: the segment is there already.
        """
        if order.segment in self._deliveries:
            raise ValueError(f"segment {order.segment} is there already")
        known_total = self._total_of(order.url)
        delivery = _Delivery(order, self._client, self._tell, self._max_segment_bytes)
        self._deliveries[order.segment] = delivery
        delivery.start(known_total)

    def watch(self, segment: int, milestones: tuple[int, ...]) -> None:
        """Add milestones to an order; those already passed are reported at once."""
        if segment in self._deliveries:
            self._deliveries[segment].watch(milestones)

    def cancel(self, segment: int) -> None:
        """Abort an exchange; `Closed` follows unless it was over already."""
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
        """Forget a segment and its bytes; aborts it if it still runs."""
        if segment in self._deliveries:
            self._deliveries.pop(segment).release()

    def _total_of(self, url: str) -> int | None:
        for delivery in self._deliveries.values():
            if delivery.order.url == url and delivery.total_bytes is not None:
                return delivery.total_bytes
        return None

    def _tell(self, event: TransportEvent) -> None:
        if self._sink is not None:
            asyncio.get_running_loop().call_soon(self._sink, event)


class _Delivery:
    """One order on its way, and the bytes that came of it."""

    task: asyncio.Task[None]

    def __init__(
        self,
        order: FetchOrder,
        client: httpx.AsyncClient,
        tell: Callable[[TransportEvent], None],
        max_bytes: int,
    ) -> None:
        self.order = order
        self.total_bytes: int | None = None
        self._client = client
        self._tell = tell
        self._max_bytes = max_bytes
        self._held = bytearray()
        self._pending = sorted(set(order.milestones))
        self._opened = False
        self._over = False

    @property
    def stop(self) -> int:
        """Offset in the resource where the held bytes end."""
        return self.order.extent.start + len(self._held)

    def start(self, known_total: int | None) -> None:
        self.task = asyncio.get_running_loop().create_task(self._run(known_total))

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
            raise LimitExceeded(
                f"more than {MAX_READ_BYTES} bytes in one read",
                resource=self.order.url,
                extent=extent,
            )
        return bytes(self._held[extent.start - first : stop - first])

    async def _run(self, known_total: int | None) -> None:
        order = self.order
        if order.extent.length != 0:
            try:
                await self._exchange(known_total)
            except FirstlightError as error:
                self._end(Failed(order.segment, self.stop, error))
                return
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                self._end(Failed(order.segment, self.stop, self._broken(error)))
                return
        self._end(Closed(order.segment, self.stop, cancelled=False))

    async def _exchange(self, known_total: int | None) -> None:
        headers: dict[str, str] = {}
        if not self.order.whole:
            # A Range header and a compressed answer do not go together: browsers ask the same way.
            headers = {"Range": self.order.extent.http_value(), "Accept-Encoding": "identity"}
        if self.order.accept:
            headers["Accept"] = self.order.accept
        async with self._client.stream("GET", self.order.url, headers=headers) as response:
            head = read_head(self.order, response.status_code, response.headers, known_total)
            self._open(head)
            try:
                await self._receive(head, response)
            except httpx.HTTPError:
                if self.stop != head.stop:
                    raise
        self._check_complete(head)

    def _open(self, head: Head) -> None:
        extent = ByteRange(self.order.extent.start, head.stop)
        self._allow(extent.length or 0)
        self.total_bytes = head.total_bytes
        self._opened = True
        self._tell(Opened(self.order.segment, extent, head.total_bytes, head.version, head.ranges))
        self._pass_milestones()

    async def _receive(self, head: Head, response: httpx.Response) -> None:
        position = head.body_start
        async for chunk in response.aiter_bytes():
            skipped = max(self.stop - position, 0)
            wanted = len(chunk) if head.stop is None else max(head.stop - position, 0)
            part = chunk[skipped:wanted]
            self._allow(len(self._held) + len(part))
            self._held += part
            position += len(chunk)
            if not head.runs_on and head.body_stop is not None and position > head.body_stop:
                raise self._error(RangeIgnored, "more bytes came than announced")
            self._pass_milestones()
            if head.runs_on and head.stop is not None and position >= head.stop:
                return

    def _check_complete(self, head: Head) -> None:
        if head.firm and head.stop is not None and self.stop < head.stop:
            text = f"the body ended at {self.stop} instead of {head.stop}"
            raise self._error(ShortBody, text)
        if not self._held:
            text = f"the resource ends before the range, at {self.stop}"
            raise self._error(RangeIgnored, text)

    def _allow(self, length: int) -> None:
        if length > self._max_bytes:
            text = f"more than the {self._max_bytes} bytes allowed for one segment"
            raise self._error(LimitExceeded, text)

    def _broken(self, error: Exception) -> FirstlightError:
        reason = str(error) or type(error).__name__
        if self._opened:
            return self._error(ShortBody, f"the body broke off at {self.stop} ({reason})")
        return self._error(Unreachable, f"no answer ({reason})")

    def _error(self, kind: type[FirstlightError], text: str) -> FirstlightError:
        return kind(text, resource=self.order.url, extent=self.order.extent)

    def _pass_milestones(self) -> None:
        while self._pending and self._pending[0] <= self.stop:
            self._tell(Milestone(self.order.segment, self._pending.pop(0)))

    def _end(self, event: Closed | Failed) -> None:
        if not self._over:
            self._over = True
            self._tell(event)
