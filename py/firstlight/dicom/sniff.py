"""What the first bytes of a frame say of its coding, where nobody says it or is to be believed."""

from __future__ import annotations

from typing import Final

from firstlight.dicom import uids

_JP2_SIGNATURE: Final = b"\x00\x00\x00\x0cjP  "
_SOC_SIZ: Final = b"\xff\x4f\xff\x51"
_HIGH_THROUGHPUT: Final = 0x4000
"""Bit 14 of Rsiz (ISO/IEC 15444-15 A.2)."""

_BY_FRAME_HEADER: Final = {
    0xC0: uids.JPEG_BASELINE,
    0xC1: uids.JPEG_EXTENDED,
    0xC3: uids.JPEG_LOSSLESS,
    0xF7: uids.JPEG_LS_LOSSLESS,
}


def sniffed_syntax(frame: bytes) -> str:
    """A transfer syntax with the decoder that reads such a frame, empty where nothing shows.

    It tells the family: whether the picture is lossy is not to be seen from here, HTJ2K is given
    as HTJ2K (which may be lossy), JPEG 2000 and JPEG-LS as their lossless ones.
    """
    if frame.startswith(_SOC_SIZ) and _is_siz(frame[4:]):
        high_throughput = int.from_bytes(frame[6:8], "big") & _HIGH_THROUGHPUT
        return uids.HTJ2K if high_throughput else uids.JPEG_2000_LOSSLESS
    if frame.startswith(_JP2_SIGNATURE):
        brand = frame[20:24]
        return uids.HTJ2K if brand == b"jph " else uids.JPEG_2000_LOSSLESS
    if frame.startswith(b"\xff\xd8\xff"):
        return _jpeg_family(frame)
    return ""


def _is_siz(segment: bytes) -> bool:
    """Whether the length of SIZ fits its number of components (ISO/IEC 15444-1 A.5.1)."""
    components = int.from_bytes(segment[36:38], "big")
    return int.from_bytes(segment[0:2], "big") == 38 + 3 * components


def _jpeg_family(frame: bytes) -> str:
    """By the first frame header (ITU-T T.81 B.2.2, T.87 C.2.2) behind the other segments."""
    at = 2
    while at + 4 <= len(frame) and frame[at] == 0xFF:
        marker = frame[at + 1]
        if marker in _BY_FRAME_HEADER:
            return _BY_FRAME_HEADER[marker]
        at += 2 + int.from_bytes(frame[at + 2 : at + 4], "big")
    return ""
