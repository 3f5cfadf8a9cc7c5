"""Tables, overlays and cine in DICOM headers, with the junk that files have."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firstlight.dicom.attributes import ImageAttributes, LookupTable, Overlay, PaletteColor
from firstlight.dicom.luts import MAX_ENTRIES, RawTable, lookup_table, palette_color
from firstlight.dicom.metadata import frame_attributes, image_attributes, read_part10_header
from unit.prepare_sources import image, part10

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

SMALL = np.zeros((4, 6), np.uint8)


def words(*values: int) -> bytes:
    return np.array(values, "<u2").tobytes()


def base64_of(*values: int) -> str:
    return base64.b64encode(bytes(values)).decode()


def entries_of(table: LookupTable | None) -> list[int]:
    assert table is not None
    kind = "u1" if table.bits <= 8 else "<u2"
    return np.frombuffer(base64.b64decode(table.data), kind).tolist()


def with_overlay(dataset: Dataset, **elements: Any) -> Dataset:
    tags = {
        "rows": (0x0010, "US"),
        "columns": (0x0011, "US"),
        "frames": (0x0015, "IS"),
        "kind": (0x0040, "CS"),
        "origin": (0x0050, "SS"),
        "first_frame": (0x0051, "US"),
        "bits": (0x0100, "US"),
        "position": (0x0102, "US"),
        "label": (0x1500, "LO"),
        "data": (0x3000, "OW"),
    }
    for name, value in elements.items():
        element, vr = tags[name]
        dataset.add_new((0x6000, element), vr, value)
    return dataset


def test_everything_survives_json() -> None:
    table = LookupTable(-5, 12, "AQACAA==", "SOFT")
    attributes = ImageAttributes(
        rows=1,
        columns=2,
        modality_lut=table,
        voi_luts=(table, LookupTable(0, 8, "AQI=")),
        palette_color=PaletteColor(0, "AQID"),
        overlays=(Overlay(1, 2, (0, -3), "R", "x", "Aw=="), Overlay(1, 2, bit_position=12)),
        pixel_aspect_ratio=(4.0, 3.0),
        lossy_image_compression=True,
        frame_time_ms=40.0,
    )
    text = json.dumps(attributes.to_json())
    assert ImageAttributes.from_json(json.loads(text)) == attributes


@pytest.mark.parametrize(
    ("raw", "signed", "first", "bits", "entries"),
    [
        (RawTable((3, 5, 16), (1, 2, 3000)), False, 5, 16, [1, 2, 3000]),
        (RawTable((3, 5, 12), words(1, 2, 3000)), False, 5, 12, [1, 2, 3000]),
        (RawTable((2, 5, 16), b"\x01\x00\x02\x00", big_endian=True), False, 5, 16, [256, 512]),
        # eight bits, packed, and one to a word
        (RawTable((3, 0, 8), b"\x01\x02\xff\x00"), False, 0, 8, [1, 2, 255]),
        (RawTable((3, 0, 8), words(1, 2, 255)), False, 0, 8, [1, 2, 255]),
        (RawTable((4, 0, 8), (0x0201, 0xFF03)), False, 0, 8, [1, 2, 3, 255]),
        # bits that are too few, or none
        (RawTable((2, 0, 8), (1, 4095)), False, 0, 12, [1, 4095]),
        (RawTable((2, 0, 0), (1, 4095)), False, 0, 12, [1, 4095]),
        # the first value, signed and written as unsigned
        (RawTable((2, 64512, 16), (1, 2)), True, -1024, 16, [1, 2]),
        (RawTable((2, 64512, 16), (1, 2)), False, 64512, 16, [1, 2]),
        (RawTable((2, -1024, 16), (1, 2)), False, -1024, 16, [1, 2]),
        # fewer entries than announced, and more
        (RawTable((5, 0, 16), (1, 2)), False, 0, 16, [1, 2]),
        (RawTable((1, 0, 16), (1, 2)), False, 0, 16, [1]),
    ],
)
def test_tables_as_files_have_them(
    raw: RawTable, signed: bool, first: int, bits: int, entries: list[int]
) -> None:
    table = lookup_table(raw, signed=signed)
    assert table is not None
    assert (table.first_value, table.bits) == (first, bits)
    assert entries_of(table) == entries


def test_a_count_of_zero_is_65536() -> None:
    whole = lookup_table(RawTable((0, 0, 16), bytes(2 * MAX_ENTRIES + 100)), signed=False)
    assert len(entries_of(whole)) == MAX_ENTRIES


@pytest.mark.parametrize(
    "raw", [RawTable((), b"ab"), RawTable((1, 2), b"ab"), RawTable((9, 0, 16), b"")]
)
def test_tables_that_are_none(raw: RawTable) -> None:
    assert lookup_table(raw, signed=False) is None
    assert palette_color([raw] * 3, signed=False) is None


def test_palette_entries_of_16_bits_give_their_high_byte() -> None:
    raws = [RawTable((2, 0, 16), words(0xFF00, 0x80FF))] * 3
    assert palette_color(raws, signed=False) == PaletteColor(0, base64_of(*[255] * 3, *[128] * 3))


def test_palette_entries_of_16_bits_that_only_use_eight() -> None:
    raws = [RawTable((2, 0, 16), words(255, 128))] * 3
    assert palette_color(raws, signed=False) == PaletteColor(0, base64_of(*[255] * 3, *[128] * 3))


def test_channels_of_different_length_are_filled_up() -> None:
    raws = [
        RawTable((2, 0, 8), b"\x01\x02"),
        RawTable((1, 0, 8), b"\x03\x00"),
        RawTable((2, 0, 8), b"\x04\x05"),
    ]
    assert palette_color(raws, signed=False) == PaletteColor(0, base64_of(1, 3, 4, 2, 3, 5))


def test_segments() -> None:
    """Discrete, linear, and an indirect one that repeats both (PS3.3 C.7.9.2)."""
    data = words(0, 2, 10, 20, 1, 4, 60, 2, 2, 0, 0)
    table = lookup_table(RawTable((12, 0, 16), data, segmented=True), signed=False)
    once = [10, 20, 30, 40, 50, 60]
    assert entries_of(table) == once + once[:2] + [30, 40, 50, 60]
    narrow = bytes([0, 2, 10, 20, 1, 4, 60, 2, 1, 0, 0, 0, 0, 0])
    table = lookup_table(RawTable((8, 0, 8), narrow, segmented=True), signed=False)
    assert entries_of(table) == [*once, 10, 20]


@pytest.mark.parametrize(
    "data",
    [
        words(2, 65535, 0, 0),  # points to itself
        words(0, 0) * 30 + words(2, 65535, 0, 0) * 3000,
        words(1, 65535, 9),  # a line from nowhere
        words(0, 1, 5) + words(2, 65535, 0, 0) * 3000,
        words(0, 1, 5, 1, 65535, 7) + words(2, 65535, 6, 0) * 3000,
        words(7, 7, 7),
        words(0, 60000, 1),
    ],
)
def test_hostile_segments_end(data: bytes) -> None:
    table = lookup_table(RawTable((0, 0, 16), data, segmented=True), signed=False)
    assert table is None or len(entries_of(table)) <= MAX_ENTRIES


@given(
    st.tuples(*[st.integers(-70000, 70000)] * 3),
    st.binary(max_size=200),
    st.booleans(),
    st.booleans(),
)
def test_any_table_is_a_table_or_none(
    descriptor: tuple[int, ...], data: bytes, big_endian: bool, segmented: bool
) -> None:
    table = lookup_table(RawTable(descriptor, data, big_endian, segmented), signed=True)
    if table is not None:
        entries = entries_of(table)
        assert 0 < len(entries) <= MAX_ENTRIES
        assert max(entries) < 1 << table.bits <= 1 << 16


def test_luts_of_sequences_and_their_names() -> None:
    item = pydicom.Dataset()
    item.LUTDescriptor, item.LUTExplanation = [2, 0, 12], "SOFT"
    item.add_new("LUTData", "US", [1, 4095])
    broken = pydicom.Dataset()
    broken.LUTExplanation = "NOTHING IN IT"
    dataset = image(SMALL, VOILUTSequence=[broken, item], ModalityLUTSequence=[item])
    read = read_part10_header(part10(dataset), resource="x")
    table = LookupTable(0, 12, base64.b64encode(words(1, 4095)).decode(), "SOFT")
    assert image_attributes(read).voi_luts == (table,)
    assert image_attributes(read).modality_lut == table


def test_a_palette_of_a_grey_image_is_left_out() -> None:
    dataset = image(SMALL)
    for colour in ("Red", "Green", "Blue"):
        setattr(dataset, f"{colour}PaletteColorLookupTableDescriptor", [256, 0, 8])
        setattr(dataset, f"{colour}PaletteColorLookupTableData", bytes(256))
    assert image_attributes(dataset).palette_color is None
    dataset.PhotometricInterpretation = "PALETTE COLOR"
    assert image_attributes(dataset).palette_color == PaletteColor(0, base64_of(*bytes(768)))


def test_overlay() -> None:
    dataset = with_overlay(
        image(SMALL), rows=2, columns=5, kind="R", origin=[2, -1], label="CIRCLE", data=b"\xff\x07"
    )
    read = read_part10_header(part10(dataset), resource="x")
    # two by five bits; what follows them is not part of the plane
    assert image_attributes(read).overlays == (
        Overlay(2, 5, (2, -1), "R", "CIRCLE", base64_of(0xFF, 0x03)),
    )


@pytest.mark.parametrize(
    "elements",
    [
        {"rows": 2, "columns": 5},
        {"rows": 0, "columns": 5, "data": b"\xff\x07"},
        {"columns": 5, "data": b"\xff\x07"},
        {"rows": 65535, "columns": 65535, "data": b"\xff\x07"},
        {"rows": 2, "columns": 5, "frames": 1, "first_frame": 9, "data": b"\xff\x07"},
    ],
)
def test_overlays_that_are_none(elements: dict[str, Any]) -> None:
    assert image_attributes(with_overlay(image(SMALL), **elements)).overlays == ()


def test_an_overlay_that_is_cut_short_keeps_what_it_has() -> None:
    dataset = with_overlay(image(SMALL), rows=2, columns=20, data=b"\xff\x07")
    [plane] = image_attributes(dataset).overlays
    assert base64.b64decode(plane.data) == b"\xff\x07\0\0\0"


def test_an_overlay_in_the_pixel_cells() -> None:
    dataset = with_overlay(image(SMALL), rows=4, columns=6, bits=16, position=12)
    assert image_attributes(dataset).overlays == (Overlay(4, 6, bit_position=12),)


@pytest.mark.parametrize(
    ("attributes", "expected_ms"),
    [
        ({"FrameTime": "40"}, [40, 40, 40]),
        ({"CineRate": "20"}, [50, 50, 50]),
        ({"RecommendedDisplayFrameRate": "50", "FrameTime": "40"}, [20, 20, 20]),
        ({"FrameTimeVector": ["0", "30", "70"]}, [30, 70, 30]),
        ({"FrameTime": "0", "CineRate": "-3"}, [None, None, None]),
        ({"FrameTime": ""}, [None, None, None]),
    ],
)
def test_frame_time(attributes: dict[str, Any], expected_ms: list[float | None]) -> None:
    dataset = image(SMALL, **attributes)
    found = [frame_attributes(dataset, index).frame_time_ms for index in range(3)]
    assert found == expected_ms


@pytest.mark.parametrize(
    ("attributes", "name", "expected"),
    [
        ({"LossyImageCompression": "01"}, "lossy_image_compression", True),
        ({"LossyImageCompression": "00"}, "lossy_image_compression", False),
        ({"PresentationLUTShape": "INVERSE"}, "presentation_lut_shape", "INVERSE"),
        ({"PresentationLUTShape": "IDENTITY"}, "presentation_lut_shape", ""),
        ({"PixelAspectRatio": ["4", "3"]}, "pixel_aspect_ratio", (4, 3)),
        ({"PixelAspectRatio": ["1", "1"]}, "pixel_aspect_ratio", None),
        ({"PixelAspectRatio": ["0", "3"]}, "pixel_aspect_ratio", None),
        ({"PixelAspectRatio": ["3"]}, "pixel_aspect_ratio", None),
        ({"PixelPaddingRangeLimit": 7}, "pixel_padding_range_limit", None),
        ({"PixelPaddingValue": 5, "PixelPaddingRangeLimit": 7}, "pixel_padding_range_limit", 7),
        ({"FloatPixelPaddingValue": -1.5}, "pixel_padding_value", -1.5),
        ({"BitsStored": 60000}, "bits_stored", 8),
        ({"BitsAllocated": 0}, "bits_allocated", 16),
        ({"WindowCenter": ["1", "2"], "WindowWidth": ["-5", "0"]}, "windows", ()),
        ({"Units": "BQML"}, "rescale_type", "BQML"),
        ({"Units": "BQML", "RescaleType": "HU"}, "rescale_type", "HU"),
    ],
)
def test_single_attributes(attributes: dict[str, Any], name: str, expected: object) -> None:
    assert getattr(image_attributes(image(SMALL, **attributes)), name) == expected


def test_colour_by_plane() -> None:
    dataset = image(np.zeros((4, 6, 3), np.uint8))
    dataset.PlanarConfiguration = 1
    assert image_attributes(dataset).planar_configuration == 1
