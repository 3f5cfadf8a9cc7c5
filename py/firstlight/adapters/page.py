"""The Page of CPython: collects what the loader tells, and the decoded arrays."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from firstlight.retrieve.status import Quality, replaces

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from firstlight.ports import DecodeOrder


@dataclass(frozen=True, slots=True)
class Picture:
    """Stored values of one frame at one resolution level.

    ``values`` is (rows, columns), or (rows, columns, samples), as wide and signed as Bits
    Allocated and Pixel Representation say; the page owns it. ``decomposition_levels`` are those of
    the representation that it was decoded from, which may be a smaller one than the frame itself.
    """

    values: NDArray[Any]
    resolution_level: int
    decomposition_levels: int
    quality: Quality = Quality.FULL_RESOLUTION

    @property
    def is_final(self) -> bool:
        """Whether this is the full image."""
        return self.resolution_level == self.decomposition_levels


class CollectingPage:
    """A `firstlight.ports.Page` for scripts; it belongs to the event loop it is used in.

    ``series`` and ``series_list`` are the loader's records, ``states`` the last one of each frame
    (`loader.report.frame_state`), ``error`` that of a source which did not open, or of a
    configuration that cannot be followed.
    """

    def __init__(self) -> None:
        self.pictures: dict[int, Picture] = {}
        self.states: dict[int, dict[str, Any]] = {}
        self.series_list: list[dict[str, Any]] = []
        self.series: dict[str, Any] | None = None
        self.error: dict[str, Any] | None = None
        self._changed = asyncio.Event()

    def keep(self, order: DecodeOrder, values: NDArray[Any], resolution_level: int) -> None:
        """Take the outcome of a decode, unless a better one is here already."""
        held = self.pictures.get(order.frame_index)
        quality = Quality.SUBRESOLUTION
        if resolution_level == order.decomposition_levels:
            quality = Quality[order.quality or Quality.FULL_RESOLUTION.name]
        held_quality, held_size = (held.quality, held.values.size) if held else (None, 0)
        if replaces(quality, values.size, held_quality, held_size):
            picture = Picture(values, resolution_level, order.decomposition_levels, quality)
            self.pictures[order.frame_index] = picture
        self._changed.set()

    def evict(self, frame_index: int) -> None:
        self.pictures.pop(frame_index, None)
        self._changed.set()

    def publish(self, kind: str, record: Any) -> None:  # noqa: ANN401 - JSON of each kind
        match kind:
            case "series":
                self.series = record
                self.states.clear()
                self.pictures.clear()
            case "serieslist":
                self.series_list = record
            case "states":
                self.states.update({state["frameIndex"]: state for state in record})
            case "error" | "configuration":
                self.error = record
        self._changed.set()

    async def until(self, holds: Callable[[CollectingPage], bool]) -> None:
        """Wait until a condition on what was collected holds."""
        while not holds(self):
            self._changed.clear()
            await self._changed.wait()
