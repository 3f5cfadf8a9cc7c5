"""Sample DICOM files: generated ones, and real ones from packages that carry them."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pydicom.data import get_testdata_file

from firstlight.prepare.samples.dicom import radiograph_file, volume_files
from firstlight.prepare.samples.volume import SLICES
from firstlight.prepare.tree import LocalTree

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_RADIOGRAPH: Final = "1-radiograph-generated/1.dcm"
_VOLUME: Final = "2-ct-generated/{number}.dcm"
_REAL: Final = {
    "3-radiograph/RG1_UNCR.dcm": "RG1_UNCR.dcm",
    "4-ultrasound-colour/US1_UNCR.dcm": "US1_UNCR.dcm",
    "5-mr/MR2_UNCR.dcm": "MR2_UNCR.dcm",
    "6-ct/693_UNCR.dcm": "693_UNCR.dcm",
    "7-mr-multi-frame/emri_small.dcm": "emri_small.dcm",
    "8-small/CT_small.dcm": "CT_small.dcm",
    "8-small/MR_small.dcm": "MR_small.dcm",
}
"""Where a file goes, and what pydicom or pydicom-data call it; the first folder is shown first."""


def write_samples(out: Path, *, bench: bool = False, slice_count: int = SLICES) -> tuple[int, int]:
    """Write the samples that are not there yet; returns how many were written, how many kept.

    With ``bench`` only the generated ones. Real files whose package is absent are left out.

    Raises:
        OSError: ``out`` cannot be written.
    """
    tree = LocalTree(out)
    names = [_VOLUME.format(number=number) for number in range(1, slice_count + 1)]
    written = _write_missing(tree, [_RADIOGRAPH], lambda: [radiograph_file()])
    written += _write_missing(tree, names, lambda: volume_files(slice_count))
    real = {} if bench else _installed()
    for path, original in real.items():
        written += _write_missing(tree, [path], partial(_content, original))
    tree.remove_unfinished()
    return written, 1 + slice_count + len(real) - written


def _content(original: Path) -> list[bytes]:
    return [original.read_bytes()]


def _installed() -> dict[str, Path]:
    """Files of `_REAL` whose package is installed."""
    found = {path: get_testdata_file(name, download=False) for path, name in _REAL.items()}
    return {path: Path(original) for path, original in found.items() if isinstance(original, str)}


def _write_missing(
    tree: LocalTree, paths: list[str], contents: Callable[[], Iterable[bytes]]
) -> int:
    """Make the contents only when one of the files is absent, and write those."""
    missing = {path for path in paths if tree.size_bytes(path) is None}
    if missing:
        for path, data in zip(paths, contents(), strict=True):
            if path in missing:
                tree.write(path, data)
    return len(missing)
