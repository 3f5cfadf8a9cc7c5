"""Opens a ``src``, runs one of its series at a time, and passes events to where they belong."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from firstlight.errors import FirstlightError
from firstlight.loader.report import series_list, series_record
from firstlight.loader.resources import HeldResources
from firstlight.loader.run import SeriesRun
from firstlight.schedule import Capacity
from firstlight.schedule.events import Adopted, Demand
from firstlight.sources.open import source_for

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from firstlight.ports import (
        Clock,
        DecodeEvent,
        DecoderPool,
        Page,
        Transport,
        TransportEvent,
    )
    from firstlight.sources.base import Series

FIRST_SEGMENT = 1000
"""Smaller numbers are the page's prelude's."""


@dataclass(frozen=True, slots=True)
class Adoption:
    """What the page's prelude started: a segment for ``url`` from byte ``start`` to ``stop``.

    ``shown_level`` is the finest level of that frame already decoded (-1: none).
    """

    segment: int
    url: str
    start: int
    stop: int | None
    shown_level: int = -1
    stored_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Outside:
    """Everything the loader reaches beyond itself; ``adopt`` takes a segment over from the page."""

    transport: Transport
    pool: DecoderPool
    page: Page
    clock: Clock
    need: Callable[[str], Awaitable[None]]
    adopt: Callable[[int], None]


class Loader:
    """One ``src`` being loaded.

    ``numbers`` gives segments and jobs names that no other loader of the same ports has used;
    ``series_base`` is added to the series index in every decode order, to tell loaders apart.
    """

    def __init__(
        self, outside: Outside, numbers: Iterator[int] | None = None, *, series_base: int = 0
    ) -> None:
        self._outside = outside
        self._numbers = numbers or itertools.count(FIRST_SEGMENT)
        self._series_base = series_base
        self._resources = HeldResources(outside.transport, self._numbers, outside.need)
        self._series: tuple[Series, ...] = ()
        self._run: SeriesRun | None = None
        self._wanted: int | None = None
        self._adoptions: dict[str, Adoption] = {}
        self._capacity = replace(Capacity(), decode_jobs=outside.pool.capacity)
        outside.transport.listen(self._transport_event)
        outside.pool.listen(self._decode_event)

    async def open(
        self,
        src: str,
        *,
        frame_index: int,
        adoptions: tuple[Adoption, ...] = (),
        files: tuple[tuple[str, str], ...] = (),
    ) -> None:
        """Find what is behind ``src`` and start its first series at a frame.

        ``files`` are names and addresses of what ``local:`` means. An error of the source goes to
        the page as an ``error`` and is raised nowhere.
        """
        for adoption in adoptions:
            self._adoptions[adoption.url] = adoption
            self._resources.head_starts[adoption.url] = adoption.segment
            self._resources.early[adoption.segment] = []
            self._outside.adopt(adoption.segment)
        try:
            self._series = await source_for(src, files).open(self._resources)
        except FirstlightError as error:
            self._outside.page.publish("error", error.record())
            return
        self._outside.page.publish("serieslist", series_list(self._series))
        # Somebody may have scrolled while the source was being read.
        self.select(0, frame_index if self._wanted is None else self._wanted)

    def select(self, series_index: int, frame_index: int = 0) -> None:
        """Show another series; what runs for the present one is cancelled."""
        if self._run is not None:
            self._run.close()
        series = self._series[series_index]
        frame_index = min(max(frame_index, 0), len(series.frames) - 1)
        outside = self._outside
        outside.page.publish("series", series_record(series_index, series))
        self._run = SeriesRun(
            self._series_base + series_index,
            series,
            outside.transport,
            outside.pool,
            outside.page,
            outside.clock,
            self._numbers,
            self._capacity,
        )
        adopted, early = self._take_over(series)
        self._run.start(Demand(visible=(frame_index,)), adopted)
        for event in early:
            self._run.transport_event(event)

    def want(self, frame_index: int, direction: int) -> None:
        """The viewport shows this frame now, moving in ``direction``."""
        if self._run is None:
            self._wanted = frame_index
        elif 0 <= frame_index < len(self._run.series.frames):
            self._run.want(Demand(visible=(frame_index,), direction=direction))

    def retry(self, frame_index: int) -> None:
        """Try a failed frame once more."""
        if self._run is not None:
            self._run.retry(frame_index)

    def close(self) -> None:
        """Stop everything and forget all bytes."""
        self._resources.release_all()
        if self._run is not None:
            self._run.close()
            self._run = None

    def _take_over(self, series: Series) -> tuple[list[Adopted], list[TransportEvent]]:
        """Match what was fetched ahead with the frames it is of; let the rest go."""
        places: dict[str, tuple[int, int]] = {}
        for index, frame in enumerate(series.frames):
            url, start = frame.extent.url, frame.extent.start
            if url not in places or start < places[url][0]:
                places[url] = (start, index)
        adopted: list[Adopted] = []
        early: list[TransportEvent] = []
        for url, segment in self._resources.head_starts.items():
            events = self._resources.early.pop(segment, [])
            known = self._adoptions.get(url) or Adoption(segment, url, 0, None)
            start, index = places.get(url, (-1, -1))
            if start != known.start:
                self._outside.transport.release(segment)
                continue
            stop = None if known.stop is None else known.stop - known.start
            adopted.append(Adopted(segment, index, stop, known.shown_level, known.stored_bytes))
            early.extend(events)
        self._resources.head_starts.clear()
        for url, opened, closed in self._resources.take_heads():
            start, index = places.get(url, (-1, -1))
            segment, stop = closed.segment, closed.stop
            if 0 <= start < stop:
                adopted.append(Adopted(segment, index, stop - start))
                early.extend((opened, closed))
            else:
                self._outside.transport.release(segment)
        return adopted, early

    def _transport_event(self, event: TransportEvent) -> None:
        if not self._resources.deliver(event) and self._run is not None:
            self._run.transport_event(event)

    def _decode_event(self, event: DecodeEvent) -> None:
        if self._run is not None:
            self._run.decode_event(event)
