"""The folder that `prepare` writes: whole files or none, whenever the run is stopped."""

from __future__ import annotations

import itertools
import os
import shutil
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import Final

RECORDS: Final = ".firstlight"
"""Folder of what only `prepare` needs; safe to leave out of an upload."""


class Tree:
    """Files below one root, each written under another name and then moved into place.

    Unfinished files lie in one folder of their own, so that what a killed run left behind is
    found without searching. One run at a time writes to a tree.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._unfinished = root / RECORDS / "unfinished"
        self._serial = itertools.count()

    def remove_unfinished(self) -> None:
        """Forget what a killed run left behind, and the folder for it."""
        shutil.rmtree(self._unfinished, ignore_errors=True)
        with suppress(OSError):  # not empty, or never made
            self._unfinished.parent.rmdir()

    def write(self, path: str, data: bytes) -> None:
        """Write a file, replacing one of the same name in a single step.

        Raises:
            OSError: the disk is full, or the folder cannot be written.
        """
        target = self.root / PurePosixPath(path)
        temporary = self._unfinished / f"{os.getpid()}-{next(self._serial)}"
        target.parent.mkdir(parents=True, exist_ok=True)
        self._unfinished.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(data)
        temporary.replace(target)

    def write_if_changed(self, path: str, data: bytes) -> None:
        """Write a file unless it holds ``data`` already, so that its time and ETag stay."""
        if self.size_bytes(path) != len(data) or self.read(path) != data:
            self.write(path, data)

    def read(self, path: str) -> bytes:
        """A file's content.

        Raises:
            FileNotFoundError: it is not there.
        """
        return (self.root / PurePosixPath(path)).read_bytes()

    def size_bytes(self, path: str) -> int | None:
        """A file's size, None where there is none."""
        try:
            return (self.root / PurePosixPath(path)).stat().st_size
        except OSError:
            return None

    def names(self, folder: str) -> tuple[str, ...]:
        """Paths of the files in a folder, sorted."""
        where = self.root / PurePosixPath(folder)
        if not where.is_dir():
            return ()
        return tuple(sorted(f"{folder}/{entry.name}" for entry in where.iterdir()))
