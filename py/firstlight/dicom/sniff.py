"""What the first bytes of a frame say of its coding, where nobody says it or is to be believed."""

from __future__ import annotations

from typing import Final

from firstlight.dicom import uids
from firstlight.dicom.jpeg import SOI, jpeg_syntax

_JP2_SIGNATURE: Final = b"\x00\x00\x00\x0cjP  "
_SOC_SIZ: Final = b"\xff\x4f\xff\x51"
_HIGH_THROUGHPUT: Final = 0x4000
"""Bit 14 of Rsiz (ISO/IEC 15444-15 A.2)."""


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
    return jpeg_syntax(frame) if frame.startswith(SOI) else ""


def _is_siz(segment: bytes) -> bool:
    """Whether the length of SIZ fits its number of components (ISO/IEC 15444-1 A.5.1)."""
    components = int.from_bytes(segment[36:38], "big")
    return int.from_bytes(segment[0:2], "big") == 38 + 3 * components
