"""The written trees, read as a browser, a static host and a DICOMweb client would."""

from __future__ import annotations

import gzip
import json
import re
from typing import TYPE_CHECKING

import imagecodecs
import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset

from firstlight.dicom.metadata import image_attributes, read_part10_header
from firstlight.dicom.uids import HTJ2K_LOSSLESS_RPCL
from firstlight.prepare.stored import stored_frames, stored_sha256
from unit.prepare_sources import (
    codestreams_of,
    copied,
    descriptor_of,
    image,
    run,
    saved,
    shipped,
    tree_of,
)

if TYPE_CHECKING:
    from pathlib import Path

NAMES = (
    "CT_small.dcm",
    "emri_small.dcm",
    "SC_rgb_small_odd.dcm",
    "examples_ybr_color.dcm",
    "examples_palette.dcm",
    "MR_small_RLE.dcm",
)


@pytest.fixture(scope="module", params=["dicomweb", "jphuri"])
def out(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp(request.param)
    source = copied(folder / "in", *NAMES)
    result = run(source, "--out", folder / "out", "--layout", request.param)
    assert result.exit_code == 0, result.output
    return folder / "out"


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("web")
    assert run(copied(folder / "in", *NAMES), "--out", folder / "out").exit_code == 0
    return folder / "out"


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pairs")
    source = copied(folder / "in", *NAMES)
    assert run(source, "--out", folder / "out", "--layout", "jphuri").exit_code == 0
    return folder / "out"


def test_every_frame_comes_back_bit_for_bit(out: Path) -> None:
    found = codestreams_of(out)
    expected = {
        stored_sha256(values): values
        for name in NAMES
        for values in stored_frames(pydicom.dcmread(shipped(name)), resource=name)
    }
    assert found.keys() == expected.keys()
    for sha256, codestream in found.items():
        assert codestream.startswith(b"\xff\x4f\xff\x51")
        assert codestream.endswith(b"\xff\xd9")
        assert np.array_equal(imagecodecs.jpeg2k_decode(codestream), expected[sha256])


def test_descriptor_says_what_the_decoder_returns(out: Path) -> None:
    for series in descriptor_of(out).series:
        assert series.transfer_syntax_uid == HTJ2K_LOSSLESS_RPCL
        for frame in series.frames:
            codestream = (out / frame.url).read_bytes()[frame.start : frame.start + frame.length]
            values = imagecodecs.jpeg2k_decode(codestream)
            attributes = frame.image
            assert values.shape[:2] == (attributes.rows, attributes.columns)
            assert (values.ndim == 3) == (attributes.samples_per_pixel == 3)
            assert values.dtype.itemsize * 8 == attributes.bits_allocated
            assert (values.dtype.kind == "i") == (attributes.pixel_representation == 1)
    found = {s.frames[0].image.photometric_interpretation for s in descriptor_of(out).series}
    assert {"RGB", "YBR_FULL", "PALETTE COLOR", "MONOCHROME2"} <= found


def test_frames_are_multipart_with_nothing_to_spare(web: Path) -> None:
    for series in descriptor_of(web).series:
        for frame in series.frames:
            body = (web / frame.url).read_bytes()
            head, tail = body[: frame.start], body[frame.start + frame.length :]
            match = re.fullmatch(
                rb"--(BOUNDARY_[0-9a-f]{32})\r\n"
                rb"Content-Type: image/jphc;transfer-syntax=1\.2\.840\.10008\.1\.2\.4\.202\r\n\r\n",
                head,
            )
            assert match
            assert tail == b"\r\n--" + match[1] + b"--"
            assert body.count(match[1]) == 2, "the boundary is nowhere in the codestream"


def test_wado_and_qido_answers_agree_with_each_other(web: Path) -> None:
    studies = json.loads((web / "studies/index.json").read_text())
    assert len(studies) == len({s.study_instance_uid for s in descriptor_of(web).series})
    for study in studies:
        folder = web / "studies" / study["0020000D"]["Value"][0]
        assert json.loads((folder / "index.json").read_text()) == [study]
        series_answers = json.loads((folder / "series/index.json").read_text())
        assert study["00201206"]["Value"] == [len(series_answers)]
        for answer in series_answers:
            series = folder / "series" / answer["0020000E"]["Value"][0]
            assert json.loads((series / "series-singleton.json").read_text()) == [answer]
            instances = json.loads((series / "instances/index.json").read_text())
            metadata = json.loads((series / "metadata").read_text())
            assert answer["00201209"]["Value"] == [len(instances)] == [len(metadata)]
            for instance, record in zip(instances, metadata, strict=True):
                assert instance["00080018"] == record["00080018"]
                uri = series / record["7FE00010"]["BulkDataURI"]
                count = int(record.get("00280008", {"Value": [1]})["Value"][0])
                names = sorted(path.name for path in uri.iterdir())
                assert names == sorted(f"{number}.mht" for number in range(1, count + 1))


def test_metadata_is_dicom_json_of_the_written_frames(web: Path) -> None:
    source = pydicom.dcmread(shipped("CT_small.dcm"))
    [path] = web.rglob(f"instances/{source.SOPInstanceUID}/metadata")
    [record] = json.loads(path.read_text())
    assert record["00083002"]["Value"] == [HTJ2K_LOSSLESS_RPCL]
    assert "00020010" not in record
    dataset = Dataset.from_json({tag: value for tag, value in record.items() if tag != "7FE00010"})
    assert image_attributes(dataset) == image_attributes(source)


def test_every_index_has_a_precompressed_twin(web: Path) -> None:
    twins = list(web.rglob("*.gz"))
    assert len(twins) >= 4
    for twin in twins:
        assert gzip.decompress(twin.read_bytes()) == twin.with_suffix("").read_bytes()


def test_pairs_have_metadata_without_pixels(pairs: Path) -> None:
    codestreams = sorted(path.name for path in pairs.glob("*.jph"))
    multi_frame = [f"image4-{n}.jph" for n in range(1, 11)]
    multi_frame += [f"image6-{n}.jph" for n in range(1, 31)]
    single = [f"image{number}.jph" for number in (1, 2, 3, 5)]
    assert codestreams == sorted(single + multi_frame), "numbered in the order of the sources"
    for name in codestreams:
        data = (pairs / name).with_name(name.replace(".jph", ".metadata.dcm")).read_bytes()
        dataset = read_part10_header(data, resource=name)
        assert b"\xe0\x7f\x10\x00" not in data, "no Pixel Data"
        assert dataset.file_meta.TransferSyntaxUID == HTJ2K_LOSSLESS_RPCL
        assert int(dataset.get("NumberOfFrames", 1)) == 1
        decoded = imagecodecs.jpeg2k_decode((pairs / name).read_bytes())
        assert decoded.shape[:2] == (dataset.Rows, dataset.Columns)


def test_pair_and_descriptor_have_the_same_attributes(pairs: Path) -> None:
    for series in descriptor_of(pairs).series:
        for frame in series.frames:
            beside = pairs / frame.url.replace(".jph", ".metadata.dcm")
            dataset = read_part10_header(beside.read_bytes(), resource=beside.name)
            assert image_attributes(dataset) == frame.image


def test_header_of_the_written_image_is_true(tmp_path: Path) -> None:
    run(copied(tmp_path / "in", "examples_ybr_color.dcm"), "-o", tmp_path / "a", "--layout=jphuri")
    dataset = pydicom.dcmread(next((tmp_path / "a").glob("*.metadata.dcm")), force=True)
    assert dataset.LossyImageCompression == "01", "what the source lost stays lost"
    assert dataset.PhotometricInterpretation == "YBR_FULL"
    colour = np.arange(300, dtype=np.uint8).reshape(10, 10, 3)
    saved(tmp_path / "rgb" / "1.dcm", image(colour))
    run(tmp_path / "rgb", "-o", tmp_path / "b", "--layout=jphuri")
    dataset = pydicom.dcmread(tmp_path / "b" / "image1.metadata.dcm")
    assert dataset.PhotometricInterpretation == "YBR_RCT"
    assert "LossyImageCompression" not in dataset


def test_one_bit_becomes_eight(tmp_path: Path) -> None:
    run(copied(tmp_path / "in", "liver_1frame.dcm"), "-o", tmp_path / "out")
    [series] = descriptor_of(tmp_path / "out").series
    attributes = series.frames[0].image
    assert (attributes.bits_allocated, attributes.bits_stored, attributes.high_bit) == (8, 1, 0)


def test_frames_are_ordered_along_the_normal(tmp_path: Path) -> None:
    positions = [30.0, -10.0, 20.0, 0.0, 10.0]
    for index, z in enumerate(positions):
        dataset = image(
            np.full((8, 8), index, np.uint8),
            SOPInstanceUID=f"2.25.1.1.{index + 1}",
            InstanceNumber=index + 1,
            ImageOrientationPatient=[1, 0, 0, 0, 1, 0],
            ImagePositionPatient=[0, 0, z],
        )
        saved(tmp_path / "in" / f"{index}.dcm", dataset)
    run(tmp_path / "in", "-o", tmp_path / "out")
    [series] = descriptor_of(tmp_path / "out").series
    found = [frame.image.image_position_patient for frame in series.frames]
    assert found == [(0.0, 0.0, z) for z in sorted(positions)]
    metadata = json.loads(next((tmp_path / "out").rglob("series/*/metadata")).read_text())
    assert [record["00200013"]["Value"][0] for record in metadata] == [2, 4, 5, 3, 1]


def test_without_positions_instance_numbers_order(tmp_path: Path) -> None:
    for index, number in enumerate([10, 2, 1]):
        dataset = image(np.full((8, 8), index, np.uint8), InstanceNumber=number)
        dataset.SOPInstanceUID = f"2.25.1.1.{index + 1}"
        saved(tmp_path / "in" / f"{index}.dcm", dataset)
    run(tmp_path / "in", "-o", tmp_path / "out")
    [series] = descriptor_of(tmp_path / "out").series
    assert [frame.sop_instance_uid[-1] for frame in series.frames] == ["3", "2", "1"]


def test_large_binary_values_become_bulk_data(tmp_path: Path) -> None:
    dataset = image(np.zeros((8, 8), np.uint8))
    dataset.add_new(0x00091001, "OB", bytes(200_000))
    saved(tmp_path / "in" / "1.dcm", dataset)
    run(tmp_path / "in", "-o", tmp_path / "out")
    [record] = json.loads(next((tmp_path / "out").rglob("instances/*/metadata")).read_text())
    uri = record["00091001"]["BulkDataURI"]
    body = (tmp_path / "out" / "studies" / "2.25.1" / uri).read_bytes()
    assert bytes(200_000) in body
    assert sum(len(data) for data in tree_of(tmp_path / "out").values()) < 220_000
