"""The static tree through ``firstlight serve``, read by the Python package dicomweb-client."""

from __future__ import annotations

from typing import TYPE_CHECKING

import imagecodecs
import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset

from firstlight.prepare.stored import stored_frames
from firstlight.serve.app import create_app
from firstlight.serve.run import Server
from unit.prepare_sources import copied, descriptor_of, run, shipped

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

dicomweb_client = pytest.importorskip("dicomweb_client", reason="not installed")

NAMES = ("CT_small.dcm", "emri_small.dcm", "examples_rgb_color.dcm")


@pytest.fixture(scope="module")
def client(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[dicomweb_client.DICOMwebClient, Path]]:
    folder = tmp_path_factory.mktemp("dicomweb")
    options = ("--rendered", "--alternate", "jls")
    assert run(copied(folder / "in", *NAMES), "-o", folder / "out", *options).exit_code == 0
    with Server(create_app(folder / "out", None), host="127.0.0.1", port=0) as server:
        yield dicomweb_client.DICOMwebClient(url=f"{server.url}/data"), folder / "out"


def test_search_at_every_level(client: tuple[dicomweb_client.DICOMwebClient, Path]) -> None:
    web, out = client
    described = descriptor_of(out).series
    studies = {Dataset.from_json(record).StudyInstanceUID for record in web.search_for_studies()}
    assert studies == {series.study_instance_uid for series in described}
    for series in described:
        uid = series.study_instance_uid
        found = [Dataset.from_json(record) for record in web.search_for_series(uid)]
        assert series.series_instance_uid in {item.SeriesInstanceUID for item in found}
        instances = web.search_for_instances(uid, series.series_instance_uid)
        assert {Dataset.from_json(record).SOPInstanceUID for record in instances} == {
            frame.sop_instance_uid for frame in series.frames
        }


@pytest.mark.filterwarnings("ignore:No bulk data URI handler")
@pytest.mark.parametrize("name", NAMES)
def test_metadata_and_every_frame(
    client: tuple[dicomweb_client.DICOMwebClient, Path], name: str
) -> None:
    """Pixels of what the client takes out of the multipart bodies are those of the source."""
    web, _ = client
    source = pydicom.dcmread(shipped(name))
    uids = (source.StudyInstanceUID, source.SeriesInstanceUID, source.SOPInstanceUID)
    record = web.retrieve_instance_metadata(*uids)
    assert Dataset.from_json(record).Rows == source.Rows
    assert len(web.retrieve_series_metadata(*uids[:2])) == 1
    expected = list(stored_frames(source, resource=name))
    numbers = list(range(1, len(expected) + 1))
    frames = [web.retrieve_instance_frames(*uids, frame_numbers=[n])[0] for n in numbers]
    for frame, values in zip(frames, expected, strict=True):
        assert np.array_equal(imagecodecs.jpeg2k_decode(frame), values)


def test_rendered(client: tuple[dicomweb_client.DICOMwebClient, Path]) -> None:
    web, _ = client
    source = pydicom.dcmread(shipped("examples_rgb_color.dcm"))
    uids = (source.StudyInstanceUID, source.SeriesInstanceUID, source.SOPInstanceUID)
    picture = imagecodecs.jpeg8_decode(web.retrieve_instance_rendered(*uids))
    assert picture.shape == (source.Rows, source.Columns, 3)
    difference = np.abs(picture.astype(int) - source.pixel_array).mean()
    assert difference < 4, "a JPEG of the same picture"
