"""Sample files: real DICOM, the same each time, and as large as the benches expect."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pydicom
import pytest
from typer.testing import CliRunner

from firstlight.cli import app
from firstlight.dicom.metadata import image_attributes
from firstlight.prepare.encode import encode_frame
from firstlight.prepare.samples import write_samples
from firstlight.prepare.samples.dicom import volume_files
from firstlight.prepare.stored import stored_frames
from unit.prepare_sources import descriptor_of, run, tree_of

if TYPE_CHECKING:
    from pathlib import Path

SLICES = 6


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("samples")
    write_samples(out, slice_count=SLICES)
    return out


def test_radiograph(folder: Path) -> None:
    dataset = pydicom.dcmread(folder / "1-radiograph-generated" / "1.dcm")
    [values] = stored_frames(dataset, resource="radiograph")
    assert values.shape == (3036, 3036)
    assert values.max() < 4096
    assert (dataset.BitsStored, dataset.Modality) == (12, "DX")
    encoded = encode_frame(values, bits_stored=12, colour_transform=False)
    assert 7.5e6 < len(encoded.codestream) < 11.5e6, "as a real one takes"
    assert len(encoded.level_ends) == 7
    inside = values[400:2600, 500:2500]
    assert np.ptp(np.percentile(inside, [2, 98])) > 800, "there is contrast to window"


def test_volume(folder: Path) -> None:
    files = [folder / "2-ct-generated" / f"{number}.dcm" for number in range(1, SLICES + 1)]
    datasets = [pydicom.dcmread(path) for path in files]
    images = [image_attributes(dataset) for dataset in datasets]
    assert all((image.rows, image.pixel_representation) == (512, 1) for image in images)
    heights = [image.image_position_patient[2] for image in images if image.image_position_patient]
    assert len(heights) == SLICES
    assert np.allclose(np.diff(heights), -3.0)
    assert len({dataset.SOPInstanceUID for dataset in datasets}) == SLICES
    assert len({dataset.SeriesInstanceUID for dataset in datasets}) == 1
    sizes = []
    for dataset, image in zip(datasets, images, strict=True):
        [values] = stored_frames(dataset, resource="slice")
        hounsfield = values * image.rescale_slope + image.rescale_intercept
        assert abs(np.median(hounsfield[:40, :40]) + 1000) < 30, "air around"
        encoded = encode_frame(values, bits_stored=16, colour_transform=False)
        sizes.append(len(encoded.codestream))
    assert 0.28e6 < np.mean(sizes) < 0.40e6, "100 slices take about 33 MB"


def test_the_same_each_time() -> None:
    assert list(volume_files(2)) == list(volume_files(2))


def test_files_that_are_there_stay(folder: Path) -> None:
    before = tree_of(folder)
    written, kept = write_samples(folder, slice_count=SLICES)
    assert (written, kept) == (0, len(before))
    (folder / "2-ct-generated" / "2.dcm").unlink()
    assert write_samples(folder, slice_count=SLICES) == (1, len(before) - 1)
    assert tree_of(folder) == before


def test_everything_can_be_prepared(folder: Path, tmp_path: Path) -> None:
    result = run(folder, "-o", tmp_path / "out")
    assert result.exit_code == 0, result.output
    series = descriptor_of(tmp_path / "out").series
    assert [s.modality for s in series[:2]] == ["DX", "CT"], "the radiograph is shown first"
    assert len(series[1].frames) == SLICES


def test_bench_writes_only_generated_files(tmp_path: Path) -> None:
    written, kept = write_samples(tmp_path, bench=True, slice_count=1)
    assert (written, kept) == (2, 0)
    assert {path.parent.name for path in tmp_path.rglob("*.dcm")} == {
        "1-radiograph-generated",
        "2-ct-generated",
    }


def test_command_says_what_it_needs() -> None:
    assert CliRunner().invoke(app, ["samples"]).exit_code == 2
