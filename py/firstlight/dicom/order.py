"""The order in which the frames of a series are shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from firstlight.dicom.attributes import ImageAttributes

_SAME_DIRECTION: Final = 1e-3
"""Difference of direction cosines below which slices count as parallel."""


def positions_mm(images: Sequence[ImageAttributes]) -> list[float] | None:
    """Positions along the common normal (PS3.3 C.7.6.2.1.1), None unless all are parallel."""
    first = images[0].image_orientation_patient if images else None
    if first is None:
        return None
    x1, y1, z1, x2, y2, z2 = first
    normal = (y1 * z2 - z1 * y2, z1 * x2 - x1 * z2, x1 * y2 - y1 * x2)
    positions = []
    for image in images:
        orientation, corner = image.image_orientation_patient, image.image_position_patient
        if orientation is None or corner is None:
            return None
        if any(abs(a - b) > _SAME_DIRECTION for a, b in zip(orientation, first, strict=True)):
            return None
        positions.append(sum(n * c for n, c in zip(normal, corner, strict=True)))
    return positions


def display_order(
    images: Sequence[ImageAttributes], numbers: Sequence[tuple[int, str, int]]
) -> list[int]:
    """Indices in the order of display: by position along the normal, else by ``numbers``.

    ``numbers`` are Instance Number, SOP Instance UID and frame number of each.
    """
    positions = positions_mm(images)
    if positions is None:
        return sorted(range(len(images)), key=lambda index: numbers[index])
    return sorted(range(len(images)), key=lambda index: (positions[index], numbers[index]))
