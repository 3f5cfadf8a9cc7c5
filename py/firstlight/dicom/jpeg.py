"""What a bare JPEG or JPEG-LS stream says of itself (ITU-T T.81 B.2, T.87 C.2); no decoding."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from firstlight.dicom import uids
from firstlight.dicom.attributes import ImageAttributes
from firstlight.dicom.codecs import coding_of
from firstlight.errors import NotDicom

if TYPE_CHECKING:
    from collections.abc import Iterator

    from firstlight.dicom.codecs import Coding

SOI: Final = b"\xff\xd8\xff"

_SYNTAXES: Final = {
    0xC0: uids.JPEG_BASELINE,
    0xC1: uids.JPEG_EXTENDED,
    0xC2: uids.JPEG_EXTENDED,
    0xC3: uids.JPEG_LOSSLESS,
    0xF7: uids.JPEG_LS_LOSSLESS,
}
"""By SOF; progressive JPEG (C2) has no syntax any more, and the decoder of the extended one."""

_SOF_JPEG_LS: Final = 0xF7
_LOSSLESS: Final = (0xC3, _SOF_JPEG_LS)
_SOS: Final = 0xDA
_APP0: Final = 0xE0
_APP14: Final = 0xEE
_ALONE: Final = frozenset((0x01, *range(0xD0, 0xD9)))
"""Markers without a segment (T.81 B.1.1.4)."""


def jpeg_syntax(head: bytes) -> str:
    """The transfer syntax with the decoder that reads a stream; empty where nothing shows."""
    markers = (marker for marker, _ in _segments(head))
    return next((_SYNTAXES[marker] for marker in markers if marker in _SYNTAXES), "")


def has_all_headers(head: bytes) -> bool:
    """Whether a prefix reaches to the first scan."""
    return any(marker == _SOS for marker, _ in _segments(head))


def read_jpeg(head: bytes, *, resource: str) -> tuple[ImageAttributes, Coding]:
    """Attributes and coding of a stream from its first bytes, up to the first scan.

    Colour is named as in the stream: YBR_FULL where it is not RGB.

    Raises:
        NotDicom: the headers are incomplete, or of a kind that nothing here reads.
    """
    found = dict(reversed(list(_segments(head))))
    sof = next((marker for marker in found if marker in _SYNTAXES), None)
    frame = b"" if sof is None else found[sof]
    components = frame[5] if len(frame) > 5 else 0
    if sof is None or not components or len(frame) < 6 + 3 * components:
        raise NotDicom("no frame header of JPEG or JPEG-LS", resource=resource)
    rows, columns = (int.from_bytes(frame[at : at + 2], "big") for at in (1, 3))
    if not rows or not columns:
        raise NotDicom("a JPEG stream that does not tell its size", resource=resource)
    bits = frame[0]
    image = ImageAttributes(
        rows=rows,
        columns=columns,
        samples_per_pixel=components,
        photometric_interpretation=_photometric(found, sof, frame[6::3]),
        bits_allocated=8 if bits <= 8 else 16,
        bits_stored=bits,
        high_bit=bits - 1,
    )
    coding = coding_of(_SYNTAXES[sof])
    if sof == _SOF_JPEG_LS:
        # NEAR stands behind the components of the scan (T.87 C.2.3).
        scan = found.get(_SOS, b"")
        near = scan[1 + 2 * scan[0]] if scan and len(scan) > 1 + 2 * scan[0] else 0
        coding = replace(coding, reversible=near == 0)
    return image, coding


def _photometric(found: dict[int, bytes], sof: int, ids: bytes) -> str:
    if len(ids) != 3:
        return "MONOCHROME2"
    adobe = found.get(_APP14, b"")
    if adobe.startswith(b"Adobe") and len(adobe) >= 12:
        return "YBR_FULL" if adobe[11] == 1 else "RGB"
    if found.get(_APP0, b"").startswith(b"JFIF"):
        return "YBR_FULL"
    # By custom, what says nothing is YCbCr where it is lossy.
    return "RGB" if sof in _LOSSLESS or ids == b"RGB" else "YBR_FULL"


def _segments(head: bytes) -> Iterator[tuple[int, bytes]]:
    """Marker and content of each whole segment up to the first scan."""
    at = 2
    while at + 4 <= len(head) and head[at] == 0xFF:
        marker = head[at + 1]
        if marker == 0xFF or marker in _ALONE:  # fill bytes
            at += 1 if marker == 0xFF else 2
            continue
        stop = at + 2 + int.from_bytes(head[at + 2 : at + 4], "big")
        if stop > len(head):
            return
        yield marker, head[at + 4 : stop]
        if marker == _SOS:
            return
        at = stop
