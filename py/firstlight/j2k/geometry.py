"""Precincts and code-blocks of one tile (ISO/IEC 15444-1 Annex B.5 to B.9)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from firstlight.j2k.parameters import CodingScope, ComponentCoding, Siz

Grid = tuple[int, int]
"""How many code-blocks of one sub-band lie in a precinct, across and down."""


def _ceil_shift(value: int, shift: int) -> int:
    return -(-value >> shift)


@dataclass(frozen=True, slots=True)
class Resolution:
    """One resolution level of one component of a tile: where its precincts lie."""

    component_index: int
    resolution_level: int
    coding: ComponentCoding
    component_bounds: tuple[int, int, int, int]
    """The tile-component's left, top, right and bottom in its own samples (B-12)."""
    precinct_exponents: tuple[int, int]
    first_precinct: tuple[int, int]
    """Column and row, counted from the component's origin, of the first precinct."""
    precincts_across: int
    precincts_down: int
    reference_step: tuple[int, int]
    """Size of a precinct on the reference grid."""

    @property
    def precinct_count(self) -> int:
        """Number of precincts, 0 where the level has no samples (B-16)."""
        return self.precincts_across * self.precincts_down

    def block_grids(self, precinct_index: int) -> tuple[Grid, ...]:
        """Code-block grids of a precinct: LL, or HL, LH and HH (B.7, B.9)."""
        row, column = divmod(precinct_index, self.precincts_across)
        column += self.first_precinct[0]
        row += self.first_precinct[1]
        level = self.resolution_level
        coding = self.coding
        bands = ((1, 0), (0, 1), (1, 1)) if level else ((0, 0),)
        halved = 1 if level else 0
        depth = coding.decomposition_levels - level + halved
        width = self.precinct_exponents[0] - halved
        height = self.precinct_exponents[1] - halved
        left, top, right, bottom = self.component_bounds
        return tuple(
            (
                _blocks(left, right, x, depth, column, width, coding.code_block_width_exponent),
                _blocks(top, bottom, y, depth, row, height, coding.code_block_height_exponent),
            )
            for x, y in bands
        )


@lru_cache(maxsize=1024)
def _blocks(
    low: int, high: int, is_high_pass: int, depth: int, cell: int, cell_exp: int, block_exp: int
) -> int:
    """Number of code-blocks along one axis of a sub-band inside one precinct."""
    shift = is_high_pass << (depth - 1) if depth else 0
    start = max(_ceil_shift(low - shift, depth), cell << cell_exp)
    stop = min(_ceil_shift(high - shift, depth), (cell + 1) << cell_exp)
    exponent = min(block_exp, cell_exp)
    return _ceil_shift(stop, exponent) - (start >> exponent) if stop > start else 0


def tile_resolutions(
    siz: Siz, scope: CodingScope, tile_index: int
) -> tuple[tuple[Resolution, ...], ...]:
    """Resolution levels of each component of a tile, smallest first."""
    left, top, right, bottom = siz.tile_bounds(tile_index)
    components = []
    for index, component in enumerate(siz.components):
        dx, dy = component.subsampling_x, component.subsampling_y
        bounds = (-(-left // dx), -(-top // dy), -(-right // dx), -(-bottom // dy))
        coding = scope.codings[index]
        components.append(
            tuple(
                _resolution(index, level, coding, bounds, (dx, dy))
                for level in range(coding.decomposition_levels + 1)
            )
        )
    return tuple(components)


def _resolution(
    component_index: int,
    level: int,
    coding: ComponentCoding,
    bounds: tuple[int, int, int, int],
    subsampling: tuple[int, int],
) -> Resolution:
    reduction = coding.decomposition_levels - level
    left, top, right, bottom = (_ceil_shift(edge, reduction) for edge in bounds)
    width, height = coding.precinct_exponent(level)
    across = _ceil_shift(right, width) - (left >> width) if right > left else 0
    down = _ceil_shift(bottom, height) - (top >> height) if bottom > top else 0
    return Resolution(
        component_index=component_index,
        resolution_level=level,
        coding=coding,
        component_bounds=bounds,
        precinct_exponents=(width, height),
        first_precinct=(left >> width, top >> height),
        precincts_across=across if down else 0,
        precincts_down=down if across else 0,
        reference_step=(
            subsampling[0] << (width + reduction),
            subsampling[1] << (height + reduction),
        ),
    )
