"""Part 10 files that lie: a typed error, bounded work, bounded memory."""

from __future__ import annotations

import zlib

import pytest

from firstlight.dicom.frames import MAX_FRAMES
from firstlight.dicom.part10 import Part10Reader
from firstlight.errors import LimitExceeded, NotDicom
from support.part10_bytes import (
    DEFLATED,
    EXPLICIT,
    JPEG_2000,
    UNDEFINED,
    element,
    encapsulated,
    item,
    part10,
    read,
    shape,
)


def refused(data: bytes, kind=NotDicom) -> str:
    with pytest.raises(kind) as caught:
        read(data)
    return caught.value.message


def test_lengths_past_the_end():
    assert "no Pixel" in refused(part10(EXPLICIT, element(0x00091010, b"OB", b"")[:8]))
    beyond = element(0x00080008, b"CS", b"ab", length=60_000)
    assert "ends" in refused(part10(EXPLICIT, beyond))
    assert "ends" in refused(
        part10(EXPLICIT, shape() + element(0x7FE00010, b"OW", bytes(4), length=12))
    )


def test_nesting_without_end():
    deep = element(0x00081115, b"SQ", b"", length=UNDEFINED) + item(b"", length=UNDEFINED)
    assert "nested" in refused(part10(EXPLICIT, deep * 5000))
    flat = element(0x00081115, b"SQ", item(b"") * 1000, length=UNDEFINED)
    assert "ends" in refused(part10(EXPLICIT, flat))
    stray = element(0x00081115, b"SQ", element(0x00080100, b"SH", b"ab"), length=UNDEFINED)
    assert "out of place" in refused(part10(EXPLICIT, stray))


def test_numbers_of_frames_beyond_all_sense():
    pixels = element(0x7FE00010, b"OW", bytes(12))
    assert "frames need" in refused(part10(EXPLICIT, shape(frames=999_999) + pixels))
    many = encapsulated([b""] * 4, frames=MAX_FRAMES + 1)
    assert "frames" in refused(many, LimitExceeded)


def test_items_without_end_and_without_content():
    assert "fragments" in refused(encapsulated([b""] * 5000, frames=1), LimitExceeded)


def test_a_header_beyond_all_sense():
    one = element(0x00091010, b"OB", bytes(3 << 20))
    assert "before Pixel Data" in refused(part10(EXPLICIT, one * 12), LimitExceeded)


def test_a_deflate_bomb():
    dataset = element(0x00091010, b"OB", bytes(200 << 20))
    compressor = zlib.compressobj(9, wbits=-15)
    data = part10(DEFLATED, compressor.compress(dataset) + compressor.flush())
    assert "inflated" in refused(data, LimitExceeded)


def test_pixel_data_that_contradicts_its_syntax():
    pixels = element(0x7FE00010, b"OB", bytes(12))
    assert "contradicts" in refused(part10(JPEG_2000, shape() + pixels))
    assert "contradicts" in refused(
        part10(EXPLICIT, shape() + element(0x7FE00010, b"OB", item(b""), length=UNDEFINED))
    )


@pytest.mark.parametrize("length", [0, 1, 131, 132, 140, 160])
def test_what_is_too_short_is_not_dicom(length):
    data = part10(EXPLICIT, shape() + element(0x7FE00010, b"OW", bytes(12)))
    refused(data[:length])


def test_bytes_that_were_not_asked_for_are_a_mistake_of_the_caller():
    reader = Part10Reader(1000)
    with pytest.raises(ValueError, match="wanted"):
        reader.feed(5, b"abc")
