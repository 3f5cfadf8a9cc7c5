"""Reads the structure of frames as their bytes come, one task a frame."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from firstlight.errors import FirstlightError, MalformedCodestream
from firstlight.loader.describer import Describer
from firstlight.schedule import events as on

if TYPE_CHECKING:
    from collections.abc import Callable

    from firstlight.loader.streams import Key, Streams
    from firstlight.ports import Piece, Transport
    from firstlight.schedule.states import FrameLedger
    from firstlight.sources.base import Series


class Describing:
    """Carries out `schedule.commands.Describe`; ``tell`` takes what is found to the scheduler."""

    def __init__(
        self,
        streams: Streams,
        ledger: Callable[[Key], FrameLedger],
        transport: Transport,
        tell: Callable[..., None],
    ) -> None:
        self._streams = streams
        self._ledger = ledger
        self._transport = transport
        self._tell = tell
        self._describers: dict[Key, Describer] = {}
        self._tasks: dict[Key, asyncio.Task[None]] = {}

    def begin(self, key: Key) -> None:
        """Look at what is held of a frame, unless somebody is looking."""
        if key not in self._tasks:
            task = asyncio.get_running_loop().create_task(self._describe_all(key))
            self._tasks[key] = task

    def forget(self, key: Key) -> None:
        """The frame's bytes are others from now on."""
        self._describers.pop(key, None)

    def close(self) -> None:
        """Stop all tasks."""
        for task in self._tasks.values():
            task.cancel()

    async def _describe_all(self, key: Key) -> None:
        events: list[on.Event] = []
        try:
            events = await self._describe(key)
        finally:
            # Here and not in a callback: what arrives after this must start a task of its own.
            del self._tasks[key]
        self._tell(*events, on.Examined(*key))

    async def _describe(self, key: Key) -> list[on.Event]:
        """Read as far as the bytes go; bytes that came meanwhile are looked at in the same task.

        Returns what remains to be told.
        """
        frame = self._ledger(key)
        index, representation = key
        seen: tuple[int, bool] | None = None
        while not frame.described and seen != (frame.held_stop, _ended(frame)):
            # Both may change while bytes are being read: what is found is judged by these.
            held_stop, ended = seen = (frame.held_stop, _ended(frame))
            describer = self._describer(key)
            failure: FirstlightError | None = None
            try:
                await describer.advance(held_stop, length=frame.length, ended=ended)
            except FirstlightError as error:
                error.frame_index = index
                failure = error
            except LookupError:
                return []  # the bytes were released while they were being read
            described = describer.described
            if described is not None:
                failure = failure or (self._cut(key, described) if ended else None)
                self._tell(described)
            if failure is not None:
                return [on.Undescribable(index, failure, representation)]
        return []

    def _describer(self, key: Key) -> Describer:
        if key not in self._describers:
            self._describers[key] = Describer(key, self._streams.of(key), self._copy)
        return self._describers[key]

    def _cut(self, key: Key, described: on.Described) -> FirstlightError | None:
        """What is wrong when all of a resource is held and its codestream says it is longer."""
        held_stop = self._ledger(key).held_stop
        if described.complete and described.level_ends[-1] <= held_stop:
            return None
        return cut_error(self._streams.url(key), key[0], held_stop)

    async def _copy(self, pieces: tuple[Piece, ...]) -> bytes:
        return b"".join([await self._transport.read(p.segment, p.extent) for p in pieces])


def cut_error(url: str, frame_index: int, stop: int) -> MalformedCodestream:
    """A frame's bytes end too early."""
    text = f"the codestream is cut after {stop} bytes"
    return MalformedCodestream(text, resource=url, frame_index=frame_index)


def _ended(frame: FrameLedger) -> bool:
    """Whether all bytes that there will ever be of a frame are held."""
    return frame.request is None and frame.length is not None and frame.held_stop >= frame.length


def empty_frames(series: Series) -> list[on.Undescribable]:
    """What is known of frames without a byte, before any is asked for."""
    return [
        on.Undescribable(index, cut_error(frame.extent.url, index, 0))
        for index, frame in enumerate(series.frames)
        if frame.extent.length == 0
    ]
