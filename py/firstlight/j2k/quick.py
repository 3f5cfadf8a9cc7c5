"""Packet lengths of the codestreams that HTJ2K encoders write, several times as fast as by a walk.

One tile, one layer, RPCL, nothing unusual: then the packets are known from the size alone, and
most headers, of precincts with one code-block in each sub-band, are read in a few steps.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, cast

from firstlight.errors import MalformedCodestream
from firstlight.j2k.budget import Budget, TooComplex
from firstlight.j2k.geometry import tile_resolutions
from firstlight.j2k.markers import EOC, PLT, SOD, SOT_BYTES, read_tile_part_header, split_segments
from firstlight.j2k.packets import FIRST_LENGTH_BITS, MAX_LENGTH_BITS, PacketReader
from firstlight.j2k.parameters import HIGH_THROUGHPUT, NeedMore
from firstlight.j2k.progression import PacketPlace
from firstlight.j2k.tagtree import BadPacket, HeaderCut

if TYPE_CHECKING:
    from collections.abc import Iterator

    from firstlight.j2k.geometry import Resolution
    from firstlight.j2k.parameters import MainHeader, TilePartHeader
    from firstlight.j2k.tile_parts import Codestream, Span

_TILE_PART_HEADER_BYTES = 1 << 12
_HEADER_BYTES = 24
"""More than nearly every header of three code-blocks."""

_REMEMBERED_PRECINCTS = 1 << 12
"""Of a level; those of larger images are counted each time, which is little beside the rest."""

_REMEMBERED_COMPONENTS = 4

_MANY = -1
"""Stands for the number of code-blocks of a precinct that has several in a sub-band."""


def quick_packets(codestream: Codestream, header: MainHeader) -> list[list[Span]] | None:
    """The packets of each resolution level, in order; None where a walk has to find them.

    It is None of everything that is not whole and exactly as it should be, too.
    """
    if not _is_plain(header):
        return None
    try:
        parts = _parts(codestream, header)
        return None if parts is None else _packets(codestream, header, parts)
    except (BadPacket, HeaderCut, NeedMore, TooComplex, MalformedCodestream):
        return None


def _is_plain(header: MainHeader) -> bool:
    cod, siz, scope = header.cod, header.siz, header.scope
    return (
        siz.tile_count == 1
        and cod.progression_order == "RPCL"
        and cod.layers == 1
        and cod.code_block_style == HIGH_THROUGHPUT
        and not (cod.may_use_sop or cod.uses_eph)
        and not (scope.changes_progression or scope.packs_packet_headers)
        and not (siz.x_offset or siz.y_offset or siz.tile_x_offset or siz.tile_y_offset)
        and all(coding == cod.coding for coding in scope.codings)
        and all(c.subsampling_x == c.subsampling_y == 1 for c in siz.components)
    )


def _parts(codestream: Codestream, header: MainHeader) -> list[TilePartHeader] | None:
    """The tile-parts up to EOC, None where one has more in its header than lengths."""
    parts, position = [], header.header_stop
    while codestream[position : position + 2] != EOC.to_bytes(2, "big"):
        head = codestream[position : position + _TILE_PART_HEADER_BYTES]
        part = read_tile_part_header(head, position, header)
        own = split_segments(head[: part.body_start - position], SOT_BYTES, SOD)
        if part.stop is None or any(marker not in (PLT, SOD) for marker, _, _ in own):
            return None
        parts.append(part)
        position = part.stop
    return parts


def _packets(
    codestream: Codestream, header: MainHeader, parts: list[TilePartHeader]
) -> list[list[Span]] | None:
    budget = Budget()
    reader = PacketReader(header.cod, budget)
    levels: list[list[Span]] = [[] for _ in range(header.decomposition_levels + 1)]
    waiting = iter(parts)
    position = stop = 0
    for blocks, place in _places(header, budget):
        if position == stop:
            part = next((part for part in waiting if part.stop != part.body_start), None)
            if part is None or part.stop is None:
                return None
            position, stop = part.body_start, part.stop
        start = position
        length = _length(codestream[start : start + _HEADER_BYTES], blocks)
        if length is None:
            position = reader.read(cast("bytes", codestream), start, place)
        else:
            position = start + length
        if position > stop:
            return None
        levels[place.resolution.resolution_level].append((start, position))
    whole = position == stop and all(part.stop == part.body_start for part in waiting)
    return levels if whole else None


def _places(header: MainHeader, budget: Budget) -> Iterator[tuple[int, PacketPlace]]:
    """Every packet in RPCL (B.12.1.3), and how many code-blocks it has, or `_MANY`.

    All components are alike, so each precinct has their packets one after the other.
    """
    few = len(header.siz.components) <= _REMEMBERED_COMPONENTS
    resolutions = (_known_resolutions if few else tile_resolutions)(header.siz, header.scope, 0)
    for of_level in zip(*resolutions, strict=True):
        first = of_level[0]
        budget.spend(first.precinct_count * len(of_level))
        few = first.precinct_count <= _REMEMBERED_PRECINCTS
        for index, blocks in enumerate(_known_counts(first) if few else _block_counts(first)):
            for resolution in of_level:
                if blocks > 0:
                    budget.spend(blocks)
                yield blocks, PacketPlace(resolution, index, 0)


_known_resolutions = lru_cache(maxsize=16)(tile_resolutions)


@lru_cache(maxsize=64)
def _known_counts(resolution: Resolution) -> tuple[int, ...]:
    """As `_block_counts`: the images of a series have one size."""
    return tuple(_block_counts(resolution))


def _block_counts(resolution: Resolution) -> Iterator[int]:
    """Code-blocks of each precinct. Across they follow from its column, down from its row."""
    count, across = resolution.precinct_count, resolution.precincts_across
    columns = [[grid[0] for grid in resolution.block_grids(index)] for index in range(across)]
    for first in range(0, count, max(across, 1)):
        down = [grid[1] for grid in resolution.block_grids(first)]
        for widths in columns:
            grids = [width * height for width, height in zip(widths, down, strict=True)]
            yield sum(grids) if max(grids) <= 1 else _MANY


def _length(head: bytes, blocks: int) -> int | None:
    """Length of a packet with at most one code-block in each sub-band (B.10); None if unusual.

    The tag trees of such a block have one node.
    """
    if blocks == _MANY:
        return None
    bits, stuffed = _bits(head)
    position, body_bytes = 1, 0
    if bits[:1] == "1":
        for _ in range(blocks):
            position += 1
            if bits[position - 1 : position] == "0":
                continue  # not included
            one_pass = bits.find("1", position) + 1  # behind the missing bit-planes
            if not one_pass or bits[one_pass : one_pass + 1] != "0":
                return None
            start = bits.find("0", one_pass + 1) + 1
            width = FIRST_LENGTH_BITS + start - one_pass - 2
            position = start + width
            if not start or width > MAX_LENGTH_BITS or position > len(bits):
                return None
            body_bytes += int(bits[start:position], 2)
    for at in stuffed:
        position += position > at
    header_bytes = (position + 7) // 8
    if head[header_bytes - 1 : header_bytes] == b"\xff":
        header_bytes += 1  # a header does not end in FF (B.10.1)
    return header_bytes + body_bytes if header_bytes <= len(head) else None


def _bits(head: bytes) -> tuple[str, list[int]]:
    """The bits without those stuffed after a byte FF, and where in ``head`` these are."""
    bits = f"{int.from_bytes(head, 'big'):0{8 * len(head)}b}"
    at = head.find(b"\xff") + 1
    if not at:
        return bits, []
    stuffed, pieces, begin = [], [], 0
    while at:
        stuffed.append(8 * at)
        pieces.append(bits[begin : 8 * at])
        begin = 8 * at + 1
        at = head.find(b"\xff", at) + 1
    pieces.append(bits[begin:])
    return "".join(pieces), stuffed
