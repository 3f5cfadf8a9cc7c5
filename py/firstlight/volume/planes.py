"""The planes that frames lie in, and which of them are alike enough to be slices of one volume."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from firstlight.dicom.attributes import ImageAttributes

Vector = tuple[float, float, float]

_SAME_DIRECTION: Final = 1e-3
"""Difference of direction cosines below which planes count as parallel, as `dicom.order` has it."""

_NOT_A_DIRECTION: Final = 1e-2
"""How far from unit length or a right angle an orientation may be before it means nothing."""

_SAME_SPACING: Final = 1e-3
"""Relative difference below which two pixel spacings are the same number, rounded differently."""

_MOST_GROUPS: Final = 50
"""Beyond, planes that fit nowhere are not compared with each other: they make no volume."""

NO_PLACE: Final = "without a place in the patient"
IN_COLOUR: Final = "in colour"


def dot(a: Vector, b: Vector) -> float:
    """Scalar product."""
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def cross(a: Vector, b: Vector) -> Vector:
    """Vector product."""
    return (a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0])


def along(start: Vector, direction: Vector, length: float) -> Vector:
    """``start`` moved by ``length`` times ``direction``."""
    return (
        start[0] + length * direction[0],
        start[1] + length * direction[1],
        start[2] + length * direction[2],
    )


def minus(a: Vector, b: Vector) -> Vector:
    """``a - b``."""
    return (a[0] - b[0], a[1] - b[1], a[2] - b[2])


@dataclass(frozen=True, slots=True)
class Plane:
    """Where one frame lies in the patient (PS3.3 C.7.6.2), in mm.

    ``corner`` is the centre of its first pixel, ``row`` the direction of increasing columns,
    ``column`` that of increasing rows; ``spacing`` is between rows and between columns.
    """

    frame_index: int
    rows: int
    columns: int
    spacing: tuple[float, float]
    corner: Vector
    row: Vector
    column: Vector

    @property
    def normal(self) -> Vector:
        """Of unit length; row, column and normal are right-handed."""
        normal = cross(self.row, self.column)
        length = sqrt(dot(normal, normal))
        return (normal[0] / length, normal[1] / length, normal[2] / length)

    def difference(self, other: Plane) -> str:
        """Why both cannot be slices of one volume, in words; empty where they can."""
        if (self.rows, self.columns) != (other.rows, other.columns):
            return f"of {self.columns} x {self.rows} px"
        if not (
            _near(self.row, other.row, _SAME_DIRECTION)
            and _near(self.column, other.column, _SAME_DIRECTION)
        ):
            return "in another direction"
        near = zip(self.spacing, other.spacing, strict=True)
        if any(abs(a - b) > _SAME_SPACING * b for a, b in near):
            return "of another pixel spacing"
        return ""


def planes_of(images: Sequence[ImageAttributes]) -> tuple[list[Plane], dict[str, int]]:
    """The planes of those frames that can be slices; of the others, how many for which reason.

    A spacing at the detector, as of a projection, is not one in the patient.
    """
    planes: list[Plane] = []
    others: dict[str, int] = {}
    for index, image in enumerate(images):
        plane = _plane(index, image) if _is_grey(image) else IN_COLOUR
        if isinstance(plane, Plane):
            planes.append(plane)
        else:
            others[plane] = others.get(plane, 0) + 1
    return planes, others


def _is_grey(image: ImageAttributes) -> bool:
    return image.samples_per_pixel == 1 and image.photometric_interpretation in {
        "MONOCHROME1",
        "MONOCHROME2",
    }


def _plane(index: int, image: ImageAttributes) -> Plane | str:
    corner, orientation = image.image_position_patient, image.image_orientation_patient
    spacing = image.pixel_spacing
    if corner is None or orientation is None or spacing is None:
        return NO_PLACE
    row, column = orientation[:3], orientation[3:]
    unit = all(abs(sqrt(dot(side, side)) - 1) <= _NOT_A_DIRECTION for side in (row, column))
    if not unit or abs(dot(row, column)) > _NOT_A_DIRECTION:
        return NO_PLACE
    if image.pixel_spacing_source not in {"", "PixelSpacing"}:
        return NO_PLACE
    return Plane(index, image.rows, image.columns, spacing, corner, row, column)


def groups_of(planes: Iterable[Plane]) -> list[list[Plane]]:
    """Planes that fit together, the largest group first; in each the order given."""
    groups: list[list[Plane]] = []
    for plane in planes:
        known = groups[:_MOST_GROUPS]
        home = next((group for group in known if not plane.difference(group[0])), None)
        if home is None:
            groups.append([plane])
        else:
            home.append(plane)
    return sorted(groups, key=len, reverse=True)


def _near(a: Vector, b: Vector, tolerance: float) -> bool:
    return a == b or all(abs(p - q) <= tolerance for p, q in zip(a, b, strict=True))
