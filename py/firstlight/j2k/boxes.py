"""Finds the codestream inside a JP2, JPH or JPX file (ISO/IEC 15444-1 Annex I)."""

from __future__ import annotations

from firstlight.errors import MalformedCodestream
from firstlight.j2k.parameters import NeedMore

SIGNATURE = b"\x00\x00\x00\x0cjP  \r\n\x87\n"


def codestream_start(data: bytes, *, resource: str | None = None) -> int:
    """Offset of the first codestream's SOC: 0 in a bare codestream, in a file past its boxes.

    Raises:
        NeedMore: the prefix ends before the contiguous codestream box.
        MalformedCodestream: neither a codestream nor such a file.
    """
    if data[:2] == b"\xff\x4f":
        return 0
    if data[: len(SIGNATURE)] != SIGNATURE[: len(data)]:
        raise MalformedCodestream("neither a codestream nor a JP2 file", resource=resource)
    offset = 0
    while True:
        if offset + 16 > len(data):
            raise NeedMore(offset + 16)
        size = int.from_bytes(data[offset : offset + 4], "big")
        header_bytes = 8
        if size == 1:
            size = int.from_bytes(data[offset + 8 : offset + 16], "big")
            header_bytes = 16
        if data[offset + 4 : offset + 8] == b"jp2c":
            return offset + header_bytes
        if size < header_bytes:
            raise MalformedCodestream("JP2 file without a codestream box", resource=resource)
        offset += size
