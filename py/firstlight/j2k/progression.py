"""The order of packets in a tile (ISO/IEC 15444-1 B.12)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from firstlight.j2k.geometry import tile_resolutions

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from firstlight.j2k.budget import Budget
    from firstlight.j2k.geometry import Resolution
    from firstlight.j2k.parameters import CodingScope, ProgressionOrder, Siz


class PacketPlace(NamedTuple):
    """Which packet of a tile: one layer of one precinct of one resolution level."""

    resolution: Resolution
    precinct_index: int
    layer: int


class TilePackets:
    """The packets of one tile: how many there are for each level, and in which order they come.

    Raises:
        TooComplex: more precincts than the budget allows.
    """

    def __init__(self, siz: Siz, scope: CodingScope, tile_index: int, budget: Budget) -> None:
        self.scope = scope
        depths = [coding.decomposition_levels for coding in scope.codings]
        self.decomposition_levels = min(depths)
        self.is_uniform = len(set(depths)) == 1
        """All components have the same number of decomposition levels."""
        budget.spend(sum(depths) + len(depths))
        self._origin = siz.tile_bounds(tile_index)[:2]
        # Levels without precincts are left out: going over them would be work without packets.
        self._components = [
            [item for item in levels if item.precinct_count]
            for levels in tile_resolutions(siz, scope, tile_index)
        ]
        self._levels: list[list[Resolution]] = [[] for _ in range(max(depths) + 1)]
        for levels in self._components:
            for item in levels:
                self._levels[item.resolution_level].append(item)
                budget.spend(item.precinct_count)

    def picture_level(self, resolution: Resolution) -> int:
        """The smallest resolution level of the picture that a component's level is needed for.

        Components with more decomposition levels than the picture add theirs at its level 0.
        """
        extra = resolution.coding.decomposition_levels - self.decomposition_levels
        return max(0, resolution.resolution_level - extra)

    def counts(self) -> list[int]:
        """Number of packets of each of the picture's resolution levels."""
        counts = [0] * (self.decomposition_levels + 1)
        for levels in self._components:
            for item in levels:
                counts[self.picture_level(item)] += item.precinct_count * self.scope.cod.layers
        return counts

    def __iter__(self) -> Iterator[PacketPlace]:
        layers = range(self.scope.cod.layers)
        order = self.scope.cod.progression_order
        if order == "LRCP":
            for layer in layers:
                for level in self._levels:
                    yield from _precincts(level, (layer,))
        elif order == "RLCP":
            for level in self._levels:
                for layer in layers:
                    yield from _precincts(level, (layer,))
        else:
            for group in self._groups(order):
                for _, _, resolution, precinct_index in self._by_position(group):
                    for layer in layers:
                        yield PacketPlace(resolution, precinct_index, layer)

    def _groups(self, order: ProgressionOrder) -> Iterable[Iterable[Resolution]]:
        """What is walked by position before the next: a level, a component, or everything."""
        if order == "RPCL":
            return self._levels
        if order == "CPRL":
            return self._components
        return [[item for levels in self._components for item in levels]]

    def _by_position(self, group: Iterable[Resolution]) -> list[tuple[int, int, Resolution, int]]:
        """Precincts of a group by their upper left corner, by component and level where equal.

        A precinct that starts before the tile counts as starting with it (B.12.1.3). The sort is
        stable and a group lists components before levels, so those decide between equals.
        """
        left, top = self._origin
        found = []
        for item in group:
            step_x, step_y = item.reference_step
            column, row = item.first_precinct
            for index in range(item.precinct_count):
                down, across = divmod(index, item.precincts_across)
                y = max(top, (row + down) * step_y)
                x = max(left, (column + across) * step_x)
                found.append((y, x, item, index))
        found.sort(key=lambda entry: entry[:2])
        return found


def _precincts(level: Iterable[Resolution], layers: Iterable[int]) -> Iterator[PacketPlace]:
    for resolution in level:
        for precinct_index in range(resolution.precinct_count):
            for layer in layers:
                yield PacketPlace(resolution, precinct_index, layer)
