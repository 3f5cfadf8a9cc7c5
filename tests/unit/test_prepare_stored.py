"""Stored values against the published hashes, and what is refused."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pydicom
import pytest
from pydicom.uid import MPEG2MPML, HTJ2KLosslessRPCL

from firstlight.errors import DecodeError, UnsupportedTransferSyntax
from firstlight.prepare.stored import (
    UnsupportedPixels,
    photometric_of_stored,
    stored_frames,
    stored_sha256,
)
from unit.prepare_sources import image, shipped

if TYPE_CHECKING:
    from pathlib import Path

NOT_PART_10 = "dicom/JLSL_RGB_ILV0.dcm"
TOO_WIDE = {"dicom/parametric_map_float.dcm", "dicom/rtdose.dcm", "dicom/rtdose_rle.dcm"}


def all_stored(path: Path) -> list[np.ndarray]:
    return list(stored_frames(pydicom.dcmread(path), resource=path.name))


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("folder", ["wg04", "dicom", "volumes/mr-brain-19", "big"])
def test_published_hashes(folder: str, shared_data: Path) -> None:
    """As independent decoders agreed (MANIFEST.md), lossy ones too."""
    expected: dict[str, Any] = json.loads((shared_data / "expected.json").read_text())
    names = [name for name in expected if name.startswith(f"{folder}/") and name.endswith(".dcm")]
    readable = [name for name in names if name != NOT_PART_10 and name not in TOO_WIDE]
    assert readable
    for name in readable:
        digest = hashlib.sha256()
        for values in all_stored(shared_data / name):
            digest.update(values.tobytes())
        assert digest.hexdigest() == expected[name]["decoded"]["sha256"], name


@pytest.mark.parametrize("name", sorted(TOO_WIDE))
def test_too_wide(name: str, shared_data: Path) -> None:
    with pytest.raises(UnsupportedPixels):
        all_stored(shared_data / name)


def test_junk_above_bits_stored_is_cleared() -> None:
    values = np.array([[0xF001, 0x0FFF], [0xA800, 0x0000]], "<u2")
    [stored] = stored_frames(image(values, BitsStored=12, HighBit=11), resource="x")
    assert stored.tolist() == [[0x001, 0xFFF], [0x800, 0]]


def test_signed_values_are_extended_from_bits_stored() -> None:
    values = np.array([[0x0FFF, 0x07FF], [0x0800, 0x0001]], "<i2")
    [stored] = stored_frames(image(values, BitsStored=12, HighBit=11), resource="x")
    assert stored.tolist() == [[-1, 2047], [-2048, 1]]
    assert stored_sha256(stored) == hashlib.sha256(stored.astype("<i2").tobytes()).hexdigest()


@pytest.mark.parametrize(
    ("name", "photometric"),
    [
        ("SC_rgb_jpeg_dcmtk.dcm", "YBR_FULL"),
        ("examples_ybr_color.dcm", "YBR_FULL"),
        ("SC_rgb_small_odd.dcm", "RGB"),
        ("GDCMJ2K_TextGBR.dcm", "RGB"),
        ("examples_palette.dcm", "PALETTE COLOR"),
    ],
)
def test_colour_is_not_converted(name: str, photometric: str) -> None:
    dataset = pydicom.dcmread(shipped(name))
    assert photometric_of_stored(dataset) == photometric
    first = next(iter(stored_frames(dataset, resource=name)))
    gray = first.ndim == 2
    assert gray == (photometric == "PALETTE COLOR")
    if photometric == "YBR_FULL":
        assert abs(first[..., 1:].astype(int).mean() - 128) < 1, "chroma lies around 128"


def test_unknown_transfer_syntax() -> None:
    dataset = image(np.zeros((4, 4), np.uint8))
    dataset.file_meta.TransferSyntaxUID = MPEG2MPML
    with pytest.raises(UnsupportedTransferSyntax, match="no decoder for"):
        list(stored_frames(dataset, resource="x"))


@pytest.mark.parametrize("samples", [2, 4])
def test_samples_that_no_reader_expects(samples: int) -> None:
    dataset = image(np.zeros((4, 4), np.uint8), SamplesPerPixel=samples)
    with pytest.raises(UnsupportedPixels, match="samples"):
        list(stored_frames(dataset, resource="x"))


def test_pixels_cut_short() -> None:
    dataset = image(np.zeros((64, 64), np.uint16))
    dataset.PixelData = dataset.PixelData[:4000]
    with pytest.raises(DecodeError, match="frame 1"):
        list(stored_frames(dataset, resource="x"))


def test_no_pixels() -> None:
    dataset = image(np.zeros((4, 4), np.uint8))
    del dataset.PixelData
    with pytest.raises(DecodeError, match="no Pixel Data"):
        list(stored_frames(dataset, resource="x"))


def test_fewer_frames_than_announced() -> None:
    dataset = pydicom.dcmread(shipped("emri_small_RLE.dcm"))
    dataset.NumberOfFrames = 12
    with pytest.raises(DecodeError):
        list(stored_frames(dataset, resource="x"))


def test_another_size_in_the_codestream_than_in_the_header(shared_data: Path) -> None:
    dataset = pydicom.dcmread(shared_data / "wg04" / "MR1_JPH.dcm")
    assert dataset.file_meta.TransferSyntaxUID == HTJ2KLosslessRPCL
    dataset.Rows = 511
    with pytest.raises(DecodeError, match="announced"):
        list(stored_frames(dataset, resource="x"))
