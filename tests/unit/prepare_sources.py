"""Sources for the tests of prepare, and how to run it as a user does."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filewriter import dcmwrite
from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage
from typer.testing import CliRunner

from firstlight.cli import app
from firstlight.sources.descriptor import Descriptor, read_descriptor

if TYPE_CHECKING:
    import numpy as np
    from click.testing import Result


def run(*arguments: object) -> Result:
    """``firstlight prepare`` in this process."""
    return CliRunner().invoke(app, ["prepare", *map(str, arguments)])


def descriptor_of(out: Path) -> Descriptor:
    return read_descriptor((out / "firstlight.json").read_bytes())


def tree_of(out: Path) -> dict[str, bytes]:
    """Every file below a folder, with its content."""
    return {
        str(path.relative_to(out)): path.read_bytes() for path in out.rglob("*") if path.is_file()
    }


def codestreams_of(out: Path) -> dict[str, bytes]:
    """Codestreams cut out as a reader of firstlight.json would, by the hash of their pixels."""
    return {
        frame.sha256: (out / frame.url).read_bytes()[frame.start : frame.start + frame.length]
        for series in descriptor_of(out).series
        for frame in series.frames
    }


def summary_of(result: Result) -> dict[str, Any]:
    return json.loads(result.stdout)


def shipped(name: str) -> Path:
    """A file that pydicom or pydicom-data ships."""
    found = get_testdata_file(name, download=False)
    assert isinstance(found, str), f"{name} is not installed"
    return Path(found)


def copied(folder: Path, *names: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        shutil.copy(shipped(name), folder)
    return folder


def image(values: np.ndarray, **attributes: Any) -> Dataset:
    """A dataset around stored values of 8 or 16 bits."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID = SecondaryCaptureImageStorage
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = "2.25.1", "2.25.1.1"
    dataset.SOPInstanceUID = "2.25.1.1.1"
    dataset.Rows, dataset.Columns = values.shape[:2]
    dataset.SamplesPerPixel = 3 if values.ndim == 3 else 1
    dataset.PhotometricInterpretation = "RGB" if values.ndim == 3 else "MONOCHROME2"
    if values.ndim == 3:
        dataset.PlanarConfiguration = 0
    dataset.BitsAllocated = dataset.BitsStored = 8 * values.dtype.itemsize
    dataset.HighBit = dataset.BitsStored - 1
    dataset.PixelRepresentation = int(values.dtype.kind == "i")
    for keyword, value in attributes.items():
        setattr(dataset, keyword, value)
    dataset.PixelData = values.tobytes()
    dataset["PixelData"].VR = "OW"
    return dataset


def part10(dataset: Dataset) -> bytes:
    buffer = io.BytesIO()
    dcmwrite(buffer, dataset, enforce_file_format=True)
    return buffer.getvalue()


def saved(path: Path, dataset: Dataset) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(part10(dataset))
    return path
