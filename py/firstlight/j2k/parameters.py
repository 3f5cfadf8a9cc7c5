"""What the headers of a codestream say, as records (ISO/IEC 15444-1 Annex A, 15444-15 A.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ProgressionOrder = Literal["LRCP", "RLCP", "RPCL", "PCRL", "CPRL"]
PROGRESSION_ORDERS: tuple[ProgressionOrder, ...] = ("LRCP", "RLCP", "RPCL", "PCRL", "CPRL")

BYPASS = 0x01
TERMINATE_EACH_PASS = 0x04
HIGH_THROUGHPUT = 0x40
HIGH_THROUGHPUT_MIXED = 0x80


class NeedMore(Exception):
    """The bytes given end too early: those before ``stop``, from the codestream start, are needed.

    There may be need for more once they are there.
    """

    def __init__(self, stop: int) -> None:
        super().__init__(f"the first {stop} bytes are needed")
        self.stop = stop


@dataclass(frozen=True, slots=True)
class Component:
    """One component of SIZ: its precision, and its distance in samples of the reference grid."""

    precision_bits: int
    is_signed: bool
    subsampling_x: int
    subsampling_y: int


@dataclass(frozen=True, slots=True)
class Siz:
    """Image and tile size on the reference grid (A.5.1); ``width`` and ``height`` of the image."""

    rsiz: int
    width: int
    height: int
    x_offset: int
    y_offset: int
    tile_width: int
    tile_height: int
    tile_x_offset: int
    tile_y_offset: int
    components: tuple[Component, ...]

    @property
    def tiles_across(self) -> int:
        """Number of tiles in a row (B-5)."""
        return -(-(self.x_offset + self.width - self.tile_x_offset) // self.tile_width)

    @property
    def tiles_down(self) -> int:
        """Number of tiles in a column (B-5)."""
        return -(-(self.y_offset + self.height - self.tile_y_offset) // self.tile_height)

    @property
    def tile_count(self) -> int:
        """Number of tiles."""
        return self.tiles_across * self.tiles_down

    def tile_bounds(self, tile_index: int) -> tuple[int, int, int, int]:
        """Left, top, right and bottom of a tile on the reference grid (B-7 to B-10)."""
        row, column = divmod(tile_index, self.tiles_across)
        left = self.tile_x_offset + column * self.tile_width
        top = self.tile_y_offset + row * self.tile_height
        return (
            max(left, self.x_offset),
            max(top, self.y_offset),
            min(left + self.tile_width, self.x_offset + self.width),
            min(top + self.tile_height, self.y_offset + self.height),
        )


@dataclass(frozen=True, slots=True)
class ComponentCoding:
    """How a component is coded (SPcod, SPcoc: A.6.1); sizes are exponents of two."""

    decomposition_levels: int
    code_block_width_exponent: int
    code_block_height_exponent: int
    code_block_style: int
    reversible: bool
    precinct_exponents: tuple[tuple[int, int], ...]
    """Width and height for each resolution level; empty where precincts are as large as can be."""

    def precinct_exponent(self, resolution_level: int) -> tuple[int, int]:
        """Width and height exponents of the precincts at a resolution level."""
        return self.precinct_exponents[resolution_level] if self.precinct_exponents else (15, 15)


@dataclass(frozen=True, slots=True)
class Cod:
    """Coding style default (A.6.1)."""

    progression_order: ProgressionOrder
    layers: int
    multiple_component_transform: bool
    may_use_sop: bool
    uses_eph: bool
    coding: ComponentCoding

    @property
    def decomposition_levels(self) -> int:
        """Decomposition levels of components without a COC of their own."""
        return self.coding.decomposition_levels

    @property
    def code_block_style(self) -> int:
        """Code-block style bits of components without a COC of their own."""
        return self.coding.code_block_style

    @property
    def reversible(self) -> bool:
        """Whether the 5/3 wavelet is used, which loses nothing."""
        return self.coding.reversible


@dataclass(frozen=True, slots=True)
class TilePartLength:
    """One entry of TLM (A.7.1): a tile-part of tile ``tile_index``, in the order of the stream."""

    tile_index: int
    length: int


@dataclass(frozen=True, slots=True)
class CodingScope:
    """The coding parameters that hold for a tile: those of the main header, or a tile's own."""

    cod: Cod
    codings: tuple[ComponentCoding, ...]
    """How each component is coded."""
    changes_progression: bool = False
    """A POC segment replaces the progression order."""
    packs_packet_headers: bool = False
    """Packet headers are not with their packets but in PPM or PPT segments."""


@dataclass(frozen=True, slots=True)
class MainHeader:
    """The main header of a codestream; offsets count from its SOC."""

    siz: Siz
    scope: CodingScope
    tile_part_lengths: tuple[TilePartLength, ...]
    """What TLM lists; empty where there is none."""
    markers: tuple[int, ...]
    """Marker codes in the order found, from SOC to the last before the first SOT."""
    header_stop: int
    """Where the first tile-part starts."""

    @property
    def cod(self) -> Cod:
        """Coding style default."""
        return self.scope.cod

    @property
    def is_high_throughput(self) -> bool:
        """Whether the stream claims ISO/IEC 15444-15 (Rsiz bit 14)."""
        return bool(self.siz.rsiz & 0x4000)

    @property
    def decomposition_levels(self) -> int:
        """How often the picture can be halved: the smallest number that any component has."""
        return min(coding.decomposition_levels for coding in self.scope.codings)


@dataclass(frozen=True, slots=True)
class TilePartHeader:
    """A tile-part from SOT to SOD (A.4.2); offsets count from the codestream's SOC."""

    tile_index: int
    tile_part_index: int
    tile_part_count: int
    """TNsot; 0 where this tile-part does not tell."""
    start: int
    body_start: int
    stop: int | None
    """None for a last tile-part that reaches to the EOC (Psot = 0)."""
    scope: CodingScope
    packet_lengths: tuple[int, ...] | None
    """What PLT lists for the packets of this tile-part; None where there is none."""
