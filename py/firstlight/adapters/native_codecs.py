"""One frame's compressed bytes to stored values, by imagecodecs."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any, Final

import imagecodecs
import numpy as np

from firstlight.errors import (
    DecodeError,
    LimitExceeded,
    MalformedCodestream,
    UnsupportedTransferSyntax,
)
from firstlight.j2k.boxes import codestream_start
from firstlight.j2k.markers import NeedMore, read_main_header

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from firstlight.j2k.parameters import MainHeader
    from firstlight.ports import DecodeOrder

MAX_SAMPLES: Final = 400_000_000
"""800 MB of 16-bit samples; refused before memory is taken, as in the browser."""

_SOT: Final = b"\xff\x90"
_EOC: Final = b"\xff\xd9"
_SOT_BYTES: Final = 12
_LIBRARY_ERRORS: Final = (RuntimeError, ValueError, TypeError, NotImplementedError, zlib.error)


def decode_frame(order: DecodeOrder, data: bytes, resolution_level: int) -> NDArray[Any]:
    """Stored values of a frame at a resolution level, from a prefix that is complete for it.

    Shape (rows, columns) or (rows, columns, samples); (u)int8 where Bits Allocated is 8 or less,
    else (u)int16. Every value lies within Bits Stored, also where the wavelet overshoots.

    Raises:
        DecodeError: the decoder refused, or gave another image than DICOM announces.
        MalformedCodestream: not a codestream.
        UnsupportedTransferSyntax: there is no decoder for it.
        LimitExceeded: more than `MAX_SAMPLES`.
    """
    if order.rows * order.columns * order.samples_per_pixel > MAX_SAMPLES:
        raise LimitExceeded(f"{order.columns} x {order.rows} samples are more than {MAX_SAMPLES}")
    if order.bits_allocated > 16:
        raise UnsupportedTransferSyntax(f"{order.bits_allocated} bits a sample")
    try:
        if order.codec in ("openjph", "openjpeg"):
            values = _decode_jpeg2000(order, data, resolution_level)
        else:
            values = _decode_whole(order, data)
    except _LIBRARY_ERRORS as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise DecodeError(f"{order.codec}: {reason}") from error
    return _conform(values, order, order.decomposition_levels - resolution_level)


def closed_prefix(codestream: bytes, header: MainHeader) -> bytes:
    """A prefix as OpenJPEG takes it: the last tile-part ends where the bytes do, EOC behind it.

    OpenJPEG gives nothing at all for a codestream that is cut; OpenJPH needs none of this.
    """
    closed = bytearray(codestream)
    at = header.header_stop
    while at + _SOT_BYTES <= len(closed) and closed[at : at + 2] == _SOT:
        length = int.from_bytes(closed[at + 6 : at + 10], "big")
        if length == 0 or at + length > len(closed):
            closed[at + 6 : at + 10] = (len(closed) - at).to_bytes(4, "big")
            return bytes(closed) + _EOC
        at += length
    return bytes(closed[:at]) + _EOC


def _decode_jpeg2000(order: DecodeOrder, data: bytes, level: int) -> NDArray[Any]:
    codestream, header = _codestream(data)
    levels = header.decomposition_levels
    if levels != order.decomposition_levels or not 0 <= level <= levels:
        raise DecodeError(f"{levels} decomposition levels, level {level} asked for")
    _check_siz(header, order)
    if header.is_high_throughput and level == levels:
        try:
            return np.asarray(imagecodecs.htj2k_decode(codestream))
        except RuntimeError:
            pass  # OpenJPH refuses some legal streams (layers, ROI); OpenJPEG has the last word
    # OpenJPH wraps what overshoots at reduced levels, OpenJPEG clamps it to the precision.
    prefix = closed_prefix(codestream, header)
    return np.asarray(imagecodecs.jpeg2k_decode(prefix, skipres=levels - level))


def _check_siz(header: MainHeader, order: DecodeOrder) -> None:
    """A decoder takes memory for whatever SIZ announces: it must be the image of DICOM."""
    siz = header.siz
    kinds = {(c.precision_bits, c.is_signed, c.subsampling_x, c.subsampling_y) for c in siz.components}
    if len(kinds) > 1 or any(kind[2:] != (1, 1) for kind in kinds):
        raise UnsupportedTransferSyntax("components of different precision or size")
    found = f"{siz.width} x {siz.height} x {len(siz.components)}"
    announced = f"{order.columns} x {order.rows} x {order.samples_per_pixel}"
    if found != announced:
        raise DecodeError(f"{found} samples where DICOM announces {announced}")


def _codestream(data: bytes) -> tuple[bytes, MainHeader]:
    try:
        start = codestream_start(data)
        codestream = data[start:] if start else data
        return codestream, read_main_header(codestream)
    except NeedMore:
        raise MalformedCodestream("the codestream is cut in its main header") from None


def _decode_whole(order: DecodeOrder, data: bytes) -> NDArray[Any]:
    """Codecs without resolution levels."""
    match order.codec:
        case "native-le" | "native-be":
            return _native(order, data, "<" if order.codec == "native-le" else ">")
        case "deflated-frame":
            return _native(order, zlib.decompress(data, -zlib.MAX_WBITS), "<")
        case "rle":
            return _rle(order, data)
        case "charls":
            return np.asarray(imagecodecs.jpegls_decode(data))
        case "libjpeg-turbo" if order.samples_per_pixel == 3:
            # Naming the same colour space twice keeps libjpeg from converting.
            return np.asarray(
                imagecodecs.jpeg8_decode(data, colorspace="RGB", outcolorspace="RGB")
            )
        case "libjpeg-turbo" | "jpeg-lossless":
            return np.asarray(imagecodecs.jpeg8_decode(data))
    raise UnsupportedTransferSyntax(f"no decoder {order.codec}")


def _native(order: DecodeOrder, data: bytes, byte_order: str) -> NDArray[Any]:
    samples = order.rows * order.columns * order.samples_per_pixel
    if order.bits_allocated == 1:
        bits = np.frombuffer(data, np.uint8)
        return np.unpackbits(bits, bitorder="little")[:samples]
    dtype = np.dtype(f"{byte_order}u{order.bits_allocated // 8}")
    return np.frombuffer(data, dtype, count=samples)


def _rle(order: DecodeOrder, data: bytes) -> NDArray[Any]:
    """RLE Lossless (PS3.5 Annex G): one plane after another."""
    dtype = np.dtype(f"<u{max(1, order.bits_allocated // 8)}")
    plane_samples = order.rows * order.columns
    raw = imagecodecs.dicomrle_decode(data, dtype)
    values = np.frombuffer(raw, dtype, count=plane_samples * order.samples_per_pixel)
    return values.reshape(order.samples_per_pixel, plane_samples).T


def _conform(values: NDArray[Any], order: DecodeOrder, levels_below: int) -> NDArray[Any]:
    """Give decoded values the shape, width and sign that DICOM announces."""
    rows, columns = (-(-side // (1 << levels_below)) for side in (order.rows, order.columns))
    shape = (rows, columns) if order.samples_per_pixel == 1 else (rows, columns, -1)
    if values.size != rows * columns * order.samples_per_pixel:
        raise DecodeError(f"{values.shape} decoded where ({rows}, {columns}, ...) was announced")
    signed = order.pixel_representation == 1
    target = np.dtype(f"{'i' if signed else 'u'}{1 if order.bits_allocated <= 8 else 2}")
    values = values.reshape(shape)
    if (values.dtype.kind == "i") != signed or order.codec.startswith(("native", "rle")):
        bits = min(order.bits_stored, order.bits_allocated)
        values = _reinterpreted(values, bits, signed=signed)
    elif values.dtype.itemsize > target.itemsize:
        limits = np.iinfo(target)
        if values.min() < limits.min or values.max() > limits.max:
            raise DecodeError(f"{values.dtype} values do not fit in the Bits Allocated")
    return np.ascontiguousarray(values.astype(target))


def _reinterpreted(values: NDArray[Any], bits: int, *, signed: bool) -> NDArray[Any]:
    """Read the lowest bits as two's complement, or as unsigned."""
    lowest = values.astype(np.int32) & ((1 << bits) - 1)
    if signed:
        sign = 1 << (bits - 1)
        lowest = (lowest ^ sign) - sign
    return lowest
