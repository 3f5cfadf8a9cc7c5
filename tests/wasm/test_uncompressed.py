"""Native, encapsulated uncompressed, RLE and deflated frames: every arrangement of the bytes."""

from __future__ import annotations

import itertools
import zlib
from typing import TYPE_CHECKING

import numpy as np
import pytest
from pydicom.pixels.encoders.base import EncodeRunner
from pydicom.pixels.encoders.native import _encode_frame
from pydicom.uid import RLELossless

from wasm.codestreams import Image, image_of, picture
from wasm.node import Answer, Session

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.node

TYPES = ("u1", "i1", "u2", "i2", "u4", "i4")


def values(kind: str, samples: int = 1) -> np.ndarray:
    shape = (7, 6, samples) if samples > 1 else (7, 6)
    limits = np.iinfo(kind)
    chance = np.random.default_rng(len(kind) + samples)
    return chance.integers(limits.min, limits.max, shape, kind, endpoint=True)


def decoded(stream: bytes, codec: str, image: Image, folder: Path) -> Answer:
    session = Session(folder, codec)
    session.add(stream, 0, 0, image)
    return session.run()[0]


def rle_encode(array: np.ndarray) -> bytes:
    image = image_of(array, 8 * array.dtype.itemsize)
    runner = EncodeRunner(RLELossless)
    runner.set_options(
        rows=image["rows"],
        columns=image["columns"],
        samples_per_pixel=image["samplesPerPixel"],
        bits_allocated=image["bitsAllocated"],
        bits_stored=image["bitsAllocated"],
        pixel_representation=0,
        photometric_interpretation="RGB" if image["samplesPerPixel"] == 3 else "MONOCHROME2",
        planar_configuration=0,
        number_of_frames=1,
    )
    return bytes(_encode_frame(array.tobytes(), runner))


def test_all_types_in_all_codings(tmp_path: Path) -> None:
    session = Session(tmp_path)
    sources = []
    for kind, samples in itertools.product(TYPES, (1, 3)):
        source = values(kind, samples)
        image = image_of(source, 8 * source.dtype.itemsize)
        planar = {**image, "planarConfiguration": 1}
        planes = np.ascontiguousarray(np.moveaxis(source.reshape(7, 6, samples), -1, 0))
        deflated = zlib.compress(source.tobytes(), wbits=-15)
        session.add(source.tobytes(), 0, 0, image, codec="native-le")
        session.add(source.byteswap().tobytes(), 0, 0, image, codec="native-be")
        session.add(planes.tobytes(), 0, 0, planar, codec="native-le")
        session.add(deflated, 0, 0, image, codec="deflated-frame")
        session.add(rle_encode(source), 0, 0, image, codec="rle")
        sources += [source] * 5
    for answer, source in zip(session.run(), sources, strict=True):
        assert answer.array is not None, answer.message
        assert answer.array.dtype == source.dtype
        np.testing.assert_array_equal(answer.array, source)


def test_floats(tmp_path: Path) -> None:
    source = np.array([[0.5, -1e30, np.inf], [np.nan, 0, 3.25]], "f4")
    image = {**image_of(source, 32), "isFloat": True}
    for codec, data in (("native-le", source), ("native-be", source.byteswap())):
        array = decoded(data.tobytes(), codec, image, tmp_path).array
        assert array.tobytes() == source.tobytes()


def test_floats_of_64_bits_become_floats_of_32(tmp_path: Path) -> None:
    """Marked where that changes a value."""
    exact = np.array([[0.5, -(2.0**100), np.inf], [np.nan, -0.0, 3.25]], "f8")
    rounded = np.array([[0.1, 1e300, 1]], "f8")
    for source, is_rounded in ((exact, False), (rounded, True)):
        shape = {"rows": source.shape[0], "columns": 3, "samplesPerPixel": 1}
        image = {**shape, "bitsAllocated": 64, "bitsStored": 0, "isFloat": True}
        with np.errstate(over="ignore"):
            expected = source.astype("f4")
        for codec, data in (("native-le", source), ("native-be", source.byteswap())):
            answer = decoded(data.tobytes(), codec, image, tmp_path)
            np.testing.assert_array_equal(answer.array, expected)
            assert (answer.array.dtype, answer.is_rounded) == ("f4", is_rounded)
        refused = decoded(source.tobytes()[:-1], "native-le", image, tmp_path)
        assert refused.error == "DecodeError"


def test_bits_outside_of_bits_stored(tmp_path: Path) -> None:
    """Junk in them, also below where High Bit is above; an impossible High Bit does not count."""
    session = Session(tmp_path)
    sources = []
    places = [(12, 11), (12, 15), (9, 8), (12, 40), (16, 15)]
    for (stored, high), signed in itertools.product(places, (False, True)):
        source = picture(9, 11, stored, signed=signed)
        low = high - stored + 1 if high < 16 else 0
        mask = ((1 << stored) - 1) << low
        cells = (source.astype(int) << low & mask | 0x5A5A & ~mask & 0xFFFF).astype("u2")
        image = {**image_of(source, stored), "highBit": high}
        session.add(cells.tobytes(), 0, 0, image, codec="native-le")
        session.add(rle_encode(cells), 0, 0, image, codec="rle")
        sources += [source] * 2
    for answer, source in zip(session.run(), sources, strict=True):
        np.testing.assert_array_equal(answer.array, source)


def test_cells_come_along_where_an_overlay_lies_in_them(tmp_path: Path) -> None:
    session = Session(tmp_path)
    sources = []
    for (kind, stored), signed in itertools.product((("u2", 12), ("u1", 5)), (False, True)):
        source = picture(9, 11, stored, signed=signed)
        mask = (1 << stored) - 1
        cells = (source.astype(int) & mask | 0x5A5A & ~mask).astype(kind)
        image = {**image_of(source, stored), "highBit": stored - 1}
        for wants in (True, False):
            wish = {**image, "wantsCells": wants}
            session.add(cells.tobytes(), 0, 0, wish, codec="native-le")
            session.add(cells.byteswap().tobytes(), 0, 0, wish, codec="native-be")
            session.add(rle_encode(cells), 0, 0, wish, codec="rle")
            sources += [(source, cells if wants else None)] * 3
    for answer, (source, cells) in zip(session.run(), sources, strict=True):
        np.testing.assert_array_equal(answer.array, source)
        if cells is None:
            assert answer.cells is None
        else:
            np.testing.assert_array_equal(answer.cells, cells)
            assert answer.cells.dtype == cells.dtype


@pytest.mark.parametrize("first_bit", [0, 3, 7])
def test_one_bit_a_pixel(first_bit: int, tmp_path: Path) -> None:
    source = picture(5, 7, 1)
    bits = np.concatenate([np.ones(first_bit, "u1"), source.ravel()])
    packed = np.packbits(bits, bitorder="little").tobytes()
    image = {**image_of(source, 1), "bitsAllocated": 1, "firstBit": first_bit}
    np.testing.assert_array_equal(decoded(packed, "native-le", image, tmp_path).array, source)
    assert decoded(packed[:-1], "native-le", image, tmp_path).error == "DecodeError"


def test_shared_chroma_is_repeated(tmp_path: Path) -> None:
    shared = np.array([[10, 20, 1, 2, 30, 40, 3, 4], [50, 60, 5, 6, 70, 80, 7, 8]], "u1")
    image = {**image_of(np.zeros((2, 4, 3), "u1"), 8), "photometricInterpretation": "YBR_FULL_422"}
    array = decoded(shared.tobytes(), "native-le", image, tmp_path).array
    assert array[0].tolist() == [[10, 1, 2], [20, 1, 2], [30, 3, 4], [40, 3, 4]]
    assert array[1, 3].tolist() == [80, 7, 8]
    odd = {**image, "columns": 3}
    assert decoded(shared.tobytes(), "native-le", odd, tmp_path).error == "DecodeError"


def test_big_endian_words_of_eight_bit_samples(tmp_path: Path) -> None:
    source = picture(3, 3, 8)
    padded = np.append(source.ravel(), np.uint8(0)).view("u2").byteswap().tobytes()
    image = {**image_of(source, 8), "valueRepresentation": "OW"}
    np.testing.assert_array_equal(decoded(padded, "native-be", image, tmp_path).array, source)
    assert decoded(padded[:9], "native-be", image, tmp_path).error == "DecodeError"


CODECS = ("native-le", "native-be", "rle", "deflated-frame")
BAD_SHAPES = [
    ({"rows": 0}, "DecodeError"),
    ({"columns": -1}, "DecodeError"),
    ({"samplesPerPixel": 0}, "DecodeError"),
    ({"bitsAllocated": 9}, "UnsupportedTransferSyntax"),
    ({"bitsAllocated": 64}, "UnsupportedTransferSyntax"),
    ({"bitsStored": 0}, "DecodeError"),
    ({"bitsStored": 17}, "DecodeError"),
    ({"rows": 60_000, "columns": 60_000}, "LimitExceeded"),
]


def test_impossible_shapes_are_refused(tmp_path: Path) -> None:
    source = values("u2")
    session = Session(tmp_path)
    image = image_of(source, 16)
    for codec in CODECS:
        for change, _ in BAD_SHAPES:
            session.add(source.tobytes(), 0, 0, {**image, **change}, codec=codec)
        session.add(source.tobytes(), 1, 1, image, codec=codec)
    expected = [*(error for _, error in BAD_SHAPES), "DecodeError"] * len(CODECS)
    assert [answer.error for answer in session.run()] == expected


def test_a_deflated_frame_is_never_longer_than_its_image(tmp_path: Path) -> None:
    source = values("u2")
    bomb = zlib.compress(source.tobytes() + bytes(50_000_000), wbits=-15)
    stored = zlib.compress(source.tobytes() + bytes(99), level=0, wbits=-15)
    array = decoded(stored, "deflated-frame", image_of(source, 16), tmp_path).array
    np.testing.assert_array_equal(array, source)
    array = decoded(bomb, "deflated-frame", image_of(source, 16), tmp_path).array
    np.testing.assert_array_equal(array, source)
