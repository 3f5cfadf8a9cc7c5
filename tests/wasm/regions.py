"""Images with precincts and PLT, as ``firstlight prepare`` writes them, and windows of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from firstlight.j2k.index import read_index
from firstlight.j2k.region import Box, RegionIndex
from firstlight.j2k.rewrite import rewrite
from firstlight.prepare.lines import encode_in_memory
from firstlight.prepare.recipe import Arrangement
from wasm.codestreams import Encoded

if TYPE_CHECKING:
    import numpy as np

    from firstlight.j2k.region import RegionPlan


def encode_precincts(
    source: np.ndarray,
    bits: int,
    *,
    levels: int = 4,
    precinct: int = 64,
    block: int = 64,
    order: str = "RPCL",
    colour_transform: bool = False,
    by_level: bool = True,
) -> Encoded:
    """Lossless HTJ2K with PLT; a tile-part for each level, or one for all."""
    arrangement = Arrangement(progression=order, precinct_px=precinct, block_px=block)
    encoded = encode_in_memory(
        source,
        bits=bits,
        levels=levels,
        arrangement=arrangement,
        colour_transform=colour_transform,
        step=None,
    )
    return Encoded(rewrite(encoded, tile_parts_by_resolution=by_level), source, bits)


def index_of(codestream: bytes, level: int, base_level: int) -> RegionIndex:
    """The index, fed with what it wants until it wants no more."""
    index = RegionIndex(read_index(codestream).level_ends)
    while (wanted := index.missing(level, base_level)) is not None:
        index.feed(wanted.start, codestream[wanted.start : wanted.stop])
    return index


def bytes_of(codestream: bytes, plan: RegionPlan) -> bytes:
    """What the decoder is given."""
    return b"".join(codestream[each.start : each.stop] for each in plan.extents())


def windows(columns: int, rows: int) -> list[Box]:
    """The corners, odd and even edges, single samples, a middle, and everything."""
    half = Box(columns // 3, rows // 3, max(columns // 3 + 1, columns // 2), rows // 3 + 1)
    boxes = [
        Box(0, 0, (columns + 2) // 3, (rows + 3) // 4),
        Box(columns * 2 // 3, 0, columns, (rows + 1) // 2),
        Box(0, rows * 3 // 5, (columns + 1) // 2, rows),
        Box(columns * 3 // 4, rows * 3 // 4, columns, rows),
        Box(columns // 3, rows // 3, columns // 3 + 1, rows // 3 + 1),
        half,
        Box(columns // 4, rows // 5, (3 * columns + 3) // 4, (4 * rows + 4) // 5),
        Box(0, 0, columns, rows),
    ]
    return [box for box in boxes if box.columns > 0 and box.rows > 0]
