"""What a walk knows of one tile, and what can be told from its first tile-part."""

from __future__ import annotations

from typing import TYPE_CHECKING

from firstlight.j2k.packets import PacketReader
from firstlight.j2k.progression import TilePackets
from firstlight.j2k.tagtree import BadPacket, HeaderCut

if TYPE_CHECKING:
    from firstlight.j2k.budget import Budget
    from firstlight.j2k.parameters import MainHeader, TilePartHeader
    from firstlight.j2k.windows import Window


class Tile:
    """A tile that a walk has entered: its packets in order, and the next of them.

    Raises:
        TooComplex: the tile has more precincts than the budget allows.
    """

    def __init__(self, first_part: TilePartHeader, header: MainHeader, budget: Budget) -> None:
        self.scope = first_part.scope
        self.packets = TilePackets(header.siz, self.scope, first_part.tile_index, budget)
        self.counts = self.packets.counts()
        self.remaining = sum(self.counts)
        self.reader: PacketReader | None = PacketReader(self.scope.cod, budget)
        """None once packets were passed whose headers a later layer would need."""
        self.part_index = 0
        """Index of the tile-part that must come next."""
        self.by_resolution = False
        """Each tile-part holds exactly one resolution level."""
        self._places = iter(self.packets)
        self.place = next(self._places, None)

    def advance(self) -> None:
        """Go on to the next packet."""
        self.place = next(self._places, None)
        self.remaining -= 1

    def skip_level(self, resolution_level: int) -> None:
        """Go on past the packets of a level, which come next."""
        while self.place is not None and self.place.resolution.resolution_level == resolution_level:
            self.advance()

    def claims_resolutions(self, part: TilePartHeader) -> bool:
        """Whether the number of tile-parts says that there is one for each resolution level."""
        cod = self.scope.cod
        by_level = cod.progression_order in ("RLCP", "RPCL") or (
            cod.progression_order == "LRCP" and cod.layers == 1
        )
        levels = self.packets.decomposition_levels + 1
        return by_level and self.packets.is_uniform and part.tile_part_count == levels


def level_0_fills(part: TilePartHeader, tile: Tile, window: Window, budget: Budget) -> bool:
    """Whether the packets of level 0, as far as the window shows, fill the tile-part exactly."""
    if part.scope.packs_packet_headers:
        return True
    reader = PacketReader(tile.scope.cod, budget)
    position = part.body_start
    for place in tile.packets:
        if place.resolution.resolution_level:
            break
        if not window.start <= position < window.stop:
            return True
        try:
            stop = reader.read(window.data, position - window.start, place)
        except HeaderCut:
            return True
        except BadPacket:
            return False
        position = window.start + stop
    return position == part.stop


def ends_from_tlm(header: MainHeader, first_part: TilePartHeader) -> list[int] | None:
    """Ends of all levels from TLM, where it lists one tile-part for each level of each tile.

    None where it does not, or where the first tile-part has another length than listed.
    """
    listed = header.tile_part_lengths
    tile_count = header.siz.tile_count
    level_count = header.decomposition_levels + 1
    if first_part.stop is None or len(listed) != tile_count * level_count:
        return None
    length = first_part.stop - first_part.start
    if (listed[0].tile_index, listed[0].length) != (first_part.tile_index, length):
        return None
    seen = [0] * tile_count
    ends = [0] * level_count
    position = first_part.start
    for entry in listed:
        position += entry.length
        if entry.tile_index >= tile_count or seen[entry.tile_index] >= level_count:
            return None
        ends[seen[entry.tile_index]] = position
        seen[entry.tile_index] += 1
    # With several tiles a low level of the last may come after a high one of the first.
    for level in range(1, level_count):
        ends[level] = max(ends[level], ends[level - 1])
    return ends
