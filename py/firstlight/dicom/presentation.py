"""The attributes that say how an image is shown: tables, overlays, cine; of any dataset."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, Protocol, SupportsFloat, SupportsInt, TypedDict

from firstlight.dicom.attributes import LookupTable, Overlay, PaletteColor
from firstlight.dicom.luts import RawTable, lookup_table, palette_color

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from firstlight.dicom.attributes import ImageAttributes

MAX_OVERLAY_BYTES: Final = 1 << 23
"""Of one plane: 8192 x 8192. More than that is no graphic that anyone drew."""

MAX_VOI_LUTS: Final = 16

_OVERLAY_GROUPS: Final = range(0x6000, 0x6020, 2)
_RECOMMENDED_DISPLAY_FRAME_RATE: Final = 0x00082144
_CINE_RATE: Final = 0x00180040
_FRAME_TIME: Final = 0x00181063
_FRAME_TIME_VECTOR: Final = 0x00181065
_PLANAR_CONFIGURATION: Final = 0x00280006
_PIXEL_ASPECT_RATIO: Final = 0x00280034
_PALETTE_DESCRIPTORS: Final = (0x00281101, 0x00281102, 0x00281103)
_PALETTE_DATA: Final = (0x00281201, 0x00281202, 0x00281203)
_SEGMENTED_PALETTE_DATA: Final = (0x00281221, 0x00281222, 0x00281223)
_LOSSY_IMAGE_COMPRESSION: Final = 0x00282110
_MODALITY_LUT_SEQUENCE: Final = 0x00283000
_LUT_DESCRIPTOR: Final = 0x00283002
_LUT_EXPLANATION: Final = 0x00283003
_MODALITY_LUT_TYPE: Final = 0x00283004
_LUT_DATA: Final = 0x00283006
_VOI_LUT_SEQUENCE: Final = 0x00283010
_PRESENTATION_LUT_SHAPE: Final = 0x20500020

_NUMBER_ERRORS: Final = (TypeError, ValueError, OverflowError)


class Place(Protocol):
    """A dataset, or an item of a sequence, whatever it was read from."""

    @property
    def big_endian(self) -> bool:
        """The order of the bytes in values of several."""

    def values(self, tag: int) -> tuple[Any, ...]:
        """All values of an element; bytes are one value; none where absent, empty, unreadable."""

    def items(self, tag: int) -> tuple[Place, ...]:
        """The items of a sequence."""


class Presentation(TypedDict):
    """Fields of `ImageAttributes`."""

    planar_configuration: int
    modality_lut: LookupTable | None
    voi_luts: tuple[LookupTable, ...]
    presentation_lut_shape: str
    palette_color: PaletteColor | None
    overlays: tuple[Overlay, ...]
    lossy_image_compression: bool
    frame_time_ms: float | None
    pixel_aspect_ratio: tuple[float, float] | None


def presentation(
    place: Place,
    frame_index: int,
    *,
    photometric_interpretation: str,
    stored_signed: bool,
    modality_signed: bool,
) -> Presentation:
    """What a dataset says of how its frame is shown.

    ``stored_signed`` and ``modality_signed`` tell whether stored and rescaled values can be
    negative, which is what the first value of a table means is read by.
    """
    modality_luts = _lookup_tables(place, _MODALITY_LUT_SEQUENCE, signed=stored_signed, most=1)
    voi_signed = modality_signed and not modality_luts  # entries of a table are never negative
    is_palette = photometric_interpretation == "PALETTE COLOR"
    shape = _text(place, _PRESENTATION_LUT_SHAPE).upper()
    return {
        "planar_configuration": 1 if _integer(place, _PLANAR_CONFIGURATION) == 1 else 0,
        "modality_lut": modality_luts[0] if modality_luts else None,
        "voi_luts": _lookup_tables(place, _VOI_LUT_SEQUENCE, signed=voi_signed, most=MAX_VOI_LUTS),
        "presentation_lut_shape": shape if shape == "INVERSE" else "",
        "palette_color": _palette(place, signed=stored_signed) if is_palette else None,
        "overlays": overlays(place, frame_index),
        "lossy_image_compression": _text(place, _LOSSY_IMAGE_COMPRESSION) == "01",
        "frame_time_ms": frame_time_ms(place, frame_index),
        "pixel_aspect_ratio": _aspect_ratio(place),
    }


def each_frame(
    place: Place, frame_count: int, one: Callable[[int], ImageAttributes], *, grouped: bool
) -> tuple[ImageAttributes, ...]:
    """Attributes of every frame of a dataset, of which ``one`` gives those of one.

    ``grouped``: there are functional groups for each frame. Else only overlays and times can differ
    between frames, and frames that differ in nothing share their attributes.
    """
    if grouped:
        return tuple(map(one, range(frame_count)))
    first = one(0)
    if frame_count == 1 or not _varies(place):
        return (first,) * frame_count
    return tuple(
        replace(
            first,
            overlays=overlays(place, frame_index),
            frame_time_ms=frame_time_ms(place, frame_index),
        )
        for frame_index in range(frame_count)
    )


def _varies(place: Place) -> bool:
    """Whether frames have overlays or times of their own."""
    if len(place.values(_FRAME_TIME_VECTOR)) > 1:
        return True
    counts = (_integer(place, group << 16 | 0x0015) for group in _OVERLAY_GROUPS)
    origins = (_integer(place, group << 16 | 0x0051) for group in _OVERLAY_GROUPS)
    return any((number or 1) != 1 for number in (*counts, *origins))


def frame_time_ms(place: Place, frame_index: int) -> float | None:
    """How long a frame is shown (PS3.3 C.7.6.5), None where nothing is said of it.

    Frame Time Vector has increments from the frame before, so the next one's counts.
    """
    rate = _number(place, _RECOMMENDED_DISPLAY_FRAME_RATE)
    if rate:
        return 1000 / rate
    time = _number(place, _FRAME_TIME)
    if time:
        return time
    vector = place.values(_FRAME_TIME_VECTOR)
    if len(vector) > 1:
        following = vector[frame_index + 1 : frame_index + 2] or vector[1:2]
        return _positive(following[0])
    rate = _number(place, _CINE_RATE)
    return 1000 / rate if rate else None


def overlays(place: Place, frame_index: int) -> tuple[Overlay, ...]:
    """The planes of the groups 6000 to 601E that belong to a frame (PS3.3 C.9.2, C.9.3)."""
    found = (_overlay(place, group << 16, frame_index) for group in _OVERLAY_GROUPS)
    return tuple(plane for plane in found if plane is not None)


def _overlay(place: Place, group: int, frame_index: int) -> Overlay | None:
    rows, columns = _integer(place, group | 0x0010), _integer(place, group | 0x0011)
    if not rows or not columns or min(rows, columns) < 1:
        return None
    origin = [_as_integer(value) for value in place.values(group | 0x0050)]
    row, column = (*origin, None, None)[:2]
    overlay_type = _text(place, group | 0x0040)
    position = _integer(place, group | 0x0102)
    data = _overlay_bits(place, group, rows * columns, frame_index)
    if not data and not (position and place.values(group | 0x3000) == ()):
        return None
    return Overlay(
        rows=rows,
        columns=columns,
        origin=(1 if row is None else row, 1 if column is None else column),
        overlay_type="R" if overlay_type == "R" else "G",
        label=_text(place, group | 0x1500) or _text(place, group | 0x0022),
        data=base64.b64encode(data).decode("ascii"),
        bit_position=None if data else position,
    )


def _overlay_bits(place: Place, group: int, size: int, frame_index: int) -> bytes:
    """The bits of one frame's plane from bit 0 on; none where it has none."""
    values = place.values(group | 0x3000)
    if not values or not isinstance(values[0], bytes) or size > 8 * MAX_OVERLAY_BYTES:
        return b""
    count = _integer(place, group | 0x0015) or 1
    first = (_integer(place, group | 0x0051) or 1) - 1
    at = frame_index - first if count > 1 or first else 0
    if not 0 <= at < count:
        return b""
    start, stop = at * size, (at + 1) * size
    data: bytes = values[0][start // 8 & ~1 : (stop + 15) // 16 * 2]
    if place.big_endian:
        data = b"".join(data[i : i + 2][::-1] for i in range(0, len(data), 2))
    if not data:
        return b""
    shift = start - 8 * (start // 8 & ~1)
    bits = int.from_bytes(data, "little") >> shift & (1 << size) - 1
    return bits.to_bytes((size + 7) // 8, "little")


def _lookup_tables(place: Place, tag: int, *, signed: bool, most: int) -> tuple[LookupTable, ...]:
    made = []
    for item in place.items(tag)[:most]:
        name = _text(item, _LUT_EXPLANATION) or _text(item, _MODALITY_LUT_TYPE)
        raw = _raw_table(item, _LUT_DESCRIPTOR, _LUT_DATA)
        made.append(lookup_table(raw, signed=signed, explanation=name))
    return tuple(table for table in made if table is not None)


def _palette(place: Place, *, signed: bool) -> PaletteColor | None:
    segmented = not place.values(_PALETTE_DATA[0])
    tags = _SEGMENTED_PALETTE_DATA if segmented else _PALETTE_DATA
    raws = [
        _raw_table(place, descriptor, data, segmented=segmented)
        for descriptor, data in zip(_PALETTE_DESCRIPTORS, tags, strict=True)
    ]
    return palette_color(raws, signed=signed)


def _raw_table(place: Place, descriptor: int, data: int, *, segmented: bool = False) -> RawTable:
    numbers = [_as_integer(value) for value in place.values(descriptor)[:3]]
    values = place.values(data)
    is_bytes = bool(values) and isinstance(values[0], bytes)
    return RawTable(
        tuple(number for number in numbers if number is not None),
        values[0] if is_bytes else _integers(values),
        big_endian=place.big_endian,
        segmented=segmented,
    )


def _aspect_ratio(place: Place) -> tuple[float, float] | None:
    ratio = [_positive(value) for value in place.values(_PIXEL_ASPECT_RATIO)]
    if len(ratio) != 2 or ratio[0] is None or ratio[1] is None or ratio[0] == ratio[1]:
        return None
    return ratio[0], ratio[1]


def _integers(values: Sequence[Any]) -> tuple[int, ...]:
    try:
        return tuple(int(value) for value in values)
    except _NUMBER_ERRORS:
        return ()


def _as_integer(value: SupportsInt | str) -> int | None:
    try:
        return int(value)
    except _NUMBER_ERRORS:
        return None


def _integer(place: Place, tag: int) -> int | None:
    return next(map(_as_integer, place.values(tag)), None)


def _positive(value: SupportsFloat | str) -> float | None:
    try:
        number = float(value)
    except _NUMBER_ERRORS:
        return None
    return number if 0 < number < float("inf") else None


def _number(place: Place, tag: int) -> float | None:
    """The first value where it is a positive number."""
    return next(map(_positive, place.values(tag)), None)


def _text(place: Place, tag: int) -> str:
    return next((str(value).strip() for value in place.values(tag)), "")
