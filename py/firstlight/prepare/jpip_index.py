"""Index boxes of JP2 files (ISO/IEC 15444-9 Annex I), from which JPIP servers find every packet.

A file with them is: signature, ftyp, jp2h, iptr, jp2c, cidx, fidx. Offsets in the tables count
from the codestream's SOC; those in iptr and prxy from the file's beginning.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from firstlight.j2k.budget import Budget
from firstlight.j2k.markers import SOD, SOT, SOT_BYTES, read_main_header, split_segments
from firstlight.j2k.packets import PacketReader
from firstlight.j2k.walk import LevelWalk
from firstlight.j2k.windows import read_all

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from firstlight.j2k.parameters import MainHeader, TilePartHeader
    from firstlight.j2k.progression import PacketPlace

BOX_HEADER_BYTES: Final = 8
IPTR_BYTES: Final = BOX_HEADER_BYTES + 16
_SOC_BYTES: Final = 2
_MAX_4_BYTES: Final = 0xFFFFFFFF
_WITH_AUX: Final = 2
"""Of a fragment array index's version; 1 for numbers of eight bytes."""

Element = tuple[int, int, int]
"""Where something starts in the codestream, its length, and an auxiliary number."""

_Segment = tuple[int, int, int]
"""A marker, and where its segment starts and stops."""


def box(kind: bytes, *contents: bytes) -> bytes:
    """One box (ISO/IEC 15444-1 I.4)."""
    body = b"".join(contents)
    return struct.pack(">I4s", BOX_HEADER_BYTES + len(body), kind) + body


@dataclass(slots=True)
class _Tile:
    """What the tables say of one tile."""

    reader: PacketReader
    parts: list[tuple[int, int]] = field(default_factory=list)
    header: tuple[int, list[_Segment]] = (0, [])
    """Of its first tile-part: how many bytes, and which marker segments."""
    packets: dict[int, dict[tuple[int, int, int], Element]] = field(default_factory=dict)
    """Of each component by level, precinct and layer; the third number is the header's length."""


class _Layout:
    """Listens to a walk through the whole codestream."""

    def __init__(self, codestream: bytes) -> None:
        self.tiles: dict[int, _Tile] = {}
        self._codestream = codestream

    def tile_part(self, part: TilePartHeader) -> None:
        """Note a tile-part, and the marker segments of a first one."""
        tile = self.tiles.get(part.tile_index)
        stop = len(self._codestream) - 2 if part.stop is None else part.stop
        if tile is None:
            tile = self.tiles[part.tile_index] = _Tile(PacketReader(part.scope.cod, Budget()))
            head = self._codestream[part.start : part.body_start]
            found = [(SOT, part.start, part.start + SOT_BYTES)]
            for marker, start, end in split_segments(head, SOT_BYTES, SOD):
                if marker != SOD:
                    found.append((marker, part.start + start, part.start + end))
            tile.header = len(head), found
        tile.parts.append((part.start, stop))

    def packet(self, tile_index: int, place: PacketPlace, start: int, stop: int) -> None:
        """Note a packet."""
        tile, resolution = self.tiles[tile_index], place.resolution
        header_stop = tile.reader.header_stop(self._codestream, start, place)
        key = (resolution.resolution_level, place.precinct_index, place.layer)
        of_component = tile.packets.setdefault(resolution.component_index, {})
        of_component[key] = (start, stop - start, header_stop - start)


def iptr(index_offset: int, index_bytes: int) -> bytes:
    """Where in the file the file index lies (I.3.3)."""
    return box(b"iptr", struct.pack(">QQ", index_offset, index_bytes))


def index_boxes(codestream: bytes, box_offset: int) -> tuple[bytes, bytes]:
    """The boxes cidx and fidx, which follow a contiguous codestream box at ``box_offset``.

    Raises:
        MalformedCodestream: the codestream cannot be read packet by packet.
    """
    cidx = _codestream_index(codestream, box_offset + BOX_HEADER_BYTES)
    box_bytes = BOX_HEADER_BYTES + len(codestream)
    proxy = struct.pack(">QI4sBQ", box_offset, box_bytes, b"jp2c", 1, box_offset + box_bytes)
    return cidx, box(b"fidx", box(b"prxy", proxy, cidx[:BOX_HEADER_BYTES]))


def _codestream_index(codestream: bytes, start: int) -> bytes:
    """Where the headers, tile-parts and packets of a codestream at ``start`` lie (I.3.2)."""
    header, layout = read_main_header(codestream), _Layout(codestream)
    read_all(LevelWalk(header, len(codestream), listener=layout).run(), codestream)
    tiles = [layout.tiles[index] for index in sorted(layout.tiles)]
    finder = box(b"cptr", struct.pack(">HHQQ", 0, 0, start, len(codestream)))
    parts = [box(b"tpix", _tile_parts(tiles, header, len(codestream)))]
    segments = [
        (marker, begin, end)
        for marker, begin, end in split_segments(
            codestream[: header.header_stop + 2], _SOC_BYTES, SOT
        )
        if marker != SOT
    ]
    tables = [
        _header_index(header.header_stop, segments),
        *parts,
        _listed(b"thix", [_header_index(*tile.header) for tile in tiles]),
        _listed(b"ppix", _by_component(tiles, header, len(codestream), headers=False)),
        _listed(b"phix", _by_component(tiles, header, len(codestream), headers=True)),
    ]
    return box(b"cidx", finder, _manifest(tables), *tables)


def _header_index(header_bytes: int, segments: Iterable[_Segment]) -> bytes:
    """mhix: each marker segment, from behind its marker on, and how many alike still follow."""
    listed = list(segments)
    left: dict[int, int] = {}
    for marker, _, _ in listed:
        left[marker] = left.get(marker, 0) + 1
    rows = [struct.pack(">Q", header_bytes)]
    for marker, start, stop in listed:
        left[marker] -= 1
        rows.append(struct.pack(">HHQH", marker, left[marker], start + 2, stop - start - 2))
    return box(b"mhix", *rows)


def _tile_parts(tiles: Sequence[_Tile], header: MainHeader, length: int) -> bytes:
    """Tile-parts of each tile; the third number is how many levels are there after each."""
    by_level = all(len(tile.parts) == header.decomposition_levels + 1 for tile in tiles)
    rows = [
        [
            (start, stop - start, number if by_level else header.decomposition_levels + 1)
            for number, (start, stop) in enumerate(tile.parts, start=1)
        ]
        for tile in tiles
    ]
    return _fragments(rows, length, aux=any(len(row) > 1 for row in rows))


def _by_component(
    tiles: Sequence[_Tile], header: MainHeader, length: int, *, headers: bool
) -> list[bytes]:
    """Packets, or packet headers, of each component, by level, precinct and layer in each tile."""
    found = []
    for component in range(len(header.siz.components)):
        rows = []
        for tile in tiles:
            packets = tile.packets.get(component, {})
            in_order = [packets[key] for key in sorted(packets)]
            rows.append([(at, head if headers else size, 0) for at, size, head in in_order])
        found.append(_fragments(rows, length, aux=False))
    return found


def _fragments(rows: Sequence[Sequence[Element]], length: int, *, aux: bool) -> bytes:
    """faix: rows of equal length, filled up with zeros (I.3.2.4.2)."""
    wide = length > _MAX_4_BYTES
    number = ">Q" if wide else ">I"
    element = struct.Struct((">QQ" if wide else ">II") + ("I" if aux else ""))
    most = max((len(row) for row in rows), default=0)
    packed = [bytes([_WITH_AUX * aux + wide]), struct.pack(number, most)]
    packed.append(struct.pack(number, len(rows)))
    for row in rows:
        packed += [element.pack(*(entry if aux else entry[:2])) for entry in row]
        packed.append(bytes(element.size * (most - len(row))))
    return box(b"faix", *packed)


def _listed(kind: bytes, boxes: Sequence[bytes]) -> bytes:
    return box(kind, _manifest(boxes), *boxes)


def _manifest(boxes: Iterable[bytes]) -> bytes:
    """manf: the headers of the boxes that follow."""
    return box(b"manf", *(content[:BOX_HEADER_BYTES] for content in boxes))
