"""Finds the frame inside a multipart/related body (RFC 2046 5.1, RFC 2387) from its first bytes.

The payload begins after the first part's blank line. Where it ends is told by the part's
Content-Length, else by the closing delimiter at the very end of the body. Bytes in between are
never searched: what looks like a delimiter there is pixels.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from firstlight.errors import NotDicom

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_HEAD_BYTES: Final = 1 << 13
"""Of preamble and headers before the payload; real ones have 100 to 300."""

TAIL_BYTES: Final = 96
"""What `payload_stop` needs of a body's end: the longest delimiter and some white space."""

_BOUNDARY: Final = rb"[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]"
_DELIMITER_LINE: Final = re.compile(rb"--(" + _BOUNDARY + rb")[ \t]*\r?\n")
_PARAMETER: Final = re.compile(r";\s*([\w-]+)\s*=\s*(?:\"((?:[^\"\\]|\\.)*)\"|([^\s;]+))")
_HEADER_LINE: Final = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*")


@dataclass(frozen=True, slots=True)
class PartHead:
    """The head of the first part of a body.

    ``payload_start`` is the offset in the body at which the payload begins; ``length`` its size
    where the part says it. ``headers`` have names in lower case.
    """

    boundary: bytes
    payload_start: int
    headers: Mapping[str, str]

    @property
    def length(self) -> int | None:
        """The part's Content-Length."""
        value = self.headers.get("content-length", "")
        return int(value) if value.isascii() and value.isdigit() else None

    @property
    def media_type(self) -> str:
        """The part's media type in lower case, empty where it has none."""
        return self.headers.get("content-type", "").split(";")[0].strip().lower()

    @property
    def transfer_syntax_uid(self) -> str:
        """The ``transfer-syntax`` parameter of the part's Content-Type, empty where absent."""
        return parameters(self.headers.get("content-type", "")).get("transfer-syntax", "")


def parameters(content_type: str) -> dict[str, str]:
    """The parameters of a Content-Type, names in lower case (RFC 2045 5.1)."""
    return {
        name.lower(): re.sub(r"\\(.)", r"\1", quoted) if quoted else bare
        for name, quoted, bare in _PARAMETER.findall(content_type)
    }


def read_part_head(
    body: bytes, *, content_type: str = "", resource: str | None = None
) -> PartHead | None:
    """The first part's head, from the first bytes of a body; None while it needs more of them.

    The boundary is that of ``content_type`` (the response's header) where that has one and the
    body uses it, else the body's own first line that is a delimiter.

    Raises:
        NotDicom: not a multipart body.
    """
    start = _delimiter_end(body, parameters(content_type).get("boundary", "").encode("latin-1"))
    if start is None:
        _refuse_beyond_limit(body, resource)
        return None
    boundary, at = start
    headers: dict[str, str] = {}
    while True:
        stop = body.find(b"\n", at)
        if stop < 0:
            _refuse_beyond_limit(body, resource)
            return None
        line = body[at:stop].removesuffix(b"\r")
        at = stop + 1
        if not line:
            return PartHead(boundary, at, headers)
        found = _HEADER_LINE.fullmatch(line)
        if found is None:
            raise NotDicom("a part of the body begins with no header", resource=resource)
        headers[found[1].decode("ascii").lower()] = found[2].decode("latin-1")


def is_multipart(body: bytes) -> bool:
    """Whether the first bytes of a body, whose headers say nothing, are of a multipart one."""
    if not body.lstrip(b"\r\n").startswith(b"--"):
        return False
    try:
        head = read_part_head(body)
    except NotDicom:
        return False
    return head is not None and "content-type" in head.headers


def payload_stop(head: PartHead, tail: bytes, total_bytes: int) -> int:
    """Where the payload ends in a body of ``total_bytes``, of which ``tail`` is the end.

    ``tail`` holds at least `TAIL_BYTES`, or all. Only a delimiter that ends the body is one.
    A body without one ends with its payload.
    """
    if head.length is not None and head.payload_start + head.length <= total_bytes:
        return head.payload_start + head.length
    rest = tail.rstrip(b" \t\r\n")
    delimiter = b"--" + head.boundary + b"--"
    if not rest.endswith(delimiter):
        return total_bytes
    rest = rest[: -len(delimiter)]
    line_end = 2 if rest.endswith(b"\r\n") else 1 if rest.endswith(b"\n") else 0
    stop = total_bytes - len(tail) + len(rest) - line_end
    return max(stop, head.payload_start)


def _delimiter_end(body: bytes, boundary: bytes) -> tuple[bytes, int] | None:
    """The boundary, and the offset after the first delimiter line."""
    if boundary:
        line = re.compile(rb"(?:^|\r?\n)--" + re.escape(boundary) + rb"[ \t]*\r?\n")
        found = line.search(body[:MAX_HEAD_BYTES])
        if found is not None:
            return boundary, found.end()
    skipped = len(body) - len(body.lstrip(b"\r\n"))
    found = _DELIMITER_LINE.match(body, skipped)
    return None if found is None else (found[1], found.end())


def _refuse_beyond_limit(body: bytes, resource: str | None) -> None:
    if len(body) >= MAX_HEAD_BYTES:
        raise NotDicom("not a multipart body", resource=resource)
