"""What describes the whole tree, written last: the layout's indexes and ``firstlight.json``."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Any

import firstlight
from firstlight.dicom.order import display_order
from firstlight.errors import MalformedDescriptor
from firstlight.prepare.heads import first_level_of, with_heads
from firstlight.prepare.tree import write_if_changed
from firstlight.sources.descriptor import (
    FILE_NAME,
    Alternate,
    Descriptor,
    SeriesEntry,
    read_descriptor,
    write_descriptor,
)
from firstlight.volume import assemble

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from firstlight.prepare.layout import Layout
    from firstlight.prepare.receipts import Receipt
    from firstlight.prepare.tree import Tree
    from firstlight.sources.descriptor import FrameEntry

SeriesKey = tuple[str, str, str]


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
    generator = f"firstlight {firstlight.__version__}"
    descriptor = Descriptor(series, generator, first_level_of(tree, series))
    parts = Counter(entry.series_instance_uid for entry in series)
    text = write_descriptor(descriptor, partial(_volume_of, parts=parts))
    write_if_changed(tree, FILE_NAME, text.encode())
    now = {entry.heads.url for entry in series if entry.heads}
    for entry in before:
        if entry.heads and entry.heads.url not in now:
            tree.remove(entry.heads.url)


def _volume_of(series: SeriesEntry, parts: Mapping[str, int]) -> dict[str, Any]:
    """The volume that the frames make, for a page before Python is up.

    Of a series in several entries a reader finds it out when it has joined them.
    """
    if parts[series.series_instance_uid] > 1:
        return {}
    assembly = assemble([frame.image for frame in series.frames])
    return {
        "volume": assembly.volume and assembly.volume.to_json(),
        "no_volume": assembly.reason,
        "volume_notices": list(assembly.notices),
    }


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
    numbers = [
        (receipt.instance_number, receipt.sop_instance_uid, frame.frame_number)
        for receipt, frame in frames
    ]
    order = display_order([frame.image for _, frame in frames], numbers)
    first = min(receipts, key=lambda r: (r.instance_number, r.sop_instance_uid)).series
    ordered: tuple[FrameEntry, ...] = tuple(frames[index][1] for index in order)
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


def _in_display_order(series: SeriesEntry, receipts: Sequence[Receipt]) -> list[Receipt]:
    """Instances by their first frame on display."""
    shown = [frame.sop_instance_uid for frame in series.frames]
    order = {uid: index for index, uid in reversed(list(enumerate(shown)))}
    return sorted(receipts, key=lambda receipt: order[receipt.sop_instance_uid])
