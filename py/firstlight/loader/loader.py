"""Opens a ``src``, runs one of its series at a time, and passes events to where they belong."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import replace
from typing import TYPE_CHECKING

from firstlight.errors import FirstlightError
from firstlight.loader.executor import Means
from firstlight.loader.outside import FIRST_SEGMENT, Adoption, Outside
from firstlight.loader.report import series_list, series_record
from firstlight.loader.resources import HeldResources
from firstlight.loader.run import SeriesRun
from firstlight.retrieve.configured import Configured
from firstlight.schedule import Capacity
from firstlight.schedule.capacity import Link
from firstlight.schedule.events import Adopted, AdoptedHeads, Demand
from firstlight.schedule.running import Limits
from firstlight.sources.open import source_for

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from firstlight.ports import DecodeEvent, TransportEvent
    from firstlight.sources.base import Limit, Series


class Loader:
    """One ``src`` being loaded.

    ``numbers`` gives segments and jobs names that no other loader of the same ports has used;
    ``series_base`` is added to the series index in every decode order, to tell loaders apart.
    """

    def __init__(
        self,
        outside: Outside,
        numbers: Iterator[int] | None = None,
        *,
        series_base: int = 0,
        capacity: Capacity | None = None,
    ) -> None:
        self._outside = outside
        self._numbers = numbers or itertools.count(FIRST_SEGMENT)
        self._series_base = series_base
        self._resources = HeldResources(outside.transport, self._numbers, outside.need)
        self._series: tuple[Series, ...] = ()
        self._run: SeriesRun | None = None
        self._runs: dict[int, SeriesRun] = {}
        self._is_volume = False
        self._selected = 0
        self._wanted: Demand | None = None
        self._limit: Limit | None = None
        self._adoptions: dict[str, Adoption] = {}
        self._configured = Configured(outside.page)
        capacity = replace(capacity or Capacity(), decode_jobs=outside.pool.capacity)
        self._means = Means(
            transport=outside.transport,
            pool=outside.pool,
            page=outside.page,
            clock=outside.clock,
            numbers=self._numbers,
            capacity=capacity,
            link=Link(),
            limits=Limits(capacity),
        )
        outside.transport.listen(self._transport_event)
        outside.pool.listen(self._decode_event)

    async def open(
        self,
        src: str,
        *,
        frame_index: int,
        adoptions: tuple[Adoption, ...] = (),
        files: tuple[tuple[str, str], ...] = (),
        configuration: object = None,
    ) -> None:
        """Find what is behind ``src`` and start its first series at a frame.

        ``adoptions`` are what the page fetched for the source to read. What else it has begun goes
        on without the loader until the source has been read. ``files`` are names and addresses of
        what ``local:`` means. ``configuration`` is what was written about retrieval
        (`retrieve.load`). An error of the source goes to the page as an ``error`` and is raised
        nowhere.
        """
        self._adopt(adoptions)
        # Both come at the same time: a configuration at an address costs no round trip more.
        configured = asyncio.ensure_future(self._configured.load(configuration, self._resources))
        try:
            self._series = await source_for(src, files).open(self._resources)
            await configured
        except FirstlightError as error:
            self._outside.page.publish("error", error.record())
            return
        finally:
            configured.cancel()
        self._adopt(await self._outside.take_over())
        if self._limit is not None:
            self.limit(self._limit)
        self._outside.page.publish("serieslist", series_list(self._series))
        # Somebody may have scrolled, or chosen another layout, while the source was being read.
        wanted = self._wanted
        self.select(self._selected, frame_index if wanted is None else wanted.visible[0])
        if wanted is not None:
            self._want(wanted)

    def _adopt(self, adoptions: Sequence[Adoption]) -> None:
        for adoption in adoptions:
            self._adoptions[adoption.url] = adoption
            self._resources.head_starts[adoption.url] = adoption.segment
            self._resources.early[adoption.segment] = list(adoption.heard)
            self._outside.adopt(adoption.segment, adoption.url)

    def select(self, series_index: int, frame_index: int = 0) -> None:
        """Show another series; what runs for the present one is cancelled, its bytes are kept.

        A series that was shown before goes on from what is held of it.
        """
        if not self._series:
            self._selected = series_index
            return
        if self._run is not None:
            self._run.suspend()
        series = self._series[series_index]
        frame_index = min(max(frame_index, 0), len(series.frames) - 1)
        demand = Demand(visible=(frame_index,), volume=self._is_volume)
        known = self._runs.pop(series_index, None)
        self._run = run = known or self._new_run(series_index, frame_index, demand)
        self._runs[series_index] = run
        self._trim()
        if known is not None:
            self._publish_series(series_index)
            known.resume(demand)
            return
        adopted, early = self._take_over(series)
        run.start(demand, adopted, early)  # first of all: its requests are under way meanwhile
        self._publish_series(series_index)
        run.announce()

    def _publish_series(self, index: int) -> None:
        record = series_record(index, self._series[index], self._resources.notices)
        self._outside.page.publish("series", record)

    def _new_run(self, series_index: int, frame_index: int, demand: Demand) -> SeriesRun:
        series = self._series[series_index]
        plan, retriever = self._configured.begin(series, frame_index, volume=demand.volume)
        tag = self._series_base + series_index
        return SeriesRun(tag, series, self._means, plan, retriever)

    def _trim(self) -> None:
        """Forget what was shown longest ago, when series that are not shown hold too much."""
        hidden = [index for index, run in self._runs.items() if run is not self._run]
        held_bytes = sum(self._runs[index].held_bytes for index in hidden)
        for index in hidden:
            if held_bytes <= self._means.capacity.hidden_bytes:
                break
            held_bytes -= self._runs[index].held_bytes
            self._runs.pop(index).close()

    def want(
        self,
        frame_index: int,
        direction: int,
        *,
        visible: Sequence[int] = (),
        volume: bool = False,
        side_px: int | None = None,
        speed: float = 0.0,
        window: tuple[float, float, float, float] | None = None,
    ) -> None:
        """What the viewports show now (`schedule.events.Demand`); ``visible`` if it is several."""
        seen = tuple(visible) or (frame_index,)
        self._want(Demand(seen, direction, volume, side_px, speed, window))

    def _want(self, demand: Demand) -> None:
        if self._run is None:
            self._wanted, self._is_volume = demand, demand.volume
            return
        count = len(self._run.series.frames)
        seen = tuple(index for index in demand.visible if 0 <= index < count)
        if not seen:
            return
        demand = replace(demand, visible=seen)
        if demand.volume != self._is_volume:
            self._is_volume = demand.volume
            self._replan(demand)
        self._run.want(demand)

    def _replan(self, demand: Demand) -> None:
        """A configuration may have other stages for a volume than for a stack."""
        run = self._run
        if run is None:
            return
        configuration, plan = self._configured.plan(
            run.series, demand.visible[0], volume=demand.volume
        )
        if configuration.create is None and not plan.adaptive:
            run.replan(plan)

    def limit(self, limit: Limit) -> None:
        """So much of every frame is wanted from now on; what is held is not fetched again."""
        self._limit = limit
        self._series = tuple(replace(one, limit=limit) for one in self._series)
        for run in self._runs.values():
            run.limit(limit)

    def retry(self, frame_index: int) -> None:
        """Try a failed frame once more."""
        if self._run is not None:
            self._run.retry(frame_index)

    @property
    def is_idle(self) -> bool:
        """Whether nothing of a series is on its way or being decoded."""
        return all(run.is_idle for run in self._runs.values())

    def close(self) -> None:
        """Stop everything and forget all bytes."""
        self._resources.release_all()
        for run in self._runs.values():
            run.close()
        self._runs.clear()
        self._run = None

    def _take_over(
        self, series: Series
    ) -> tuple[list[Adopted | AdoptedHeads], list[TransportEvent]]:
        """Match what was fetched ahead with the frames it is of; let the rest go."""
        places: dict[str, tuple[int, int]] = {}
        for index, frame in enumerate(series.frames):
            url, start = frame.extent.url, frame.extent.start
            if url not in places or start < places[url][0]:
                places[url] = (start, index)
        adopted: list[Adopted | AdoptedHeads] = []
        early: list[TransportEvent] = []
        for url, segment in self._resources.head_starts.items():
            events = self._resources.early.pop(segment, [])
            known = self._adoptions.get(url) or Adoption(segment, url, 0, None)
            if url == series.heads_url and known.start == 0:
                adopted.append(AdoptedHeads(segment, known.stop, known.shown))
                early.extend(events)
                continue
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
        if not self._resources.deliver(event):
            any(run.transport_event(event) for run in self._runs.values())

    def _decode_event(self, event: DecodeEvent) -> None:
        any(run.decode_event(event) for run in self._runs.values())
