"""Import everything that a page needs, and leave nothing else behind.

`snapshot.js` calls the two functions in a Pyodide whose memory is saved afterwards. Of JavaScript
only what can be named from the global object may be held then, and no attribute that is an
accessor (`performance`, `location`, `crypto`): they are looked up when they are used.
"""

from __future__ import annotations

import gc
import importlib
import sys
import zipimport

FIRSTLIGHT = "/lib/firstlight.zip"
STDLIB = f"/lib/python{sys.version_info.major}{sys.version_info.minor}.zip"

LATER = ("firstlight.dicom.metadata",)
"""Imports pydicom, and is imported with it when a source needs it."""


def modules(path: str) -> list[str]:
    """The modules in a zip of .pyc files."""
    names = zipimport._zip_directory_cache[path]
    stems = (name.removesuffix(".pyc") for name in names if name.endswith(".pyc"))
    return [stem.removesuffix("/__init__").replace("/", ".") for stem in stems]


def fill() -> None:
    """Import all modules of the two zips."""
    sys.path.append(FIRSTLIGHT)
    importlib.import_module("firstlight")
    for name in (*modules(STDLIB), *modules(FIRSTLIGHT)):
        if name not in LATER:
            importlib.import_module(name)


def leave_nothing() -> None:
    """Forget the files, which will not be there, and this module."""
    sys.path.remove("/fill")
    sys.path.remove(FIRSTLIGHT)
    del sys.modules[__name__]
    sys.path_importer_cache.clear()
    zipimport._zip_directory_cache.clear()
    gc.collect()
