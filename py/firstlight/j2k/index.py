"""The byte at which each resolution level of a codestream becomes decodable."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from firstlight.errors import MalformedCodestream
from firstlight.j2k.markers import NeedMore, read_main_header
from firstlight.j2k.walk import LevelWalk, Method
from firstlight.j2k.windows import Reading, Want, Window
from firstlight.ports import MAX_READ_BYTES
from firstlight.ranges import ByteRange

if TYPE_CHECKING:
    from firstlight.j2k.parameters import MainHeader

FIRST_READ_BYTES = 4096
"""Holds the main header, its TLM, and the first packet header of nearly every medical image."""

LEAST_READ_BYTES = 512
"""A smaller request costs as much time as this one."""


@dataclass(frozen=True, slots=True)
class CodestreamIndex:
    """Where the resolution levels of a codestream end.

    ``level_ends[r]`` is the offset from SOC such that the bytes before it decode to resolution
    level ``r`` (0 the smallest) exactly as the whole codestream does. It may hold fewer levels
    than there are, the lowest first, while more is being read.

    ``method`` tells where the ends come from: ``tlm`` from tile-part lengths (TLM, or the chain of
    SOT where there is none), ``plt`` from packet lengths, ``packets`` from packet headers.
    ``growing`` means that from some level on they could not be told: such a level has the end of
    the codestream for its own, if that is known, and may well be decodable before.
    """

    level_ends: tuple[int, ...]
    decomposition_levels: int
    method: Method

    @property
    def complete(self) -> bool:
        """Whether the ends of all resolution levels are known."""
        return len(self.level_ends) == self.decomposition_levels + 1


class IndexReader:
    """Learns a codestream's index from pieces: says what it wants, is fed, tells what it knows.

    It does no I/O. Offsets count from the codestream's SOC. ``length`` is that of the codestream,
    if known; ends beyond it are never told.
    """

    def __init__(self, length: int | None = None, *, resource: str | None = None) -> None:
        self.header: MainHeader | None = None
        self._length = length
        self._resource = resource
        self._walk: LevelWalk | None = None
        self._held = b""
        self._held_start = 0
        self._saw_end = False
        self._reading = self._read()
        self._want: Want | None = next(self._reading)

    @property
    def wanted(self) -> ByteRange | None:
        """The bytes to be fed next, None when there is nothing more to learn."""
        want = self._want
        if want is None:
            return None
        start = max(want.start, self._held_start + len(self._held))
        stop = max(want.start + want.advised, start + LEAST_READ_BYTES)
        stop = min(stop, start + MAX_READ_BYTES)
        return ByteRange(start, stop if self._length is None else min(stop, self._length))

    @property
    def index(self) -> CodestreamIndex | None:
        """What is known so far; None before the main header is read."""
        if self.header is None or self._walk is None:
            return None
        levels = self.header.decomposition_levels
        return CodestreamIndex(tuple(self._walk.level_ends), levels, self._walk.method)

    def feed(self, start: int, data: bytes) -> None:
        """Take bytes from offset ``start``; those that do not continue what is held are dropped.

        Any number of bytes may come at any time, also some that were not wanted. No bytes, where
        bytes are wanted, mean that the codestream has ended.

        Raises:
            MalformedCodestream: not a codestream, one that contradicts itself, or one that is
                cut; `index` keeps what was known before, and nothing more is wanted.
        """
        if self._want is None:
            return
        self._hold(start, data)
        try:
            while self._want is not None and self._has(self._want):
                window = Window(self._held_start, self._held, self._is_at_end())
                self._want = self._reading.send(window)
                self._drop_before(self._want.start)
        except StopIteration:
            self._want = None
        except MalformedCodestream:
            self._want = None
            raise
        finally:
            if self._want is None:
                self._held = b""

    def _hold(self, start: int, data: bytes) -> None:
        held_stop = self._held_start + len(self._held)
        if not data:
            self._saw_end = self._saw_end or start == held_stop
        elif start <= held_stop < start + len(data):
            rest = bytes(data[held_stop - start :]) if start < held_stop else bytes(data)
            self._held = self._held + rest if self._held else rest

    def _drop_before(self, start: int) -> None:
        dropped = start - self._held_start
        if dropped >= len(self._held):
            self._held = b""
        elif dropped >= max(FIRST_READ_BYTES, len(self._held) // 2):
            # Cutting off less would copy the rest for little.
            self._held = self._held[dropped:]
        else:
            return
        self._held_start = start

    def _is_at_end(self) -> bool:
        stop = self._held_start + len(self._held)
        return self._saw_end or (self._length is not None and stop >= self._length)

    def _has(self, want: Want) -> bool:
        return want.start + want.least <= self._held_start + len(self._held) or self._is_at_end()

    def _read(self) -> Reading[None]:
        count, advised = 4, FIRST_READ_BYTES
        while self.header is None:
            window = yield Want(0, count, advised)
            try:
                self.header = read_main_header(window.data, resource=self._resource)
            except NeedMore as more:
                if window.at_end:
                    message = f"codestream: cut in its main header at {window.stop}"
                    raise MalformedCodestream(message, resource=self._resource) from None
                count = more.stop
                advised = max(advised, count + LEAST_READ_BYTES)
        self._walk = LevelWalk(self.header, self._length, resource=self._resource)
        yield from self._walk.run()


def read_index(codestream: bytes, *, resource: str | None = None) -> CodestreamIndex:
    """The index of a whole codestream in memory.

    Raises:
        MalformedCodestream: not a codestream, one that contradicts itself, or one that is cut.
    """
    reader = IndexReader(len(codestream), resource=resource)
    reader.feed(0, codestream)
    index = reader.index
    if index is None:
        raise MalformedCodestream("codestream: it is empty", resource=resource)
    return index
