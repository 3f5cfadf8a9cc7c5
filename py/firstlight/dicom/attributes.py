"""What must be known of an image to decode, scale and draw it; plain data, no pydicom."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from firstlight.errors import MalformedDescriptor

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True, slots=True)
class Window:
    """One Window Center and Width pair (PS3.3 C.11.2.1.2), in modality units."""

    center: float
    width: float
    explanation: str = ""


@dataclass(frozen=True, slots=True)
class LookupTable:
    """One item of a Modality or VOI LUT Sequence (PS3.3 C.11.1.1, C.11.2.1.1).

    ``data`` is base64: one byte an entry where ``bits`` is at most 8, else two, the low one first.
    Values below ``first_value`` have the first entry, those beyond the end the last.
    """

    first_value: int
    bits: int
    data: str
    explanation: str = ""


@dataclass(frozen=True, slots=True)
class PaletteColor:
    """The Palette Color Lookup Tables (PS3.3 C.7.6.3.1.5), segments expanded.

    ``data`` is base64: red, green and blue of each entry, 8 bits each, which is what is displayed.
    """

    first_value: int
    data: str


@dataclass(frozen=True, slots=True)
class Overlay:
    """One Overlay Plane (PS3.3 C.9.2) of one frame.

    ``origin`` is row and column of its first pixel in the image, from 1. ``data`` is base64: one
    bit a pixel, row after row, the first in the lowest bit. It is empty where the plane lies in
    the unused bit ``bit_position`` of the pixel cells, as old files have it.
    """

    rows: int
    columns: int
    origin: tuple[int, int] = (1, 1)
    overlay_type: str = "G"
    label: str = ""
    data: str = ""
    bit_position: int | None = None


@dataclass(frozen=True, slots=True)
class ImageAttributes:
    """The Image Pixel, Modality LUT, VOI LUT, Plane, Overlay and Cine attributes of one frame.

    Names are the DICOM keywords (PS3.6) in snake case; ``pixel_spacing`` and the vectors are in
    mm. ``pixel_spacing_source`` is the keyword the spacing came from: spacing at the detector
    (Imager Pixel Spacing) is not spacing in the patient. ``pixel_aspect_ratio`` is vertical to
    horizontal. ``frame_time_ms`` is how long the frame is shown in cine. ``is_float``: the
    pixels are those of Float Pixel Data, or with 64 bits allocated of Double Float Pixel Data
    (PS3.3 C.7.6.24); bits stored mean nothing then. ``value_representation`` is that of Pixel Data
    where decoding depends on it: OW in a big-endian file, where two samples of 8 bits are swapped
    in each word (PS3.5 A.3).
    """

    rows: int
    columns: int
    samples_per_pixel: int = 1
    photometric_interpretation: str = "MONOCHROME2"
    planar_configuration: int = 0
    bits_allocated: int = 16
    bits_stored: int = 16
    high_bit: int = 15
    pixel_representation: int = 0
    is_float: bool = False
    value_representation: str = ""
    rescale_slope: float = 1.0
    rescale_intercept: float = 0.0
    rescale_type: str = ""
    modality_lut: LookupTable | None = None
    windows: tuple[Window, ...] = ()
    voi_lut_function: str = "LINEAR"
    voi_luts: tuple[LookupTable, ...] = ()
    presentation_lut_shape: str = ""
    palette_color: PaletteColor | None = None
    pixel_padding_value: float | None = None
    pixel_padding_range_limit: float | None = None
    overlays: tuple[Overlay, ...] = ()
    lossy_image_compression: bool = False
    frame_time_ms: float | None = None
    pixel_spacing: tuple[float, float] | None = None
    pixel_spacing_source: str = ""
    pixel_aspect_ratio: tuple[float, float] | None = None
    image_position_patient: tuple[float, float, float] | None = None
    image_orientation_patient: tuple[float, float, float, float, float, float] | None = None

    def to_json(self) -> dict[str, Any]:
        """Only what differs from the defaults, as JSON values."""
        return _record(self)

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> ImageAttributes:
        """Read what `to_json` wrote.

        Raises:
            MalformedDescriptor: a name is unknown, or ``rows`` or ``columns`` is missing.
        """
        return cls.reader({})(record)

    @classmethod
    def reader(cls, shared: Mapping[str, Any]) -> Callable[[Mapping[str, Any]], ImageAttributes]:
        """What reads records of many frames, each with what is ``shared`` beneath its own.

        What they share is read once. Errors are those of `from_json`.
        """
        common = _values(shared)

        def read(record: Mapping[str, Any]) -> ImageAttributes:
            try:
                return cls(**{**common, **_values(record)})
            except TypeError as error:
                raise MalformedDescriptor(f"image attributes: {error}") from error

        return read


_NESTED = {
    "windows": Window,
    "voi_luts": LookupTable,
    "modality_lut": LookupTable,
    "palette_color": PaletteColor,
    "overlays": Overlay,
}


_Part = ImageAttributes | Window | LookupTable | PaletteColor | Overlay


_DEFAULTS = {
    part: tuple((field.name, field.default) for field in fields(part))
    for part in (ImageAttributes, *_NESTED.values())
}
"""Looked up once: a series has thousands of frames."""

_NAMES = frozenset(name for name, _ in _DEFAULTS[ImageAttributes])


def _record(part: _Part) -> dict[str, Any]:
    values = ((name, default, getattr(part, name)) for name, default in _DEFAULTS[type(part)])
    return {name: _to_json(value) for name, default, value in values if value != default}


def _to_json(value: object) -> object:
    if type(value) is tuple:
        return [_to_json(item) for item in value]
    return _record(value) if isinstance(value, _Part) else value


def _values(record: Mapping[str, Any]) -> dict[str, Any]:
    """The values of attributes by name; those of no attribute are refused."""
    if not _NAMES.issuperset(record):
        raise MalformedDescriptor(f"unknown image attribute {min(set(record) - _NAMES)!r}")
    try:
        return {name: _from_json(name, value) for name, value in record.items()}
    except (TypeError, AttributeError) as error:
        raise MalformedDescriptor(f"image attributes: {error}") from error


def _from_json(name: str, value: object) -> object:
    nested = _NESTED.get(name)
    if nested is None or value is None:
        return tuple(value) if type(value) is list else value
    if isinstance(value, list):
        return tuple(_part(name, nested, item) for item in value)
    return _part(name, nested, value)


def _part(name: str, kind: type[_Part], record: object) -> _Part:
    if not isinstance(record, dict):
        raise TypeError(f"{name} is not an object")
    values: dict[str, Any] = {k: tuple(v) if type(v) is list else v for k, v in record.items()}
    return kind(**values)
