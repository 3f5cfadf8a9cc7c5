"""What the head of an HTTP answer says of a range; the twin of ``web/transport/answer.js``."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final

from firstlight.errors import HttpStatus, RangeIgnored, ResourceChanged

if TYPE_CHECKING:
    from collections.abc import Mapping

    from firstlight.ports import FetchOrder

_CONTENT_RANGE: Final = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True, slots=True)
class Head:
    """What the status and the headers say; offsets count in the resource.

    The body spans ``body_start`` to ``body_stop`` (None where it does not say), the bytes to be
    held end at ``stop``: the range, cut at the end of the resource. ``firm``: a body that ends
    before ``stop`` is short, else it shows where the resource ends. ``runs_on``: the body goes
    on, or may go on, after ``stop``.
    """

    body_start: int
    body_stop: int | None
    stop: int | None
    firm: bool
    runs_on: bool
    total_bytes: int | None
    version: str
    ranges: bool


def retry_after_ms(headers: Mapping[str, str]) -> float | None:
    """How long Retry-After asks to wait (RFC 9110 10.2.3): seconds, or a date."""
    value = headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return 1000.0 * int(value)
    try:
        return max(0.0, 1000 * (parsedate_to_datetime(value).timestamp() - time.time()))
    except ValueError:
        return None


def read_head(
    order: FetchOrder, status: int, headers: Mapping[str, str], known_total: int | None
) -> Head:
    """Read the head of an answer (RFC 9110 14.4, 15.3).

    ``headers`` have names in any case (or in lower case); ``known_total`` is the total length of
    the version held, None if none is known.

    Raises:
        HttpStatus: neither 200 nor 206.
        ResourceChanged: another version than the order names.
        RangeIgnored: not the range asked for, and of no use instead of it.
    """
    if status not in (200, 206):
        raise HttpStatus(
            f"the server answered with status {status}",
            status=status,
            retry_after_ms=retry_after_ms(headers),
            resource=order.url,
            extent=order.extent,
        )
    partial = status == 206
    body_start = order.extent.start if partial else 0
    body_stop, total = _read_part(order, headers) if partial else _read_whole(headers)
    end = body_stop if total is None else total
    stop = min((n for n in (order.extent.stop, end) if n is not None), default=None)
    head = Head(
        body_start=body_start,
        body_stop=body_stop,
        stop=stop,
        firm=end is not None,
        runs_on=body_stop is None or (stop is not None and body_stop > stop),
        total_bytes=total,
        version=headers.get("etag", headers.get("last-modified", "")),
        ranges=partial,
    )
    _check_version(order, head, known_total)
    if total is not None and order.extent.start >= total:
        raise _ignored(order, f"the resource has {total} bytes")
    return head


def _read_part(order: FetchOrder, headers: Mapping[str, str]) -> tuple[int | None, int | None]:
    """Where the body of a 206 ends, and the total length."""
    start = order.extent.start
    if _is_encoded(headers):
        raise _ignored(order, "compression breaks ranges: the part is encoded")
    if headers.get("content-type", "").lower().startswith("multipart/byteranges"):
        raise _ignored(order, "several parts came for one range")
    value = headers.get("content-range")
    if value is None:
        length = _content_length(headers)
        return (None if length is None else start + length), None
    match = _CONTENT_RANGE.fullmatch(value.strip())
    if match is None:
        raise _ignored(order, f"Content-Range is not to be understood: {value}")
    first, last = int(match[1]), int(match[2])
    total = None if match[3] == "*" else int(match[3])
    if first != start or last < first or (total is not None and last >= total):
        raise _ignored(order, f"bytes from {start} asked for, came {value}")
    return last + 1, total


def _read_whole(headers: Mapping[str, str]) -> tuple[int | None, int | None]:
    """Where the body of a 200 ends, and the total length: the same, if known."""
    total = None if _is_encoded(headers) else _content_length(headers)
    return total, total


def _check_version(order: FetchOrder, head: Head, known_total: int | None) -> None:
    if order.version is None:
        return
    came = head.version
    text = f"version {order.version or 'unknown'} is held, {came or 'unknown'} came"
    changed = came != order.version
    # Without a validator on either side the total length is the only thing left to compare.
    if came == order.version == "" and None not in (known_total, head.total_bytes):
        text = f"a resource of {known_total} bytes is held, one of {head.total_bytes} came"
        changed = known_total != head.total_bytes
    if changed:
        raise ResourceChanged(text, resource=order.url, extent=order.extent)


def _ignored(order: FetchOrder, text: str) -> RangeIgnored:
    return RangeIgnored(text, resource=order.url, extent=order.extent)


def _is_encoded(headers: Mapping[str, str]) -> bool:
    return str(headers.get("content-encoding", "identity")).strip().lower() != "identity"


def _content_length(headers: Mapping[str, str]) -> int | None:
    value = headers.get("content-length", "")
    return int(value) if value.isascii() and value.isdigit() else None
