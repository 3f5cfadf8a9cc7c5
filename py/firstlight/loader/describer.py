"""Reads the codestream index of a frame from the bytes held, as they come."""

from __future__ import annotations

from typing import TYPE_CHECKING

from firstlight.j2k.index import IndexReader
from firstlight.ranges import ByteRange
from firstlight.schedule.events import Described

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from firstlight.j2k.index import CodestreamIndex


class Describer:
    """One frame's index reader and its appetite.

    ``read`` copies held bytes of the frame: a header, a packet header, never pixels.
    """

    def __init__(
        self,
        frame_index: int,
        read: Callable[[ByteRange], Awaitable[bytes]],
        *,
        resource: str,
    ) -> None:
        self._frame_index = frame_index
        self._read = read
        self._resource = resource
        self._reader = IndexReader(resource=resource)

    async def advance(self, held_stop: int, length: int | None) -> Described | None:
        """Read on as far as ``held_stop`` bytes allow; None while not even the header is there.

        ``length`` is that of the whole codestream where known: with it the last bytes may be
        fewer than the reader would like.

        Raises:
            MalformedCodestream: this is no codestream, or it contradicts itself.
        """
        finished = length is not None and held_stop >= length
        while (wanted := self._reader.wanted) is not None and wanted.stop is not None:
            stop = min(wanted.stop, held_stop)
            if stop <= wanted.start or (stop < wanted.stop and not finished):
                break
            self._reader.feed(wanted.start, await self._read(ByteRange(wanted.start, stop)))
        if self._reader.wanted is not None and finished:
            self._reader = IndexReader(length, resource=self._resource)
            return await self._last_look(held_stop)
        return self._described(self._reader.index, length)

    async def _last_look(self, held_stop: int) -> Described | None:
        """All bytes are here: whatever is still wanted lies behind the end."""
        while (wanted := self._reader.wanted) is not None and wanted.start < held_stop:
            stop = min(wanted.stop or held_stop, held_stop)
            data = await self._read(ByteRange(wanted.start, stop))
            self._reader.feed(wanted.start, data)
            if self._reader.wanted == wanted:
                break
        return self._described(self._reader.index, held_stop)

    def _described(self, index: CodestreamIndex | None, length: int | None) -> Described | None:
        if index is None:
            return None
        level_count = index.decomposition_levels + 1
        wanted = self._reader.wanted
        wanted_stop = None if wanted is None else wanted.stop
        if index.method == "growing":
            # Where no boundary can be read, every level is certain only when all bytes are here.
            ends = () if length is None else (length,) * level_count
            return Described(self._frame_index, ends, level_count, bool(ends), wanted_stop)
        return Described(
            self._frame_index, index.level_ends, level_count, index.complete, wanted_stop
        )
