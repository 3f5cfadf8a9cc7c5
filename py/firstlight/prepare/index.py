"""What describes the whole tree, written last: the layout's indexes and ``firstlight.json``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import firstlight
from firstlight.errors import MalformedDescriptor
from firstlight.prepare.heads import with_heads
from firstlight.prepare.tree import write_if_changed
from firstlight.sources.descriptor import (
    FILE_NAME,
    Alternate,
    Descriptor,
    SeriesEntry,
    read_descriptor,
    write_descriptor,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from firstlight.dicom.attributes import ImageAttributes
    from firstlight.prepare.layout import Layout
    from firstlight.prepare.receipts import Receipt
    from firstlight.prepare.tree import Tree
    from firstlight.sources.descriptor import FrameEntry

SeriesKey = tuple[str, str, str]
_SAME_DIRECTION: Final = 1e-4
"""Largest difference of a direction cosine between slices that are called parallel."""


def write_indexes(
    tree: Tree, layout: Layout, receipts: Iterable[Receipt], *, heads: bool = True
) -> None:
    """Write the indexes of everything that has a receipt; files that would not change stay.

    Series keep the order that ``firstlight.json`` gave them; new ones follow as they come. With
    ``heads``, series of several frames get their heads file; one that is there is kept if it fits.
    """
    before = _before(tree)
    of_series: dict[SeriesKey, list[Receipt]] = {_key(series): [] for series in before}
    for receipt in receipts:
        of_series.setdefault(_key(receipt.series), []).append(receipt)
    listed = [group for group in of_series.values() if group]
    if not listed and not before:
        return
    series = tuple(_whole_series(group) for group in listed)
    in_order = [
        receipt
        for entry, group in zip(series, listed, strict=True)
        for receipt in _in_display_order(entry, group)
    ]
    for path, data in layout.index_files(tree, in_order):
        write_if_changed(tree, path, data)
    if heads:
        series = tuple(with_heads(tree, layout, entry, before) for entry in series)
    descriptor = Descriptor(series=series, generator=f"firstlight {firstlight.__version__}")
    write_if_changed(tree, FILE_NAME, write_descriptor(descriptor).encode())
    now = {entry.heads.url for entry in series if entry.heads}
    for entry in before:
        if entry.heads and entry.heads.url not in now:
            tree.remove(entry.heads.url)


def _before(tree: Tree) -> tuple[SeriesEntry, ...]:
    if tree.size_bytes(FILE_NAME) is None:
        return ()
    resource = f"{tree.location}/{FILE_NAME}"
    try:
        return read_descriptor(tree.read(FILE_NAME), resource=resource).series
    except MalformedDescriptor:  # only with --force one gets here: it is about to be replaced
        return ()


def _key(series: SeriesEntry) -> SeriesKey:
    return series.study_instance_uid, series.series_instance_uid, series.transfer_syntax_uid


def _whole_series(receipts: Sequence[Receipt]) -> SeriesEntry:
    """One series of all its instances, frames in the order of display."""
    frames = [(receipt, frame) for receipt in receipts for frame in receipt.series.frames]
    positions = _positions_mm([frame.image for _, frame in frames])

    def place(index: int) -> tuple[float, int, str, int]:
        receipt, frame = frames[index]
        position_mm = positions[index] if positions else 0.0
        number = receipt.instance_number
        return position_mm, number, receipt.sop_instance_uid, frame.frame_number

    first = min(receipts, key=lambda r: (r.instance_number, r.sop_instance_uid)).series
    ordered: tuple[FrameEntry, ...] = tuple(
        frames[index][1] for index in sorted(range(len(frames)), key=place)
    )
    return SeriesEntry(
        study_instance_uid=first.study_instance_uid,
        series_instance_uid=first.series_instance_uid,
        modality=first.modality,
        series_number=first.series_number,
        series_description=first.series_description,
        transfer_syntax_uid=first.transfer_syntax_uid,
        alternates=_all_alternates(receipts),
        frames=ordered,
    )


def _all_alternates(receipts: Sequence[Receipt]) -> tuple[Alternate, ...]:
    return tuple(dict.fromkeys(item for receipt in receipts for item in receipt.series.alternates))


def _positions_mm(images: Sequence[ImageAttributes]) -> list[float] | None:
    """Positions along the common normal (PS3.3 C.7.6.2.1.1), None unless all are parallel."""
    first = images[0].image_orientation_patient
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


def _in_display_order(series: SeriesEntry, receipts: Sequence[Receipt]) -> list[Receipt]:
    """Instances by their first frame on display."""
    shown = [frame.sop_instance_uid for frame in series.frames]
    order = {uid: index for index, uid in reversed(list(enumerate(shown)))}
    return sorted(receipts, key=lambda receipt: order[receipt.sop_instance_uid])
