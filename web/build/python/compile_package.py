"""Compile firstlight, and cut the standard library to what it, Pyodide and pydicom import.

Runs inside Pyodide with the whole library as .pyc: everything is really imported, and what
`sys.modules` then holds is what a browser needs before a picture. The remainder goes into a zip
of its own, which `stdlib_on_demand` loads when user code imports from it.

    compile_package.py LIBRARIES PACKAGE STDLIB_ON_DEMAND OUT
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from pyc_zip import compiled, module_entry, module_name, read_zip, write_zip
from reachable import reachable_modules

ENTRIES = ("firstlight.adapters.pyodide", "firstlight.page")
"""What the page, and user code on it, imports; the browser gets these and all they reach."""

ALSO = (
    *("_pyodide", "pyodide._core", "pyodide._run_js", "pyodide.ffi.wrappers"),
    *("encodings.ascii", "encodings.latin_1", "encodings.cp437"),
)
"""Imported late, or in a browser only."""

SPECIFIC_CHARACTER_SETS = (
    *(f"encodings.iso8859_{part}" for part in (2, 3, 4, 5, 6, 7, 8, 9, 11, 13, 15)),
    *("encodings.iso2022_jp", "encodings.iso2022_jp_2", "encodings.iso2022_kr"),
    *("encodings.shift_jis", "encodings.euc_kr", "encodings.gb2312", "encodings.gb18030"),
    *("encodings.gbk", "encodings.tis_620"),
)
"""Codecs that pydicom looks up by name, PS3.3 C.12.1.1.2."""


def package_entries(sources: dict[str, Path], parent: Path) -> dict[str, bytes]:
    """The .pyc of each source, by its path below the folder `parent`."""
    paths = {file: file.relative_to(parent).as_posix() for file in sources.values()}
    return {f"{path}c": compiled(file.read_bytes(), path) for file, path in paths.items()}


def import_all(names: list[str]) -> None:
    """Import modules.

    Raises:
        ImportError: one of them cannot be imported in a browser; the message names it.
    """
    for name in names:
        try:
            import_module(name)
        except Exception as error:
            raise ImportError(f"{name} cannot be imported in Pyodide: {error!r}") from error


def needed_entries(library: dict[str, bytes]) -> set[str]:
    """Entries of the whole library that belong into the one that is loaded first."""
    wanted = {*sys.modules, *ALSO, *SPECIFIC_CHARACTER_SETS}
    return {entry for name in wanted if (entry := module_entry(name, library))}


def on_demand_entries(finder: bytes, rest: list[str]) -> dict[str, bytes]:
    """The finder of the remainder, and the names of the modules it answers for."""
    names = sorted(module_name(entry) for entry in rest)
    listing = f"NAMES = frozenset({names!r})\n".encode()
    modules = {"stdlib_on_demand": finder, "stdlib_rest_modules": listing}
    return {f"{name}.pyc": compiled(source, f"{name}.py") for name, source in modules.items()}


def main(libraries: str, package: str, on_demand: str, out: str) -> None:
    """Write `firstlight.zip`, `stdlib.zip` and `stdlib-rest.zip` into the folder `out`."""
    sources = reachable_modules(Path(package).parent, ENTRIES)
    target = Path(out) / "firstlight.zip"
    write_zip(target, package_entries(sources, Path(package).parent))
    sys.path[:0] = [str(target), f"{libraries}/pydicom.zip"]
    import_all([*sources, "pydicom"])

    library = read_zip(Path(libraries) / "stdlib-all.zip")
    first = needed_entries(library)
    rest = {e: content for e, content in library.items() if e not in first}
    finder = on_demand_entries(Path(on_demand).read_bytes(), list(rest))
    write_zip(Path(out) / "stdlib.zip", {e: library[e] for e in first} | finder)
    write_zip(Path(out) / "stdlib-rest.zip", rest)


main(*sys.argv[1:])
