"""The heads file: the leading levels of all frames of a series (`sources/README.md`)."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from itertools import accumulate
from typing import TYPE_CHECKING, Final

from firstlight.sources.descriptor import Head, Heads

if TYPE_CHECKING:
    from collections.abc import Sequence

    from firstlight.prepare.layout import Layout
    from firstlight.prepare.tree import Tree
    from firstlight.sources.descriptor import FrameEntry, SeriesEntry

HEAD_SIDE_PX: Final = 64
"""A level this small is a thumbnail by itself, and costs 2 to 4 % of a frame."""


def with_heads(
    tree: Tree, layout: Layout, series: SeriesEntry, before: Sequence[SeriesEntry]
) -> SeriesEntry:
    """The series with its heads file, written unless ``before`` has one of the same frames."""
    stops = [_stop(frame) for frame in series.frames]
    if len(series.frames) < 2 or not any(stops):
        return series
    for known in before:
        if known.heads and _without_heads(known) == series:
            if tree.size_bytes(known.heads.url) == known.heads.length:
                return known
            break
    wanted = [
        (frame.url, frame.start, frame.start + stop)
        for frame, stop in zip(series.frames, stops, strict=True)
        if stop
    ]
    data = b"".join(tree.read_ranges(wanted))
    name = f"heads-{hashlib.sha256(data).hexdigest()[:16]}.bin"
    heads = Heads(layout.heads_folder(series) + name, len(data))
    tree.write(heads.url, data)
    starts = accumulate(stops, initial=0)
    return replace(
        series,
        heads=heads,
        frames=tuple(
            replace(frame, head=Head(start, stop) if stop else None)
            for frame, start, stop in zip(series.frames, starts, stops, strict=False)
        ),
    )


def _stop(frame: FrameEntry) -> int:
    """Where the largest level ends that is at most `HEAD_SIDE_PX` a side; 0 if there is none."""
    levels = len(frame.level_ends)
    if levels == 1:
        return 0
    side = max(frame.image.rows, frame.image.columns)
    sides = [-(-side >> levels - 1 - level) for level in range(levels)]
    small = [end for end, side in zip(frame.level_ends, sides, strict=True) if side <= HEAD_SIDE_PX]
    return small[-1] if small else 0


def _without_heads(series: SeriesEntry) -> SeriesEntry:
    frames = tuple(replace(frame, head=None) for frame in series.frames)
    return replace(series, heads=None, frames=frames)
