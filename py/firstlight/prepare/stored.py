"""The stored pixel values of a DICOM file, exactly: no rescale, no LUT, no colour conversion."""

from __future__ import annotations

import hashlib
import io
from typing import TYPE_CHECKING, Any, Final

import imagecodecs
import numpy as np
from pydicom import uid
from pydicom.encaps import generate_frames
from pydicom.pixels.decoders.base import get_decoder

from firstlight.dicom.frames import PixelShape
from firstlight.dicom.metadata import frame_count
from firstlight.errors import DecodeError, FormatError, UnsupportedTransferSyntax

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from pydicom.dataset import Dataset

Pixels = Any
"""An integer `NDArray`: (rows, columns) or (rows, columns, 3), little-endian."""


class UnsupportedPixels(FormatError):
    """Pixels that HTJ2K Lossless RPCL, or its decoder in the browser, cannot hold."""


_BY_PYDICOM: Final = frozenset(
    {
        uid.ImplicitVRLittleEndian,
        uid.ExplicitVRLittleEndian,
        uid.ExplicitVRBigEndian,
        uid.DeflatedExplicitVRLittleEndian,
        uid.RLELossless,
    }
)
_LITTLE_ENDIAN: Final = frozenset(
    {
        uid.ImplicitVRLittleEndian,
        uid.ExplicitVRLittleEndian,
        uid.DeflatedExplicitVRLittleEndian,
    }
)
_JPEG_2000: Final = frozenset({*uid.JPEG2000TransferSyntaxes})
_JPEG_LS: Final = frozenset({*uid.JPEGLSTransferSyntaxes})
_JPEG: Final = frozenset({*uid.JPEGTransferSyntaxes}) - _JPEG_LS - _JPEG_2000
_DECODING_ERRORS: Final = (RuntimeError, ValueError, AttributeError, TypeError, NotImplementedError)


def stored_frames(dataset: Dataset, *, resource: str) -> Iterator[Pixels]:
    """Yield the frames of a dataset in their order in the file, one at a time.

    Shape (rows, columns), or (rows, columns, 3) with samples interleaved; dtype (u)int8 for Bits
    Allocated 8 or less, else (u)int16. Bits outside Bits Stored are cleared or sign-extended;
    chroma of YBR_FULL_422 is repeated. The caller owns the arrays.

    Raises:
        UnsupportedPixels: 32 bits, floating point, or a number of samples other than 1 and 3.
        UnsupportedTransferSyntax: there is no decoder for it.
        DecodeError: the pixels are missing, cut short, or refused by the decoder.
    """
    _require_supported(dataset, resource=resource)
    syntax = dataset.file_meta.TransferSyntaxUID
    decode = _frames_by_pydicom if syntax in _BY_PYDICOM else _frames_by_imagecodecs
    if decode is _frames_by_imagecodecs and syntax not in _JPEG_2000 | _JPEG_LS | _JPEG:
        raise UnsupportedTransferSyntax(f"no decoder for {syntax}", resource=resource)
    frames_read = 0
    try:
        for values in decode(dataset):
            yield _conform(values, dataset)
            frames_read += 1
    except _DECODING_ERRORS as error:
        raise DecodeError(
            f"frame {frames_read + 1}: {_first_line(error)}",
            resource=resource,
            frame_index=frames_read,
        ) from error
    if frames_read != frame_count(dataset):
        raise DecodeError(f"only {frames_read} frames are there", resource=resource)


def stored_sha256(values: Pixels) -> str:
    """The hash that ``firstlight.json`` gives for a frame (`sources/README.md`)."""
    return hashlib.sha256(np.ascontiguousarray(values).data).hexdigest()


def photometric_of_stored(dataset: Dataset) -> str:
    """Photometric Interpretation of what `stored_frames` yields."""
    photometric = str(dataset.get("PhotometricInterpretation", None) or "MONOCHROME2")
    if photometric in ("YBR_RCT", "YBR_ICT"):
        return "RGB"
    if photometric == "YBR_FULL_422":
        return "YBR_FULL"
    if photometric == "RGB" and dataset.file_meta.TransferSyntaxUID in _JPEG and _is_jfif(dataset):
        return "YBR_FULL"  # JFIF says so, and its writers did convert
    return photometric


def _require_supported(dataset: Dataset, *, resource: str) -> None:
    if "FloatPixelData" in dataset or "DoubleFloatPixelData" in dataset:
        raise UnsupportedPixels("floating point pixels do not fit HTJ2K", resource=resource)
    if "PixelData" not in dataset:
        raise DecodeError("no Pixel Data", resource=resource)
    if dataset.get("BitsAllocated", None) not in (1, 8, 16):
        raise UnsupportedPixels(
            f"{dataset.get('BitsAllocated', None)} bits allocated do not fit", resource=resource
        )
    if dataset.get("SamplesPerPixel", 1) not in (1, 3):
        raise UnsupportedPixels(
            f"{dataset.get('SamplesPerPixel', None)} samples a pixel", resource=resource
        )


def _frames_by_pydicom(dataset: Dataset) -> Iterator[NDArray[Any]]:
    """Native and RLE; pydicom swaps bytes, unpacks, interleaves, and corrects unused bits."""
    if dataset.file_meta.TransferSyntaxUID != uid.RLELossless:
        _require_all_bytes(dataset)
        if _is_simple(dataset):
            yield from _simple_frames(dataset)
            return
    decoder = get_decoder(dataset.file_meta.TransferSyntaxUID)
    for values, _ in decoder.iter_array(dataset, as_rgb=False, decoding_plugin=""):
        yield values


def _is_simple(dataset: Dataset) -> bool:
    """Whether nothing has to be done but reading: gray, little-endian, whole bytes."""
    allocated, stored = dataset.BitsAllocated, dataset.get("BitsStored", None)
    return (
        dataset.file_meta.TransferSyntaxUID in _LITTLE_ENDIAN
        and allocated in (8, 16)
        and isinstance(stored, int)
        and 1 <= stored <= allocated
        and dataset.get("PixelRepresentation", None) in (0, 1)
        and dataset.get("SamplesPerPixel", None) == 1
        and dataset.get("PhotometricInterpretation", None) in ("MONOCHROME1", "MONOCHROME2")
        and dataset.get("NumberOfFrames", None) in (None, frame_count(dataset))
    )


def _simple_frames(dataset: Dataset) -> Iterator[NDArray[Any]]:
    """Frames read where they are wanted; unused bits are cleared, or repeat the sign."""
    signed = dataset.PixelRepresentation == 1
    target = np.dtype(f"<{'i' if signed else 'u'}{dataset.BitsAllocated // 8}")
    unused = dataset.BitsAllocated - dataset.BitsStored
    half = 1 << dataset.BitsStored - 1
    low, high = (-half, half - 1) if signed else (0, 2 * half - 1)
    pixel_data = dataset.PixelData
    stream = io.BytesIO(pixel_data) if isinstance(pixel_data, bytes) else pixel_data
    for _ in range(frame_count(dataset)):
        values = np.empty((int(dataset.Rows), int(dataset.Columns)), target)
        if stream.readinto(memoryview(values).cast("B")) != values.nbytes:
            raise ValueError("the pixels end too early")
        if unused and (values.max() > high or (signed and values.min() < low)):
            np.left_shift(values, unused, out=values)
            np.right_shift(values, unused, out=values)
        yield values


def _require_all_bytes(dataset: Dataset) -> None:
    shape = PixelShape(
        rows=int(dataset.Rows),
        columns=int(dataset.Columns),
        samples_per_pixel=int(dataset.get("SamplesPerPixel", 1) or 1),
        bits_allocated=int(dataset.BitsAllocated),
        photometric_interpretation=str(dataset.get("PhotometricInterpretation", None) or ""),
    )
    wanted = -(-shape.frame_bits * frame_count(dataset) // 8)
    pixel_data = dataset.PixelData
    held = len(pixel_data) if isinstance(pixel_data, bytes) else pixel_data.seek(0, io.SEEK_END)
    if held < wanted:
        raise ValueError(f"only {held} of {wanted} bytes are there")
    if not isinstance(pixel_data, bytes):
        pixel_data.seek(0)


def _frames_by_imagecodecs(dataset: Dataset) -> Iterator[NDArray[Any]]:
    syntax = dataset.file_meta.TransferSyntaxUID
    colour = dataset.get("SamplesPerPixel", 1) == 3
    for frame in encapsulated_frames(dataset):
        if syntax in _JPEG_2000:
            yield imagecodecs.jpeg2k_decode(frame)
        elif syntax in _JPEG_LS:
            yield imagecodecs.jpegls_decode(frame)
        elif colour:  # naming the same colour space twice keeps libjpeg from converting
            yield imagecodecs.jpeg8_decode(frame, colorspace="RGB", outcolorspace="RGB")
        else:
            yield imagecodecs.jpeg8_decode(frame)


def _conform(values: NDArray[Any], dataset: Dataset) -> Pixels:
    """Give decoded values the shape, width and sign that the attributes announce."""
    rows, columns = int(dataset.Rows), int(dataset.Columns)
    samples = int(dataset.get("SamplesPerPixel", 1) or 1)
    shape = (rows, columns) if samples == 1 else (rows, columns, samples)
    if values.size != rows * columns * samples:
        raise ValueError(f"{values.shape} decoded where {shape} was announced")
    signed = bool(dataset.get("PixelRepresentation", 0))
    byte_count = 1 if dataset.BitsAllocated <= 8 else 2
    target = np.dtype(f"<{'i' if signed else 'u'}{byte_count}")
    values = values.reshape(shape)
    if values.dtype == target:
        return values
    if (values.dtype.kind == "i") == signed:
        return _fitted(values, target)
    bits_stored = min(int(dataset.get("BitsStored", 0) or 8 * byte_count), 8 * byte_count)
    return _reinterpreted(values, bits_stored, signed=signed).astype(target)


def _fitted(values: NDArray[Any], target: np.dtype[Any]) -> NDArray[Any]:
    """Another width for the same values."""
    limits = np.iinfo(target)
    if values.min() < limits.min or values.max() > limits.max:
        raise ValueError(f"{values.dtype} values do not fit in the Bits Allocated")
    return values.astype(target)


def _reinterpreted(values: NDArray[Any], bits: int, *, signed: bool) -> NDArray[Any]:
    """Read the lowest bits as two's complement, or as unsigned; JPEG-LS and JPEG know no sign."""
    lowest = values.astype(np.int32) & ((1 << bits) - 1)
    if signed:
        sign = 1 << (bits - 1)
        lowest = (lowest ^ sign) - sign
    return lowest


def encapsulated_frames(dataset: Dataset) -> Iterator[bytes]:
    """Frames of an encapsulated dataset as they are, one at a time (PS3.5 A.4).

    Raises:
        ValueError: the items do not say which belong to which frame.
    """
    offsets = dataset.get("ExtendedOffsetTable", None)
    lengths = dataset.get("ExtendedOffsetTableLengths", None)
    pixel_data = dataset.PixelData
    if not isinstance(pixel_data, bytes):
        pixel_data.seek(0)
    return generate_frames(
        pixel_data,
        number_of_frames=frame_count(dataset),
        extended_offsets=(offsets, lengths) if offsets and lengths else None,
    )


def _is_jfif(dataset: Dataset) -> bool:
    return next(encapsulated_frames(dataset), b"")[6:11] == b"JFIF\0"


def _first_line(error: Exception) -> str:
    lines = str(error).splitlines()
    return lines[0] if lines else type(error).__name__
