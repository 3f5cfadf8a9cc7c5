"""Runs the application on a socket, in a thread of its own."""

from __future__ import annotations

import asyncio
import socket
from contextlib import ExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Self

import uvicorn
from anyio.from_thread import start_blocking_portal

from firstlight.serve.shaper import Shaper, raise_thread_priority
from firstlight.serve.sockets import listen, url_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from types import TracebackType

    from starlette.types import ASGIApp

    from firstlight.serve.link import Profile


class Server:
    """Serves an application on a port while its ``with`` block runs.

    With ``network`` every connection passes a `Shaper`. Port 0 picks a free one.

    Raises:
        OSError: on entering, when the address cannot be taken.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        network: Profile | None = None,
        send_buffer_bytes: int | None = None,
    ) -> None:
        self._app = app
        self._address = (host, port)
        self._network = network
        self._send_buffer_bytes = send_buffer_bytes
        self._open = ExitStack()
        self.url = ""
        self.shaper: Shaper | None = None

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            front = listen(*self._address)
            stack.callback(front.close)
            self.url = url_of(front)
            back = front if self._network is None else listen("127.0.0.1", 0)
            stack.callback(back.close)
            if self._send_buffer_bytes is not None:
                back.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, self._send_buffer_bytes)
            portal = stack.enter_context(start_blocking_portal("asyncio", name="firstlight-serve"))
            stack.enter_context(portal.wrap_async_context_manager(serving(self._app, back)))
            if self._network is not None:
                portal = stack.enter_context(
                    start_blocking_portal("asyncio", name="firstlight-shaper")
                )
                portal.call(raise_thread_priority)
                shaper = Shaper(self._network, *back.getsockname()[:2], listener=front)
                self.shaper = stack.enter_context(portal.wrap_async_context_manager(shaper))
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
async def serving(app: ASGIApp, listener: socket.socket) -> AsyncIterator[None]:
    """Keeps uvicorn running on a socket; ends without waiting for open connections."""
    config = uvicorn.Config(
        app, lifespan="off", ws="none", log_config=None, access_log=False, server_header=False
    )
    server = _Uvicorn(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield
    finally:
        server.should_exit = True
        await task


class _Uvicorn(uvicorn.Server):
    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # A download in progress must not hold up Ctrl-C.
        for connection in list(self.server_state.connections):
            if connection.transport is not None:
                connection.transport.abort()
        await super().shutdown(sockets)
