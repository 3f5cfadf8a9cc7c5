"""The web application: viewer at ``/``, data at ``/data/``, a probe of the link."""

from __future__ import annotations

import asyncio
import gzip
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from firstlight.serve.conditional import (
    RangeNotSatisfiable,
    precondition_status,
    requested_range,
)
from firstlight.serve.tree import Representation, accepts_coding, find_data, find_viewer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Generator
    from pathlib import Path

    from starlette.requests import Request
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from firstlight.ranges import ByteRange

CHUNK_BYTES = 64 * 1024
"""Read and handed to the socket at a time: 10 µs from the page cache, so no thread is worth it."""

GZIP_LEVEL = 4
"""A descriptor of 5,000 frames, 2 MB, is a tenth of that in 15 ms."""

LEAST_GZIP_BYTES = 1024
"""Less goes in one packet anyway."""

MAX_PROBE_BYTES = 64 * 1024 * 1024

OPEN_HEADERS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": (
        "Accept-Ranges, Content-Encoding, Content-Length, Content-Range, ETag, Last-Modified"
    ),
    "Timing-Allow-Origin": "*",
}

PREFLIGHT_HEADERS = {
    "Access-Control-Allow-Methods": "GET, HEAD, OPTIONS",
    "Access-Control-Allow-Headers": (
        "Accept, Authorization, Cache-Control, Content-Type, If-Match, If-Modified-Since, "
        "If-None-Match, If-Range, If-Unmodified-Since, Range"
    ),
    "Access-Control-Max-Age": "7200",
}


def create_app(data: Path, viewer: Path | None) -> Starlette:
    """The application that serves ``data`` at ``/data/`` and the built viewer at ``/``.

    Args:
        data: directory of any layout that `firstlight prepare` writes, or of plain files.
        viewer: the build's ``dist/``; None serves data only.
    """
    data_root = data.resolve()
    viewer_root = None if viewer is None else viewer.resolve()

    async def get_data(request: Request) -> Response:
        found = find_data(data_root, request.path_params["path"])
        if found is not None and takes_gzip(request, found):
            return await run_in_threadpool(respond_compressed, request, found)
        return respond(request, found)

    async def get_viewer(request: Request) -> Response:
        if viewer_root is None:
            return PlainTextResponse("No viewer here: npm run build makes it.\n", 404)
        path: str = request.path_params["path"]
        accepted = request.headers.get("accept-encoding")
        whole = "range" not in request.headers
        return respond(request, find_viewer(viewer_root, path, accepted, whole=whole))

    routes = [
        Route("/__probe", get_probe, methods=["GET"]),
        Route("/data/{path:path}", get_data, methods=["GET", "HEAD"]),
        Route("/{path:path}", get_viewer, methods=["GET", "HEAD"]),
    ]
    return Starlette(routes=routes, middleware=[Middleware(OpenToAllOrigins)])


def respond(request: Request, found: Representation | None) -> Response:
    """The answer to GET or HEAD for one representation, None for "there is none"."""
    if found is None:
        return PlainTextResponse(f"Not found: {request.url.path}\n", 404)
    headers = _headers_of(found)
    status = precondition_status(request.headers, found.validators)
    if status is not None:
        return Response(status_code=status, headers=headers)
    extent: ByteRange | None = None
    if request.method == "GET" and found.coding == "identity":
        try:
            extent = requested_range(request.headers, found.validators, found.size_bytes)
        except RangeNotSatisfiable:
            headers["Content-Range"] = f"bytes */{found.size_bytes}"
            return PlainTextResponse("No such range\n", 416, headers)
    start, stop = 0, found.size_bytes
    if extent is not None and extent.stop is not None:
        start, stop = extent.start, extent.stop
        headers["Content-Range"] = f"bytes {start}-{stop - 1}/{found.size_bytes}"
    headers["Content-Type"] = found.content_type
    headers["Content-Length"] = str(stop - start)
    if request.method == "HEAD":
        return Response(headers=headers)
    status = 200 if extent is None else 206
    return InTurns(_chunks(found.file, start, stop), status, headers)


def takes_gzip(request: Request, found: Representation) -> bool:
    """Whether JSON is wanted as a whole and may be compressed, as static hosts do it."""
    wants_all = request.method == "GET" and "range" not in request.headers
    is_json = found.content_type.endswith("json") and found.size_bytes >= LEAST_GZIP_BYTES
    accepted = request.headers.get("accept-encoding")
    can_be_coded = found.coding == "identity" and accepts_coding(accepted, "gzip")
    return wants_all and is_json and can_be_coded


def respond_compressed(request: Request, found: Representation) -> Response:
    """The answer to GET for JSON, compressed; its ETag is of these bytes, not of the file."""
    etag = found.validators.etag.removesuffix('"') + '-gzip"'
    coded = replace(found, validators=replace(found.validators, etag=etag), coding="gzip")
    headers = _headers_of(replace(coded, negotiated=True))
    status = precondition_status(request.headers, coded.validators)
    if status is not None:
        return Response(status_code=status, headers=headers)
    body = gzip.compress(found.file.read_bytes(), GZIP_LEVEL, mtime=0)
    return Response(body, headers=headers | {"Content-Type": found.content_type})


async def get_probe(request: Request) -> Response:
    """``?bytes=N`` zeros, as fast as the link carries them."""
    try:
        length_bytes = int(request.query_params.get("bytes", "0"))
    except ValueError:
        length_bytes = -1
    if not 0 <= length_bytes <= MAX_PROBE_BYTES:
        return PlainTextResponse(f"bytes must lie in 0 to {MAX_PROBE_BYTES}\n", 400)

    zeros = (
        bytes(min(CHUNK_BYTES, length_bytes - start))
        for start in range(0, length_bytes, CHUNK_BYTES)
    )
    headers = {
        "Cache-Control": "no-store",
        "Content-Length": str(length_bytes),
        "Content-Type": "application/octet-stream",
    }
    return InTurns(zeros, 200, headers)


class OpenToAllOrigins:
    """Lets any origin read every answer, errors too, and answers preflights.

    The headers do not depend on ``Origin``: a cached answer then serves every page, whoever
    asked first.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI)."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_open(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(OPEN_HEADERS)
            await send(message)

        if scope["method"] == "OPTIONS":
            await Response(status_code=204, headers=PREFLIGHT_HEADERS)(scope, receive, send_open)
        else:
            await self.app(scope, receive, send_open)


class InTurns(StreamingResponse):
    """Sends chunks with a turn of the event loop after each, and closes their generator.

    Sending need not wait for anything; other requests must get in, and so must the news that a
    client has gone.
    """

    def __init__(
        self, chunks: Generator[bytes, None, None], status: int, headers: dict[str, str]
    ) -> None:
        self._chunks = chunks
        super().__init__(self._in_turns(), status, headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI); a cancelled one leaves no file open."""
        with closing(self._chunks):
            await super().__call__(scope, receive, send)

    async def _in_turns(self) -> AsyncIterator[bytes]:
        for chunk in self._chunks:
            yield chunk
            await asyncio.sleep(0)


def _headers_of(found: Representation) -> dict[str, str]:
    headers = {
        "Cache-Control": found.cache_control,
        "ETag": found.validators.etag,
        "Last-Modified": found.validators.last_modified,
        "Accept-Ranges": "bytes" if found.coding == "identity" else "none",
    }
    if found.coding != "identity":
        headers["Content-Encoding"] = found.coding
    if found.negotiated:
        headers["Vary"] = "Accept-Encoding"
    return headers


def _chunks(file: Path, start: int, stop: int) -> Generator[bytes, None, None]:
    with file.open("rb") as stream:
        stream.seek(start)
        while start < stop:
            chunk = stream.read(min(CHUNK_BYTES, stop - start))
            if not chunk:
                return  # The file was cut meanwhile: the client sees a body that is too short.
            start += len(chunk)
            yield chunk
