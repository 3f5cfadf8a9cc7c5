"""Which packets a window of a resolution level needs, and how it is put together from them.

README.md has the way it goes: at each level the detail of a little more than the window, from its
precincts alone, added to the picture of the level below.
"""

from __future__ import annotations

from array import array
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

from firstlight.errors import MalformedCodestream
from firstlight.j2k.budget import Budget, TooComplex
from firstlight.j2k.geometry import tile_resolutions
from firstlight.j2k.markers import (
    PLT,
    SOD,
    SOT_BYTES,
    read_main_header,
    read_tile_part_header,
    split_segments,
)
from firstlight.j2k.parameters import NeedMore
from firstlight.j2k.region_header import HeaderWriter, refusal
from firstlight.j2k.region_plan import Box, RegionBase, RegionPlan, RegionStep
from firstlight.ports import MAX_READ_BYTES
from firstlight.ranges import ByteRange

if TYPE_CHECKING:
    from collections.abc import Sequence

    from firstlight.j2k.geometry import Resolution
    from firstlight.j2k.parameters import MainHeader, TilePartHeader

__all__ = ["Box", "RegionBase", "RegionIndex", "RegionPlan", "RegionStep", "refusal"]

FIRST_READ_BYTES = 4096
LENGTH_BYTES = 3
"""What an entry of PLT has, nearly always."""

BASE_SAMPLES = 1 << 18
"""A picture that is decoded whole for each window, in 2 ms."""

WIDE_BASE_SAMPLES = 1 << 12
"""Where samples may leave 16 bits, for which the base has least room: further down they do less."""


class RegionIndex:
    """Where the packets of a codestream lie: says what it wants to read, is fed, and plans windows.

    ``level_ends`` are those of all levels (`CodestreamIndex`). It reads the main header and the
    headers of the tile-parts whose packets are asked for: PLT must be there. No I/O, and offsets
    count from SOC.

    Raises:
        MalformedCodestream: ``level_ends`` that do not grow.
    """

    def __init__(self, level_ends: Sequence[int], *, resource: str | None = None) -> None:
        self.refusal: str | None = None
        """Why windows are impossible, once that is known."""
        self._ends = tuple(level_ends)
        self._resource = resource
        self._header: MainHeader | None = None
        self._writer: HeaderWriter | None = None
        self._resolutions: list[Resolution] = []
        self._offsets: dict[int, array[int]] = {}
        """Of each level: where its packets start, and after them where the last one stops."""
        self._least = 0
        """Bytes that the header being read is known to need."""
        if any(end < before for before, end in pairwise((0, *self._ends))):
            raise self._malformed("its index goes backwards")

    def missing(self, level: int, base_level: int) -> ByteRange | None:
        """Bytes to be fed before a window of ``level`` can be planned; None when all is known.

        Once these are fed, others may be missing.
        """
        if self.refusal is not None:
            return None
        wanted = self._wanted(level, base_level)
        if wanted is None:
            return None
        start, advised = wanted
        count = min(max(advised, self._least), MAX_READ_BYTES)
        return ByteRange(start, min(start + count, self._ends[-1]))

    def feed(self, start: int, data: bytes) -> None:
        """Take the bytes of `missing`, which begin at ``start``.

        Raises:
            MalformedCodestream: it contradicts itself or its index, or is cut; nothing more is
                wanted then, as with a refusal.
        """
        if self.refusal is not None:
            return
        try:
            if self._header is None:
                self._read_main(bytes(data))
            else:
                self._read_part(start, bytes(data), self._header)
        except NeedMore as more:
            least = more.stop - start + FIRST_READ_BYTES
            is_at_end = max(start + len(data), more.stop) >= self._ends[-1]
            if is_at_end or least <= self._least:  # or nothing came of what was wanted
                raise self._malformed("a header that does not end") from None
            if more.stop - start > MAX_READ_BYTES:
                self.refusal = "too many packets"
            self._least = least
        except TooComplex as reason:
            self.refusal = str(reason)
        except ValueError as error:
            raise self._malformed(str(error)) from error
        except MalformedCodestream as error:
            self.refusal = error.message
            raise

    def size(self, level: int) -> tuple[int, int]:
        """Columns and rows of a level; the main header must have been read."""
        left, top, right, bottom = self._resolutions[level].component_bounds
        below = len(self._ends) - 1 - level
        return -(-(right - left) >> below), -(-(bottom - top) >> below)

    def base_level(self) -> int:
        """The largest level that is worth decoding whole for every window."""
        is_wide = self._writer is not None and self._writer.is_wide
        most = WIDE_BASE_SAMPLES if is_wide else BASE_SAMPLES
        levels = range(len(self._ends) - 1, 0, -1)
        sizes = ((level, *self.size(level)) for level in levels)
        return next((level for level, w, h in sizes if w * h <= most), 0)

    def plan(self, window: Box, level: int, base_level: int) -> RegionPlan:
        """How to make ``window``, samples of ``level``, from level ``base_level`` up.

        Raises:
            ValueError: no such window or level, or bytes are `missing`, or windows are impossible.
        """
        if self.refusal is not None:
            raise ValueError(f"no windows: {self.refusal}")
        columns, rows = self.size(level)
        if not (0 <= window.left < window.right <= columns):
            raise ValueError(f"no columns {window.left} to {window.right} of {columns}")
        if not (0 <= window.top < window.bottom <= rows):
            raise ValueError(f"no rows {window.top} to {window.bottom} of {rows}")
        if not 0 <= base_level <= level or self.missing(level, base_level) is not None:
            raise ValueError(f"level {level} from {base_level} is not known yet")
        steps: list[RegionStep] = []
        box = window
        for each in range(level, base_level, -1):
            steps.append(self._step(each, box))
            box = self._below(each, box)
        assert self._header is not None
        assert self._writer is not None
        base = RegionBase(
            base_level,
            self._header.header_stop,
            self._ends[base_level],
            self._writer.base(base_level, *self.size(base_level)),
        )
        return RegionPlan(
            level=level,
            box=window,
            base=base,
            steps=tuple(steps[::-1]),
            colour_transform=self._header.cod.multiple_component_transform,
        )

    def _step(self, level: int, box: Box) -> RegionStep:
        """The precincts of ``box`` and of two samples around it, which its own depend on."""
        resolution = self._resolutions[level]
        columns, rows = self.size(level)
        across, down = resolution.precinct_exponents
        first = max(box.left // 2 * 2 - 2, 0) >> across, max(box.top // 2 * 2 - 2, 0) >> down
        last = (
            min(box.right // 2 * 2 + 1, columns - 1) >> across,
            min(box.bottom // 2 * 2 + 1, rows - 1) >> down,
        )
        block = Box(
            first[0] << across,
            first[1] << down,
            min((last[0] + 1) << across, columns),
            min((last[1] + 1) << down, rows),
        )
        assert self._writer is not None
        runs = self._runs(level, first, last)
        body_bytes = sum(run.length or 0 for run in runs)
        header = self._writer.detail(level, block.columns, block.rows, body_bytes)
        return RegionStep(level, block, box, header, runs)

    def _below(self, level: int, box: Box) -> Box:
        """The samples of the level below that ``box`` is made of: its even ones, and one more."""
        columns, rows = self.size(level - 1)
        right, bottom = min(box.right // 2 + 1, columns), min(box.bottom // 2 + 1, rows)
        return Box(box.left // 2, box.top // 2, right, bottom)

    def _runs(
        self, level: int, first: tuple[int, int], last: tuple[int, int]
    ) -> tuple[ByteRange, ...]:
        """Where the packets lie, in their order; those that adjoin as one run."""
        assert self._header is not None
        resolution, offsets = self._resolutions[level], self._offsets[level]
        components = len(self._header.siz.components)
        together = components if self._header.cod.progression_order == "RPCL" else 1
        found: list[ByteRange] = []
        for component in range(components // together):
            start_of_component = component * resolution.precinct_count
            for row in range(first[1], last[1] + 1):
                start = start_of_component + row * resolution.precincts_across
                begin = offsets[(start + first[0]) * together]
                end = offsets[(start + last[0] + 1) * together]
                if found and found[-1].stop == begin:
                    begin = found.pop().start
                found.append(ByteRange(begin, end))
        return tuple(found)

    def _wanted(self, level: int, base_level: int) -> tuple[int, int] | None:
        """Where the next header to be read begins, and how many bytes it will about have."""
        if self._header is None:
            return 0, FIRST_READ_BYTES
        if 0 not in self._offsets:
            return self._header.header_stop, FIRST_READ_BYTES
        for each in range(base_level + 1, level + 1):
            if each not in self._offsets:
                return self._ends[each - 1], FIRST_READ_BYTES + LENGTH_BYTES * self._packets(each)
        return None

    def _packets(self, level: int) -> int:
        """Number of packets of a level."""
        assert self._header is not None
        return self._resolutions[level].precinct_count * len(self._header.siz.components)

    def _read_main(self, data: bytes) -> None:
        header = read_main_header(data, resource=self._resource)
        self._header, self._least = header, 0
        if header.decomposition_levels != len(self._ends) - 1:
            raise self._malformed("another number of levels than its index has")
        if header.header_stop > self._ends[0]:
            raise self._malformed("the first level of its index ends in the main header")
        self.refusal = refusal(header)
        if self.refusal is not None:
            return
        self._writer = HeaderWriter(data, header)
        self._resolutions = list(tile_resolutions(header.siz, header.scope, 0)[0])
        Budget().spend(sum(self._packets(level) for level in range(len(self._ends))))

    def _read_part(self, start: int, data: bytes, header: MainHeader) -> None:
        """Read the header of a tile-part, which has one level, or of the only one, with all."""
        part = read_tile_part_header(data, start, header, resource=self._resource)
        self._least = 0
        own = split_segments(data[: part.body_start - start], SOT_BYTES, SOD)
        lengths = part.packet_lengths
        if lengths is None or any(marker not in (PLT, SOD) for marker, _, _ in own):
            self.refusal = "no PLT, or more than PLT in a tile-part header"
            return
        counts = [self._packets(each) for each in range(len(self._ends))]
        level = self._level_at(start)
        if len(lengths) == counts[level] and part.tile_part_count in (0, len(counts)):
            levels = [level]
        elif level == 0 and len(lengths) == sum(counts):
            levels = list(range(len(counts)))
        else:
            self.refusal = "tile-parts that are neither one level nor all"
            return
        self._take(part, lengths, [(each, counts[each]) for each in levels])
        for each in levels:
            if self._offsets[each][-1] != self._ends[each]:
                raise self._malformed("PLT and the index disagree")

    def _level_at(self, start: int) -> int:
        """The level whose tile-part begins at ``start``."""
        starts = (self._header.header_stop if self._header else 0, *self._ends[:-1])
        if start not in starts:
            raise ValueError(f"no tile-part is wanted at {start}")
        return starts.index(start)

    def _take(
        self, part: TilePartHeader, lengths: tuple[int, ...], levels: list[tuple[int, int]]
    ) -> None:
        position, taken = part.body_start, 0
        for level, count in levels:
            of_level = lengths[taken : taken + count]
            self._offsets[level] = array("Q", accumulate(of_level, initial=position))
            position, taken = self._offsets[level][-1], taken + count

    def _malformed(self, message: str) -> MalformedCodestream:
        self.refusal = message
        return MalformedCodestream(f"codestream: {message}", resource=self._resource)
