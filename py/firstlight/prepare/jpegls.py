"""JPEG-LS frames (ISO/IEC 14495-1): lossless, or with a bound on the error of each value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import imagecodecs
import numpy as np

from firstlight.errors import DecodeError

if TYPE_CHECKING:
    from firstlight.prepare.stored import Pixels

_LEAST_BITS = 2


def encode_jpegls(values: Pixels, bits: int, *, near: int) -> bytes:
    """One frame; signed values as two's complement of ``bits``, which is how DICOM reads them.

    Near-lossless on signed values would wrap at the sign, where the error is no longer bounded:
    the proof finds that, and such a frame is refused.
    """
    unsigned = np.ascontiguousarray(values)
    if values.dtype.kind == "i":
        unsigned = unsigned.view(f"u{values.dtype.itemsize}") & ((1 << bits) - 1)
    encoded = imagecodecs.jpegls_encode(
        unsigned.astype(unsigned.dtype, copy=False),
        level=near,
        bitspersample=max(bits, _LEAST_BITS),
    )
    return bytes(encoded)


def decode_jpegls(encoded: bytes, dtype: np.dtype[Any], bits: int) -> Pixels:
    """What a decoder returns, with the sign that DICOM gives it.

    Raises:
        DecodeError: the decoder refused.
    """
    try:
        decoded = imagecodecs.jpegls_decode(encoded)
    except RuntimeError as error:
        raise DecodeError(f"read back: {error}") from error
    if dtype.kind != "i":
        return decoded.astype(dtype, copy=False)
    sign = 1 << bits - 1
    return (((decoded.astype(np.int32) & (2 * sign - 1)) ^ sign) - sign).astype(dtype)
