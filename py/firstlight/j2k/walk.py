"""Walks a codestream from tile-part to tile-part and finds where each resolution level ends.

It jumps over everything that need not be seen, above all the bodies of packets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol

from firstlight.errors import MalformedCodestream
from firstlight.j2k.budget import Budget, TooComplex
from firstlight.j2k.markers import EOC, SOT_BYTES, read_tile_part_header
from firstlight.j2k.parameters import MainHeader, NeedMore, TilePartHeader
from firstlight.j2k.tagtree import BadPacket, HeaderCut
from firstlight.j2k.tiles import Tile, ends_from_tlm, level_0_fills
from firstlight.j2k.windows import Reading, Want, Window

if TYPE_CHECKING:
    from firstlight.j2k.packets import PacketReader
    from firstlight.j2k.progression import PacketPlace

Method = Literal["tlm", "plt", "packets", "growing"]


class Listener(Protocol):
    """Is told of everything that a walk passes, in the order of the codestream."""

    def tile_part(self, part: TilePartHeader) -> None:
        """A tile-part begins."""

    def packet(self, tile_index: int, place: PacketPlace, start: int, stop: int) -> None:
        """A packet, from its first byte to after its last."""


TILE_PART_HEADER_BYTES = 512
"""Asked for at a tile-part's start: SOT, SOD and with luck the first packet header."""


class LevelWalk:
    """Finds the ends of the resolution levels; `level_ends` grows while `run` is driven.

    With a ``listener`` it goes through every packet of the codestream, and by their headers alone.
    """

    def __init__(
        self,
        header: MainHeader,
        length: int | None,
        *,
        resource: str | None = None,
        listener: Listener | None = None,
    ) -> None:
        self.method: Method = "tlm"
        self.level_ends: list[int] = []
        self._header = header
        self._length = length
        self._resource = resource
        self._listener = listener
        self._budget = Budget()
        self._pending = [0] * (header.decomposition_levels + 1)
        """Packets of each level still to come in the tiles entered so far."""
        self._tiles: dict[int, Tile] = {}

    @property
    def is_complete(self) -> bool:
        """Whether the ends of all resolution levels are known."""
        return len(self.level_ends) == len(self._pending)

    @property
    def missing_packets(self) -> int:
        """Packets that the tiles entered so far must still have."""
        return sum(tile.remaining for tile in self._tiles.values())

    @property
    def _is_done(self) -> bool:
        if self._listener is not None:
            return False
        # With nothing to be read, only the end of everything matters.
        return self.is_complete or (self.method == "growing" and self._length is not None)

    def run(self) -> Reading[None]:
        """Walk the codestream.

        Raises:
            MalformedCodestream: it contradicts itself, or ends inside a packet or a header.
        """
        position: int | None = self._header.header_stop
        while position is not None and not self._is_done:
            window = yield Want(position, 2, TILE_PART_HEADER_BYTES)
            marker = int.from_bytes(window.read(position, 2), "big")
            if marker == EOC or position >= window.stop:
                break
            part = yield from self._tile_part_header(position)
            if self._listener is not None:
                self._listener.tile_part(part)
            try:
                yield from self._tile_part(part)
            except TooComplex as reason:
                if self._listener is not None:
                    raise self._malformed(f"cannot be read: {reason}", part.start) from reason
                self.method = "growing"
            position = part.stop
        self._finish(position)

    def _tile_part_header(self, start: int) -> Reading[TilePartHeader]:
        count, advised = SOT_BYTES, TILE_PART_HEADER_BYTES
        while True:
            window = yield Want(start, count, advised)
            data = window.read(start, max(count, advised))
            try:
                return read_tile_part_header(data, start, self._header, resource=self._resource)
            except NeedMore as more:
                if window.at_end and more.stop > window.stop:
                    raise self._malformed("cut in a tile-part header", start) from None
                count = more.stop - start
                advised = max(advised, count + TILE_PART_HEADER_BYTES)

    def _tile_part(self, part: TilePartHeader) -> Reading[None]:
        """Pass one tile-part in the cheapest way it allows."""
        if self.method == "growing":
            return
        tile = self._tiles.get(part.tile_index)
        if part.scope.changes_progression or (tile and tile.scope.changes_progression):
            raise TooComplex("POC changes its progression order")
        if tile is None:
            tile = yield from self._enter(part)
            if self._is_done:
                return
        if self._listener is None:
            if tile.by_resolution and self._take_level(part, tile):
                return
            if self._take_plt(part, tile):
                return
        if part.scope.packs_packet_headers or tile.scope.packs_packet_headers:
            raise TooComplex("its packet headers are not with the packets")
        if tile.reader is None:
            raise TooComplex("PLT is there for some tile-parts only")
        yield from self._read_packets(part, tile, tile.reader)

    def _enter(self, part: TilePartHeader) -> Reading[Tile]:
        """Begin with a tile, and look whether its levels can be told by its tile-parts."""
        tile = Tile(part, self._header, self._budget)
        if tile.packets.decomposition_levels + 1 != len(self._pending):
            raise TooComplex("a tile has its own number of decomposition levels")
        self._tiles[part.tile_index] = tile
        for level, count in enumerate(tile.counts):
            self._pending[level] += count
        window = yield Want(part.body_start, 0, 0)
        if tile.claims_resolutions(part):
            tile.by_resolution = level_0_fills(part, tile, window, self._budget)
        if tile.by_resolution and len(self._tiles) == 1 and self._listener is None:
            ends = ends_from_tlm(self._header, part)
            if ends is not None and (self._length is None or ends[-1] <= self._length):
                self.level_ends = ends
        return tile

    def _take_level(self, part: TilePartHeader, tile: Tile) -> bool:
        """Pass a tile-part that holds exactly one resolution level."""
        level = tile.part_index
        if part.tile_part_index != level or level >= len(self._pending):
            raise self._malformed(f"tile-part {part.tile_part_index} out of order", part.start)
        if part.stop is None or not self._is_within(part.stop):
            # A length that is wrong is as likely as a stream that is cut: the packets tell.
            return False
        tile.part_index += 1
        tile.skip_level(level)
        self._passed(level, tile.counts[level], part.stop)
        return True

    def _take_plt(self, part: TilePartHeader, tile: Tile) -> bool:
        """Pass a tile-part by its PLT, unless that does not add up."""
        lengths = part.packet_lengths
        if lengths is None or len(lengths) > tile.remaining:
            return False
        position = part.body_start
        if part.stop not in (None, position + sum(lengths)):
            return False
        if self.method == "tlm":
            self.method = "plt"
        for length in lengths:
            self._packet(part, tile, position, position + length)
            position += length
        if tile.scope.cod.layers > 1:
            tile.reader = None
        return True

    def _read_packets(
        self, part: TilePartHeader, tile: Tile, reader: PacketReader
    ) -> Reading[None]:
        """Pass a tile-part by reading the header of each of its packets."""
        self.method = "packets"
        tile.by_resolution = False
        position = part.body_start
        window = yield Want(position, 0, 0)
        while tile.place is not None and (part.stop is None or position < part.stop):
            if not window.start <= position < window.stop:
                window = yield Want(position, 1, reader.expected_header_bytes(tile.place))
            try:
                stop = reader.read(window.data, position - window.start, tile.place)
            except BadPacket as error:
                raise self._malformed(str(error), position) from error
            except HeaderCut:
                window = yield from self._more_header(part, window, position, reader, tile.place)
                continue
            start, position = position, window.start + stop
            self._packet(part, tile, start, position)

    def _more_header(
        self,
        part: TilePartHeader,
        window: Window,
        position: int,
        reader: PacketReader,
        place: PacketPlace,
    ) -> Reading[Window]:
        """Ask for more of a packet header; by half as much again, as it is read anew each time."""
        if window.at_end or (part.stop is not None and window.stop >= part.stop):
            raise self._malformed("cut in a packet header", position)
        held = window.stop - position
        count = held + held // 2 + 16
        return (yield Want(position, count, max(count, reader.expected_header_bytes(place))))

    def _packet(self, part: TilePartHeader, tile: Tile, start: int, stop: int) -> None:
        """Note one packet."""
        place = tile.place
        if place is None:
            raise self._malformed("more packets than the headers announce", start)
        if part.stop is not None and stop > part.stop:
            raise self._malformed("a packet that reaches beyond its tile-part", start)
        if not self._is_within(stop):
            raise self._malformed("cut in a packet", start)
        if self._listener is not None:
            self._listener.packet(part.tile_index, place, start, stop)
        tile.advance()
        if not tile.remaining and part.stop is not None and self._is_within(part.stop):
            stop = part.stop
        self._passed(tile.packets.picture_level(place.resolution), 1, stop)

    def _passed(self, level: int, count: int, stop: int) -> None:
        """Note that packets of a level end at ``stop``, and which levels that completes."""
        self._pending[level] -= count
        if len(self._tiles) < self._header.siz.tile_count:
            return
        while not self.is_complete and not self._pending[len(self.level_ends)]:
            self.level_ends.append(stop)

    def _finish(self, position: int | None) -> None:
        """Say of the levels without an end of their own that all there is will do."""
        if self.is_complete:
            return
        if self.method == "growing" and self._length is not None:
            position = self._length
        elif position is not None and not self._is_within(position):
            raise self._malformed("cut in a tile-part", position)
        elif not self._tiles and self.method != "growing":
            raise self._malformed("it has no tile-part", self._header.header_stop)
        elif position is None:
            position = self._length
        if position is not None:
            missing = len(self._pending) - len(self.level_ends)
            self.level_ends.extend([position] * missing)

    def _is_within(self, stop: int) -> bool:
        return self._length is None or stop <= self._length

    def _malformed(self, message: str, offset: int) -> MalformedCodestream:
        return MalformedCodestream(f"codestream: {message} at {offset}", resource=self._resource)
