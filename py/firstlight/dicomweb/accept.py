"""Accept headers for frames and metadata (PS3.18 8.7).

Values are written without quotation marks and below 128 bytes: a browser then sends them to another
origin without a preflight (Fetch standard, CORS-safelisted request-header), which plain hosts
do not answer. RFC 2045 wants quotes around a type parameter; servers take it without.
"""

from __future__ import annotations

from typing import Final

from firstlight.dicom.codecs import coding_of

METADATA: Final = "application/dicom+json"

BULK_DATA: Final = "multipart/related; type=application/octet-stream, */*;q=0.1"
"""A value on its own; some servers give it in a part only, others bare."""

FRAME_AS_STORED: Final = "multipart/related; type=application/octet-stream; transfer-syntax=*"
"""One frame in a part of its own, in whatever transfer syntax the server keeps it."""


def frame_accept(transfer_syntax_uid: str, *, multipart: bool = True) -> str:
    """The Accept header for one frame in a given transfer syntax.

    ``multipart`` False asks for the bare frame (PS3.18 8.7.3, single part), which servers know
    less often.

    Raises:
        UnsupportedTransferSyntax: there is no decoder for it.
    """
    media_type = coding_of(transfer_syntax_uid).media_type
    if not multipart:
        return f"{media_type}; transfer-syntax={transfer_syntax_uid}"
    return f"multipart/related; type={media_type}; transfer-syntax={transfer_syntax_uid}"
