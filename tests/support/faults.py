"""What a faulty server answers: the fault asked for, and the head and body that follow from it."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Literal

from firstlight.serve.conditional import RangeNotSatisfiable, Validators, requested_range

if TYPE_CHECKING:
    from firstlight.ranges import ByteRange
    from support.request_log import RecordedRequest

Framing = Literal["length", "chunked", "close"]

MODIFIED_S = 1_700_000_000


@dataclass(frozen=True, slots=True)
class Fault:
    """How one path misbehaves; the default does not. Fields may be combined.

    Attributes:
        status: answer with this status and no content (416 adds ``Content-Range: bytes */N``).
        ignore_range: send the whole content with 200 whatever is asked for.
        framing: how the end of the body is told: Content-Length, chunks, or closing.
        content_range_shift_bytes: added to both offsets in Content-Range, not to the content.
        hide_total: Content-Range ends in ``/*``.
        hide_etag: neither ETag nor Last-Modified.
        hide_cors: no CORS header at all, so that a page of another origin may not read.
        hide_exposed: no Access-Control-Expose-Headers.
        gzip_ranges: partial content comes with Content-Encoding gzip.
        delay_ms: wait before the answer's head.
        no_answer: never answer; the client has to give up, or the test to `release`.
        stall_after_bytes: stop sending after so many body bytes until `release`.
        close_after_bytes: close after so many body bytes, whatever length was announced.
        reset: close by a reset (RST) instead of an orderly end (FIN).
        changes_after_requests: after so many requests the resource is another version.
        changed_content: the content of that version; None keeps the content, with a new ETag.
        first_requests: only so many requests meet the fault, later ones do not.
    """

    status: int | None = None
    ignore_range: bool = False
    framing: Framing = "length"
    content_range_shift_bytes: int = 0
    hide_total: bool = False
    hide_etag: bool = False
    hide_cors: bool = False
    hide_exposed: bool = False
    gzip_ranges: bool = False
    delay_ms: float = 0
    no_answer: bool = False
    stall_after_bytes: int | None = None
    close_after_bytes: int | None = None
    reset: bool = False
    changes_after_requests: int | None = None
    changed_content: bytes | None = None
    first_requests: int | None = None


NO_FAULT = Fault()


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, headers without framing, and the body as it goes over the wire."""

    status: int
    headers: dict[str, str]
    body: bytes


def answer_for(request: RecordedRequest, fault: Fault, content: bytes | None, etag: str) -> Answer:
    headers = _open_headers(fault)
    if content is None or fault.status is not None:
        status = fault.status or 404
        if status == 416:
            headers["Content-Range"] = f"bytes */{len(content or b'')}"
        return Answer(status, headers, b"")
    if not fault.hide_etag:
        headers["ETag"] = etag
        headers["Last-Modified"] = Validators(etag, MODIFIED_S).last_modified
    if fault.ignore_range:
        return Answer(200, headers, content)
    headers["Accept-Ranges"] = "bytes"
    try:
        extent = requested_range(request.headers, Validators(etag, MODIFIED_S), len(content))
    except RangeNotSatisfiable:
        headers["Content-Range"] = f"bytes */{len(content)}"
        return Answer(416, headers, b"")
    if extent is None or request.method != "GET":
        return Answer(200, headers, content)
    headers["Content-Range"] = _content_range(extent, len(content), fault)
    body = content[extent.start : extent.stop]
    if fault.gzip_ranges:
        headers["Content-Encoding"] = "gzip"
        body = gzip.compress(body)
    return Answer(206, headers, body)


def _content_range(extent: ByteRange, total_bytes: int, fault: Fault) -> str:
    shifted = extent.shifted(fault.content_range_shift_bytes)
    inclusive = shifted.http_value().removeprefix("bytes=")
    return f"bytes {inclusive}/{'*' if fault.hide_total else total_bytes}"


def _open_headers(fault: Fault) -> dict[str, str]:
    headers = {"Content-Type": "application/octet-stream", "Cache-Control": "no-store"}
    if not fault.hide_cors:
        headers["Access-Control-Allow-Origin"] = "*"
        headers["Timing-Allow-Origin"] = "*"
        if not fault.hide_exposed:
            headers["Access-Control-Expose-Headers"] = (
                "Accept-Ranges, Content-Encoding, Content-Length, Content-Range, ETag, "
                "Last-Modified"
            )
    return headers


def preflight(fault: Fault) -> Answer:
    headers = {"Access-Control-Allow-Methods": "GET, HEAD", "Access-Control-Max-Age": "60"}
    headers["Access-Control-Allow-Headers"] = "Authorization, If-Match, If-Range, Range"
    return Answer(200, {} if fault.hide_cors else _open_headers(fault) | headers, b"")


def head_of(answer: Answer, framing: Framing) -> bytes:
    headers = dict(answer.headers)
    if framing == "length":
        headers["Content-Length"] = str(len(answer.body))
    elif framing == "chunked":
        headers["Transfer-Encoding"] = "chunked"
    else:
        headers["Connection"] = "close"
    lines = [f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
