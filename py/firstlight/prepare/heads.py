"""What brings first levels early: the heads file, the enclosed level (`sources/README.md`)."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from firstlight.dicom.uids import HTJ2K, HTJ2K_LOSSLESS, HTJ2K_LOSSLESS_RPCL
from firstlight.sources.base import HeadPiece
from firstlight.sources.descriptor import Heads

if TYPE_CHECKING:
    from collections.abc import Sequence

    from firstlight.prepare.layout import Layout
    from firstlight.prepare.tree import Tree
    from firstlight.sources.descriptor import FrameEntry, SeriesEntry

PASS_SIDES_PX: Final = (32, 64)
"""Each pass brings every frame to the largest level of at most so many pixels a side.

For a CT the first costs 0.5 % of a frame: something of every slice at once. The second costs 2 to
4 %, and is a thumbnail by itself.
"""


_EARLY_SYNTAXES: Final = frozenset({HTJ2K, HTJ2K_LOSSLESS, HTJ2K_LOSSLESS_RPCL})
"""Those of the decoder that a page has first."""

FIRST_LEVEL_BYTES: Final = 2**13
"""A descriptor encloses no more: 3 ms of 30 Mbit/s, where a round trip takes 10 or more."""


def with_heads(
    tree: Tree, layout: Layout, series: SeriesEntry, before: Sequence[SeriesEntry]
) -> SeriesEntry:
    """The series with its heads file, written unless ``before`` has one of the same frames."""
    stops = [_stops(frame) for frame in series.frames]
    if len(series.frames) < 2 or not any(stops):
        return series
    for known in before:
        if known.heads and _without_heads(known) == series:
            if tree.size_bytes(known.heads.url) == known.heads.length:
                return known
            break
    wanted: list[tuple[str, int, int]] = []
    pieces: list[list[HeadPiece]] = [[] for _ in series.frames]
    length = 0
    for number in range(len(PASS_SIDES_PX)):
        for frame, ends, mine in zip(series.frames, stops, pieces, strict=True):
            begin = mine[-1].stop if mine else 0
            if number < len(ends) and ends[number] > begin:
                wanted.append((frame.url, frame.start + begin, frame.start + ends[number]))
                mine.append(HeadPiece(length, ends[number]))
                length += ends[number] - begin
    data = b"".join(tree.read_ranges(wanted))
    name = f"heads-{hashlib.sha256(data).hexdigest()[:16]}.bin"
    heads = Heads(layout.heads_folder(series) + name, len(data))
    tree.write(heads.url, data)
    return replace(
        series,
        heads=heads,
        frames=tuple(
            replace(frame, heads=tuple(mine))
            for frame, mine in zip(series.frames, pieces, strict=True)
        ),
    )


def first_level_of(tree: Tree, series: Sequence[SeriesEntry]) -> bytes:
    """What the descriptor encloses of the first frame; empty where the page could not show it."""
    if not series or not series[0].frames or series[0].transfer_syntax_uid not in _EARLY_SYNTAXES:
        return b""
    frame = series[0].frames[0]
    stop = frame.level_ends[0]
    if len(frame.level_ends) < 2 or stop > FIRST_LEVEL_BYTES:
        return b""
    [data] = tree.read_ranges([(frame.url, frame.start, frame.start + stop)])
    return data


def _stops(frame: FrameEntry) -> tuple[int, ...]:
    """Where each pass ends in a frame; empty for a frame of one level."""
    levels = len(frame.level_ends)
    if levels == 1:
        return ()
    side = max(frame.image.rows, frame.image.columns)
    sides = [-(-side >> levels - 1 - level) for level in range(levels)]
    small = [sum(side <= limit for side in sides) for limit in PASS_SIDES_PX]
    return tuple(frame.level_ends[count - 1] if count else 0 for count in small)


def _without_heads(series: SeriesEntry) -> SeriesEntry:
    frames = tuple(replace(frame, heads=()) for frame in series.frames)
    return replace(series, heads=None, frames=frames)
