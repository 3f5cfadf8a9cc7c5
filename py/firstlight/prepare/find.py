"""From what the user named to the files to prepare."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path, PurePath, PurePosixPath
from typing import TYPE_CHECKING, Final, cast

from firstlight.dicom.metadata import frame_count, is_part10, read_part10
from firstlight.errors import NotDicom
from firstlight.prepare.header import complete_uids
from firstlight.prepare.remote import is_url, open_local_or_url, walk_url

if TYPE_CHECKING:
    import io
    from collections.abc import Iterable, Iterator

_HEAD_BYTES: Final = 132
_CHUNK_BYTES: Final = 1 << 18
_DICOM_SUFFIXES: Final = frozenset({".dcm", ".dicom", ".ima"})
_INDEX_NAME: Final = "DICOMDIR"


@dataclass(frozen=True, slots=True)
class Source:
    """A file to prepare, named by its content; ``path`` may be a URL."""

    path: str
    sha256: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Identity:
    """What must be known of all files before the first one is prepared."""

    sop_instance_uid: str
    frame_count: int


def find_files(named: Iterable[str]) -> tuple[list[str], int]:
    """Files in the order named, folders searched to the bottom in natural order of names.

    A file in a folder counts when it begins or is named like DICOM; a file named by itself
    always does. Returns the files, each once, and the number passed over.

    Raises:
        OSError: what was named is not there, or a folder behind a URL cannot be listed.
    """
    found: dict[str, None] = {}
    passed_over = 0
    for name in named:
        candidates = _behind_url(name) if is_url(name) else _on_disk(Path(name))
        for candidate, counts in candidates:
            if counts:
                found[candidate] = None
            else:
                passed_over += 1
    return list(found), passed_over


def fingerprint(path: str) -> Source:
    """Hash one file.

    Raises:
        OSError: it cannot be read.
    """
    digest, size_bytes = hashlib.sha256(), 0
    buffer = bytearray(_CHUNK_BYTES)  # one for all: new memory costs as much as reading
    with open_local_or_url(path) as stream, memoryview(buffer) as held:
        while count := cast("io.BufferedIOBase", stream).readinto(buffer):
            digest.update(held[:count])
            size_bytes += count
    return Source(path=path, sha256=digest.hexdigest(), size_bytes=size_bytes)


def identify(source: Source) -> Identity:
    """Read what names a source.

    Raises:
        NotDicom: it holds no image.
        OSError: it cannot be read.
    """
    with open_local_or_url(source.path) as stream:
        header = read_part10(stream, resource=source.path, pixels=False)
    if "TransferSyntaxUID" not in header.file_meta:
        raise NotDicom("Transfer Syntax UID is missing", resource=source.path)
    complete_uids(header, source.sha256, resource=source.path)
    return Identity(sop_instance_uid=str(header.SOPInstanceUID), frame_count=frame_count(header))


def _on_disk(path: Path) -> Iterator[tuple[str, bool]]:
    """Files, and whether they count."""
    if not path.is_dir():
        yield str(path.resolve()), True
        return
    for candidate in _walk(path):
        yield str(candidate.resolve()), _looks_like_dicom(candidate)


def _behind_url(url: str) -> Iterator[tuple[str, bool]]:
    """Objects, and whether they count; by their names alone, as each look would be a request."""
    found = walk_url(url)
    for name in sorted(found, key=lambda name: _natural(PurePosixPath(name))):
        leaf = PurePosixPath(name)
        named_like = leaf.suffix.lower() in _DICOM_SUFFIXES or not leaf.suffix
        yield name, found == [url] or (named_like and leaf.name != _INDEX_NAME)


def _walk(folder: Path) -> Iterator[Path]:
    for entry in sorted(folder.iterdir(), key=_natural):
        if entry.name.startswith("."):
            continue
        if entry.is_dir() and not entry.is_symlink():
            yield from _walk(entry)
        elif entry.is_file():
            yield entry


def _natural(path: PurePath) -> list[tuple[int, str]]:
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
