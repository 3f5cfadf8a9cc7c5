"""One frame's compressed bytes to stored values, by imagecodecs."""

from __future__ import annotations

import zlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import imagecodecs
import numpy as np

from firstlight.adapters.native_sizes import (
    Size,
    announced_size,
    check_count,
    check_size,
    jpeg_size,
    siz_size,
)
from firstlight.errors import DecodeError, MalformedCodestream, UnsupportedTransferSyntax
from firstlight.j2k.boxes import codestream_start
from firstlight.j2k.markers import NeedMore, read_main_header

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from firstlight.dicom.attributes import ImageAttributes
    from firstlight.j2k.parameters import MainHeader
    from firstlight.ports import DecodeOrder
    from firstlight.ranges import ByteRange

MAX_SAMPLES: Final = 400_000_000
"""800 MB of 16-bit samples; refused before memory is taken, as in the browser."""

_UNCOMPRESSED: Final = frozenset(("native-le", "native-be", "deflated-frame", "rle"))
"""Codings that hold whole words, with whatever lies above Bits Stored."""

_SOT: Final = b"\xff\x90"
_EOC: Final = b"\xff\xd9"
_SOT_BYTES: Final = 12
_LIBRARY_ERRORS: Final = (RuntimeError, ValueError, TypeError, NotImplementedError, zlib.error)


def decode_frame(order: DecodeOrder, data: bytes, resolution_level: int) -> NDArray[Any]:
    """Stored values of a frame at a resolution level, from a prefix that is complete for it.

    Shape (rows, columns) or (rows, columns, samples); integers as wide as Bits Allocated, at least
    8 bits, and signed as Pixel Representation says, or floats of 32 or 64 bits. Every value of a
    codestream lies within its precision, also where the wavelet overshoots.

    Raises:
        DecodeError: the decoder refused, or gave another image than DICOM announces.
        MalformedCodestream: not a codestream.
        UnsupportedTransferSyntax: there is no decoder for it.
        LimitExceeded: more than `MAX_SAMPLES`.
    """
    _check_shape(order)
    try:
        if order.inflated is not None:
            data = _inflated(data, order.inflated)
        if order.codec in ("openjph", "openjpeg"):
            values, found = _decode_jpeg2000(order, data, resolution_level)
        else:
            values, found = _decode_whole(order, data)
    except _LIBRARY_ERRORS as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise DecodeError(f"{order.codec}: {reason}") from error
    image = replace(order.image, rows=found.rows, columns=found.columns)
    below = order.decomposition_levels - resolution_level
    return _conform(values, replace(order, image=image), below)


def _check_shape(order: DecodeOrder) -> None:
    image = order.image
    bits = image.bits_allocated
    if bits not in ((32, 64) if image.is_float else (1, 8, 16, 32)):
        raise UnsupportedTransferSyntax(f"{bits} bits a sample")
    if not image.is_float and not 1 <= image.bits_stored <= bits:
        raise DecodeError(f"{image.bits_stored} bits stored of {bits} allocated")
    if order.codec in _UNCOMPRESSED:
        if order.has_own_size:
            raise UnsupportedTransferSyntax("this coding does not say its own size")
        check_count(announced_size(image), MAX_SAMPLES)


def _inflated(data: bytes, extent: ByteRange) -> bytes:
    """A range of what comes out of a raw deflate stream; nothing behind it is inflated."""
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    return inflater.decompress(data, extent.stop or 0)[extent.start :]


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


def _decode_jpeg2000(order: DecodeOrder, data: bytes, level: int) -> tuple[NDArray[Any], Size]:
    codestream, header = _codestream(data)
    levels = header.decomposition_levels
    if levels != order.decomposition_levels or not 0 <= level <= levels:
        raise DecodeError(f"{levels} decomposition levels, level {level} asked for")
    size = siz_size(header.siz)
    check_size(size, order, MAX_SAMPLES)
    if header.is_high_throughput and level == levels:
        try:
            return np.asarray(imagecodecs.htj2k_decode(codestream)), size
        except RuntimeError:
            pass  # OpenJPH refuses some legal streams (layers, ROI); OpenJPEG has the last word
    # OpenJPH wraps what overshoots at reduced levels, OpenJPEG clamps it to the precision.
    prefix = closed_prefix(codestream, header)
    return np.asarray(imagecodecs.jpeg2k_decode(prefix, skipres=levels - level)), size


def _codestream(data: bytes) -> tuple[bytes, MainHeader]:
    try:
        start = codestream_start(data)
        codestream = data[start:] if start else data
        return codestream, read_main_header(codestream)
    except NeedMore:
        raise MalformedCodestream("the codestream is cut in its main header") from None


def _decode_whole(order: DecodeOrder, data: bytes) -> tuple[NDArray[Any], Size]:
    """Codecs without resolution levels."""
    if order.codec in _UNCOMPRESSED:
        return _decode_uncompressed(order, data), announced_size(order.image)
    size = jpeg_size(data)
    check_size(size, order, MAX_SAMPLES)
    return _decode_jpeg(order, data), size


def _decode_uncompressed(order: DecodeOrder, data: bytes) -> NDArray[Any]:
    image = order.image
    match order.codec:
        case "rle":
            return _rle(image, data)
        case "deflated-frame":
            return _native(image, zlib.decompress(data, -zlib.MAX_WBITS), "<", 0)
        case "native-be" if image.value_representation == "OW" and image.bits_allocated <= 8:
            # Words hold two samples each, the second one first (PS3.5 8.1.1).
            words = np.frombuffer(data, ">u2", count=len(data) // 2)
            return _native(image, words.astype("<u2").tobytes(), ">", order.first_bit)
    return _native(image, data, "<" if order.codec == "native-le" else ">", order.first_bit)


def _decode_jpeg(order: DecodeOrder, data: bytes) -> NDArray[Any]:
    match order.codec:
        case "charls":
            return np.asarray(imagecodecs.jpegls_decode(data))
        case "libjpeg-turbo" | "jpeg-lossless" if order.image.samples_per_pixel == 3:
            # Naming the same colour space twice keeps libjpeg from converting.
            return np.asarray(imagecodecs.jpeg8_decode(data, colorspace="RGB", outcolorspace="RGB"))
        case "libjpeg-turbo" | "jpeg-lossless":
            return np.asarray(imagecodecs.jpeg8_decode(data))
    raise UnsupportedTransferSyntax(f"no decoder {order.codec}")


def _native(image: ImageAttributes, data: bytes, byte_order: str, first_bit: int) -> NDArray[Any]:
    pixels = image.rows * image.columns
    samples = pixels * image.samples_per_pixel
    if image.bits_allocated == 1:
        bits = np.unpackbits(np.frombuffer(data, np.uint8), bitorder="little")
        return bits[first_bit : first_bit + samples]
    kind = "f" if image.is_float else "u"
    dtype = np.dtype(f"{byte_order}{kind}{image.bits_allocated // 8}")
    if image.photometric_interpretation == "YBR_FULL_422" and image.samples_per_pixel == 3:
        # Two luminances, then the chroma that both share (PS3.3 C.7.6.3.1.2).
        pairs = np.frombuffer(data, dtype, count=2 * pixels).reshape(-1, 4)
        return np.stack((pairs[:, [0, 2, 3]], pairs[:, [1, 2, 3]]), axis=1)
    values = np.frombuffer(data, dtype, count=samples)
    if image.planar_configuration == 1 and image.samples_per_pixel > 1:
        return values.reshape(image.samples_per_pixel, pixels).T
    return values


def _rle(image: ImageAttributes, data: bytes) -> NDArray[Any]:
    """RLE Lossless (PS3.5 Annex G): one plane after another."""
    dtype = np.dtype(f"<u{max(1, image.bits_allocated // 8)}")
    pixels = image.rows * image.columns
    raw = imagecodecs.dicomrle_decode(data, dtype)
    values = np.frombuffer(raw, dtype, count=pixels * image.samples_per_pixel)
    return values.reshape(image.samples_per_pixel, pixels).T


def _conform(values: NDArray[Any], order: DecodeOrder, levels_below: int) -> NDArray[Any]:
    """Give decoded values the shape, width and sign that DICOM announces."""
    image = order.image
    rows, columns = (-(-side // (1 << levels_below)) for side in (image.rows, image.columns))
    shape = (rows, columns) if image.samples_per_pixel == 1 else (rows, columns, -1)
    if values.size != rows * columns * image.samples_per_pixel:
        raise DecodeError(f"{values.shape} decoded where ({rows}, {columns}, ...) was announced")
    signed = image.pixel_representation == 1
    target = np.dtype(f"{'i' if signed else 'u'}{max(1, image.bits_allocated // 8)}")
    values = values.reshape(shape)
    if image.is_float:
        return np.ascontiguousarray(values.astype(f"f{image.bits_allocated // 8}"))
    if order.codec in _UNCOMPRESSED or (values.dtype.kind == "i") != signed:
        unused = max(0, image.high_bit + 1 - image.bits_stored)
        if order.codec in _UNCOMPRESSED and image.high_bit < image.bits_allocated:
            values = values >> unused
        values = _reinterpreted(values, image.bits_stored, signed=signed)
    elif values.dtype.itemsize > target.itemsize:
        limits = np.iinfo(target)
        if values.min() < limits.min or values.max() > limits.max:
            raise DecodeError(f"{values.dtype} values do not fit in the Bits Allocated")
    return np.ascontiguousarray(values.astype(target))


def _reinterpreted(values: NDArray[Any], bits: int, *, signed: bool) -> NDArray[Any]:
    """Read the lowest bits as two's complement, or as unsigned."""
    lowest = values.astype(np.int64) & ((1 << bits) - 1)
    if signed:
        sign = 1 << (bits - 1)
        lowest = (lowest ^ sign) - sign
    return lowest
