"""What must be known of an image to decode, scale and draw it; plain data, no pydicom."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from firstlight.errors import MalformedDescriptor

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Window:
    """One Window Center and Width pair (PS3.3 C.11.2.1.2), in modality units."""

    center: float
    width: float
    explanation: str = ""


@dataclass(frozen=True, slots=True)
class ImageAttributes:
    """The Image Pixel, Modality LUT, VOI LUT and Plane attributes of one frame.

    Names are the DICOM keywords (PS3.6) in snake case; ``pixel_spacing`` and the vectors are in
    mm. ``pixel_spacing_source`` is the keyword the spacing came from: spacing at the detector
    (Imager Pixel Spacing) is not spacing in the patient.
    """

    rows: int
    columns: int
    samples_per_pixel: int = 1
    photometric_interpretation: str = "MONOCHROME2"
    bits_allocated: int = 16
    bits_stored: int = 16
    high_bit: int = 15
    pixel_representation: int = 0
    rescale_slope: float = 1.0
    rescale_intercept: float = 0.0
    rescale_type: str = ""
    windows: tuple[Window, ...] = ()
    voi_lut_function: str = "LINEAR"
    pixel_padding_value: int | None = None
    pixel_spacing: tuple[float, float] | None = None
    pixel_spacing_source: str = ""
    image_position_patient: tuple[float, float, float] | None = None
    image_orientation_patient: tuple[float, float, float, float, float, float] | None = None

    def to_json(self) -> dict[str, Any]:
        """Only what differs from the defaults, as JSON values."""
        record: dict[str, Any] = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name not in ("rows", "columns") and value == field.default:
                continue
            if field.name == "windows":
                value = [_window_to_json(window) for window in value]
            elif isinstance(value, tuple):
                value = list(value)
            record[field.name] = value
        return record

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> ImageAttributes:
        """Read what `to_json` wrote.

        Raises:
            MalformedDescriptor: a name is unknown, or ``rows`` or ``columns`` is missing.
        """
        known = {field.name for field in fields(cls)}
        unknown = set(record) - known
        if unknown:
            raise MalformedDescriptor(f"unknown image attribute {sorted(unknown)[0]!r}")
        values: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in record.items()
        }
        try:
            values["windows"] = tuple(Window(**window) for window in record.get("windows", ()))
            return cls(**values)
        except TypeError as error:
            raise MalformedDescriptor(f"image attributes: {error}") from error


def _window_to_json(window: Window) -> dict[str, Any]:
    record: dict[str, Any] = {"center": window.center, "width": window.width}
    if window.explanation:
        record["explanation"] = window.explanation
    return record
