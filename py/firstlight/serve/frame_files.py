"""Frames of a static WADO-RS tree: which file answers ``frames/1``, and what a bare one is."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Final

from firstlight.dicomweb import metadata as dicom_json
from firstlight.errors import FirstlightError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BARE_FRAMES: Final = {
    ".jhc": "image/jphc",
    ".jls": "image/jls",
    ".j2c": "image/jp2",
    ".jpg": "image/jpeg",
    ".rle": "image/dicom-rle",
    ".raw": "application/octet-stream",
}
"""Media types of single-part frames (PS3.18 8.7.3.3.2), by the suffix that `prepare` gives them."""

_FRAME: Final = re.compile(r"(?:^|.*/)(?:frames|instances/[0-9.]+/[\w-]+)/[0-9]+")
"""A frame, or one of an alternate, which stands beside ``frames``."""

_MAX_METADATA_BYTES: Final = 1 << 28
_ALTERNATES: Final = "00991001"
_PATH: Final = "00991003"
"""Of our private block: what alternates there are, and where (``docs/prepare.md``)."""


def frame_files(path: str) -> Iterator[str]:
    """Files that may answer the address of a frame, multipart first; none for other addresses."""
    if _FRAME.fullmatch(path):
        yield f"{path}.mht"
        yield from (f"{path}{suffix}" for suffix in BARE_FRAMES)


def bare_frame_type(file: Path) -> str:
    """Media type of a single-part frame, with its transfer syntax where the metadata tell it.

    Readers that are not told take JPEG-LS for lossless and uncompressed for implicit.
    """
    media_type = BARE_FRAMES[file.suffix]
    metadata = file.parent.parent / "metadata"
    try:
        status = metadata.stat()
        syntaxes = _syntaxes(metadata, status.st_mtime_ns, status.st_size)
    except (OSError, FirstlightError):
        return media_type
    uid = syntaxes.get(file.parent.name, "")
    return f"{media_type};transfer-syntax={uid}" if re.fullmatch(r"[0-9.]+", uid) else media_type


@functools.lru_cache(maxsize=32)
def _syntaxes(metadata: Path, _mtime_ns: int, _size_bytes: int) -> dict[str, str]:
    """Transfer syntaxes of an instance's frames, by the folder in which they lie."""
    records = dicom_json.read_records(
        metadata.read_bytes(), limit_bytes=_MAX_METADATA_BYTES, resource=metadata.name
    )
    found = {}
    for record in records[:1]:
        found["frames"] = dicom_json.transfer_syntax_uid(record)
        for alternate in dicom_json.values(record, _ALTERNATES):
            folder = dicom_json.text(alternate, _PATH).rpartition("/")[2]
            found[folder] = dicom_json.transfer_syntax_uid(alternate)
    return found
