"""The development server as it is, with a record of every request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from firstlight.serve.app import create_app
from firstlight.serve.run import Server
from support.request_log import RequestLog

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from firstlight.serve.link import Profile

SEND_BUFFER_BYTES = 128 * 1024
"""Small, so that bytes counted as sent are near those that a client which aborts has seen; less
than two loopback packets (64 KB each) would make every chunk wait for a delayed acknowledgement."""


class RecordingServer(Server):
    """``with RecordingServer(data) as server``: serves, and keeps a log in ``requests``.

    server.url, server.data_url     where it serves
    server.requests()               all requests, `RecordedRequest` in order of arrival
    server.requests("/data/a.jph")  those for one path
    server.requests.wait_until(...) block until a condition holds
    """

    def __init__(
        self, data: Path, viewer: Path | None = None, *, network: Profile | None = None
    ) -> None:
        self.requests = RequestLog()
        app = _Recorder(create_app(data, viewer), self.requests)
        super().__init__(app, network=network, send_buffer_bytes=SEND_BUFFER_BYTES)

    @property
    def data_url(self) -> str:
        """Where the data directory is, with final slash."""
        return f"{self.url}/data/"


class _Recorder:
    """Passes everything on, and writes down what passes."""

    def __init__(self, app: ASGIApp, log: RequestLog) -> None:
        self._app = app
        self._log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]
        }
        record = self._log.begin(scope["method"], scope["path"], headers)
        unconfirmed_bytes = 0

        async def send_recorded(message: Message) -> None:
            nonlocal unconfirmed_bytes
            await send(message)
            if record.aborted:
                return
            if message["type"] == "http.response.start":
                self._log.update(lambda: setattr(record, "status", message["status"]))
                return
            # uvicorn waits for the previous chunk before it takes the next: what was sent before
            # this message has left for the kernel, this message itself perhaps not.
            body_bytes = 0 if scope["method"] == "HEAD" else len(message.get("body", b""))
            confirmed_bytes, unconfirmed_bytes = unconfirmed_bytes, body_bytes
            last = not message.get("more_body", False)

            def note() -> None:
                record.body_bytes += confirmed_bytes + (body_bytes if last else 0)
                record.finished = last

            self._log.update(note)

        async def receive_recorded() -> Message:
            message = await receive()
            if message["type"] == "http.disconnect" and not record.finished:
                self._log.update(lambda: setattr(record, "aborted", True))
            return message

        await self._app(scope, receive_recorded, send_recorded)
