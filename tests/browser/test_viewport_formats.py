"""Every pixel format as it is drawn, against pydicom's own display pipeline, by both renderers."""

from __future__ import annotations

import base64
import warnings

import numpy as np
import pydicom
import pytest
from pydicom.pixels import (
    apply_color_lut,
    apply_modality_lut,
    apply_voi,
    apply_windowing,
    convert_color_space,
)

from browser.viewport_page import draw, frame_of, noise, record_of
from firstlight.dicom.metadata import frame_attributes, image_attributes
from unit.prepare_sources import image, shipped

pytestmark = pytest.mark.browser

AMBER = (0xFF, 0xB4, 0x54)
WINDOW = {"center": 1000, "width": 3000}


def draw_by_both(page, stored: np.ndarray, record: dict, **picture: object):
    """The canvas at 1:1, which both renderers must give alike, and what the viewport says."""
    given = {"record": record, "frame": frame_of(stored), "wishes": [["scale", 1]], **picture}
    size = (stored.shape[1], stored.shape[0])
    [by_cpu], [told] = draw(page, "canvas2d", size, [given])
    [by_gpu], _ = draw(page, "webgl2", size, [given])
    np.testing.assert_array_equal(by_cpu, by_gpu)
    return by_cpu, told


def square(record: dict) -> dict:
    """Without what would stretch pixels, so that they can be compared one by one."""
    return {k: v for k, v in record.items() if k not in ("pixel_spacing", "pixel_aspect_ratio")}


def assert_grey(canvas: np.ndarray, expected: np.ndarray, tolerance: int = 0) -> None:
    """``expected`` from 0 to 255, not yet rounded."""
    assert (canvas == canvas[..., :1]).all()
    wanted = np.floor(np.clip(expected, 0, 255) + 0.5).astype(int)
    assert np.abs(canvas[..., 0].astype(int) - wanted).max() <= tolerance


def read(path) -> tuple[pydicom.Dataset, np.ndarray]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset = pydicom.dcmread(path)
        dataset.pixel_array_options(raw=True)
        stored = dataset.pixel_array
    multi_frame = stored.ndim == 4 or (stored.ndim == 3 and dataset.SamplesPerPixel == 1)
    return dataset, stored[0] if multi_frame else stored


def shown_by_pydicom(dataset: pydicom.Dataset, stored: np.ndarray, window: dict) -> np.ndarray:
    """Grey from 0 to 255 by pydicom; ``window`` is used where the image has none."""
    values = apply_modality_lut(stored, dataset)
    if dataset.get("VOILUTSequence"):
        bits = dataset.VOILUTSequence[0].LUTDescriptor[2]
        grey = apply_voi(values, dataset) / (2**bits - 1) * 255
    elif dataset.get("WindowWidth"):
        out = apply_windowing(values, dataset).astype(float)
        signed, bits = dataset.PixelRepresentation, dataset.BitsStored
        low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
        slope, offset = float(dataset.get("RescaleSlope", 1)), dataset.get("RescaleIntercept", 0)
        low, high = low * slope + float(offset), high * slope + float(offset)
        grey = (out - low) / (high - low) * 255
    else:
        low, span = window["center"] - window["width"] / 2, window["width"]
        grey = (values.astype(float) - low) / span * 255
    return 255 - grey if dataset.PhotometricInterpretation == "MONOCHROME1" else grey


GREY_FILES = [
    "12bitUnsigned_0x0F0F.dcm",
    "CTImage_BigEndian.dcm",
    "CTImage_Deflated.dcm",
    "CT_small.dcm",
    "MR_small_RLE.dcm",
    "emri_small.dcm",
    "examples_overlay.dcm",
    "image_dfl.dcm",
    "liver_1frame.dcm",
    "mlut_18.dcm",
    "parametric_map_float.dcm",
    "rtdose.dcm",
    "test16signed.dcm",
    "vlut_04.dcm",
]


@pytest.mark.parametrize("name", GREY_FILES)
def test_grey_files_look_as_pydicom_shows_them(viewport_page, shared_data, name):
    dataset, stored = read(shared_data / "dicom" / name)
    attributes = square(image_attributes(dataset).to_json())
    stored = np.ascontiguousarray(stored, stored.dtype.newbyteorder("="))
    canvas, told = draw_by_both(viewport_page, stored, attributes, overlays=False)
    expected = shown_by_pydicom(dataset, stored, told["window"])
    padding = attributes.get("pixel_padding_value")
    if padding is not None:
        expected = np.where(stored == padding, 0, expected)
    assert np.ptp(canvas) > 0
    assert_grey(canvas, expected, tolerance=1)


COLOUR_FILES = [
    "examples_palette.dcm",
    "PM5644_Palette_8.dcm",
    "ExplVR_BigEnd.dcm",
    "US-RGB-8-esopecho.dcm",
    "SC_ybr_full_422_uncompressed.dcm",
    "SC_rgb_16bit.dcm",
    "color-px.dcm",
]


@pytest.mark.parametrize("name", COLOUR_FILES)
def test_colour_files_look_as_pydicom_shows_them(viewport_page, shared_data, name):
    dataset, stored = read(shared_data / "dicom" / name)
    canvas, told = draw_by_both(
        viewport_page, stored, square(image_attributes(dataset).to_json()), overlays=False
    )
    photometric, tolerance = dataset.PhotometricInterpretation, 0
    if photometric == "PALETTE COLOR":
        expected = apply_color_lut(stored, dataset)
    elif photometric.startswith("YBR"):
        expected, tolerance = convert_color_space(stored, photometric, "RGB"), 1
    else:
        expected = stored
    if expected.dtype.itemsize == 2:
        expected, tolerance = expected >> 8, 1
    assert told["window"] is None
    assert np.abs(canvas.astype(int) - expected).max() <= tolerance


def test_ybr_full_of_every_kind(viewport_page):
    stored = noise("uint8", (120, 130, 3))
    record = record_of(stored, photometric_interpretation="YBR_FULL")
    canvas, _ = draw_by_both(viewport_page, stored, record)
    expected = convert_color_space(stored, "YBR_FULL", "RGB").astype(int)
    assert np.abs(canvas - expected).max() <= 1
    assert (canvas == expected).mean() > 0.999  # pydicom computes with 32 bits


def test_ybr_partial_by_the_equations_of_the_standard(viewport_page):
    """PS3.3 C.7.6.3.1.2: the RGB that the standard's matrix turns into these values."""
    rgb = noise("uint8", (60, 70, 3))
    matrix = np.array(
        [[0.2568, 0.5041, 0.0979], [-0.1482, -0.2910, 0.4392], [0.4392, -0.3678, -0.0714]]
    )
    stored = np.round(rgb @ matrix.T + [16, 128, 128]).astype(np.uint8)
    record = record_of(stored, photometric_interpretation="YBR_PARTIAL_422")
    canvas, _ = draw_by_both(viewport_page, stored, record)
    # what rounding to 219 and 224 steps loses
    assert np.abs(canvas.astype(int) - rgb).max() <= 3


def words(values) -> bytes:
    return np.asarray(values, "<u2").tobytes()


def with_palette(dataset, descriptor, tables, prefix=""):
    for colour, table in zip(("Red", "Green", "Blue"), tables, strict=True):
        setattr(dataset, f"{colour}PaletteColorLookupTableDescriptor", descriptor)
        setattr(dataset, f"{prefix}{colour}PaletteColorLookupTableData", table)
    return dataset


def test_palette_of_16_bits_with_a_first_value(viewport_page):
    stored = noise("uint16", (50, 60)) >> 4
    dataset = image(stored, PhotometricInterpretation="PALETTE COLOR", BitsStored=12)
    tables = [words(noise("uint16", (3000,), seed=n)) for n in range(3)]
    with_palette(dataset, [3000, 500, 16], tables)
    canvas, _ = draw_by_both(viewport_page, stored, image_attributes(dataset).to_json())
    np.testing.assert_array_equal(canvas, apply_color_lut(stored, dataset) >> 8)


def test_palette_in_segments(viewport_page):
    stored = np.arange(256, dtype=np.uint8).reshape(16, 16)
    dataset = image(stored, PhotometricInterpretation="PALETTE COLOR")
    tables = [
        words([0, 1, start, 1, 255, end]) for start, end in ((0, 65535), (65535, 0), (100, 30000))
    ]
    with_palette(dataset, [256, 0, 16], tables, "Segmented")
    canvas, _ = draw_by_both(viewport_page, stored, image_attributes(dataset).to_json())
    np.testing.assert_array_equal(canvas, apply_color_lut(stored, dataset) >> 8)


def test_a_reduced_level_of_palette_indices_is_not_shown(viewport_page):
    stored = noise("uint8", (32, 32))
    dataset = image(stored, PhotometricInterpretation="PALETTE COLOR")
    with_palette(dataset, [256, 0, 8], [bytes(range(256))] * 3)
    record = {**image_attributes(dataset).to_json(), "rows": 64, "columns": 64}
    reduced = frame_of(stored, 0, 1)
    [canvas], _ = draw(viewport_page, "canvas2d", (64, 64), [{"record": record, "frame": reduced}])
    assert not canvas.any()


@pytest.mark.parametrize("photometric", ["ARGB", "CMYK", "HSV", "PALETTE COLOR"])
def test_what_cannot_be_shown_is_refused(viewport_page, photometric):
    stored = noise("uint8", (16, 16))
    record = record_of(stored, photometric_interpretation=photometric)
    canvas, told = draw_by_both(viewport_page, stored, record)
    assert photometric in told["refusal"]
    assert not canvas.any()


def lut_item(descriptor: list[int], data, explanation: str) -> pydicom.Dataset:
    item = pydicom.Dataset()
    item.LUTDescriptor, item.LUTExplanation = descriptor, explanation
    item.add_new("LUTData", "US", list(map(int, data)))
    return item


def test_voi_luts_are_chosen_like_presets(viewport_page):
    stored = noise("int16", (80, 90)) >> 4
    first = np.sort(noise("uint16", (2000,), seed=2)) >> 4
    second = np.sort(noise("uint16", (500,), seed=3)) >> 6
    luts = [lut_item([2000, -1000, 12], first, "SOFT"), lut_item([500, 10, 10], second, "HARD")]
    dataset = image(
        stored, BitsStored=12, RescaleSlope="1", RescaleIntercept="-24", VOILUTSequence=luts
    )
    dataset.WindowCenter, dataset.WindowWidth = WINDOW["center"], WINDOW["width"]
    record = image_attributes(dataset).to_json()
    values = apply_modality_lut(stored, dataset).astype(int)
    for index, bits in enumerate((12, 10)):
        canvas, told = draw_by_both(viewport_page, stored, record, lut=index)
        assert told["window"]["lut"]["explanation"] == ("SOFT", "HARD")[index]
        assert_grey(canvas, apply_voi(values, dataset, index) / (2**bits - 1) * 255)
    canvas, told = draw_by_both(viewport_page, stored, record)
    assert_grey(canvas, apply_voi(values, dataset, 0) / 4095 * 255)
    canvas, told = draw_by_both(viewport_page, stored, record, window=WINDOW)
    assert told["window"]["origin"] == "user"
    assert_grey(canvas, ((values - 999.5) / 2999 + 0.5) * 255)


def test_modality_lut_comes_before_the_window(viewport_page):
    stored = noise("uint16", (80, 90)) >> 4
    table = noise("uint16", (1000,), seed=4) >> 4
    dataset = image(stored, BitsStored=12)
    dataset.ModalityLUTSequence = [lut_item([1000, 700, 16], table, "OD")]
    dataset.WindowCenter, dataset.WindowWidth = WINDOW["center"], WINDOW["width"]
    canvas, _ = draw_by_both(viewport_page, stored, image_attributes(dataset).to_json())
    values = apply_modality_lut(stored, dataset).astype(float)
    assert_grey(canvas, ((values - 999.5) / 2999 + 0.5) * 255)


def test_sigmoid_and_exact_windows(viewport_page):
    stored = noise("uint16", (60, 70)) >> 4
    for function in ("SIGMOID", "LINEAR_EXACT", "LINEAR"):
        dataset = image(stored, BitsStored=12, VOILUTFunction=function)
        dataset.WindowCenter, dataset.WindowWidth = 1500, 900
        canvas, _ = draw_by_both(viewport_page, stored, image_attributes(dataset).to_json())
        grey = apply_windowing(stored, dataset).astype(float) / 4095 * 255
        assert_grey(canvas, grey, tolerance=1)


@pytest.mark.parametrize(
    ("photometric", "shape", "inverse"),
    [
        ("MONOCHROME2", "IDENTITY", False),
        ("MONOCHROME2", "INVERSE", True),
        ("MONOCHROME1", "INVERSE", True),
        ("MONOCHROME1", "", True),
    ],
)
def test_polarity(viewport_page, photometric, shape, inverse):
    stored = np.arange(256, dtype=np.uint8).reshape(16, 16)
    dataset = image(stored, PhotometricInterpretation=photometric, PresentationLUTShape=shape)
    canvas, _ = draw_by_both(viewport_page, stored, image_attributes(dataset).to_json())
    assert_grey(canvas, 255.0 - stored if inverse else stored)
    turned, _ = draw_by_both(
        viewport_page, stored, image_attributes(dataset).to_json(), inverted=True
    )
    np.testing.assert_array_equal(turned, 255 - canvas)


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize(("value", "limit"), [(-2000, None), (-2000, -1500), (1500, 1000)])
def test_padding_is_black_in_either_polarity(viewport_page, photometric, value, limit):
    stored = noise("int16", (80, 90)) >> 4
    dataset = image(stored, PhotometricInterpretation=photometric, BitsStored=12)
    dataset.PixelPaddingValue = value
    if limit is not None:
        dataset.PixelPaddingRangeLimit = limit
    dataset.WindowCenter, dataset.WindowWidth = 0, 4096
    record = image_attributes(dataset).to_json()
    stored[7, 5:40] = value
    ends = sorted((value, value if limit is None else limit))
    is_padding = (stored >= ends[0]) & (stored <= ends[1])
    assert is_padding.any()
    grey = np.clip(((stored + 0.5) / 4095 + 0.5) * 255, 0, 255)
    for inverted in (False, True):
        canvas, _ = draw_by_both(viewport_page, stored, record, inverted=inverted)
        flipped = (photometric == "MONOCHROME1") != inverted
        expected = np.floor(grey + 0.5)
        expected = np.where(is_padding, 0, 255 - expected if flipped else expected)
        assert_grey(canvas, expected)


@pytest.mark.parametrize("kind", ["int32", "uint32", "float32"])
def test_samples_of_32_bits(viewport_page, kind):
    if kind == "float32":
        stored = np.random.default_rng(1).normal(0, 1e-3, (80, 90)).astype(np.float32)
        stored[0, :5] = np.nan, np.inf, -np.inf, 0, 1
        window = {"center": 1e-4, "width": 2e-3}
    else:
        stored = noise(kind, (80, 90))
        window = {"center": float(np.mean(stored[0])), "width": 3e9}
    record = record_of(stored, voi_lut_function="LINEAR_EXACT", windows=[window])
    canvas, _ = draw_by_both(viewport_page, stored, record)
    values = stored.astype(float)
    with np.errstate(invalid="ignore"):
        grey = ((values - window["center"]) / window["width"] + 0.5) * 255
    assert_grey(canvas, np.nan_to_num(grey, nan=0, posinf=255, neginf=0))
    given = {"record": record, "frame": frame_of(stored)}
    pictures = [
        {**given, "wishes": [["scale", 1], ["zoom", 2.7, 10, 20]]},
        {**given, "wishes": [["scale", 0.3]]},
    ]
    for mapper in ("canvas2d", "webgl2"):
        canvases, _ = draw(viewport_page, mapper, (90, 80), pictures)
        assert all(np.ptp(drawn) > 0 for drawn in canvases)


def test_a_float_image_without_window_gets_one(viewport_page):
    stored = np.random.default_rng(1).normal(5, 1, (80, 90)).astype(np.float32)
    stored[:2] = np.nan
    canvas, told = draw_by_both(viewport_page, stored, record_of(stored))
    assert told["window"]["origin"] == "auto"
    assert 2 < told["window"]["center"] < 8
    assert np.ptp(canvas) == 255


def test_one_bit(viewport_page):
    stored = noise("uint8", (40, 50)) & 1
    record = record_of(stored, bits_allocated=1, bits_stored=1)
    canvas, _ = draw_by_both(viewport_page, stored, record)
    assert_grey(canvas, stored * 255.0)


def with_overlay(dataset, plane: np.ndarray, origin, group=0x6000, **more):
    dataset.add_new((group, 0x0010), "US", plane.shape[0])
    dataset.add_new((group, 0x0011), "US", plane.shape[1])
    dataset.add_new((group, 0x0040), "CS", more.get("kind", "G"))
    dataset.add_new((group, 0x0050), "SS", list(origin))
    dataset.add_new((group, 0x0100), "US", 1)
    dataset.add_new((group, 0x0102), "US", 0)
    packed = np.packbits(plane.ravel(), bitorder="little").tobytes()
    dataset.add_new((group, 0x3000), "OW", packed + b"\0" * (len(packed) % 2))
    return dataset


def test_overlays_lie_where_they_should_and_can_be_hidden(viewport_page):
    stored = np.full((60, 80), 100, np.uint8)
    plane = np.random.default_rng(3).random((31, 43)) < 0.4
    dataset = with_overlay(image(stored), plane, (11, 6))
    record = image_attributes(dataset).to_json()
    canvas, _ = draw_by_both(viewport_page, stored, record)
    expected = np.full((60, 80, 3), 100)
    expected[10:41, 5:48][plane] = AMBER
    np.testing.assert_array_equal(canvas, expected)
    hidden, _ = draw_by_both(viewport_page, stored, record, overlays=False)
    assert (hidden == 100).all()


def test_an_overlay_that_reaches_beyond_the_image_is_cut(viewport_page):
    stored = np.full((40, 40), 100, np.uint8)
    dataset = with_overlay(image(stored), np.ones((30, 30), bool), (-9, 31))
    canvas, _ = draw_by_both(viewport_page, stored, image_attributes(dataset).to_json())
    expected = np.full((40, 40, 3), 100)
    expected[:20, 30:] = AMBER
    np.testing.assert_array_equal(canvas, expected)


def test_each_frame_has_its_own_plane_of_a_multi_frame_overlay(viewport_page):
    frames = np.full((3, 20, 21), 100, np.uint8)
    planes = np.random.default_rng(3).random((2, 20, 21)) < 0.4  # 420 bits: not whole bytes
    dataset = with_overlay(image(frames[0]), planes[0], (1, 1))
    packed = np.packbits(planes.ravel(), bitorder="little").tobytes()
    dataset[0x60003000].value = packed + b"\0" * (len(packed) % 2)
    dataset.add_new((0x6000, 0x0015), "IS", 2)
    dataset.add_new((0x6000, 0x0051), "US", 2)
    dataset.NumberOfFrames = 3
    for index, plane in enumerate([None, *planes]):
        record = frame_attributes(dataset, index).to_json()
        canvas, _ = draw_by_both(viewport_page, frames[index], record)
        expected = np.full((20, 21, 3), 100)
        if plane is not None:
            expected[plane] = AMBER
        np.testing.assert_array_equal(canvas, expected)


def test_an_overlay_in_the_unused_bits_of_the_cells(viewport_page):
    stored = np.full((30, 40), 2048, np.uint16)
    plane = np.random.default_rng(3).random((30, 40)) < 0.4
    dataset = image(stored, BitsStored=12, WindowCenter=2048, WindowWidth=4096)
    with_overlay(dataset, plane, (1, 1))
    del dataset[0x60003000]
    dataset[0x60000100].value, dataset[0x60000102].value = 16, 13
    cells = (stored | plane.astype(np.uint16) << 13).tobytes()
    frame = {**frame_of(stored), "cells": base64.b64encode(cells).decode()}
    record = image_attributes(dataset).to_json()
    canvas, _ = draw_by_both(viewport_page, stored, record, frame=frame)
    expected = np.full((30, 40, 3), canvas[~plane][0])
    expected[plane] = AMBER
    np.testing.assert_array_equal(canvas, expected)


def test_real_overlay(viewport_page, shared_data):
    dataset, stored = read(shared_data / "dicom" / "examples_overlay.dcm")
    plane = dataset.overlay_array(0x6000).astype(bool)
    canvas, _ = draw_by_both(viewport_page, stored, square(image_attributes(dataset).to_json()))
    assert plane.any()
    assert (canvas[plane] == AMBER).all()
    assert (canvas[~plane] == canvas[~plane][:, :1]).all()


@pytest.mark.parametrize(
    ("attributes", "aspect"),
    [
        ({"pixel_aspect_ratio": [4, 3]}, 4 / 3),
        ({"pixel_aspect_ratio": [4, 3], "pixel_spacing": [2, 1]}, 2),
        ({"pixel_aspect_ratio": [0, 3]}, 1),
    ],
)
def test_pixel_aspect_ratio(viewport_page, attributes, aspect):
    stored = noise("uint8", (30, 40))
    _, told = draw_by_both(viewport_page, stored, record_of(stored, **attributes))
    assert told["aspect"] == pytest.approx(aspect)


def test_the_probe_tells_the_value_under_the_pointer(viewport_page):
    stored = noise("int16", (60, 80)) >> 4
    record = record_of(stored, bits_stored=12, rescale_slope=2, rescale_intercept=-24)
    _, told = draw_by_both(viewport_page, stored, record, probe=[33.7, 20.2])
    value = int(stored[20, 33])
    assert told["probed"] == {
        "row": 20,
        "column": 33,
        "stored": [value],
        "modality": value * 2 - 24,
        "reduced": False,
        "resolutionLevel": 0,
        "decompositionLevels": 0,
    }
    _, told = draw_by_both(viewport_page, stored, record, probe=[-1, 5])
    assert told["probed"] is None


def test_the_probe_at_a_reduced_level_says_so(viewport_page):
    level = noise("uint8", (20, 30))
    record = record_of(np.zeros((80, 120), np.uint8))
    picture = {"record": record, "frame": frame_of(level, 1, 3), "wishes": [["scale", 1]]}
    for x, y in [(0.5, 0.5), (40.5, 24.5), (119.5, 79.5)]:
        _, [told] = draw(viewport_page, "canvas2d", (120, 80), [{**picture, "probe": [x, y]}])
        # sample i of a level stands for full sample 4 i
        row, column = min(round(int(y) / 4), 19), min(round(int(x) / 4), 29)
        assert told["probed"]["stored"] == [level[row, column]]
        assert told["probed"]["reduced"] is True


def test_shipped_colour_of_two_frames(viewport_page):
    dataset, stored = read(shipped("SC_rgb_rle_16bit_2frame.dcm"))
    canvas, _ = draw_by_both(viewport_page, stored, image_attributes(dataset).to_json())
    expected = stored.astype(float) / 65535 * 255
    np.testing.assert_array_equal(canvas, np.floor(expected + 0.5).astype(np.uint8))
