"""Part 10 files built byte by byte, and a reader run over them."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from firstlight.dicom.part10 import Part10Index, Part10Reader

if TYPE_CHECKING:
    from firstlight.dicom.frames import FramePlace

EXPLICIT = "1.2.840.10008.1.2.1"
IMPLICIT = "1.2.840.10008.1.2"
DEFLATED = "1.2.840.10008.1.2.1.99"
JPEG_LS = "1.2.840.10008.1.2.4.80"
JPEG_2000 = "1.2.840.10008.1.2.4.90"
ITEM, DELIMITER = 0xFFFEE000, 0xFFFEE0DD
UNDEFINED = 0xFFFFFFFF


def read(data: bytes, *, know_total: bool = True) -> tuple[Part10Index, int, int]:
    """Run a reader over bytes; the index, the number of reads and the bytes they took."""
    reader = Part10Reader(len(data) if know_total else None, resource="x.dcm")
    reads = taken = 0
    while (wanted := reader.wanted) is not None:
        piece = data[wanted.start : wanted.stop]
        reads, taken = reads + 1, taken + len(piece)
        if reads > 100_000:
            raise AssertionError("it goes on for ever")
        reader.feed(wanted.start, piece)
    if reader.index is None:
        raise AssertionError("nothing wanted, nothing found")
    return reader.index, reads, taken


def cut(data: bytes, place: FramePlace) -> bytes:
    """A frame's bytes."""
    if place.fragments:
        return b"".join(data[run.start : run.stop] for run in place.fragments)
    return data[place.start : place.start + place.length]


def element(tag: int, vr: bytes, value: bytes, *, length: int | None = None) -> bytes:
    """A data element, little-endian; an empty ``vr`` is implicit, ``length`` may lie."""
    size = len(value) if length is None else length
    head = struct.pack("<HH", tag >> 16, tag & 0xFFFF)
    if vr == b"":
        return head + struct.pack("<I", size) + value
    if vr in (b"OB", b"OW", b"SQ", b"UN", b"OV"):
        return head + vr + struct.pack("<HI", 0, size) + value
    return head + vr + struct.pack("<H", size) + value


def item(value: bytes, *, length: int | None = None) -> bytes:
    """An item of a sequence or of Pixel Data."""
    return element(ITEM, b"", value, length=length)


def part10(syntax: str, dataset: bytes) -> bytes:
    """A file with the least file meta information."""
    uid = syntax.encode() + b"\0" * (len(syntax) % 2)
    meta = element(0x00020010, b"UI", uid)
    length = element(0x00020000, b"UL", struct.pack("<I", len(meta)))
    return bytes(128) + b"DICM" + length + meta + dataset


def shape(
    rows: int = 2, columns: int = 3, frames: int = 1, bits: int = 16, samples: int = 1
) -> bytes:
    """The elements that decide where native frames lie."""
    return b"".join(
        (
            element(0x00280002, b"US", struct.pack("<H", samples)),
            element(0x00280008, b"IS", _even(str(frames))),
            element(0x00280010, b"US", struct.pack("<H", rows)),
            element(0x00280011, b"US", struct.pack("<H", columns)),
            element(0x00280100, b"US", struct.pack("<H", bits)),
        )
    )


def encapsulated(
    fragments: list[bytes], *, frames: int, table: bytes = b"", end: bool = True
) -> bytes:
    """A JPEG-LS file of these fragments."""
    body = item(table) + b"".join(item(f + b"\0" * (len(f) % 2)) for f in fragments)
    body += element(DELIMITER, b"", b"") if end else b""
    pixels = element(0x7FE00010, b"OB", body, length=UNDEFINED)
    return part10(JPEG_LS, shape(frames=frames) + pixels)


def _even(text: str) -> bytes:
    return text.encode() + b" " * (len(text) % 2)


def stream(size: int) -> bytes:
    """Something that begins and ends like a JPEG-LS stream."""
    return b"\xff\xd8\xff\xf7" + bytes(i % 251 for i in range(size)) + b"\xff\xd9"


def table_of(streams: list[bytes]) -> bytes:
    """The Basic Offset Table of streams that are one fragment each."""
    at, entries = 0, []
    for one in streams:
        entries.append(at)
        at += 8 + len(one) + len(one) % 2
    return struct.pack(f"<{len(entries)}I", *entries)


def extended(streams: list[bytes], offsets: list[int]) -> bytes:
    """A JPEG-LS file with an Extended Offset Table."""
    tables = element(0x7FE00001, b"OV", struct.pack(f"<{len(offsets)}Q", *offsets))
    tables += element(0x7FE00002, b"OV", struct.pack(f"<{len(streams)}Q", *map(len, streams)))
    pixels = item(b"") + b"".join(item(one + b"\0" * (len(one) % 2)) for one in streams)
    body = element(0x7FE00010, b"OB", pixels + element(DELIMITER, b"", b""), length=UNDEFINED)
    return part10(JPEG_LS, shape(frames=len(streams)) + tables + body)
