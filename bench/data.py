"""What is measured: one big image, one series, and something small to warm up with."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from pydicom import dcmread

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydicom.dataset import FileDataset

ROOT = Path(__file__).resolve().parents[1]
CACHE = ROOT / ".cache" / "bench"

GRAIN = 6
"""The sample radiograph has 12 bits and 8 MB; six grey levels for each of its own, filled with
noise, make the 15 bits and 11 MB of the image that the incumbent's documentation measures."""

WARMUP_SLICES = ("49.dcm", "50.dcm", "51.dcm", "52.dcm")


@dataclass(frozen=True)
class Target:
    """One prepared tree: its name below the data folder, and what its first series holds."""

    name: str
    series_path: str
    side_px: int
    frame_bytes: tuple[int, ...]
    level_ends: tuple[tuple[int, ...], ...]

    @property
    def total_bytes(self) -> int:
        return sum(self.frame_bytes)

    @property
    def first_level_bytes(self) -> int:
        """What every frame needs to be shown at all."""
        return sum(ends[0] for ends in self.level_ends)

    def bytes_for(self, side_px: int) -> int:
        """The bytes of the first frame's smallest level of at least that size."""
        ends = self.level_ends[0]
        sides = [-(-self.side_px // 2 ** (len(ends) - 1 - level)) for level in range(len(ends))]
        return next(end for end, side in zip(ends, sides, strict=True) if side >= side_px)


def read_target(folder: Path, name: str) -> Target:
    series = json.loads((folder / name / "firstlight.json").read_text())["series"][0]
    frames = series["frames"]
    uids = series["study_instance_uid"], series["series_instance_uid"]
    return Target(
        name,
        "data/{}/studies/{}/series/{}".format(name, *uids),
        max(series["image"]["rows"], series["image"]["columns"]),
        tuple(frame["length"] for frame in frames),
        tuple(tuple(frame["level_ends"]) for frame in frames),
    )


def ensure_data() -> Path:
    """The folder of the trees `image`, `series` and `warmup`; made anew when its makers change."""
    folder, stamp = CACHE / "data", CACHE / "data-made-by"
    made_by = _digest(_makers())
    if stamp.is_file() and stamp.read_text() == made_by:
        return folder
    samples = CACHE / "samples"
    _firstlight("samples", "--bench", "--out", str(samples))
    shutil.rmtree(CACHE / "source", ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)
    for name, files in _sources(samples):
        source = CACHE / "source" / name
        source.mkdir(parents=True)
        for file_name, dataset in files:
            dataset.save_as(source / file_name)
        out = str(folder / name)
        _firstlight("prepare", str(source), "--out", out, "--layout", "dicomweb", "--quiet")
    stamp.write_text(made_by)
    return folder


def _sources(samples: Path) -> Iterator[tuple[str, Iterator[tuple[str, FileDataset]]]]:
    radiograph, ct = samples / "1-radiograph-generated", samples / "2-ct-generated"
    yield "image", ((file.name, _grainy(dcmread(file))) for file in radiograph.iterdir())
    yield "series", ((file.name, _whole_numbers(dcmread(file))) for file in ct.iterdir())
    yield "warmup", ((name, _whole_numbers(dcmread(ct / name))) for name in WARMUP_SLICES)


def _grainy(dataset: FileDataset) -> FileDataset:
    noise = np.random.default_rng(1).integers(0, GRAIN, dataset.pixel_array.shape, np.uint16)
    dataset.PixelData = (dataset.pixel_array * np.uint16(GRAIN) + noise).astype("<u2").tobytes()
    dataset.BitsStored = 15
    dataset.HighBit = 14
    dataset.WindowCenter = [value * GRAIN for value in dataset.WindowCenter]
    dataset.WindowWidth = [value * GRAIN for value in dataset.WindowWidth]
    return dataset


def _whole_numbers(dataset: FileDataset) -> FileDataset:
    """The same stored values with slope 1: with an eighth the incumbent computes in floats."""
    slope, intercept = float(dataset.RescaleSlope), float(dataset.RescaleIntercept)
    dataset.WindowCenter = [(float(value) - intercept) / slope for value in dataset.WindowCenter]
    dataset.WindowWidth = [float(value) / slope for value in dataset.WindowWidth]
    dataset.RescaleSlope, dataset.RescaleIntercept = 1, 0
    return dataset


def _makers() -> list[Path]:
    package = ROOT / "py" / "firstlight"
    folders = [package / name for name in ("prepare", "j2k", "dicom", "sources")]
    return [Path(__file__), *(file for folder in folders for file in sorted(folder.rglob("*.py")))]


def _digest(files: list[Path]) -> str:
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]


def _firstlight(*arguments: str) -> None:
    program = Path(sys.executable).with_name("firstlight")
    result = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise SystemExit(f"firstlight {arguments[0]} failed: {result.stderr}")
