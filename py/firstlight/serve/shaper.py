"""A TCP proxy that behaves like one slow link: rate, delay and queues shared by all connections."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Self

from firstlight.serve.link import PROFILES, Profile, TokenBucket
from firstlight.serve.probe import probe
from firstlight.serve.sockets import listen, url_of
from firstlight.serve.wire import Flow, Wire

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from types import TracebackType

__all__ = ["PROFILES", "Profile", "Shaper", "TokenBucket", "probe", "raise_thread_priority"]

RECEIVE_BUFFER_BYTES = 64 * 1024
"""Asked of the kernel: bytes beyond our own queue should stay with their sender."""


class Shaper:
    """Carries connections to an upstream server over one link of the given profile.

    Each direction sends the bytes of all connections in turns at its rate and delivers them half
    a round trip later; a new connection costs one more round trip. A client that goes away takes
    its queued bytes with it, and its upstream connection is aborted at once; its half-close
    counts as going away, as it does for HTTP servers.
    """

    def __init__(
        self,
        profile: Profile,
        upstream_host: str,
        upstream_port: int,
        *,
        listener: socket.socket | None = None,
    ) -> None:
        self.url = ""
        self._upstream = (upstream_host, upstream_port)
        self._rtt_s = profile.rtt_ms / 1000
        self._down = Wire(profile.down_bits_per_s, profile.rtt_ms / 2)
        self._up = Wire(profile.up_bits_per_s, profile.rtt_ms / 2)
        self._listener = listener
        self._connections: set[_Connection] = set()

    @property
    def bytes_down(self) -> int:
        """Bytes the link has carried to clients."""
        return self._down.carried_bytes

    @property
    def bytes_up(self) -> int:
        """Bytes the link has carried to the upstream server."""
        return self._up.carried_bytes

    async def __aenter__(self) -> Self:
        listener = self._listener or listen("127.0.0.1", 0)
        self.url = url_of(listener)
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._accept, sock=listener)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.close()
        opening = [connection.abort() for connection in list(self._connections)]
        await asyncio.gather(*opening, return_exceptions=True)

    def _accept(self) -> _End:
        return _Connection(self._down, self._up, self._connect, self._connections).client

    async def _connect(self, upstream: _End) -> None:
        """Connect to the upstream server while the client's handshake travels."""
        loop = asyncio.get_running_loop()
        established_s = loop.time() + self._rtt_s
        await loop.create_connection(lambda: upstream, *self._upstream)
        await asyncio.sleep(established_s - loop.time())


class _Connection:
    """A client's connection, its twin to the upstream server, and a flow each way."""

    def __init__(
        self,
        down: Wire,
        up: Wire,
        connect: Callable[[_End], Awaitable[None]],
        open_connections: set[_Connection],
    ) -> None:
        self._connect = connect
        self._open_connections = open_connections
        self.client = _End(made=self._client_made, lost=self.abort)
        self.upstream = _End(made=lambda: None, lost=self._upstream_lost)
        self._down = Flow(down, deliver=self.client.write, hold_sender=self.upstream.hold)
        self._up = Flow(up, deliver=self.upstream.write, hold_sender=self.client.hold)
        self.client.use(incoming=self._down, outgoing=self._up)
        self.upstream.use(incoming=self._up, outgoing=self._down)

    def _client_made(self) -> None:
        self._open_connections.add(self)
        self.client.hold(True)
        self._opening = asyncio.create_task(self._open())

    async def _open(self) -> None:
        try:
            await self._connect(self.upstream)
        except OSError:
            self.abort()
        else:
            self.client.hold(False)

    def _upstream_lost(self) -> None:
        """What the upstream server sent before it closed still travels, then the client's end."""
        self._up.drop()
        self._down.push(b"")

    def abort(self) -> asyncio.Task[None]:
        """Close both ends now and forget what is queued; returns the task that may still open."""
        self._open_connections.discard(self)
        self._up.drop()
        self._down.drop()
        self._opening.cancel()
        self.client.abort()
        self.upstream.abort()
        return self._opening


class _End(asyncio.Protocol):
    """One socket: what it receives goes into one flow, what the other flow delivers is written."""

    def __init__(self, *, made: Callable[[], object], lost: Callable[[], object]) -> None:
        self._made = made
        self._lost = lost
        self._transport: asyncio.Transport | None = None

    def use(self, *, incoming: Flow, outgoing: Flow) -> None:
        """Name the flows, which need the ends to exist first."""
        self._incoming = incoming
        self._outgoing = outgoing

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if not isinstance(transport, asyncio.Transport):
            raise TypeError(f"not a stream: {transport}")
        self._transport = transport
        raw: socket.socket = transport.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
        self._made()

    def data_received(self, data: bytes) -> None:
        self._outgoing.push(data)

    def pause_writing(self) -> None:
        self._incoming.receiver_busy(True)

    def resume_writing(self) -> None:
        self._incoming.receiver_busy(False)

    def connection_lost(self, error: Exception | None) -> None:
        self._lost()

    def write(self, piece: memoryview) -> None:
        """Send a piece that has travelled; an empty one closes."""
        if self._transport is None:
            return
        if piece:
            self._transport.write(piece)
        else:
            self._transport.close()

    def hold(self, held: bool) -> None:
        """Stop or go on reading."""
        if self._transport is None:
            return
        if held:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()

    def abort(self) -> None:
        """Close now, whatever is still to be written."""
        if self._transport is not None:
            self._transport.abort()


async def raise_thread_priority() -> None:
    """Let this thread run before others where the system allows it: lateness costs rate."""
    with suppress(OSError, AttributeError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), -15)
