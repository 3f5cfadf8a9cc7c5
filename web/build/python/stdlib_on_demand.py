"""Import the seldom used part of the standard library when user code asks for it.

The library that is loaded at boot holds what Pyodide and firstlight import. The first import of
any other module fetches the remainder, whole: it is asked for once or never.
"""

from __future__ import annotations

import sys
from importlib.machinery import PathFinder
from pathlib import Path

from stdlib_rest_modules import NAMES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import Any


class RestFinder:
    """The last finder on `sys.meta_path`; answers for exactly the modules of the remainder."""

    def __init__(self, read: Callable[[], Any], mounted_at: Path) -> None:
        self._read = read
        self._mounted_at = mounted_at

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Where a module of the remainder lies; fetches the remainder the first time."""
        if name not in NAMES:
            return None
        if not self._mounted_at.exists():
            content = self._read()
            with self._mounted_at.open("wb") as file:
                content.to_file(file)
        package = name.rpartition(".")[0].replace(".", "/")
        return PathFinder.find_spec(name, [str(self._mounted_at / package)], target)


def install(read: Callable[[], Any], mounted_at: str = "/lib/stdlib-rest.zip") -> None:
    """Register the finder; `read` gives the remainder as a JavaScript Uint8Array, not a promise."""
    sys.meta_path.append(RestFinder(read, Path(mounted_at)))
