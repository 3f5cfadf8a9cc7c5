"""An encoder for what no encoder at hand writes: lossless JPEG with restarts, scans, shifts."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np

CATEGORIES = 17
CODE_BITS = 5
"""All codes of one length: category ``n`` is coded as ``n``."""


def lossless_stream(
    planes: Sequence[np.ndarray], bits: int, *, restart_rows: int = 0, point_transform: int = 0
) -> bytes:
    """A stream with a scan for each plane, predictor 1 (ISO/IEC 10918-1 annex H)."""
    rows, columns = planes[0].shape
    ids = range(1, len(planes) + 1)
    frame = struct.pack(">BHHB", bits, rows, columns, len(planes))
    frame += b"".join(bytes((i, 0x11, 0)) for i in ids)
    counts = bytes(CATEGORIES if length == CODE_BITS else 0 for length in range(1, 17))
    stream = b"\xff\xd8" + segment(0xC3, frame)
    stream += segment(0xC4, b"\0" + counts + bytes(range(CATEGORIES)))
    if restart_rows:
        stream += segment(0xDD, struct.pack(">H", restart_rows * columns))
    for i, plane in zip(ids, planes, strict=True):
        stream += segment(0xDA, bytes((1, i, 0, 1, 0, point_transform)))
        shifted = plane.astype(int) >> point_transform
        stream += scan(shifted, 1 << (bits - point_transform - 1), restart_rows or rows)
    return stream + b"\xff\xd9"


def segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, 2 + len(body)) + body


def scan(plane: np.ndarray, start: int, restart_rows: int) -> bytes:
    strips = [plane[at : at + restart_rows] for at in range(0, len(plane), restart_rows)]
    coded = b""
    for index, strip in enumerate(strips):
        if index > 0:
            coded += bytes((0xFF, 0xD0 + (index - 1) % 8))
        bits = "".join(code(difference) for difference in differences(strip, start))
        bits += "1" * (-len(bits) % 8)
        data = int(bits, 2).to_bytes(len(bits) // 8, "big")
        coded += data.replace(b"\xff", b"\xff\0")
    return coded


def differences(strip: np.ndarray, start: int) -> Iterator[int]:
    for y, row in enumerate(strip.tolist()):
        for x, value in enumerate(row):
            predicted = row[x - 1] if x else strip[y - 1][0] if y else start
            yield int(value - predicted)


def code(difference: int) -> str:
    length = abs(difference).bit_length()
    prefix = f"{length:0{CODE_BITS}b}"
    if length == 0:
        return prefix
    value = difference if difference > 0 else difference + (1 << length) - 1
    return prefix + f"{value:0{length}b}"
