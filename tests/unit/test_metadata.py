"""Image attributes from DICOM headers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pydicom
import pytest

from firstlight.dicom.attributes import ImageAttributes, Window
from firstlight.dicom.metadata import (
    frame_attributes,
    frame_count,
    image_attributes,
    read_part10_header,
)
from firstlight.errors import NotDicom
from unit.prepare_sources import image, part10, shipped

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

SMALL = np.zeros((4, 6), np.int16)


def header(name: str) -> Dataset:
    return read_part10_header(shipped(name).read_bytes(), resource=name)


def test_ct_small() -> None:
    assert image_attributes(header("CT_small.dcm")) == ImageAttributes(
        rows=128,
        columns=128,
        pixel_representation=1,
        rescale_intercept=-1024.0,
        pixel_padding_value=-2000,
        pixel_spacing=(0.661468, 0.661468),
        pixel_spacing_source="PixelSpacing",
        image_position_patient=(-158.135803, -179.035797, -75.699997),
        image_orientation_patient=(1.0, 0.0, 0.0, 0.0, 1.0, 0.0),
    )


def test_header_stops_before_the_pixels() -> None:
    dataset = header("CT_small.dcm")
    assert "PixelData" not in dataset
    assert dataset.Rows == 128


def test_functional_groups_give_each_frame_its_own_plane() -> None:
    dataset = header("eCT_Supplemental.dcm")
    frames = [frame_attributes(dataset, index) for index in range(frame_count(dataset))]
    assert len(frames) == 2
    per_frame = pydicom.dcmread(shipped("eCT_Supplemental.dcm")).PerFrameFunctionalGroupsSequence
    for attributes, groups in zip(frames, per_frame, strict=True):
        position = groups.PlanePositionSequence[0].ImagePositionPatient
        assert attributes.image_position_patient == tuple(float(value) for value in position)
        assert attributes.pixel_spacing is not None
        assert attributes.image_orientation_patient is not None
        assert attributes.windows
        transformation = groups.get("PixelValueTransformationSequence")
        if transformation:
            assert attributes.rescale_intercept == float(transformation[0].RescaleIntercept)
    assert frames[0].image_position_patient != frames[1].image_position_patient


def test_several_windows_and_their_names() -> None:
    dataset = image(
        SMALL,
        WindowCenter=["40", "-600"],
        WindowWidth=["400", "1500"],
        WindowCenterWidthExplanation=["SOFT"],
        VOILUTFunction="SIGMOID",
    )
    attributes = image_attributes(dataset)
    assert attributes.windows == (Window(40.0, 400.0, "SOFT"), Window(-600.0, 1500.0, ""))
    assert attributes.voi_lut_function == "SIGMOID"


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("WindowWidth", ""),
        ("RescaleSlope", None),
        ("PixelSpacing", ["1.0"]),
        ("ImageOrientationPatient", []),
        ("BitsStored", None),
    ],
)
def test_empty_values_are_absent(keyword: str, value: object) -> None:
    plain = image(SMALL)
    dataset = image(SMALL)
    setattr(dataset, keyword, value)
    assert image_attributes(dataset) == image_attributes(plain)


def test_values_that_are_not_numbers_are_absent() -> None:
    dataset = image(SMALL)
    data = part10(dataset)
    dataset.RescaleSlope, dataset.RescaleIntercept = "2", "1"
    broken = part10(dataset).replace(
        b"\x28\x00\x53\x10DS\x02\x002 ", b"\x28\x00\x53\x10DS\x02\x00x "
    )
    assert broken != part10(dataset)
    attributes = image_attributes(read_part10_header(broken, resource="broken"))
    assert (attributes.rescale_slope, attributes.rescale_intercept) == (1.0, 1.0)
    assert image_attributes(read_part10_header(data, resource="plain")).rescale_slope == 1.0


def test_spacing_at_the_detector_is_named_as_such() -> None:
    attributes = image_attributes(image(SMALL, ImagerPixelSpacing=[0.139, 0.139]))
    assert attributes.pixel_spacing == (0.139, 0.139)
    assert attributes.pixel_spacing_source == "ImagerPixelSpacing"


def test_padding_written_as_unsigned_is_read_as_signed() -> None:
    dataset = image(SMALL)
    dataset.add_new("PixelPaddingValue", "US", 63536)
    assert image_attributes(dataset).pixel_padding_value == -2000


@pytest.mark.parametrize("photometric", ["YBR_RCT", "YBR_ICT"])
def test_transforms_of_the_codestream_are_undone_by_decoding(photometric: str) -> None:
    dataset = image(np.zeros((4, 4, 3), np.uint8), PhotometricInterpretation=photometric)
    assert image_attributes(dataset).photometric_interpretation == "RGB"


@pytest.mark.parametrize("data", [b"", b"\x00" * 132, b"GIF89a", b"\xff\x4f\xff\x51" + bytes(200)])
def test_not_part_10(data: bytes) -> None:
    with pytest.raises(NotDicom, match="not a DICOM Part 10 file, x"):
        read_part10_header(data, resource="x")


def test_no_image() -> None:
    data = shipped("rtplan.dcm").read_bytes()
    with pytest.raises(NotDicom, match="Rows is missing"):
        read_part10_header(data, resource="plan")


def test_cut_anywhere_is_an_error_or_a_header() -> None:
    whole = shipped("MR_small.dcm").read_bytes()
    outcomes = set()
    for length in range(0, 2000, 13):
        try:
            outcomes.add(image_attributes(read_part10_header(whole[:length], resource="cut")).rows)
        except NotDicom as error:
            assert error.resource == "cut"
            outcomes.add(None)
    assert outcomes == {None, 64}
