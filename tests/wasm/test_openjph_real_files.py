"""Streams of other encoders against the hashes that came with them (shared/data/expected.json)."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import imagecodecs
import numpy as np
import pydicom
import pytest

from wasm.codestreams import Image, image_of, sample_range
from wasm.node import Answer, Session

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.node

DICOM_LOSSLESS = [
    "wg04/CT1_JPH.dcm",
    "wg04/MR1_JPH.dcm",
    "wg04/MR3_JPH.dcm",
    "wg04/NM1_JPH.dcm",
    "wg04/RG3_JPH.dcm",
    "wg04/US1_JPH.dcm",
    "wg04/VL1_JPH.dcm",
    "htj2k/HTJ2KLossless_08_RGB.201.dcm",
]
RAW_LOSSLESS = [
    "htj2k/codestreams/CT1.j2c",
    "htj2k/codestreams/MR1.j2c",
    "htj2k/codestreams/NM1.j2c",
    "htj2k/codestreams/RG3.j2c",
    "htj2k/codestreams/US1.j2c",
    "openjph-tests/simple_dec_rev53_64x64.jph",
    "openjph-tests/simple_dec_rev53_64x64_16bit_gray.jph",
    "openjph-tests/simple_dec_rev53_64x64_gray_tiles.jph",
    "openjph-tests/simple_enc_rev53_tall_narrow.j2c",
]
OFFSET = "openjph-tests/simple_dec_irv97_64x64_tiles_LRCP33.jph"
RAW_LOSSY = [
    "htj2k/codestreams/u04_small.j2c",
    "openjph-tests/simple_dec_irv97_16x16.jph",
    "openjph-tests/simple_dec_irv97_64x64_16bit_gray.jph",
    "openjph-tests/simple_dec_irv97_64x64_gray_tiles.jph",
    "openjph-tests/simple_enc_irv97_tall_narrow.j2c",
]


@pytest.fixture(scope="module")
def expected(shared_data: Path) -> dict[str, Any]:
    return json.loads((shared_data / "expected.json").read_text())


@pytest.fixture(scope="module")
def answers(
    shared_data: Path, expected: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, list[Answer]]:
    """Every level of every file by one codec instance, the full image first."""
    session = Session(tmp_path_factory.mktemp("real"))
    places = {}
    for name in [*DICOM_LOSSLESS, *RAW_LOSSLESS, *RAW_LOSSY, OFFSET]:
        codestream, image = load(shared_data / name, expected[name])
        places[name] = session.add_levels(codestream, expected[name]["cs"]["levels"], image)
    found = session.run()
    return {name: found[place][::-1] for name, place in places.items()}


@pytest.mark.parametrize("name", DICOM_LOSSLESS + RAW_LOSSLESS)
def test_every_level_has_the_published_hash(
    name: str, shared_data: Path, expected: dict[str, Any], answers: dict[str, list[Answer]]
) -> None:
    facts = expected[name]
    arrays = pictures(answers[name])
    if "decoded" in facts:
        assert answers[name][0].sha256 == facts["decoded"]["frame1"]
    else:
        assert component_hashes(arrays[0], 64) == [each["sha256"] for each in facts["comps"]]
    low, high = sample_range(load(shared_data / name, facts)[0])
    assert len(facts["reduced"]) == len(arrays) - 1
    for reduction, published in facts["reduced"].items():
        array = arrays[int(reduction)]
        assert array.shape[:2] == (published["h"], published["w"])
        # published by OpenJPEG, which clamps an overshoot to the precision
        assert component_hashes(np.clip(array, low, high), 32) == published["comps_sha256_32"]


@pytest.mark.parametrize("name", RAW_LOSSY)
def test_a_lossy_stream_is_within_one_of_openjpeg(
    name: str, shared_data: Path, answers: dict[str, list[Answer]]
) -> None:
    compare_with_openjpeg((shared_data / name).read_bytes(), pictures(answers[name]))


def test_an_image_offset_costs_the_levels_that_it_makes_smaller(
    shared_data: Path, answers: dict[str, list[Answer]]
) -> None:
    *sound, second, first = answers[OFFSET]
    assert [second.error, first.error] == ["DecodeError", "DecodeError"]
    compare_with_openjpeg((shared_data / OFFSET).read_bytes(), pictures(sound))


def test_subsampled_components_are_refused(
    shared_data: Path, expected: dict[str, Any], tmp_path: Path
) -> None:
    name = "openjph-tests/simple_dec_rev53_64x64_yuv.jph"
    codestream, image = load(shared_data / name, expected[name])
    session = Session(tmp_path)
    session.add(codestream, 5, 5, image)
    assert session.run()[0].error == "UnsupportedTransferSyntax"


def load(path: Path, facts: dict[str, Any]) -> tuple[bytes, Image]:
    """The first frame's codestream, and the image as DICOM, or in its place SIZ, describes it."""
    if path.suffix == ".dcm":
        dataset = pydicom.dcmread(path)
        frame = next(pydicom.encaps.generate_frames(dataset.PixelData, number_of_frames=1))
        return frame, {
            "rows": dataset.Rows,
            "columns": dataset.Columns,
            "samplesPerPixel": dataset.SamplesPerPixel,
            "bitsAllocated": dataset.BitsAllocated,
            "bitsStored": dataset.BitsStored,
            "pixelRepresentation": dataset.PixelRepresentation,
        }
    siz = facts["cs"]
    precision, signed = siz["prec"][0], siz["signed"][0]
    kind = ("i" if signed else "u") + ("1" if precision <= 8 else "2")
    shape = (siz["h"], siz["w"], siz["comps"])
    return path.read_bytes(), image_of(np.empty(shape, kind), precision)


def pictures(answers: list[Answer]) -> list[np.ndarray]:
    """The arrays of answers none of which may be a refusal."""
    assert [answer.message for answer in answers] == [None] * len(answers)
    return [answer.array for answer in answers]


def compare_with_openjpeg(codestream: bytes, arrays: list[np.ndarray]) -> None:
    """The full image first; the irreversible wavelet leaves room for rounding."""
    low, high = sample_range(codestream)
    for reduction, array in enumerate(arrays):
        reference = imagecodecs.jpeg2k_decode(codestream, skipres=reduction)
        difference = np.clip(array, low, high).astype(int) - reference.astype(int)
        assert np.abs(difference).max() <= 1


def component_hashes(array: np.ndarray, digits: int) -> list[str]:
    planes = np.atleast_3d(array)
    return [
        hashlib.sha256(np.ascontiguousarray(planes[:, :, c]).tobytes()).hexdigest()[:digits]
        for c in range(planes.shape[2])
    ]
