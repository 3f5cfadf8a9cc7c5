"""Rearranges a codestream for reading by ranges; nothing is decoded, no packet is changed."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from firstlight.errors import MalformedCodestream
from firstlight.j2k.markers import (
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
from firstlight.j2k.parameters import NeedMore
from firstlight.j2k.walk import LevelWalk
from firstlight.j2k.windows import read_all

if TYPE_CHECKING:
    from firstlight.j2k.parameters import MainHeader, TilePartHeader
    from firstlight.j2k.progression import PacketPlace

MAX_SEGMENT_BYTES = 65535
MAX_SEGMENTS = 256
TLM_WITH_2_AND_4_BYTES = 0x60
"""Stlm: two bytes for the tile, four for the length of each tile-part."""


class _Tile:
    """Packets of one tile by resolution level, and the segments of its tile-part headers."""

    def __init__(self) -> None:
        self.levels: dict[int, list[bytes]] = {}
        self.segments = b""
        self.goes_up = True
        """No packet is followed by one of a lower level."""


class _Parts:
    """Takes a codestream apart into tiles and packets, as the listener of a walk."""

    def __init__(self, codestream: bytes) -> None:
        self.tiles: dict[int, _Tile] = {}
        self.in_order: dict[int, list[bytes]] = {}
        self._codestream = codestream

    def tile_part(self, part: TilePartHeader) -> None:
        """Keep what a tile-part header says beyond lengths."""
        tile = self.tiles.setdefault(part.tile_index, _Tile())
        head = self._codestream[part.start : part.body_start]
        tile.segments += _kept(head, SOT_BYTES, SOD, (PLT,))

    def packet(self, tile_index: int, place: PacketPlace, start: int, stop: int) -> None:
        """Keep a packet."""
        tile = self.tiles[tile_index]
        level = place.resolution.resolution_level
        tile.goes_up = tile.goes_up and level >= max(tile.levels, default=0)
        packet = self._codestream[start:stop]
        tile.levels.setdefault(level, []).append(packet)
        self.in_order.setdefault(tile_index, []).append(packet)


_Part = tuple[int, int, int, list[bytes]]
"""Isot, TPsot, TNsot and packets of a tile-part to be written."""


def rewrite(
    codestream: bytes,
    *,
    plt: bool = True,
    tlm: bool = True,
    tile_parts_by_resolution: bool = True,
    resource: str | None = None,
) -> bytes:
    """The same picture with packet lengths, tile-part lengths and a tile-part for each level.

    Packets stay as they are, byte for byte, and in the order of each tile's progression. With
    ``tile_parts_by_resolution`` the lowest level of every tile comes first, then the next of every
    tile; without, each tile is one tile-part. PLT and TLM (A.7) are written or left out as told,
    never taken over.

    Raises:
        MalformedCodestream: not a codestream, a broken one, or one that cannot be arranged so:
            POC, PPM or PPT, or a progression that does not go level by level.
    """
    try:
        header = read_main_header(codestream, resource=resource)
    except NeedMore:
        message = "codestream: cut in its main header"
        raise MalformedCodestream(message, resource=resource) from None
    found = _Parts(codestream)
    walk = LevelWalk(header, len(codestream), resource=resource, listener=found)
    read_all(walk.run(), codestream)
    try:
        if walk.missing_packets or len(found.tiles) != header.siz.tile_count:
            raise ValueError("packets are missing")
        if tile_parts_by_resolution:
            parts = _by_resolution(found.tiles, header)
        else:
            parts = [(index, 0, 1, packets) for index, packets in found.in_order.items()]
        bodies = [_tile_part(part, found.tiles[part[0]].segments, plt) for part in parts]
        main = [codestream[:2], _kept(codestream[: header.header_stop + 2], 2, SOT, (TLM, PLM))]
        if tlm:
            main.append(
                _tlm([(part[0], len(body)) for part, body in zip(parts, bodies, strict=True)])
            )
    except (ValueError, struct.error) as error:
        raise MalformedCodestream(f"codestream: {error}", resource=resource) from error
    return b"".join([*main, *bodies, EOC.to_bytes(2, "big")])


def _by_resolution(tiles: dict[int, _Tile], header: MainHeader) -> list[_Part]:
    """One tile-part for each level of each tile, also where it has no packet, level by level."""
    if not all(tile.goes_up for tile in tiles.values()):
        order = header.cod.progression_order
        raise ValueError(f"its progression ({order}) does not go level by level")
    levels = max(coding.decomposition_levels for coding in header.scope.codings)
    count = 1 + max(levels, *(max(tile.levels, default=0) for tile in tiles.values()))
    return [
        (index, level, count, tile.levels.get(level, []))
        for level in range(count)
        for index, tile in tiles.items()
    ]


def _kept(header: bytes, offset: int, end: int, dropped: tuple[int, ...]) -> bytes:
    """The marker segments of a header but for those ``dropped``."""
    return b"".join(
        header[start:stop]
        for marker, start, stop in split_segments(header, offset, end)
        if marker not in (end, *dropped)
    )


def _tile_part(part: _Part, segments: bytes, plt: bool) -> bytes:
    """A tile-part from SOT to its last packet."""
    tile_index, index, count, packets = part
    head = segments if index == 0 else b""
    if plt and packets:
        head += _plt(packets)
    body = b"".join(packets)
    length = SOT_BYTES + len(head) + 2 + len(body)
    sot = struct.pack(">HHHIBB", SOT, SOT_BYTES - 2, tile_index, length, index, count)
    return b"".join([sot, head, SOD.to_bytes(2, "big"), body])


def _plt(packets: list[bytes]) -> bytes:
    """The packet lengths of one tile-part; a length is not split between segments (A.7.3)."""
    payloads = [b""]
    for packet in packets:
        rest = len(packet)
        entry = bytes([rest & 0x7F])
        while rest := rest >> 7:
            entry = bytes([rest & 0x7F | 0x80]) + entry
        if len(payloads[-1]) + len(entry) > MAX_SEGMENT_BYTES - 3:
            payloads.append(b"")
        payloads[-1] += entry
    return _numbered(PLT, payloads)


def _tlm(entries: list[tuple[int, int]]) -> bytes:
    """Tile index and length of each tile-part (A.7.1)."""
    most = (MAX_SEGMENT_BYTES - 4) // 6
    packed = [struct.pack(">HI", tile, length) for tile, length in entries]
    return _numbered(
        TLM,
        [
            # Stlm stands between the segment's number and its entries.
            bytes([TLM_WITH_2_AND_4_BYTES]) + b"".join(packed[start : start + most])
            for start in range(0, len(packed), most)
        ],
    )


def _numbered(marker: int, payloads: list[bytes]) -> bytes:
    """Marker segments that begin with their number."""
    if len(payloads) > MAX_SEGMENTS:
        raise ValueError(f"it would need more than {MAX_SEGMENTS} segments {marker:04X}")
    return b"".join(
        struct.pack(">HHB", marker, len(payload) + 3, number) + payload
        for number, payload in enumerate(payloads)
    )
