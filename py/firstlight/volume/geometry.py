"""One volume out of the frames of a series: which frames, in which order, where they lie; pure."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import acos, degrees, sqrt
from statistics import median
from typing import TYPE_CHECKING, Any, Final

from firstlight.volume.planes import (
    Plane,
    Vector,
    along,
    dot,
    groups_of,
    minus,
    planes_of,
)
from firstlight.volume.words import (
    count,
    duplicates_notice,
    gap_notice,
    irregular_notice,
    left_out_notice,
    tilt_notice,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from firstlight.dicom.attributes import ImageAttributes

_SAME_PLACE_MM: Final = 1e-2
"""Planes nearer than this are at the same position: less than any scanner resolves."""

_REGULAR: Final = 0.05
"""Part of the spacing by which distances differ in a series that is called regular: rounding.

It only decides what is said: each slice is shown at its own position.
"""

_GAP: Final = 1.5
"""Slices further apart than this many spacings have others missing between them."""

_TILT_DEGREES: Final = 0.5
"""A step that leaves the normal by less is rounding of positions, not a gantry tilt."""

_ASTRAY_PX: Final = 0.5
"""Slices that leave their common line by more are not above one another."""


@dataclass(frozen=True, slots=True)
class VolumeGeometry:
    """Slices above one another (PS3.3 C.7.6.2), sorted along ``normal``; lengths in mm.

    ``frames`` are the frame indices of the slices. A slice lies ``positions[i]`` along the normal
    from ``origin``, the centre of the first pixel of the first one; from one slice to the next the
    first pixel moves by ``step`` for each ``spacing[2]`` of normal, which leaves the normal where
    the gantry was tilted. ``row`` points to increasing columns, ``column`` to increasing rows.
    ``spacing`` is between rows, between columns, between slices. ``gaps`` are the numbers of slices
    missing after a slice, by its index. Rescale may differ from slice to slice: it is in the
    attributes of each frame.
    """

    frames: tuple[int, ...]
    positions: tuple[float, ...]
    origin: Vector
    row: Vector
    column: Vector
    normal: Vector
    step: Vector
    spacing: tuple[float, float, float]
    rows: int
    columns: int
    regular: bool
    gaps: tuple[tuple[int, int], ...] = ()

    @property
    def slices(self) -> int:
        """How many there are."""
        return len(self.frames)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values under the same names, with ``slices``."""
        return {
            "frames": list(self.frames),
            "positions": list(self.positions),
            "origin": list(self.origin),
            "row": list(self.row),
            "column": list(self.column),
            "normal": list(self.normal),
            "step": list(self.step),
            "spacing": list(self.spacing),
            "rows": self.rows,
            "columns": self.columns,
            "slices": self.slices,
            "regular": self.regular,
            "gaps": [list(gap) for gap in self.gaps],
        }


@dataclass(frozen=True, slots=True)
class Assembly:
    """What became of the frames of a series.

    ``notices`` are sentences for the reader about what is left out or made up. Without a volume,
    ``reason`` says why.
    """

    volume: VolumeGeometry | None
    notices: tuple[str, ...] = ()
    reason: str = ""


def assemble(images: Sequence[ImageAttributes]) -> Assembly:
    """The largest set of frames that makes up a volume, by their Image Plane attributes.

    Needs two slices at different positions. Of several frames at one position the first counts.
    """
    planes, others = planes_of(images)
    groups = groups_of(planes)
    candidates = [(_sorted(group), group) for group in groups]
    stacked = [(len(slices), slices, group) for slices, group in candidates if len(slices) > 1]
    if not stacked:
        return Assembly(None, reason=_reason(len(images), groups, others))
    _, slices, group = max(stacked, key=lambda entry: entry[0])
    line = _line(slices)
    if line is None:
        return Assembly(None, reason="no volume: the slices do not lie above one another")
    step, spacing = line
    geometry = _geometry(slices, step, spacing)
    rest = [other for other in groups if other is not group]
    notices = (
        *_left_out(slices[0], rest, others),
        *duplicates_notice(len(group), len(slices)),
        *_distance_notices(slices, geometry),
        *_tilt(geometry),
    )
    return Assembly(geometry, notices)


def _sorted(group: list[Plane]) -> list[Plane]:
    """By position along the normal, the first of those at one position."""
    normal = group[0].normal
    ordered = sorted(group, key=lambda plane: (dot(plane.corner, normal), plane.frame_index))
    slices: list[Plane] = []
    for plane in ordered:
        if slices and dot(minus(plane.corner, slices[-1].corner), normal) < _SAME_PLACE_MM:
            if plane.frame_index < slices[-1].frame_index:
                slices[-1] = plane
            continue
        slices.append(plane)
    return slices


def _line(slices: list[Plane]) -> tuple[Vector, float] | None:
    """The step from slice to slice and its length along the normal; None where it is no line."""
    first, last = slices[0], slices[-1]
    normal = first.normal
    reach = minus(last.corner, first.corner)
    height = dot(reach, normal)
    direction = (reach[0] / height, reach[1] / height, reach[2] / height)  # for 1 mm of normal
    allowed = _ASTRAY_PX * min(first.spacing)
    for plane in slices:
        offset = minus(plane.corner, first.corner)
        astray = minus(offset, along((0, 0, 0), direction, dot(offset, normal)))
        if sqrt(dot(astray, astray)) > allowed:
            return None
    distances = list(_distances(slices))
    spacing = median(distances)
    within = [d for d in distances if d <= _GAP * spacing]
    if len(within) < len(distances) or max(distances) - min(distances) <= 2 * _REGULAR * spacing:
        spacing = sum(within) / len(within)
    return along((0, 0, 0), direction, spacing), spacing


def _distances(slices: list[Plane]) -> Iterator[float]:
    normal = slices[0].normal
    for plane, following in pairwise(slices):
        yield dot(minus(following.corner, plane.corner), normal)


def _geometry(slices: list[Plane], step: Vector, spacing: float) -> VolumeGeometry:
    first = slices[0]
    normal = first.normal
    distances = list(_distances(slices))
    gaps = tuple(
        (index, max(1, round(distance / spacing) - 1))
        for index, distance in enumerate(distances)
        if distance > _GAP * spacing
    )
    regular = all(_is_regular(distance, spacing) for distance in distances)
    return VolumeGeometry(
        frames=tuple(plane.frame_index for plane in slices),
        positions=tuple(dot(minus(plane.corner, first.corner), normal) for plane in slices),
        origin=first.corner,
        row=first.row,
        column=first.column,
        normal=normal,
        step=step,
        spacing=(first.spacing[0], first.spacing[1], spacing),
        rows=first.rows,
        columns=first.columns,
        regular=regular,
        gaps=gaps,
    )


def _is_regular(distance: float, spacing: float) -> bool:
    return abs(distance - spacing) <= _REGULAR * spacing


def _distance_notices(slices: list[Plane], geometry: VolumeGeometry) -> Iterator[str]:
    """Gaps, each with where it lies; then distances that differ otherwise."""
    normal, spacing = geometry.normal, geometry.spacing[2]
    places = [dot(plane.corner, normal) for plane in slices]
    for index, missing in geometry.gaps:
        yield gap_notice(missing, places[index], places[index + 1])
    after_gaps = {index for index, _ in geometry.gaps}
    rest = [d for i, d in enumerate(_distances(slices)) if i not in after_gaps]
    if any(not _is_regular(distance, spacing) for distance in rest):
        yield irregular_notice(min(rest), max(rest))


def _left_out(slice_: Plane, groups: list[list[Plane]], others: dict[str, int]) -> Iterator[str]:
    why = dict.fromkeys((group[0].difference(slice_) for group in groups), 0)
    for group in groups:
        why[group[0].difference(slice_)] += len(group)
    for which, number in (*why.items(), *others.items()):
        yield left_out_notice(number, which)


def _tilt(geometry: VolumeGeometry) -> Iterator[str]:
    step = geometry.step
    length = sqrt(dot(step, step))
    angle = degrees(acos(min(1.0, dot(step, geometry.normal) / length)))
    if angle > _TILT_DEGREES:
        yield tilt_notice(angle)


def _reason(frames: int, groups: list[list[Plane]], others: dict[str, int]) -> str:
    if frames < 2:
        return "no volume: there is one frame only"
    if not groups:
        why, number = max(others.items(), key=lambda entry: entry[1])
        return f"no volume: {count(number, 'frame')} {why}"
    if len(groups) == 1 and len(groups[0]) > 1:
        return "no volume: all frames lie at the same position"
    return "no volume: no two parallel frames of one size lie at different positions"
