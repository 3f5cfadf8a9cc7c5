"""JPEG lossless and with DCT of 8 and 12 bits, against libjpeg-turbo as imagecodecs has it."""

from __future__ import annotations

from pathlib import Path

import imagecodecs
import numpy as np
import pydicom.data
import pytest

from wasm.codestreams import image_of, picture
from wasm.frames import dicom_frames
from wasm.lossless_jpeg import lossless_stream
from wasm.node import Answer, Session

pytestmark = pytest.mark.node

LOSSLESS = [
    *((bits, predictor, 1) for bits in (2, 8, 12, 16) for predictor in range(1, 8)),
    *((8, predictor, 3) for predictor in range(1, 8)),
]


def run_one(stream: bytes, codec: str, image: dict, folder: Path) -> Answer:
    session = Session(folder, codec)
    session.add(stream, 0, 0, image)
    return session.run()[0]


def test_lossless_with_every_predictor(tmp_path: Path) -> None:
    session = Session(tmp_path, "jpeg-lossless")
    sources = []
    for bits, predictor, samples in LOSSLESS:
        source = picture(61, 83, bits, samples=samples)
        settings = {"colorspace": "RGB", "outcolorspace": "RGB"} if samples == 3 else {}
        stream = imagecodecs.jpeg8_encode(
            source, lossless=True, bitspersample=bits, predictor=predictor, **settings
        )
        session.add(stream, 0, 0, image_of(source, bits))
        sources.append(source)
    for answer, source in zip(session.run(), sources, strict=True):
        np.testing.assert_array_equal(answer.array, source)


def test_lossless_signed_values(tmp_path: Path) -> None:
    source = picture(40, 50, 12, signed=True)
    bits = source.view("u2") & np.uint16(0xFFF)
    stream = imagecodecs.jpeg8_encode(bits, lossless=True, bitspersample=12, predictor=1)
    answer = run_one(stream, "jpeg-lossless", image_of(source, 12), tmp_path)
    np.testing.assert_array_equal(answer.array, source)


def test_lossless_with_restart_markers(tmp_path: Path) -> None:
    session = Session(tmp_path, "jpeg-lossless")
    source = picture(64, 40, 12)
    for rows in (1, 4, 63):
        stream = lossless_stream([source], 12, restart_rows=rows)
        np.testing.assert_array_equal(imagecodecs.jpeg8_decode(stream), source)
        session.add(stream, 0, 0, image_of(source, 12))
    for answer in session.run():
        np.testing.assert_array_equal(answer.array, source)


def test_lossless_with_a_scan_for_each_component(tmp_path: Path) -> None:
    source = picture(20, 33, 8, samples=3)
    stream = lossless_stream(list(np.moveaxis(source, -1, 0)), 8)
    answer = run_one(stream, "jpeg-lossless", image_of(source, 8), tmp_path)
    np.testing.assert_array_equal(answer.array, source)


def test_lossless_with_a_point_transform(tmp_path: Path) -> None:
    source = picture(64, 40, 12)
    stream = lossless_stream([source], 12, point_transform=3)
    answer = run_one(stream, "jpeg-lossless", image_of(source, 12), tmp_path)
    np.testing.assert_array_equal(answer.array, source >> 3 << 3)


def test_twelve_bits(tmp_path: Path) -> None:
    source = picture(61, 83, 12)
    session = Session(tmp_path, "libjpeg-turbo")
    streams = [imagecodecs.jpeg8_encode(source, level, bitspersample=12) for level in (30, 75, 100)]
    for stream in streams:
        session.add(stream, 0, 0, image_of(source, 12))
    for answer, stream in zip(session.run(), streams, strict=True):
        difference = np.abs(answer.array.astype(int) - imagecodecs.jpeg8_decode(stream))
        assert difference.max() <= 1  # 10918-2: an inverse DCT may round otherwise


@pytest.mark.parametrize("subsampling", ["444", "422", "420"])
def test_twelve_bits_in_colour(subsampling: str, tmp_path: Path) -> None:
    source = picture(61, 83, 12, samples=3)
    stream = imagecodecs.jpeg8_encode(source, 95, bitspersample=12, subsampling=subsampling)
    image = {**image_of(source, 12), "photometricInterpretation": "YBR_FULL"}
    array = run_one(stream, "libjpeg-turbo", image, tmp_path).array.astype(int)
    reference = imagecodecs.jpeg8_decode(stream, outcolorspace="YCBCR")
    difference = np.abs(array - reference)
    assert difference[..., 0].max() <= 1
    if subsampling == "444":
        assert difference.max() <= 1
    else:  # the reference interpolates chroma, here it is repeated: alike within a block
        assert abs(array[..., 1:].mean() - reference[..., 1:].mean()) < 2


COLOUR_FILES = [
    "SC_rgb_dcmtk_+eb+cr.dcm",
    "SC_rgb_dcmtk_+eb+cy+np.dcm",
    "SC_rgb_dcmtk_+eb+cy+s2.dcm",
    "SC_rgb_dcmtk_+eb+cy+s4.dcm",
    "SC_rgb_small_odd_jpeg.dcm",
    "SC_rgb_jpeg_lossy_gdcm.dcm",
    "SC_rgb_jpeg_app14_dcmd.dcm",
    "examples_ybr_color.dcm",
]
UNNAMED_RGB_FILES = ["SC_jpeg_no_color_transform.dcm", "SC_rgb_jpeg.dcm"]


@pytest.mark.filterwarnings("ignore:Expected explicit VR")
def test_colour_stays_as_photometric_interpretation_says(tmp_path: Path) -> None:
    """Also where the stream says nothing, which libjpeg would take for YCbCr."""
    session = Session(tmp_path)
    references = []
    for name in COLOUR_FILES + UNNAMED_RGB_FILES:
        frame = dicom_frames(Path(pydicom.data.get_testdata_file(name)))[0]
        settings = {"colorspace": "RGB"} if name in UNNAMED_RGB_FILES else {}
        is_ybr = frame.image["photometricInterpretation"].startswith("YBR")
        settings["outcolorspace"] = "YCBCR" if is_ybr else "RGB"
        references.append(imagecodecs.jpeg8_decode(frame.data, **settings))
        session.add(frame.data, 0, 0, frame.image, codec=frame.codec)
    for answer, reference in zip(session.run(), references, strict=True):
        np.testing.assert_array_equal(answer.array, reference)


def test_ycbcr_by_its_own_word_becomes_the_rgb_that_dicom_announces(tmp_path: Path) -> None:
    source = picture(64, 64, 8, samples=3)
    stream = imagecodecs.jpeg8_encode(source, 95)  # JFIF
    rgb, ybr = (
        {**image_of(source, 8), "photometricInterpretation": name} for name in ("RGB", "YBR_FULL")
    )
    as_rgb = run_one(stream, "libjpeg-turbo", rgb, tmp_path)
    as_ybr = run_one(stream, "libjpeg-turbo", ybr, tmp_path)
    np.testing.assert_array_equal(as_rgb.array, imagecodecs.jpeg8_decode(stream))
    np.testing.assert_array_equal(
        as_ybr.array, imagecodecs.jpeg8_decode(stream, outcolorspace="YCBCR")
    )


def test_other_processes_are_refused_by_name(tmp_path: Path) -> None:
    source = picture(30, 30, 8)
    lossless = imagecodecs.jpeg8_encode(source, lossless=True)
    baseline = imagecodecs.jpeg8_encode(source, 90)
    arithmetic = baseline.replace(b"\xff\xc0", b"\xff\xc9")
    image = image_of(source, 8)
    session = Session(tmp_path)
    session.add(lossless, 0, 0, image, codec="libjpeg-turbo")
    session.add(baseline, 0, 0, image, codec="jpeg-lossless")
    session.add(arithmetic, 0, 0, image, codec="libjpeg-turbo")
    session.add(baseline, 0, 0, image, codec="charls")
    errors = [answer.error for answer in session.run()]
    assert errors == [*["UnsupportedTransferSyntax"] * 3, "MalformedCodestream"]
