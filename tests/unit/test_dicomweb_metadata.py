"""Image attributes from DICOM JSON are those that pydicom reads from the same dataset."""

from __future__ import annotations

import gzip
import json

import pydicom
import pytest

from firstlight.dicom import metadata as by_pydicom
from firstlight.dicomweb import metadata as by_json
from firstlight.errors import LimitExceeded, NotDicom

LIMIT = 1 << 24


def test_same_attributes_as_pydicom_for_every_real_file(shared_data):
    checked = 0
    for folder in ("dicom", "wg04", "volumes/mr-brain-19"):
        for path in sorted((shared_data / folder).glob("*.dcm")):
            dataset = pydicom.dcmread(path, force=True, stop_before_pixels=True)
            text = json.dumps(dataset.to_json_dict(suppress_invalid_tags=True))
            (record,) = by_json.read_records(text.encode(), limit_bytes=LIMIT, resource="x")
            for index in range(min(3, by_pydicom.frame_count(dataset))):
                expected = by_pydicom.frame_attributes(dataset, index)
                found = by_json.frame_attributes(record, index, resource="x")
                assert found == expected, path.name
                checked += 1
            assert by_json.frame_count(record) == by_pydicom.frame_count(dataset)
    assert checked > 110


def test_functional_groups_of_a_frame_come_before_the_dataset(shared_data):
    (path,) = (shared_data / "dicomweb").rglob("*504365/metadata.gz")
    (record,) = by_json.read_records(path.read_bytes(), limit_bytes=LIMIT, resource="x")
    count = by_json.frame_count(record)
    images = [by_json.frame_attributes(record, index, resource="x") for index in range(count)]
    assert count == 58
    assert len({image.image_position_patient for image in images}) == 42
    assert {image.pixel_spacing for image in images} == {(4.6875, 4.6875)}
    assert images[0].image_orientation_patient == (1, 0, 0, 0, 1, 0)


@pytest.mark.parametrize(
    "data",
    [b"", b"<html>", b"3", b"[1]", b"\x1f\x8bxx", gzip.compress(b"{"), b"[" * 100_000],
    ids=["empty", "html", "number", "numbers", "not gzip", "cut", "deep"],
)
def test_what_is_not_dicom_json(data):
    with pytest.raises(NotDicom):
        by_json.read_records(data, limit_bytes=LIMIT, resource="x")


def test_a_gzip_bomb():
    with pytest.raises(LimitExceeded):
        by_json.read_records(gzip.compress(b" " * (1 << 22)), limit_bytes=1 << 20, resource="x")


@pytest.mark.parametrize(
    "record",
    [{}, {"00280010": 5}, {"00280010": {"Value": ["x"]}, "00280011": {"Value": [None]}}],
)
def test_senseless_values_are_absent_values(record):
    assert not by_json.is_image(record)
    with pytest.raises(NotDicom):
        by_json.frame_attributes(record, 0, resource="x")


def test_senseless_groups_do_no_harm():
    record = {
        "00280010": {"Value": [4]},
        "00280011": {"Value": ["4"]},
        "00281050": {"Value": [None, "x"]},
        "52009229": {"Value": ["x"]},
        "52009230": {"Value": [{"00209113": {"Value": [3]}}]},
    }
    image = by_json.frame_attributes(record, 0, resource="x")
    assert (image.rows, image.columns, image.windows) == (4, 4, ())
