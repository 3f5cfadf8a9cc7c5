"""The Part 10 reader against every real file, and against files that lie."""

from __future__ import annotations

import json
import random
import struct
import zlib
from io import BytesIO

import pydicom
import pytest
from pydicom.encaps import generate_frames

from firstlight.dicom.frames import FramePlace
from firstlight.dicom.part10 import MAX_HEADER_BYTES, Part10Reader
from firstlight.errors import FirstlightError, LimitExceeded, NotDicom
from support.part10_bytes import (
    DEFLATED,
    DELIMITER,
    EXPLICIT,
    IMPLICIT,
    UNDEFINED,
    cut,
    element,
    item,
    part10,
    read,
    shape,
)

# Files that the reader refuses although pydicom reads something from them.
REFUSED = {
    "negative/dicom/3gb-bulk-data-truncated.dcm",
    "negative/dicom/ExplVR_LitEndNoMeta.dcm",
    "negative/dicom/MR_truncated.dcm",
    "negative/dicom/no_meta.dcm",
    "negative/dicom/reportsi.dcm",
}


# -- real files -------------------------------------------------------------------------------


def test_finds_what_pydicom_finds_in_every_real_file(shared_data):
    checked = 0
    for folder in ("dicom", "wg04", "big", "volumes", "negative/dicom"):
        for path in sorted((shared_data / folder).rglob("*.dcm")):
            name = str(path.relative_to(shared_data))
            data = path.read_bytes()
            if name in REFUSED:
                with pytest.raises(NotDicom):
                    read(data)
                continue
            index, _, _ = read(data)
            dataset = pydicom.dcmread(path, force=True)
            header = pydicom.dcmread(BytesIO(index.header))
            assert header.Rows == dataset.Rows, name
            before = {e.tag for e in dataset if e.tag < 0x7FE00000}
            assert {e.tag for e in header if e.tag < 0x7FE00000} == before, name
            if not index.deflated and "PixelData" in dataset:
                same_pixels(data, index, dataset, name)
                checked += 1
    assert checked > 230


def pydicom_frames(dataset) -> int:
    try:
        return int(dataset.get("NumberOfFrames", 1) or 1)
    except ValueError:
        return 1


def same_pixels(data, index, dataset, name):
    count = max(1, pydicom_frames(dataset))
    found = [cut(data, place) for place in index.frames]
    assert len(found) == count, name
    if dataset["PixelData"].is_undefined_length:
        assert found == list(generate_frames(dataset.PixelData, number_of_frames=count)), name
    elif dataset.BitsAllocated >= 8:
        joined = b"".join(found)
        assert dataset.PixelData[: len(joined)] == joined, name


def test_it_makes_no_difference_whether_the_size_is_known(shared_data):
    for name in ("wg04/CT1_JPH.dcm", "wg04/CT1_UNC.dcm", "dicom/sm_image_jpegls.dcm"):
        data = (shared_data / name).read_bytes()
        assert read(data, know_total=False)[0] == read(data)[0]


def test_answers_shorter_than_asked_for_are_followed_up(shared_data):
    data = (shared_data / "dicom/12bitUnsigned_0x0F0F.dcm").read_bytes()
    reader = Part10Reader(len(data))
    while (wanted := reader.wanted) is not None:
        reader.feed(wanted.start, data[wanted.start : wanted.stop][:3000])
    assert reader.index == read(data)[0]


def test_fuzzed_files_are_read_or_refused_by_a_typed_error(shared_data):
    folder = shared_data / "negative/fuzz"
    outcomes = []
    for name in json.loads((folder / "cases.json").read_text()):
        try:
            _, reads, _ = read((folder / name).read_bytes())
            outcomes.append("read")
            assert reads < 10
        except (NotDicom, LimitExceeded, FirstlightError) as error:
            outcomes.append("refused")
            assert error.resource == "x.dcm"
    assert outcomes.count("refused") > 20
    assert outcomes.count("read") > 40


def test_random_damage_never_gives_anything_but_a_typed_error(shared_data):
    chance = random.Random(20)
    for name in ("dicom/emri_small_jpeg_ls_lossless.dcm", "dicom/liver_1frame.dcm"):
        original = (shared_data / name).read_bytes()
        for _ in range(150):
            data = bytearray(original)
            for _ in range(chance.randrange(1, 6)):
                data[chance.randrange(132, 20000)] = chance.choice((0, 0xFF, chance.randrange(256)))
            try:
                index, reads, _ = read(bytes(data[: chance.choice((len(data), 18000))]))
            except FirstlightError:
                continue
            assert reads < 1000
            assert len(index.header) <= MAX_HEADER_BYTES


# -- what a file may be ------------------------------------------------------------------------


def test_native_frames_follow_each_other():
    pixels = bytes(range(36))
    data = part10(EXPLICIT, shape(frames=3) + element(0x7FE00010, b"OW", pixels))
    index, _, _ = read(data)
    assert [cut(data, place) for place in index.frames] == [pixels[:12], pixels[12:24], pixels[24:]]


def test_frames_of_one_bit_a_pixel_share_a_byte():
    data = part10(EXPLICIT, shape(3, 3, frames=3, bits=1) + element(0x7FE00010, b"OB", bytes(4)))
    places = read(data)[0].frames
    first = places[0].start
    assert [(p.start - first, p.length, p.first_bit) for p in places] == [
        (0, 2, 0),
        (1, 2, 1),
        (2, 2, 2),
    ]


def test_chroma_of_422_is_shared():
    photometric = element(0x00280004, b"CS", b"YBR_FULL_422")
    pixels = element(0x7FE00010, b"OB", bytes(16))
    data = part10(EXPLICIT, photometric + shape(2, 4, bits=8, samples=3) + pixels)
    assert read(data)[0].frames[0].length == 16


def test_implicit_vr_and_undefined_length_sequences_nested():
    inner = element(0x00081199, b"", item(element(0x00080100, b"", b"CODE")), length=UNDEFINED)
    inner += element(DELIMITER, b"", b"")
    undefined_item = item(inner, length=UNDEFINED) + element(0xFFFEE00D, b"", b"")
    outer = element(0x00081115, b"", undefined_item, length=UNDEFINED)
    outer += element(DELIMITER, b"", b"")
    plain = b"".join(
        element(tag, b"", struct.pack("<H", value))
        for tag, value in ((0x00280010, 2), (0x00280011, 3), (0x00280100, 16))
    )
    data = part10(IMPLICIT, outer + plain + element(0x7FE00010, b"", bytes(12)))
    index, _, _ = read(data)
    header = pydicom.dcmread(BytesIO(index.header))
    code = header.ReferencedSeriesSequence[0].ReferencedSOPSequence[0].CodeValue
    assert (code, header.Columns) == ("CODE", 3)


def test_unknown_sequences_and_encapsulated_icons_are_skipped():
    unknown = element(0x00091010, b"UN", item(element(0x00091011, b"", b"ab")), length=UNDEFINED)
    unknown += element(DELIMITER, b"", b"")
    icon = element(0x7FE00010, b"OB", item(b"") + item(b"\xfe\xff\xdd\xe0"), length=UNDEFINED)
    icon += element(DELIMITER, b"", b"")
    icons = element(0x00880200, b"SQ", item(icon, length=UNDEFINED), length=UNDEFINED)
    icons += element(0xFFFEE00D, b"", b"") + element(DELIMITER, b"", b"")
    pixels = element(0x7FE00010, b"OW", bytes(12))
    data = part10(EXPLICIT, unknown + shape() + icons + pixels)
    index, _, _ = read(data)
    assert index.frames == (FramePlace(len(data) - 12, 12),)


def test_long_private_values_are_neither_fetched_nor_kept():
    bulk = element(0x00091010, b"OB", bytes(6 << 20))
    data = part10(EXPLICIT, bulk + shape() + element(0x7FE00010, b"OW", bytes(12)))
    index, reads, taken = read(data)
    assert index.frames == (FramePlace(len(data) - 12, 12),)
    assert (reads, taken < 100_000, len(index.header) < 1000) == (2, True, True)


def test_a_deflated_file_is_inflated_only_as_far_as_its_header():
    dataset = shape(500, 500) + element(0x7FE00010, b"OW", random.Random(1).randbytes(500_000))
    compressor = zlib.compressobj(wbits=-15)
    data = part10(DEFLATED, compressor.compress(dataset) + compressor.flush())
    index, reads, taken = read(data)
    assert (index.deflated, reads, taken < 40_000) == (True, 1, True)
    assert index.frames == (FramePlace(len(dataset) - 500_000, 500_000),)
    assert pydicom.dcmread(BytesIO(index.header)).Rows == 500
