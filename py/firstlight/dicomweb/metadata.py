"""Image attributes from the DICOM JSON model (PS3.18 Annex F); no pydicom."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from firstlight.dicom.attributes import ImageAttributes, Window
from firstlight.dicom.presentation import each_frame, presentation
from firstlight.errors import LimitExceeded, NotDicom

Record = Mapping[str, Any]
"""One dataset: tags as eight hexadecimal digits to ``{"vr", "Value"}``."""

STUDY_INSTANCE_UID: Final = "0020000D"
SERIES_INSTANCE_UID: Final = "0020000E"
SOP_INSTANCE_UID: Final = "00080018"
AVAILABLE_TRANSFER_SYNTAX_UID: Final = "00083002"
TRANSFER_SYNTAX_UID: Final = "00020010"
MODALITY: Final = "00080060"
SERIES_DESCRIPTION: Final = "0008103E"
SERIES_NUMBER: Final = "00200011"
INSTANCE_NUMBER: Final = "00200013"
NUMBER_OF_FRAMES: Final = "00280008"
PIXEL_DATA: Final = "7FE00010"
FLOAT_PIXEL_DATA: Final = ("7FE00008", "7FE00009")
"""Float, Double Float."""

_ROWS: Final = "00280010"
_COLUMNS: Final = "00280011"
_PADDINGS: Final = ("00280120", "00280121")
_SHARED_GROUPS: Final = "52009229"
_PER_FRAME_GROUPS: Final = "52009230"
_SPACINGS: Final = {
    "00280030": "PixelSpacing",
    "00181164": "ImagerPixelSpacing",
    "00182010": "NominalScannedPixelSpacing",
}
_DECODED_AS_RGB: Final = ("YBR_RCT", "YBR_ICT")


def read_records(data: bytes, *, limit_bytes: int, resource: str) -> list[Record]:
    """The datasets of a metadata or query answer, which may be gzip whatever its headers said.

    Raises:
        NotDicom: not a JSON array of datasets.
        LimitExceeded: it inflates to more than ``limit_bytes``.
    """
    try:
        if data[:2] == b"\x1f\x8b":
            inflater = zlib.decompressobj(16 + zlib.MAX_WBITS)
            data = inflater.decompress(data, limit_bytes)
            if not inflater.eof and len(data) >= limit_bytes:
                raise LimitExceeded(f"inflates beyond {limit_bytes} bytes", resource=resource)
        answer = json.loads(data)
    except (ValueError, zlib.error, RecursionError) as error:
        raise NotDicom(f"not DICOM JSON: {error}", resource=resource) from error
    records = answer if isinstance(answer, list) else [answer]
    if not all(isinstance(record, dict) for record in records):
        raise NotDicom("not a JSON array of datasets", resource=resource)
    return records


def values(record: Record, tag: str) -> tuple[Any, ...]:
    """The values of an element, empty where it is absent or empty."""
    element = record.get(tag)
    found = element.get("Value") if isinstance(element, dict) else None
    return tuple(found) if isinstance(found, list) else ()


def text(record: Record, tag: str) -> str:
    """The first value as text, empty where there is none."""
    found = values(record, tag)
    return "" if not found or found[0] is None else str(found[0])


def integer(record: Record, tag: str) -> int | None:
    """The first value as an integer."""
    try:
        return int(values(record, tag)[0])
    except (IndexError, TypeError, ValueError, OverflowError):
        return None


def is_image(record: Record) -> bool:
    """Whether a dataset has frames to show."""
    return (integer(record, _ROWS) or 0) > 0 and (integer(record, _COLUMNS) or 0) > 0


def frame_count(record: Record) -> int:
    """Number of Frames, 1 where it is absent or senseless."""
    return max(1, integer(record, NUMBER_OF_FRAMES) or 1)


def transfer_syntax_uid(record: Record) -> str:
    """The syntax in which the metadata say that frames are kept; empty where they do not."""
    return text(record, AVAILABLE_TRANSFER_SYNTAX_UID) or text(record, TRANSFER_SYNTAX_UID)


def all_frame_attributes(
    record: Record, frame_count: int, *, resource: str
) -> tuple[ImageAttributes, ...]:
    """Attributes of every frame; see `frame_attributes`.

    Raises:
        NotDicom: Rows or Columns is missing.
    """
    return each_frame(
        _Place(record),
        frame_count,
        lambda index: frame_attributes(record, index, resource=resource),
        grouped=bool(values(record, _PER_FRAME_GROUPS)),
    )


def frame_attributes(record: Record, frame_index: int, *, resource: str) -> ImageAttributes:
    """Attributes of one frame, its functional groups before the dataset's own (PS3.3 C.7.6.16).

    Photometric Interpretation is that of the decoded values: RGB for YBR_RCT and YBR_ICT.

    Raises:
        NotDicom: Rows or Columns is missing.
    """
    if not is_image(record):
        raise NotDicom("no image: Rows or Columns is missing or zero", resource=resource)
    places = tuple(_functional_groups(record, frame_index))
    attributes = replace(
        _pixel_attributes(record),
        **_rescale(_holder(places, "00281053")),
        **_voi(_holder(places, "00281050")),
        **_plane(places),
    )
    signed = attributes.pixel_representation == 1
    shown = presentation(
        _Place(record),
        frame_index,
        photometric_interpretation=attributes.photometric_interpretation,
        stored_signed=signed,
        modality_signed=signed or attributes.rescale_intercept < 0 or attributes.rescale_slope < 0,
    )
    return replace(attributes, **shown)


@dataclass(frozen=True, slots=True)
class _Place:
    """A dataset as `presentation` reads it; in JSON, words of binary values are little-endian."""

    record: Record
    big_endian: bool = False

    def values(self, tag: int) -> tuple[Any, ...]:
        name = f"{tag:08X}"
        element = self.record.get(name)
        inline = element.get("InlineBinary") if isinstance(element, dict) else None
        if not isinstance(inline, str):
            return tuple(value for value in values(self.record, name) if value is not None)
        try:
            return (base64.b64decode(inline),)
        except ValueError:
            return ()

    def items(self, tag: int) -> tuple[_Place, ...]:
        found = values(self.record, f"{tag:08X}")
        return tuple(_Place(item) for item in found if isinstance(item, dict))


def _pixel_attributes(record: Record) -> ImageAttributes:
    bits_allocated = integer(record, "00280100") or 16
    bits_stored = integer(record, "00280101") or bits_allocated
    high_bit = integer(record, "00280102")
    signed = integer(record, "00280103") == 1
    padding, limit = (_padding(record, tag, bits_allocated, signed) for tag in _PADDINGS)
    photometric = text(record, "00280004") or "MONOCHROME2"
    return ImageAttributes(
        rows=integer(record, _ROWS) or 0,
        columns=integer(record, _COLUMNS) or 0,
        samples_per_pixel=integer(record, "00280002") or 1,
        photometric_interpretation="RGB" if photometric in _DECODED_AS_RGB else photometric,
        bits_allocated=bits_allocated,
        bits_stored=bits_stored,
        high_bit=bits_stored - 1 if high_bit is None else high_bit,
        pixel_representation=int(signed),
        is_float=any(tag in record for tag in FLOAT_PIXEL_DATA),
        pixel_padding_value=padding,
        pixel_padding_range_limit=limit if padding is not None else None,
    )


def _padding(record: Record, tag: str, bits_allocated: int, signed: bool) -> int | None:
    padding = integer(record, tag)
    if padding is not None and signed and padding >= 1 << (bits_allocated - 1):
        padding -= 1 << bits_allocated  # written as US where SS was due
    return padding


def _rescale(holder: Record) -> dict[str, Any]:
    slope, intercept = _floats(holder, "00281053"), _floats(holder, "00281052")
    return {
        "rescale_slope": slope[0] if slope and slope[0] else 1.0,
        "rescale_intercept": intercept[0] if intercept else 0.0,
        "rescale_type": text(holder, "00281054"),
    }


def _voi(holder: Record) -> dict[str, Any]:
    centers, widths = _floats(holder, "00281050"), _floats(holder, "00281051")
    names = [str(name or "") for name in values(holder, "00281055")]
    names += [""] * (len(centers) - len(names))
    return {
        "windows": tuple(
            Window(center, width, name)
            for center, width, name in zip(centers, widths, names, strict=False)
            if width > 0
        ),
        "voi_lut_function": text(holder, "00281056") or "LINEAR",
    }


def _plane(places: tuple[Record, ...]) -> dict[str, Any]:
    position = _floats(_holder(places, "00200032"), "00200032")
    orientation = _floats(_holder(places, "00200037"), "00200037")
    plane: dict[str, Any] = {
        "image_position_patient": position if len(position) == 3 else None,
        "image_orientation_patient": orientation if len(orientation) == 6 else None,
    }
    for tag, keyword in _SPACINGS.items():
        spacing = _floats(_holder(places, tag), tag)
        if len(spacing) == 2 and min(spacing) > 0:
            return {**plane, "pixel_spacing": spacing, "pixel_spacing_source": keyword}
    return plane


def _functional_groups(record: Record, frame_index: int) -> Iterator[Record]:
    """The places that may describe a frame, the most particular first."""
    per_frame = values(record, _PER_FRAME_GROUPS)[frame_index : frame_index + 1]
    for groups in (*per_frame, *values(record, _SHARED_GROUPS)[:1]):
        if isinstance(groups, dict):
            for tag in groups:
                items = values(groups, tag)
                if items and isinstance(items[0], dict):
                    yield items[0]
    yield record


def _holder(places: tuple[Record, ...], tag: str) -> Record:
    """The first place that has the attribute, else the dataset itself."""
    return next((place for place in places if tag in place), places[-1])


def _floats(record: Record, tag: str) -> tuple[float, ...]:
    try:
        return tuple(float(value) for value in values(record, tag))
    except (TypeError, ValueError, OverflowError):
        return ()
