"""CPython's decoders: what they take of a frame, beside the streams that every loader test uses."""

from __future__ import annotations

import imagecodecs
import numpy as np
import pytest

from firstlight.adapters.native_codecs import decode_frame
from firstlight.dicom.attributes import ImageAttributes
from firstlight.errors import (
    DecodeError,
    LimitExceeded,
    MalformedCodestream,
    UnsupportedTransferSyntax,
)
from firstlight.ports import DecodeOrder

ROWS, COLUMNS = 40, 51
VALUES = np.random.default_rng(5).integers(0, 4096, (ROWS, COLUMNS)).astype(np.uint16)
EIGHT_BITS = (VALUES >> 4).astype(np.uint8)


def order_of(codec: str, levels: int = 0, **attributes: object) -> DecodeOrder:
    given = {"rows": ROWS, "columns": COLUMNS, "bits_stored": 12, "high_bit": 11, **attributes}
    own_size = bool(given.pop("has_own_size", False))
    image = ImageAttributes(**given)
    return DecodeOrder(0, 0, 0, codec, (), levels, levels, image, has_own_size=own_size)


STREAMS = {
    "openjph": lambda: imagecodecs.htj2k_encode(VALUES, reversible=True, resolutions=2),
    "openjpeg": lambda: imagecodecs.jpeg2k_encode(
        VALUES, level=0, reversible=True, resolutions=3, codecformat="J2K"
    ),
    "charls": lambda: imagecodecs.jpegls_encode(VALUES),
    "jpeg-lossless": lambda: imagecodecs.jpeg8_encode(
        VALUES, lossless=True, bitspersample=12, predictor=1
    ),
}


@pytest.mark.parametrize("codec", list(STREAMS))
def test_a_stream_of_its_own_size(codec: str) -> None:
    levels = 2 if codec.startswith("open") else 0
    stream = bytes(STREAMS[codec]())
    bounds = {"rows": 512, "columns": COLUMNS, "has_own_size": True}
    decoded = decode_frame(order_of(codec, levels, **bounds), stream, levels)
    np.testing.assert_array_equal(decoded, VALUES)
    with pytest.raises(LimitExceeded):
        decode_frame(order_of(codec, levels, rows=ROWS - 1, has_own_size=True), stream, levels)
    with pytest.raises(DecodeError, match="announces"):
        decode_frame(order_of(codec, levels, rows=512), stream, levels)
    with pytest.raises(DecodeError, match="announces"):
        more = order_of(codec, levels, samples_per_pixel=3, has_own_size=True)
        decode_frame(more, stream, levels)


@pytest.mark.parametrize("codec", ["native-le", "native-be", "rle", "deflated-frame"])
def test_codings_without_a_size(codec: str) -> None:
    with pytest.raises(UnsupportedTransferSyntax):
        decode_frame(order_of(codec, has_own_size=True), VALUES.tobytes(), 0)
    with pytest.raises(LimitExceeded):
        decode_frame(order_of(codec, rows=60_000, columns=60_000), VALUES.tobytes(), 0)


@pytest.mark.parametrize("codec", ["charls", "libjpeg-turbo"])
def test_a_header_that_announces_too_much_is_refused_before_it_is_decoded(codec: str) -> None:
    encode = imagecodecs.jpegls_encode if codec == "charls" else imagecodecs.jpeg8_encode
    stream = bytes(encode(EIGHT_BITS))
    marker = b"\xff\xf7" if codec == "charls" else b"\xff\xc0"
    at = stream.index(marker) + 5
    huge = stream[:at] + b"\xea\x60\xea\x60" + stream[at + 4 :]
    order = order_of(codec, bits_allocated=8, bits_stored=8, high_bit=7)
    with pytest.raises(LimitExceeded):
        decode_frame(order, huge, 0)
    for cut in (b"", stream[:1], stream[: at - 5], b"\xff\xd8" + bytes(20)):
        with pytest.raises(MalformedCodestream):
            decode_frame(order, cut, 0)


@pytest.mark.parametrize("bits", [32, 64])
def test_floats_keep_their_bits(bits: int) -> None:
    values = np.array([[0.1, -1e30], [np.inf, np.nan]], f"f{bits // 8}")
    for codec, data in (("native-le", values), ("native-be", values.byteswap())):
        order = order_of(codec, rows=2, columns=2, bits_allocated=bits, is_float=True)
        decoded = decode_frame(order, data.tobytes(), 0)
        assert decoded.dtype == values.dtype
        np.testing.assert_array_equal(decoded, values)
        with pytest.raises(DecodeError):
            decode_frame(order, data.tobytes()[:-1], 0)
    with pytest.raises(UnsupportedTransferSyntax):
        decode_frame(order_of("native-le", is_float=True), values.tobytes(), 0)


def test_big_endian_words_of_eight_bit_samples() -> None:
    padded = np.append(EIGHT_BITS[:3, :3].ravel(), np.uint8(0)).view("u2").byteswap().tobytes()
    eight = {"rows": 3, "columns": 3, "bits_allocated": 8, "bits_stored": 8, "high_bit": 7}
    order = order_of("native-be", **eight, value_representation="OW")
    np.testing.assert_array_equal(decode_frame(order, padded, 0), EIGHT_BITS[:3, :3])


def test_a_cut_htj2k_stream_at_full_size() -> None:
    stream = bytes(imagecodecs.htj2k_encode(VALUES, reversible=True, resolutions=2))
    decoded = decode_frame(order_of("openjph", 2), stream[: len(stream) * 3 // 4], 2)
    assert decoded.shape == VALUES.shape
    assert not np.array_equal(decoded, VALUES)
