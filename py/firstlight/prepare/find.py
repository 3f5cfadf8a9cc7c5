"""From what the user named to the files to prepare."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from firstlight.dicom.metadata import frame_count, is_part10, read_part10
from firstlight.errors import NotDicom
from firstlight.prepare.header import complete_uids

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

_HEAD_BYTES: Final = 132
_DICOM_SUFFIXES: Final = frozenset({".dcm", ".dicom", ".ima"})
_INDEX_NAME: Final = "DICOMDIR"


@dataclass(frozen=True, slots=True)
class Source:
    """A file to prepare, named by its content."""

    path: Path
    sha256: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Identity:
    """What must be known of all files before the first one is prepared."""

    sop_instance_uid: str
    frame_count: int


def find_files(named: Iterable[Path]) -> tuple[list[Path], int]:
    """Files in the order named, folders searched to the bottom in natural order of names.

    A file in a folder counts when it begins or is named like DICOM; a file named by itself
    always does. Returns the files, each once, and the number passed over.
    """
    found: dict[Path, None] = {}
    passed_over = 0
    for path in named:
        if not path.is_dir():
            found[path.resolve()] = None
            continue
        for candidate in _walk(path):
            if _looks_like_dicom(candidate):
                found[candidate.resolve()] = None
            else:
                passed_over += 1
    return list(found), passed_over


def fingerprint(path: Path) -> Source:
    """Hash one file.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256")
        return Source(path=path, sha256=digest.hexdigest(), size_bytes=stream.tell())


def identify(source: Source) -> Identity:
    """Read what names a source.

    Raises:
        NotDicom: it holds no image.
        OSError: it cannot be read.
    """
    resource = str(source.path)
    with source.path.open("rb") as stream:
        header = read_part10(stream, resource=resource, pixels=False)
    if "TransferSyntaxUID" not in header.file_meta:
        raise NotDicom("Transfer Syntax UID is missing", resource=resource)
    complete_uids(header, source.sha256, resource=resource)
    return Identity(sop_instance_uid=str(header.SOPInstanceUID), frame_count=frame_count(header))


def _walk(folder: Path) -> Iterator[Path]:
    for entry in sorted(folder.iterdir(), key=_natural):
        if entry.name.startswith("."):
            continue
        if entry.is_dir() and not entry.is_symlink():
            yield from _walk(entry)
        elif entry.is_file():
            yield entry


def _natural(path: Path) -> list[tuple[int, str]]:
    """``image2`` before ``image10``."""
    parts = re.split(r"(\d+)", path.name)
    return [(int(part), "") if part.isdigit() else (-1, part) for part in parts]


def _looks_like_dicom(path: Path) -> bool:
    if path.name == _INDEX_NAME:
        return False
    if path.suffix.lower() in _DICOM_SUFFIXES:
        return True
    try:
        with path.open("rb") as stream:
            return is_part10(stream.read(_HEAD_BYTES))
    except OSError:
        return True
