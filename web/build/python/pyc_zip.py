"""Compile Python sources to .pyc and store them in a zip from which zipimport loads at once.

Stored, not deflated: HTTP's own compression does better on the whole file, and zipimport then has
nothing to inflate. Every entry carries the same date, so that equal input gives equal bytes.
"""

from __future__ import annotations

import importlib.util
import marshal
import zipfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_UNCHECKED_HASH = (1).to_bytes(4, "little") + bytes(8)
"""PEP 552 flags for "hash-based, never compare with a source": there is no source in the zip."""


def compiled(source: bytes, shown_path: str) -> bytes:
    """The .pyc of one module, without assertions and docstrings, as `python -OO` makes it."""
    code = compile(source, shown_path, "exec", dont_inherit=True, optimize=2)
    return importlib.util.MAGIC_NUMBER + _UNCHECKED_HASH + marshal.dumps(code)


def write_zip(path: Path, entries: Mapping[str, bytes]) -> None:
    """Write entries (name in the zip to content) in the order of their names."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(entries):
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), entries[name])


def read_zip(path: Path) -> dict[str, bytes]:
    """All files of a zip, by name."""
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist() if name[-1] != "/"}


def module_entry(name: str, entries: Mapping[str, bytes]) -> str | None:
    """The entry of a zip that holds a module, None when it is none of them."""
    stem = name.replace(".", "/")
    return next((e for e in (f"{stem}.pyc", f"{stem}/__init__.pyc") if e in entries), None)


def module_name(entry: str) -> str:
    """The module that an entry of a zip holds."""
    return entry.rpartition(".")[0].removesuffix("/__init__").replace("/", ".")
