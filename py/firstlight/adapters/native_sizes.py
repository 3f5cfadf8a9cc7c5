"""What a stream says of its own size, read before a decoder takes memory for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from firstlight.errors import (
    DecodeError,
    LimitExceeded,
    MalformedCodestream,
    UnsupportedTransferSyntax,
)

if TYPE_CHECKING:
    from firstlight.dicom.attributes import ImageAttributes
    from firstlight.j2k.parameters import Siz
    from firstlight.ports import DecodeOrder

_SOI = b"\xff\xd8"
_SOF_JPEG_LS = 0xF7
_NOT_FRAME_HEADERS = frozenset((0xC4, 0xC8, 0xCC))
"""DHT, JPG and DAC lie among the markers of frame headers (ISO/IEC 10918-1 table B.1)."""


class Size(NamedTuple):
    """Rows, columns and samples a pixel of a full image."""

    rows: int
    columns: int
    samples_per_pixel: int

    def __str__(self) -> str:
        return f"{self.columns} x {self.rows} x {self.samples_per_pixel}"


def announced_size(image: ImageAttributes) -> Size:
    """The size that DICOM announces."""
    return Size(image.rows, image.columns, image.samples_per_pixel)


def check_count(size: Size, max_samples: int) -> None:
    """Refuse more samples than are allowed.

    Raises:
        LimitExceeded: there are more.
    """
    if size.rows * size.columns * size.samples_per_pixel > max_samples:
        raise LimitExceeded(f"{size} samples are more than {max_samples}")


def check_size(found: Size, order: DecodeOrder, max_samples: int) -> None:
    """Refuse a stream that is not the image announced, or beyond the most it may be.

    Raises:
        DecodeError: another size, or no image at all.
        LimitExceeded: larger than allowed.
    """
    check_count(found, max_samples)
    if min(found) < 1:
        raise DecodeError(f"no image: {found}")
    most = announced_size(order.image)
    if order.has_own_size and found.samples_per_pixel == most.samples_per_pixel:
        if found.rows > most.rows or found.columns > most.columns:
            raise LimitExceeded(f"{found} samples where {most} are the most")
    elif found != most:
        raise DecodeError(f"{found} samples where DICOM announces {most}")


def siz_size(siz: Siz) -> Size:
    """Size of a JPEG 2000 image whose components are all alike.

    Raises:
        UnsupportedTransferSyntax: they are not.
    """
    kinds = {
        (c.precision_bits, c.is_signed, c.subsampling_x, c.subsampling_y) for c in siz.components
    }
    if len(kinds) > 1 or any(kind[2:] != (1, 1) for kind in kinds):
        raise UnsupportedTransferSyntax("components of different precision or size")
    return Size(siz.height, siz.width, len(siz.components))


def jpeg_size(data: bytes) -> Size:
    """Size of a JPEG or JPEG-LS image by its frame header (ISO/IEC 10918-1 B.2.2).

    Raises:
        MalformedCodestream: no frame header before the first scan.
    """
    at = 2
    while data[:2] == _SOI and at + 10 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF:  # a fill byte
            at += 1
            continue
        is_frame_header = 0xC0 <= marker <= 0xCF and marker not in _NOT_FRAME_HEADERS
        if is_frame_header or marker == _SOF_JPEG_LS:
            rows = int.from_bytes(data[at + 5 : at + 7], "big")
            columns = int.from_bytes(data[at + 7 : at + 9], "big")
            return Size(rows, columns, data[at + 9])
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    raise MalformedCodestream("no JPEG frame header before the first scan")
