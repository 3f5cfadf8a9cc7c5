"""The place that `prepare` writes to: whole files or none, whenever the run is stopped."""

from __future__ import annotations

import os
import shutil
import uuid
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, BinaryIO, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

RECORDS: Final = ".firstlight"
"""Folder of what only `prepare` needs; safe to leave out of an upload."""

Chunk = bytes | memoryview
_COMPARED_BYTES: Final = 1 << 20


class Tree(Protocol):
    """Files below one root; a path has ``/`` between folders. One run at a time writes to it."""

    @property
    def location(self) -> str:
        """What `open_tree` opens it with; a folder or a URL."""

    def write(self, path: str, *chunks: Chunk) -> int:
        """Write a file, replacing one of the same name in a single step; returns its size.

        Raises:
            OSError: the disk is full, or the place cannot be written.
        """

    def read(self, path: str) -> bytes:
        """A file's content.

        Raises:
            FileNotFoundError: it is not there.
        """

    def read_ranges(self, ranges: Iterable[tuple[str, int, int]]) -> Iterator[bytes]:
        """The bytes from start to stop of each file, in order; fewer where a file ends before.

        Raises:
            FileNotFoundError: one is not there.
        """

    def size_bytes(self, path: str) -> int | None:
        """A file's size, None where there is none."""

    def names(self, folder: str) -> tuple[str, ...]:
        """Paths of the files in a folder, sorted."""

    def remove(self, path: str) -> None:
        """Remove a file; none there is as well."""

    def remove_unfinished(self) -> None:
        """Forget what a killed run left behind."""


def write_if_changed(tree: Tree, path: str, *chunks: Chunk) -> None:
    """Write a file unless it holds the same already, so that its time and ETag stay."""
    if not holds(tree, path, *chunks):
        tree.write(path, *chunks)


def holds(tree: Tree, path: str, *chunks: Chunk) -> bool:
    """Whether a file is there with exactly this content."""
    if tree.size_bytes(path) != sum(len(chunk) for chunk in chunks):
        return False
    pieces = [
        memoryview(chunk)[start : start + _COMPARED_BYTES]
        for chunk in chunks
        for start in range(0, len(chunk), _COMPARED_BYTES)
    ]
    ranges, offset = [], 0
    for piece in pieces:
        ranges.append((path, offset, offset + len(piece)))
        offset += len(piece)
    read = tree.read_ranges(ranges)
    return all(data == piece for data, piece in zip(read, pieces, strict=True))


class LocalTree:
    """A folder. Each file is written under another name and then moved into place.

    Unfinished files lie in one folder of their own, so that what a killed run left behind is
    found without searching.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._unfinished = root / RECORDS / "unfinished"
        self._temporary = f"{self._unfinished}/{uuid.uuid4().hex}"
        self._folder = f"{root}/"

    @property
    def location(self) -> str:
        """The folder."""
        return str(self.root)

    def remove_unfinished(self) -> None:
        """Forget what a killed run left behind, and the folder for it."""
        shutil.rmtree(self._unfinished, ignore_errors=True)
        with suppress(OSError):  # not empty, or never made
            self._unfinished.parent.rmdir()

    def write(self, path: str, *chunks: Chunk) -> int:
        """Write a file, replacing one of the same name in a single step."""
        target = self._folder + path
        try:
            with _created(self._temporary) as stream:
                for chunk in chunks:
                    stream.write(chunk)
            try:
                os.replace(self._temporary, target)
            except FileNotFoundError:  # its folder; most files have neighbours
                Path(target).parent.mkdir(parents=True, exist_ok=True)
                os.replace(self._temporary, target)
        except OSError:
            with suppress(FileNotFoundError):  # a full disk gets its bytes back
                os.unlink(self._temporary)
            raise
        return sum(len(chunk) for chunk in chunks)

    def read(self, path: str) -> bytes:
        """A file's content."""
        with open(self._folder + path, "rb") as stream:
            return stream.read()

    def read_ranges(self, ranges: Iterable[tuple[str, int, int]]) -> Iterator[bytes]:
        """The bytes from start to stop of each file."""
        for path, start, stop in ranges:
            with open(self._folder + path, "rb") as stream:
                stream.seek(start)
                yield stream.read(stop - start)

    def size_bytes(self, path: str) -> int | None:
        """A file's size, None where there is none."""
        try:
            return os.stat(self._folder + path).st_size
        except OSError:
            return None

    def names(self, folder: str) -> tuple[str, ...]:
        """Paths of the files in a folder, sorted."""
        where = self.root / PurePosixPath(folder)
        if not where.is_dir():
            return ()
        return tuple(sorted(f"{folder}/{e.name}" for e in where.iterdir() if e.is_file()))

    def remove(self, path: str) -> None:
        """Remove a file."""
        (self.root / PurePosixPath(path)).unlink(missing_ok=True)


def _created(path: str) -> BinaryIO:
    """A new file, and the folder for it if there is none."""
    try:
        return open(path, "wb")
    except FileNotFoundError:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        return open(path, "wb")


def open_tree(location: str) -> Tree:
    """The tree in a folder, or below a URL that fsspec knows (``s3://bucket/folder``)."""
    if "://" not in location:
        return LocalTree(Path(location))
    from firstlight.prepare.remote import RemoteTree

    return RemoteTree(location)
