"""Ways to write a frame, each under the transfer syntax that says the truth about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from firstlight.dicom import uids


@dataclass(frozen=True, slots=True)
class Format:
    """One transfer syntax and how its frames are called.

    ``exact``: the syntax itself promises that every stored value comes back. ``family`` is the
    codec; ``method`` the Defined Term of Lossy Image Compression Method (PS3.3 C.7.6.1.1.5.1).
    """

    name: str
    uid: str
    media_type: str
    suffix: str
    family: str
    exact: bool
    method: str = ""


_ALL: Final = (
    Format("htj2k", uids.HTJ2K_LOSSLESS_RPCL, "image/jphc", ".jhc", "htj2k", True),
    Format("htj2k-lossless", uids.HTJ2K_LOSSLESS, "image/jphc", ".jhc", "htj2k", True),
    Format("htj2k-lossy", uids.HTJ2K, "image/jphc", ".jhc", "htj2k", False, "ISO_15444_15"),
    Format("jpegls", uids.JPEG_LS_LOSSLESS, "image/jls", ".jls", "jpegls", True),
    Format(
        "jpegls-near", uids.JPEG_LS_NEAR_LOSSLESS, "image/jls", ".jls", "jpegls", False,
        "ISO_14495_1",
    ),
    Format("jpeg2000", uids.JPEG_2000_LOSSLESS, "image/jp2", ".j2c", "jpeg2000", True),
    Format("jpeg2000-lossy", uids.JPEG_2000, "image/jp2", ".j2c", "jpeg2000", False, "ISO_15444_1"),
    Format(
        "uncompressed", uids.EXPLICIT_VR_LITTLE_ENDIAN, "application/octet-stream", ".raw",
        "native", True,
    ),
)  # fmt: skip
FORMATS: Final = {form.name: form for form in _ALL}
"""By the word after ``--format``."""

_BY_UID: Final = {form.uid: form for form in _ALL}
_KEPT: Final = {
    uids.JPEG_BASELINE: Format("jpeg", uids.JPEG_BASELINE, "image/jpeg", ".jpg", "jpeg", False),
    uids.JPEG_EXTENDED: Format("jpeg", uids.JPEG_EXTENDED, "image/jpeg", ".jpg", "jpeg", False),
    uids.JPEG_LOSSLESS: Format("jpeg", uids.JPEG_LOSSLESS, "image/jpeg", ".jpg", "jpeg", True),
    uids.JPEG_LOSSLESS_SV1: Format(
        "jpeg", uids.JPEG_LOSSLESS_SV1, "image/jpeg", ".jpg", "jpeg", True
    ),
    uids.RLE_LOSSLESS: Format("rle", uids.RLE_LOSSLESS, "image/dicom-rle", ".rle", "rle", True),
}
"""Never written, but kept where ``--recompress`` leaves a source as it is."""


def format_of(transfer_syntax_uid: str) -> Format | None:
    """The format of a transfer syntax, None for one that is neither written nor kept."""
    return _BY_UID.get(transfer_syntax_uid) or _KEPT.get(transfer_syntax_uid)
