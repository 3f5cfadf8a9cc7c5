"""Both readers of an answer's head agree, also on answers that are rare on a wire."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import pytest

from contract.transport_drivers import checkout_url, transport_page
from firstlight.adapters.http_answer import read_head
from firstlight.errors import HttpStatus, TransportError
from firstlight.ports import FetchOrder
from firstlight.ranges import ByteRange

if TYPE_CHECKING:
    from playwright.sync_api import Page

__all__ = ["checkout_url", "transport_page"]

ETAG = {"etag": '"1"'}
PART = {"content-range": "bytes 100-199/1000", "content-length": "100"}


def span(body: tuple[int, int | None], stop: int | None, **more: Any) -> dict[str, Any]:
    """The fields of a head that are asked for; by default those of a firm 206."""
    fields = {"firm": True, "runs_on": False, "version": "", "ranges": True, "total_bytes": 1000}
    return {"body_start": body[0], "body_stop": body[1], "stop": stop, **fields, **more}


REFUSED = {"error": "RangeIgnored"}
WHOLE = {"ranges": False, "runs_on": True}

# name: asked for, version held, total held, status, headers, what must come of it
ANSWERS: dict[str, tuple[Any, ...]] = {
    "part": ((100, 200), None, None, 206, PART | ETAG, span((100, 200), 200, version='"1"')),
    "longer part": (
        (100, 150), None, None, 206, PART, span((100, 200), 150, runs_on=True),
    ),
    "shorter part": ((100, 900), None, None, 206, PART, span((100, 200), 900)),
    "open part": ((100, None), None, None, 206, PART, span((100, 200), 1000)),
    "part of unknown total": (
        (100, 900), None, None, 206, {"content-range": "bytes 100-199/*"},
        span((100, 200), 200, total_bytes=None),
    ),
    "part without Content-Range": (
        (100, 900), None, None, 206, {"content-length": "50"},
        span((100, 150), 150, total_bytes=None),
    ),
    "part without any length": (
        (100, 900), None, None, 206, {},
        span((100, None), 900, firm=False, runs_on=True, total_bytes=None),
    ),
    "part of another unit": (
        (100, 200), None, None, 206, {"content-range": "lines 100-199/*"}, REFUSED,
    ),
    "part starting elsewhere": ((99, 200), None, None, 206, PART, REFUSED),
    "part beyond its total": (
        (100, 200), None, None, 206, {"content-range": "bytes 100-199/150"}, REFUSED,
    ),
    "part backwards": ((100, 200), None, None, 206, {"content-range": "bytes 100-99/150"}, REFUSED),
    "several parts": (
        (100, 200), None, None, 206, {"content-type": "multipart/byteranges; boundary=x"}, REFUSED,
    ),
    "compressed part": ((100, 200), None, None, 206, PART | {"content-encoding": "br"}, REFUSED),
    "identity is no compression": (
        (100, 200), None, None, 206, PART | {"content-encoding": "identity"}, span((100, 200), 200),
    ),
    "whole": (
        (100, 200), None, None, 200, {"content-length": "1000"}, span((0, 1000), 200, **WHOLE),
    ),
    "whole to its end": (
        (0, None), None, None, 200, {"content-length": "1000"},
        span((0, 1000), 1000, ranges=False),
    ),
    "compressed whole": (
        (0, 200), None, None, 200, {"content-length": "150", "content-encoding": "gzip"},
        span((0, None), 200, firm=False, total_bytes=None, **WHOLE),
    ),
    "whole shorter than the start": (
        (1000, None), None, None, 200, {"content-length": "1000"}, REFUSED,
    ),
    "odd length": (
        (0, None), None, None, 200, {"content-length": "many"},
        span((0, None), None, firm=False, total_bytes=None, **WHOLE),
    ),
    "date for want of an ETag": (
        (100, 200), None, None, 206, PART | {"last-modified": "yesterday"},
        span((100, 200), 200, version="yesterday"),
    ),
    "same version": (
        (100, 200), '"1"', 999, 206, PART | ETAG, span((100, 200), 200, version='"1"'),
    ),
    "other version": ((100, 200), '"2"', 1000, 206, PART | ETAG, {"error": "ResourceChanged"}),
    "lost version": ((100, 200), '"1"', 1000, 206, PART, {"error": "ResourceChanged"}),
    "same length": ((100, 200), "", 1000, 206, PART, span((100, 200), 200)),
    "other length": ((100, 200), "", 999, 206, PART, {"error": "ResourceChanged"}),
    "length not known": ((100, 200), "", None, 206, PART, span((100, 200), 200)),
    "changed and compressed": (
        (100, 200), '"2"', None, 200, ETAG | {"content-encoding": "gzip"},
        {"error": "ResourceChanged"},
    ),
    "no content": ((100, 200), None, None, 204, {}, {"error": "HttpStatus", "status": 204}),
    "not modified": ((100, 200), '"1"', None, 304, ETAG, {"error": "HttpStatus", "status": 304}),
}  # fmt: skip


@pytest.mark.parametrize("name", ANSWERS)
def test_python_reads(name: str) -> None:
    extent, version, known_total, status, headers, expected = ANSWERS[name]
    order = FetchOrder(1, "http://localhost/a.jph", ByteRange(*extent), (), version)
    try:
        assert asdict(read_head(order, status, headers, known_total)) == expected
    except TransportError as error:
        more = {"status": error.status} if isinstance(error, HttpStatus) else {}
        assert {"error": type(error).__name__, **more} == expected
        assert error.resource == order.url


@pytest.mark.browser
@pytest.mark.parametrize("name", ANSWERS)
def test_javascript_reads(name: str, transport_page: Page) -> None:
    (start, stop), version, known_total, status, headers, expected = ANSWERS[name]
    order = {"start": start, "stop": stop, "version": version}
    head = transport_page.evaluate(
        "given => headOf(...given)", [order, status, headers, known_total]
    )
    if "error" in head:
        error = head["error"]
        more = {} if error["status"] is None else {"status": error["status"]}
        assert {"error": error["type"], **more} == expected
    else:
        camel = {"body_start": "bodyStart", "body_stop": "bodyStop", "runs_on": "runsOn"}
        camel["total_bytes"] = "totalBytes"
        assert head == {camel.get(key, key): value for key, value in expected.items()}
