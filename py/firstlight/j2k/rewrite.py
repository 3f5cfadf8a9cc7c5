"""Rearranges a codestream for reading by ranges; nothing is decoded, no packet is changed."""

from __future__ import annotations

import struct
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, cast

from firstlight.errors import MalformedCodestream
from firstlight.j2k.budget import Budget
from firstlight.j2k.markers import (
    COD,
    EOC,
    PLM,
    PLT,
    SOD,
    SOT,
    SOT_BYTES,
    TLM,
    read_main_header,
    split_segments,
)
from firstlight.j2k.parameters import PROGRESSION_ORDERS, NeedMore
from firstlight.j2k.progression import TilePackets
from firstlight.j2k.quick import quick_packets
from firstlight.j2k.tile_parts import SopNumbers, tile_part, tlm_segments
from firstlight.j2k.walk import LevelWalk
from firstlight.j2k.windows import read_all

if TYPE_CHECKING:
    from firstlight.j2k.parameters import (
        CodingScope,
        MainHeader,
        ProgressionOrder,
        TilePartHeader,
    )
    from firstlight.j2k.progression import PacketPlace
    from firstlight.j2k.tile_parts import Chunk, Codestream, Part, Span

_MAIN_HEADER_BYTES = 1 << 16
"""Enough for nearly every main header."""


class _Tile:
    """Packets of one tile in order, and the segments of its tile-part headers."""

    def __init__(self, scope: CodingScope) -> None:
        self.scope = scope
        self.places: list[PacketPlace] = []
        self.spans: list[Span] = []
        self.segments = b""

    @property
    def goes_up(self) -> bool:
        """Whether no packet is followed by one of a lower level."""
        return all(
            a.resolution.resolution_level <= b.resolution.resolution_level
            for a, b in pairwise(self.places)
        )

    def by_level(self) -> dict[int, list[Span]]:
        """Packets of each resolution level, in order."""
        found: dict[int, list[Span]] = {}
        for place, span in zip(self.places, self.spans, strict=True):
            found.setdefault(place.resolution.resolution_level, []).append(span)
        return found


class _Parts:
    """Takes a codestream apart into tiles and packets, as the listener of a walk."""

    def __init__(self, codestream: Codestream) -> None:
        self.tiles: dict[int, _Tile] = {}
        self._codestream = codestream

    def tile_part(self, part: TilePartHeader) -> None:
        """Keep what a tile-part header says beyond lengths."""
        tile = self.tiles.setdefault(part.tile_index, _Tile(part.scope))
        head = self._codestream[part.start : part.body_start]
        tile.segments += _kept(head, SOT_BYTES, SOD, (PLT,))

    def packet(self, tile_index: int, place: PacketPlace, start: int, stop: int) -> None:
        """Note a packet."""
        tile = self.tiles[tile_index]
        tile.places.append(place)
        tile.spans.append((start, stop))


def rewrite(
    codestream: bytes,
    *,
    plt: bool = True,
    tlm: bool = True,
    tile_parts_by_resolution: bool = True,
    progression_order: ProgressionOrder | None = None,
    resource: str | None = None,
) -> bytes:
    """The same picture with packet lengths, tile-part lengths and a tile-part for each level.

    Packets stay as they are, byte for byte (but for the numbers in SOP), and in the order of each
    tile's progression, or in ``progression_order`` where one is given. With
    ``tile_parts_by_resolution`` the lowest level of every tile comes first, then the next of every
    tile; without, each tile is one tile-part. PLT and TLM (A.7) are written or left out as told,
    never taken over.

    Raises:
        MalformedCodestream: not a codestream, a broken one, or one that cannot be arranged so:
            POC, PPM or PPT, or a progression that does not go level by level.
    """
    return b"".join(
        rewritten_chunks(
            codestream,
            plt=plt,
            tlm=tlm,
            tile_parts_by_resolution=tile_parts_by_resolution,
            progression_order=progression_order,
            resource=resource,
        )
    )


def rewritten_chunks(
    codestream: Codestream,
    *,
    plt: bool = True,
    tlm: bool = True,
    tile_parts_by_resolution: bool = True,
    progression_order: ProgressionOrder | None = None,
    resource: str | None = None,
) -> list[Chunk]:
    """As `rewrite`, in pieces; views of ``codestream``, which may be mapped, where it is the same.

    Raises:
        MalformedCodestream: as `rewrite`.
    """
    try:
        header = read_main_header(codestream[:_MAIN_HEADER_BYTES], resource=resource)
    except NeedMore:
        try:
            header = read_main_header(codestream[:], resource=resource)
        except NeedMore:
            message = "codestream: cut in its main header"
            raise MalformedCodestream(message, resource=resource) from None
    by_level = tile_parts_by_resolution and progression_order is None
    quick = quick_packets(codestream, header) if by_level else None
    if quick is None:
        found = _Parts(codestream)
        walk = LevelWalk(header, len(codestream), resource=resource, listener=found)
        read_all(walk.run(), cast("bytes", codestream))
    try:
        if quick is not None:
            quick_parts = [(0, level, len(quick), spans) for level, spans in enumerate(quick)]
            return _written(codestream, header, quick_parts, {0: b""}, plt=plt, tlm=tlm)
        if walk.missing_packets or len(found.tiles) != header.siz.tile_count:
            raise ValueError("packets are missing")
        if progression_order is not None:
            for index, tile in found.tiles.items():
                _reorder(tile, header, index, progression_order)
        if tile_parts_by_resolution:
            parts = _by_resolution(
                found.tiles, header, progression_order or header.cod.progression_order
            )
        else:
            parts = [(index, 0, 1, tile.spans) for index, tile in found.tiles.items()]
        segments = {index: tile.segments for index, tile in found.tiles.items()}
        return _written(codestream, header, parts, segments, progression_order, plt=plt, tlm=tlm)
    except (ValueError, struct.error) as error:
        raise MalformedCodestream(f"codestream: {error}", resource=resource) from error


def _written(
    codestream: Codestream,
    header: MainHeader,
    parts: list[Part],
    segments: dict[int, bytes],
    progression_order: ProgressionOrder | None = None,
    *,
    plt: bool,
    tlm: bool,
) -> list[Chunk]:
    """The codestream of tile-parts, of which the first of each tile holds its ``segments``."""
    sop = SopNumbers() if progression_order and header.cod.may_use_sop else None
    bodies = [tile_part(codestream, part, segments[part[0]], plt, sop) for part in parts]
    main = _kept(codestream[: header.header_stop + 2], 2, SOT, (TLM, PLM))
    if progression_order is not None:
        main = _with_order(main, progression_order)
    chunks: list[Chunk] = [codestream[:2], main]
    if tlm:
        lengths = [(part[0], length) for part, (length, _) in zip(parts, bodies, strict=True)]
        chunks.append(tlm_segments(lengths))
    for _, body in bodies:
        chunks += body
    return [*chunks, EOC.to_bytes(2, "big")]


def _reorder(tile: _Tile, header: MainHeader, tile_index: int, order: ProgressionOrder) -> None:
    """Bring the packets of a tile into another order (B.12)."""
    scope = replace(tile.scope, cod=replace(tile.scope.cod, progression_order=order))
    where = {_key(place): span for place, span in zip(tile.places, tile.spans, strict=True)}
    tile.places = list(TilePackets(header.siz, scope, tile_index, Budget()))
    tile.spans = [where[_key(place)] for place in tile.places]
    tile.segments = _with_order(tile.segments, order)


def _key(place: PacketPlace) -> tuple[int, int, int, int]:
    resolution = place.resolution
    return (
        resolution.component_index,
        resolution.resolution_level,
        place.precinct_index,
        place.layer,
    )


def _with_order(segments: bytes, order: ProgressionOrder) -> bytes:
    """Marker segments of a header whose COD names another order (A.6.1)."""
    changed = bytearray(segments)
    for marker, start, _ in split_segments(segments + SOD.to_bytes(2, "big"), 0, SOD):
        if marker == COD:
            changed[start + 5] = PROGRESSION_ORDERS.index(order)
    return bytes(changed)


def _by_resolution(
    tiles: dict[int, _Tile], header: MainHeader, order: ProgressionOrder
) -> list[Part]:
    """One tile-part for each level of each tile, also where it has no packet, level by level."""
    if not all(tile.goes_up for tile in tiles.values()):
        raise ValueError(f"its progression ({order}) does not go level by level")
    by_level = {index: tile.by_level() for index, tile in tiles.items()}
    levels = max(coding.decomposition_levels for coding in header.scope.codings)
    count = 1 + max(levels, *(max(found, default=0) for found in by_level.values()))
    return [
        (index, level, count, found.get(level, []))
        for level in range(count)
        for index, found in by_level.items()
    ]


def _kept(header: bytes, offset: int, end: int, dropped: tuple[int, ...]) -> bytes:
    """The marker segments of a header but for those ``dropped``."""
    return b"".join(
        header[start:stop]
        for marker, start, stop in split_segments(header, offset, end)
        if marker not in (end, *dropped)
    )
