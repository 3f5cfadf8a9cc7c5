"""How a window is made: what the planner tells, and what the decoder is told."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING

from firstlight.ranges import ByteRange

if TYPE_CHECKING:
    from firstlight.j2k.region_header import BaseHeader, DetailHeader


@dataclass(frozen=True, slots=True)
class Box:
    """Samples of one resolution level: ``right`` and ``bottom`` lie outside."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def columns(self) -> int:
        """Its width in samples."""
        return self.right - self.left

    @property
    def rows(self) -> int:
        """Its height in samples."""
        return self.bottom - self.top

    def edges(self) -> list[int]:
        """Left, top, right and bottom."""
        return [self.left, self.top, self.right, self.bottom]


@dataclass(frozen=True, slots=True)
class RegionBase:
    """The level that is decoded whole, from the bytes ``start`` to ``stop`` after SOC.

    They are its tile-parts; ``header`` is a main header for them alone.
    """

    resolution_level: int
    start: int
    stop: int
    header: BaseHeader


@dataclass(frozen=True, slots=True)
class RegionStep:
    """The detail of one level.

    ``runs``, ranges of the codestream counted from SOC, are whole packets; ``header``, they, and
    EOC are a codestream of ``block``, whose inverse transform has an LL of 0. With the picture of
    the level below in the step before's ``box`` they give exact samples in ``box``.
    """

    resolution_level: int
    block: Box
    box: Box
    header: DetailHeader
    runs: tuple[ByteRange, ...]


@dataclass(frozen=True, slots=True)
class RegionPlan:
    """How ``box`` of level ``level`` is made: the base whole, then a step for each level above."""

    level: int
    box: Box
    base: RegionBase
    steps: tuple[RegionStep, ...]
    colour_transform: bool

    def extents(self) -> tuple[ByteRange, ...]:
        """All bytes that it takes, from SOC, in the order in which the decoder takes them."""
        runs = [run for step in self.steps for run in step.runs]
        return (ByteRange(0, self.base.stop), *runs)

    def message(self) -> dict[str, object]:
        """What the decoder is told beside the bytes of `extents` (``wasm/openjph/region.js``)."""
        base = self.base
        return {
            "box": self.box.edges(),
            "colourTransform": self.colour_transform,
            "base": {
                "level": base.resolution_level,
                "start": base.start,
                "stop": base.stop,
                "header": _text(base.header.plain),
                "wide": None if base.header.wide is None else _text(base.header.wide),
            },
            "steps": [
                {
                    "block": step.block.edges(),
                    "box": step.box.edges(),
                    "byteCount": sum(run.length or 0 for run in step.runs),
                    "header": _text(step.header.plain),
                    "wide": [[offset, _text(header)] for offset, header in step.header.wide],
                }
                for step in self.steps
            ],
        }


def _text(header: bytes) -> str:
    return b64encode(header).decode()
