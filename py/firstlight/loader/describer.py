"""Reads the codestream index of a frame from the bytes held, as they come."""

from __future__ import annotations

from typing import TYPE_CHECKING

from firstlight.j2k.index import IndexReader
from firstlight.ranges import ByteRange
from firstlight.schedule.events import Described

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


class Describer:
    """One frame's index reader and its appetite.

    ``read`` copies held bytes of the frame: a header, a packet header, never pixels.
    """

    def __init__(
        self,
        frame_index: int,
        read: Callable[[ByteRange], Awaitable[bytes]],
        *,
        length: int | None,
        resource: str,
    ) -> None:
        self._frame_index = frame_index
        self._read = read
        self._reader = IndexReader(length, resource=resource)

    async def advance(self, held_stop: int, *, ended: bool) -> None:
        """Read on as far as ``held_stop`` bytes allow; ``ended`` tells that there are no more.

        Raises:
            MalformedCodestream: this is no codestream, it contradicts itself, or it is cut.
                `described` keeps what was known before.
        """
        while (wanted := self._reader.wanted) is not None:
            stop = min(wanted.stop or held_stop, held_stop)
            if wanted.stop != stop and not ended:
                return
            present = stop > wanted.start
            data = await self._read(ByteRange(wanted.start, stop)) if present else b""
            self._reader.feed(wanted.start, data)

    @property
    def described(self) -> Described | None:
        """What is known so far; None while the main header is not here."""
        index = self._reader.index
        if index is None:
            return None
        wanted = self._reader.wanted
        return Described(
            self._frame_index,
            index.level_ends,
            index.decomposition_levels + 1,
            index.complete,
            None if wanted is None else wanted.stop,
        )
