"""Which decoder reads a transfer syntax, and what that syntax allows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from firstlight.dicom import uids
from firstlight.errors import UnsupportedTransferSyntax


@dataclass(frozen=True, slots=True)
class Coding:
    """How frames of a transfer syntax are coded.

    ``codec`` is the decoder's folder under ``wasm/``. ``reversible`` is False where the syntax
    itself says that the picture is lossy; streams of the others may be lossy all the same.
    ``encapsulated``: frames are items of a sequence (PS3.5 A.4), else they lie end to end.
    ``media_type`` is that of one frame (PS3.18 8.7.3).
    ``transfer_syntax_uid`` is the syntax itself.
    """

    codec: str
    reversible: bool = True
    encapsulated: bool = True
    media_type: str = "application/octet-stream"
    transfer_syntax_uid: str = ""

    @property
    def scalable(self) -> bool:
        """Whether a prefix of a frame decodes to a smaller image."""
        return self.codec in SCALABLE_CODECS


SCALABLE_CODECS: Final = frozenset(("openjph", "openjpeg"))

_BY_UID: Final = {
    uids.IMPLICIT_VR_LITTLE_ENDIAN: Coding("native-le", encapsulated=False),
    uids.EXPLICIT_VR_LITTLE_ENDIAN: Coding("native-le", encapsulated=False),
    uids.DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN: Coding("native-le", encapsulated=False),
    uids.EXPLICIT_VR_BIG_ENDIAN: Coding("native-be", encapsulated=False),
    uids.ENCAPSULATED_UNCOMPRESSED: Coding("native-le"),
    uids.DEFLATED_IMAGE_FRAME: Coding("deflated-frame"),
    uids.RLE_LOSSLESS: Coding("rle", media_type="image/dicom-rle"),
    uids.JPEG_BASELINE: Coding("libjpeg-turbo", reversible=False, media_type="image/jpeg"),
    uids.JPEG_EXTENDED: Coding("libjpeg-turbo", reversible=False, media_type="image/jpeg"),
    uids.JPEG_LOSSLESS: Coding("jpeg-lossless", media_type="image/jpeg"),
    uids.JPEG_LOSSLESS_SV1: Coding("jpeg-lossless", media_type="image/jpeg"),
    uids.JPEG_LS_LOSSLESS: Coding("charls", media_type="image/jls"),
    uids.JPEG_LS_NEAR_LOSSLESS: Coding("charls", reversible=False, media_type="image/jls"),
    uids.JPEG_2000_LOSSLESS: Coding("openjpeg", media_type="image/jp2"),
    uids.JPEG_2000: Coding("openjpeg", reversible=False, media_type="image/jp2"),
    uids.HTJ2K_PRIVATE: Coding("openjph", reversible=False, media_type="image/jphc"),
    uids.HTJ2K_LOSSLESS: Coding("openjph", media_type="image/jphc"),
    uids.HTJ2K_LOSSLESS_RPCL: Coding("openjph", media_type="image/jphc"),
    uids.HTJ2K: Coding("openjph", reversible=False, media_type="image/jphc"),
}

_CODINGS: Final = {uid: replace(one, transfer_syntax_uid=uid) for uid, one in _BY_UID.items()}

HTJ2K_CODING: Final = _CODINGS[uids.HTJ2K_LOSSLESS_RPCL]
"""What a codestream is taken for until its own header has been read."""


def coding_of(transfer_syntax_uid: str, *, resource: str | None = None) -> Coding:
    """How frames of a transfer syntax are coded.

    Raises:
        UnsupportedTransferSyntax: there is no decoder for it.
    """
    coding = _CODINGS.get(transfer_syntax_uid)
    if coding is None:
        text = f"no decoder for transfer syntax {transfer_syntax_uid or '(none)'}"
        raise UnsupportedTransferSyntax(text, resource=resource)
    return coding
