"""Codestreams that disagree with Pixel Representation about the sign: the bits are right."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from wasm.codestreams import encode, picture
from wasm.node import Session

if TYPE_CHECKING:
    from pathlib import Path

    from wasm.codestreams import Image

pytestmark = pytest.mark.node


@pytest.mark.parametrize("bits", [6, 8, 13])
def test_an_unsigned_stream_of_signed_values(bits: int, tmp_path: Path) -> None:
    signed = picture(70, 90, bits, signed=True)
    unsigned = signed.view(signed.dtype.str.replace("i", "u")) & (2**bits - 1)
    encoded = encode(unsigned.astype(unsigned.dtype), bits)
    image = {**encoded.image, "pixelRepresentation": 1}
    np.testing.assert_array_equal(decode_full(encoded.codestream, image, tmp_path), signed)


@pytest.mark.parametrize("bits", [6, 8, 13])
def test_a_signed_stream_of_unsigned_values(bits: int, tmp_path: Path) -> None:
    unsigned = picture(70, 90, bits)
    sign = 2 ** (bits - 1)
    signed = ((unsigned.astype(int) ^ sign) - sign).astype(unsigned.dtype.str.replace("u", "i"))
    encoded = encode(signed, bits)
    image = {**encoded.image, "pixelRepresentation": 0}
    np.testing.assert_array_equal(decode_full(encoded.codestream, image, tmp_path), unsigned)


@pytest.mark.parametrize("extension", [0xFFFF, 0x0FFF])
def test_bits_above_bits_stored_do_not_count(extension: int, tmp_path: Path) -> None:
    signed = picture(70, 90, 12, signed=True)
    encoded = encode(signed.view("u2") & np.uint16(extension), 16)
    image = {**encoded.image, "bitsStored": 12, "pixelRepresentation": 1}
    np.testing.assert_array_equal(decode_full(encoded.codestream, image, tmp_path), signed)


@pytest.mark.parametrize("signed", [False, True])
def test_eight_bits_in_sixteen_allocated(signed: bool, tmp_path: Path) -> None:
    source = picture(70, 90, 8, signed=signed)
    encoded = encode(source, 8)
    image = {**encoded.image, "bitsAllocated": 16}
    array = decode_full(encoded.codestream, image, tmp_path)
    assert array.dtype.itemsize == 2
    np.testing.assert_array_equal(array, source)


def decode_full(codestream: bytes, image: Image, folder: Path) -> np.ndarray:
    session = Session(folder)
    session.add(codestream, 5, 5, image)
    answer = session.run()[0]
    assert answer.array is not None, answer.message
    return answer.array
