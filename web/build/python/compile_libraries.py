"""Compile what changes with a version only: the standard library, and pydicom cut to its reader.

Runs inside the Pyodide that will load the result, so that the byte code fits.

    compile_libraries.py STDLIB_ZIP SITE_PACKAGES SAMPLE_DICOM OUT
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from pyc_zip import compiled, read_zip, write_zip

LAZY_PYDICOM = ("charset", "datadict", "filebase", "fileutil", "jsonrep", "multival", "valuerep")
"""Modules that a reader of metadata may import later than `import pydicom` does."""


def compile_stdlib(stock_zip: Path, out: Path) -> None:
    """Every module of the stock standard library, as .pyc."""
    sources = {n: s for n, s in read_zip(stock_zip).items() if n.endswith(".py")}
    mounted_at = f"/lib/python{sys.version_info.major}{sys.version_info.minor}.zip"
    write_zip(out, {f"{n}c": compiled(s, f"{mounted_at}/{n}") for n, s in sources.items()})


def stubs(site_packages: Path) -> dict[str, bytes]:
    """Stand-ins for pydicom's modules that cost much and that reading metadata never needs.

    `examples` opens sample files while it is imported. `_version` asks importlib.metadata, which
    drags in the email package. `data` downloads test files. `_private_dict` is a third of the
    bytes; without it a private element of an implicit VR file is of VR UN.
    """
    info = next(site_packages.glob("pydicom-*.dist-info"))
    version = info.name.removeprefix("pydicom-").removesuffix(".dist-info")
    return {
        "pydicom/examples/__init__.py": b"",
        "pydicom/data/__init__.py": b"def get_palette_files(*names): return []\n",
        "pydicom/_private_dict.py": b"private_dictionaries = {}\n",
        "pydicom/_version.py": (
            f"__version__ = {version!r}\n"
            f"__version_info__ = {tuple(version.split('.')[:3])!r}\n"
            "__dicom_version__ = __concepts_version__ = ''\n"
        ).encode(),
    }


def copy_package(package: Path, parent: Path, replaced: dict[str, bytes]) -> None:
    """Copy a package's modules below `parent`, some of them replaced."""
    sources = {str(f.relative_to(package.parent)): f.read_bytes() for f in package.rglob("*.py")}
    for name, source in (sources | replaced).items():
        target = parent / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(source)


def exercise_pydicom(sample: Path) -> None:
    """Read and print a file, so that modules which are imported late are imported."""
    import pydicom

    for name in LAZY_PYDICOM:
        import_module(f"pydicom.{name}")
    dataset = pydicom.dcmread(sample, stop_before_pixels=True)
    str(dataset)
    dataset.to_json()


def compile_pydicom(site_packages: Path, sample: Path, out: Path) -> None:
    """The modules of pydicom that reading a file really imports, as .pyc."""
    parent = Path("/tmp/trimmed")
    copy_package(site_packages / "pydicom", parent, stubs(site_packages))
    sys.path.insert(0, str(parent))
    exercise_pydicom(sample)
    files = {
        Path(module.__file__)
        for name, module in sys.modules.items()
        if name.partition(".")[0] == "pydicom" and getattr(module, "__file__", None)
    }
    names = {str(f.relative_to(parent)): f for f in files}
    write_zip(out, {f"{n}c": compiled(f.read_bytes(), n) for n, f in names.items()})


def main(stock_zip: str, site_packages: str, sample: str, out: str) -> None:
    """Write `stdlib-all.zip` and `pydicom.zip` into the folder `out`."""
    compile_stdlib(Path(stock_zip), Path(out) / "stdlib-all.zip")
    compile_pydicom(Path(site_packages), Path(sample), Path(out) / "pydicom.zip")


main(*sys.argv[1:])
