"""An HTTP/1.1 server on raw sockets that misbehaves on the wire exactly as told."""

from __future__ import annotations

import asyncio
import hashlib
import socket
from collections import Counter, defaultdict
from contextlib import ExitStack, asynccontextmanager, suppress
from struct import pack
from typing import TYPE_CHECKING, Self
from urllib.parse import unquote, urlsplit

from anyio.from_thread import start_blocking_portal

from firstlight.serve.sockets import listen, url_of
from support.faults import NO_FAULT, Fault, answer_for, head_of, preflight
from support.request_log import RecordedRequest, RequestLog

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from types import TracebackType


__all__ = ["Fault", "FaultyServer"]

CHUNK_BYTES = 16 * 1024
SEND_BUFFER_BYTES = 128 * 1024


class FaultyServer:
    """``with FaultyServer({"/a.jph": content}, {"/a.jph": Fault(status=403)}) as server``.

    ``files`` and ``faults`` may be changed while it serves. ``requests`` is a `RequestLog`;
    preflights are in it, with method OPTIONS, and never meet a fault.
    """

    def __init__(
        self, files: Mapping[str, bytes], faults: Mapping[str, Fault] | None = None
    ) -> None:
        self.files = dict(files)
        self.faults = dict(faults or {})
        self.requests = RequestLog()
        self.origin = ""
        self._counts: Counter[str] = Counter()
        self._released: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self._open = ExitStack()

    def url(self, path: str = "") -> str:
        """The address of a path."""
        return self.origin + path

    def release(self, path: str) -> None:
        """Let answers for ``path`` that stall (`no_answer` too), now or later, go on."""
        self._portal.call(lambda: self._released[path].set())

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            listener = listen("127.0.0.1", 0)
            stack.callback(listener.close)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
            self.origin = url_of(listener)
            self._portal = stack.enter_context(start_blocking_portal("asyncio", name="faulty"))
            stack.enter_context(self._portal.wrap_async_context_manager(self._serving(listener)))
            self._open = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._open.close()

    @asynccontextmanager
    async def _serving(self, listener: socket.socket) -> AsyncIterator[None]:
        connections: set[_Connection] = set()
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: _Connection(self, connections), sock=listener)
        try:
            yield
        finally:
            server.close()
            answers = [connection.abort() for connection in connections]
            await asyncio.gather(*filter(None, answers), return_exceptions=True)

    def fault_for_next(self, path: str) -> tuple[Fault, bytes | None, str]:
        """What the next request for a path meets: the fault, the content (None: 404), its ETag."""
        self._counts[path] += 1
        number = self._counts[path]
        fault = self.faults.get(path, NO_FAULT)
        if fault.first_requests is not None and number > fault.first_requests:
            fault = NO_FAULT
        content = self.files.get(path)
        if content is None:
            return fault, None, ""
        changed = fault.changes_after_requests is not None and number > fault.changes_after_requests
        if changed and fault.changed_content is not None:
            content = fault.changed_content
        digest = hashlib.sha256(content).hexdigest()[:16]
        return fault, content, f'"{digest}-{"changed" if changed else "first"}"'

    async def released(self, path: str) -> None:
        """Wait for `release`."""
        await self._released[path].wait()


class _Connection(asyncio.Protocol):
    """Reads one request after another and answers it; a lost connection cancels the answer."""

    def __init__(self, server: FaultyServer, connections: set[_Connection]) -> None:
        self._server = server
        self._connections = connections
        self._received = bytearray()
        self._writable = asyncio.Event()
        self._writable.set()
        self._request: RecordedRequest | None = None
        self._answering: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.set_write_buffer_limits(high=0)
        self._connections.add(self)

    def connection_lost(self, error: Exception | None) -> None:
        self._connections.discard(self)
        request = self._request
        if request is not None and not request.finished:
            self._server.requests.update(lambda: setattr(request, "aborted", True))
        if self._answering is not None:
            self._answering.cancel()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def data_received(self, data: bytes) -> None:
        self._received += data
        self._next_request()

    def abort(self) -> asyncio.Task[None] | None:
        """Close at once; returns the task that was still answering."""
        self._transport.abort()
        return self._answering

    def _next_request(self) -> None:
        if self._answering is not None or b"\r\n\r\n" not in self._received:
            return
        head, _, rest = bytes(self._received).partition(b"\r\n\r\n")
        self._received = bytearray(rest)
        line, *fields = head.decode("latin-1").split("\r\n")
        method, target, _ = line.split(" ", 2)
        pairs = (field.partition(":") for field in fields)
        headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
        path = unquote(urlsplit(target).path)
        self._request = self._server.requests.begin(method, path, headers)
        self._answering = asyncio.create_task(self._answer(self._request))
        self._answering.add_done_callback(self._answered)

    def _answered(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and task.exception() is not None:
            self._transport.abort()  # A broken test server must not look like one that stalls.
            task.result()

    async def _answer(self, request: RecordedRequest) -> None:
        if request.method == "OPTIONS":
            fault, answer = NO_FAULT, preflight(self._server.faults.get(request.path, NO_FAULT))
        else:
            fault, content, etag = self._server.fault_for_next(request.path)
            answer = answer_for(request, fault, content, etag)
        if fault.no_answer:
            await self._server.released(request.path)
        await asyncio.sleep(fault.delay_ms / 1000)
        self._server.requests.update(lambda: setattr(request, "status", answer.status))
        await self._write(head_of(answer, fault.framing))
        body = b"" if request.method == "HEAD" else answer.body
        complete = await self._send_body(request, fault, body)
        self._server.requests.update(lambda: setattr(request, "finished", True))
        if not complete or fault.framing == "close":
            self._close(fault)
            return
        self._answering = None
        self._next_request()

    async def _send_body(self, request: RecordedRequest, fault: Fault, body: bytes) -> bool:
        """Send the body as far as the fault allows; False when the connection must close."""
        stops = [len(body) if fault.close_after_bytes is None else fault.close_after_bytes]
        if fault.stall_after_bytes is not None and fault.stall_after_bytes < stops[0]:
            stops.insert(0, fault.stall_after_bytes)
        sent = 0
        for index, stop in enumerate(min(stop, len(body)) for stop in stops):
            if index > 0:
                await self._server.released(request.path)
            while sent < stop:
                chunk = body[sent : min(sent + CHUNK_BYTES, stop)]
                framed = chunk
                if fault.framing == "chunked":
                    framed = b"%x\r\n%b\r\n" % (len(chunk), chunk)
                await self._write(framed)
                sent += len(chunk)
                self._count(request, len(chunk))
        if fault.close_after_bytes is not None:
            return False
        if fault.framing == "chunked" and request.method != "HEAD":
            await self._write(b"0\r\n\r\n")
        return True

    def _count(self, request: RecordedRequest, length_bytes: int) -> None:
        def note() -> None:
            request.body_bytes += length_bytes

        self._server.requests.update(note)

    async def _write(self, data: bytes) -> None:
        self._transport.write(data)
        await asyncio.sleep(0)  # The news that the client has gone comes from the loop.
        await self._writable.wait()

    def _close(self, fault: Fault) -> None:
        if fault.reset:
            raw = self._transport.get_extra_info("socket")
            with suppress(OSError):
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, pack("ii", 1, 0))
            self._transport.abort()
        else:
            self._transport.close()
