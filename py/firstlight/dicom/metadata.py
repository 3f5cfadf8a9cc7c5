"""Image attributes of a DICOM dataset; of what runs in the browser, only this uses pydicom."""

from __future__ import annotations

import io
import struct
import zlib
from dataclasses import dataclass, replace
from functools import lru_cache
from math import isfinite
from typing import TYPE_CHECKING, Any, BinaryIO

from pydicom.config import disable_value_validation
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import RawDataElement
from pydicom.errors import BytesLengthException, InvalidDicomError
from pydicom.filereader import dcmread
from pydicom.tag import BaseTag

from firstlight.dicom.attributes import ImageAttributes, Window
from firstlight.dicom.plain_values import MAX_BYTES, plain_values
from firstlight.dicom.presentation import each_frame, presentation
from firstlight.errors import NotDicom

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydicom.dataset import Dataset

_PREAMBLE_BYTES = 128
_PREFIX = b"DICM"
_SPACING_KEYWORDS = ("PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing")
_FLOAT_PIXEL_DATA = ("FloatPixelData", "DoubleFloatPixelData")
_PADDING_NAMES = ("PixelPaddingValue", "PixelPaddingRangeLimit")
_MAX_BITS = 64
_DECODED_AS_RGB = ("YBR_RCT", "YBR_ICT")
_VALUE_ERRORS = (ValueError, TypeError, OverflowError, NotImplementedError, BytesLengthException)
_READING_ERRORS = (
    *_VALUE_ERRORS,
    InvalidDicomError,
    EOFError,
    KeyError,
    AttributeError,
    struct.error,
    zlib.error,
)


def is_part10(head: bytes) -> bool:
    """Whether a file that begins with ``head``, 132 bytes, is DICOM Part 10 (PS3.10 7.1)."""
    return head[_PREAMBLE_BYTES : _PREAMBLE_BYTES + len(_PREFIX)] == _PREFIX


def read_part10_header(data: bytes, *, resource: str) -> Dataset:
    """Read a Part 10 file up to, and without, its pixels.

    Raises:
        NotDicom: no Part 10 prefix, unreadable, or without the attributes of an image.
    """
    return read_part10(io.BytesIO(data), resource=resource, pixels=False)


def read_part10(stream: BinaryIO, *, resource: str, pixels: bool) -> Dataset:
    """Read a Part 10 file from an open stream, with or without its pixels.

    Raises:
        NotDicom: no Part 10 prefix, unreadable, or without the attributes of an image.
    """
    if not is_part10(stream.read(_PREAMBLE_BYTES + len(_PREFIX))):
        raise NotDicom("not a DICOM Part 10 file", resource=resource)
    stream.seek(0)
    try:
        with disable_value_validation():
            dataset = dcmread(stream, stop_before_pixels=not pixels)
            require_image(dataset, resource=resource)
    except _READING_ERRORS as error:
        raise NotDicom(f"unreadable: {type(error).__name__}", resource=resource) from error
    return dataset


def require_image(dataset: Dataset, *, resource: str) -> None:
    """Check the attributes without which no frame has a shape (PS3.3 C.7.6.3).

    Raises:
        NotDicom: one is missing, or is not a positive number.
    """
    for keyword in ("Rows", "Columns"):
        value = integer(dataset, keyword)
        if value is None or value <= 0:
            raise NotDicom(f"no image: {keyword} is missing or zero", resource=resource)


def frame_count(dataset: Dataset) -> int:
    """Number of Frames, 1 where it is absent or senseless."""
    return max(1, integer(dataset, "NumberOfFrames") or 1)


def image_attributes(dataset: Dataset) -> ImageAttributes:
    """Attributes of the first or only frame; see `frame_attributes`.

    Raises:
        NotDicom: Rows or Columns is missing.
    """
    return frame_attributes(dataset, 0)


def all_frame_attributes(dataset: Dataset, frame_count: int) -> tuple[ImageAttributes, ...]:
    """Attributes of every frame; see `frame_attributes`.

    Raises:
        NotDicom: Rows or Columns is missing.
    """
    with disable_value_validation():
        return each_frame(
            _place(dataset),
            frame_count,
            lambda index: frame_attributes(dataset, index),
            grouped="PerFrameFunctionalGroupsSequence" in dataset,
        )


def frame_attributes(dataset: Dataset, frame_index: int) -> ImageAttributes:
    """Attributes of one frame, its functional groups before the dataset's own (PS3.3 C.7.6.16).

    Photometric Interpretation is that of the decoded values: RGB for YBR_RCT and YBR_ICT, whose
    transform is part of decoding (PS3.5 8.2.4). ``dataset`` may lack its pixels.

    Raises:
        NotDicom: Rows or Columns is missing.
    """
    require_image(dataset, resource="dataset")
    with disable_value_validation():
        places = tuple(_functional_groups(dataset, frame_index))
        attributes = replace(
            _pixel_attributes(dataset),
            **_rescale(_holder(places, "RescaleSlope"), dataset),
            **_voi(_holder(places, "WindowCenter")),
            **_plane(places),
        )
        shown = presentation(
            _place(dataset),
            frame_index,
            photometric_interpretation=attributes.photometric_interpretation,
            stored_signed=attributes.pixel_representation == 1,
            modality_signed=attributes.pixel_representation == 1
            or attributes.rescale_intercept < 0
            or attributes.rescale_slope < 0,
        )
        return replace(attributes, **shown)


@dataclass(frozen=True, slots=True)
class _Place:
    """A dataset as `presentation` reads it."""

    dataset: Dataset
    big_endian: bool

    def values(self, tag: int) -> tuple[Any, ...]:
        return _values(self.dataset, tag)

    def items(self, tag: int) -> tuple[_Place, ...]:
        try:
            element = self.dataset.get(tag, None) if tag in self.dataset else None
        except _VALUE_ERRORS:
            return ()
        if element is None or element.VR != "SQ":
            return ()
        return tuple(_Place(item, self.big_endian) for item in element.value)


def _place(dataset: Dataset) -> _Place:
    return _Place(dataset, big_endian=dataset.original_encoding[1] is False)


def _pixel_attributes(dataset: Dataset) -> ImageAttributes:
    bits_allocated = integer(dataset, "BitsAllocated") or 16
    if not 1 <= bits_allocated <= _MAX_BITS:
        bits_allocated = 16
    bits_stored = integer(dataset, "BitsStored") or bits_allocated
    if not 1 <= bits_stored <= bits_allocated:
        bits_stored = bits_allocated
    high_bit = integer(dataset, "HighBit")
    signed = integer(dataset, "PixelRepresentation") == 1
    padding, limit = (
        _padding(dataset, name, bits_allocated if signed else None) for name in _PADDING_NAMES
    )
    photometric = _text(dataset, "PhotometricInterpretation", "MONOCHROME2")
    return ImageAttributes(
        rows=integer(dataset, "Rows") or 0,
        columns=integer(dataset, "Columns") or 0,
        samples_per_pixel=integer(dataset, "SamplesPerPixel") or 1,
        photometric_interpretation="RGB" if photometric in _DECODED_AS_RGB else photometric,
        bits_allocated=bits_allocated,
        bits_stored=bits_stored,
        high_bit=bits_stored - 1 if high_bit is None else high_bit,
        pixel_representation=int(signed),
        is_float=any(name in dataset for name in _FLOAT_PIXEL_DATA),
        pixel_padding_value=padding,
        pixel_padding_range_limit=limit if padding is not None else None,
    )


def _padding(dataset: Dataset, name: str, signed_bits: int | None) -> float | None:
    """``name`` as stored, else its counterpart for Float Pixel Data (PS3.3 C.7.6.24)."""
    padding = integer(dataset, name)
    if padding is None:
        return next(iter(_floats(dataset, f"Float{name}")), None)
    if signed_bits is not None and padding >= 1 << (signed_bits - 1):
        padding -= 1 << signed_bits  # written as US where SS was due
    return padding


def _rescale(holder: Dataset, dataset: Dataset) -> dict[str, Any]:
    """The units are those of Rescale Type, else of PET (PS3.3 C.8.9.1.1.3)."""
    slope = _floats(holder, "RescaleSlope")
    intercept = _floats(holder, "RescaleIntercept")
    return {
        "rescale_slope": slope[0] if slope and slope[0] else 1.0,
        "rescale_intercept": intercept[0] if intercept else 0.0,
        "rescale_type": _text(holder, "RescaleType", "") or _text(dataset, "Units", ""),
    }


def _voi(holder: Dataset) -> dict[str, Any]:
    centers = _floats(holder, "WindowCenter")
    widths = _floats(holder, "WindowWidth")
    names = _texts(holder, "WindowCenterWidthExplanation")
    names += ("",) * (len(centers) - len(names))
    return {
        "windows": tuple(
            Window(center, width, name)
            for center, width, name in zip(centers, widths, names, strict=False)
            if width > 0
        ),
        "voi_lut_function": _text(holder, "VOILUTFunction", "LINEAR"),
    }


def _plane(places: tuple[Dataset, ...]) -> dict[str, Any]:
    position = _floats(_holder(places, "ImagePositionPatient"), "ImagePositionPatient")
    orientation = _floats(_holder(places, "ImageOrientationPatient"), "ImageOrientationPatient")
    values: dict[str, Any] = {
        "image_position_patient": position if len(position) == 3 else None,
        "image_orientation_patient": orientation if len(orientation) == 6 else None,
    }
    for keyword in _SPACING_KEYWORDS:
        spacing = _floats(_holder(places, keyword), keyword)
        if len(spacing) == 2 and min(spacing) > 0:
            return {**values, "pixel_spacing": spacing, "pixel_spacing_source": keyword}
    return values


def _functional_groups(dataset: Dataset, frame_index: int) -> Iterator[Dataset]:
    """The places that may describe a frame, the most particular first."""
    per_frame = dataset.get("PerFrameFunctionalGroupsSequence", None) or ()
    shared = dataset.get("SharedFunctionalGroupsSequence", None) or ()
    for groups in (*per_frame[frame_index : frame_index + 1], *shared[:1]):
        for element in groups:
            if element.VR == "SQ" and element.value:
                yield element.value[0]
    yield dataset


def _holder(places: tuple[Dataset, ...], keyword: str) -> Dataset:
    """The first place that has the attribute, else the dataset itself."""
    tag = _tag_of(keyword)
    return next((place for place in places if tag in place), places[-1])


def integer(dataset: Dataset, keyword: str) -> int | None:
    """The first value as an integer, None where there is none."""
    try:
        return int(_values(dataset, keyword)[0])
    except (*_VALUE_ERRORS, IndexError):
        return None


def _floats(dataset: Dataset, keyword: str) -> tuple[float, ...]:
    try:
        numbers = tuple(float(value) for value in _values(dataset, keyword))
    except _VALUE_ERRORS:
        return ()
    return numbers if all(map(isfinite, numbers)) else ()


def _texts(dataset: Dataset, keyword: str) -> tuple[str, ...]:
    return tuple(str(value) for value in _values(dataset, keyword))


def _text(dataset: Dataset, keyword: str, default: str) -> str:
    return next(iter(_texts(dataset, keyword)), default)


@lru_cache(1 << 10)
def _tag_of(keyword: str) -> BaseTag:
    return BaseTag(tag_for_keyword(keyword) or 0)


def _values(dataset: Dataset, which: str | int) -> tuple[Any, ...]:
    """All values of an attribute, by keyword or tag; none where absent, empty or unreadable."""
    tag = _tag_of(which) if isinstance(which, str) else BaseTag(which)
    held = dataset.get_item(tag) if tag in dataset else None
    if isinstance(held, RawDataElement) and held.value and held.length <= MAX_BYTES:
        vr = held.VR or dictionary_VR(tag)
        plain = plain_values(vr, held.value) if held.is_little_endian else None
        if plain is not None:
            return plain  # and the element stays as it was read
    try:
        value: Any = None if held is None else dataset[tag].value
    except (*_VALUE_ERRORS, AttributeError):
        return ()
    if value is None or value in ("", b""):
        return ()
    if isinstance(value, str | bytes) or not hasattr(value, "__iter__"):
        return (value,)
    return tuple(value)
