"""Turns the scheduler's commands into orders for the transport, the decoders and the page."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from firstlight import ports
from firstlight.errors import FirstlightError
from firstlight.loader.report import stage_record
from firstlight.ranges import ByteRange
from firstlight.schedule import commands as do
from firstlight.schedule import events as on
from firstlight.schedule.order import Tier

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from firstlight.loader.describing import Describing
    from firstlight.loader.frame_bytes import FrameBytes
    from firstlight.loader.streams import Key, Streams
    from firstlight.ports import Clock, DecoderPool, Page, Transport
    from firstlight.schedule.capacity import Capacity, Link
    from firstlight.schedule.ledgers import Ledgers
    from firstlight.schedule.running import Limits

_PRIORITY: dict[Tier, Literal["high", "auto", "low"]] = {
    Tier.VISIBLE: "high",
    Tier.NEXT: "auto",
    Tier.REST: "low",
}


@dataclass(frozen=True, slots=True)
class Means:
    """What every series of a loader works with; ``link`` and ``limits`` learn over all of them."""

    transport: Transport
    pool: DecoderPool
    page: Page
    clock: Clock
    numbers: Iterator[int]
    capacity: Capacity
    link: Link
    limits: Limits


class Executor:
    """Carries out commands of one series; ``tell_scheduler`` takes what follows from them at once.

    ``tag`` marks its decode orders. ``jobs`` gives the scheduler's number and the frame of a job.
    """

    def __init__(
        self,
        tag: int,
        means: Means,
        streams: Streams,
        describing: Describing,
        ledgers: Ledgers,
        tell_scheduler: Callable[..., None],
    ) -> None:
        self._tag = tag
        self._means = means
        self._streams = streams
        self._describing = describing
        self._ledgers = ledgers
        self._tell_scheduler = tell_scheduler
        self._wake: asyncio.TimerHandle | None = None
        self.jobs: dict[int, tuple[int, Key]] = {}

    def close(self) -> None:
        """Nothing is to be done any more."""
        if self._wake is not None:
            self._wake.cancel()
        self.jobs.clear()

    def carry_out(self, command: do.Command) -> None:
        """Do what the scheduler says."""
        match command:
            case do.Fetch():
                self._fetch(command)
            case do.FetchHeads() | do.WatchHeads():
                self._fetch_heads(command)
            case do.Watch(request, index, milestones, representation):
                frame = self._streams.of((index, representation))
                points = tuple(map(frame.resource_offset, milestones))
                self._means.transport.watch(self._streams.segment(request), points)
            case do.Cancel(request):
                self._means.transport.cancel(self._streams.segment(request))
            case do.Describe(index, _, representation):
                self._describing.begin((index, representation))
            case do.Decode():
                self._decode(command)
            case do.Evict(index):
                self._means.page.evict(index)
            case do.Release():
                self._release(command)
            case _:
                self._tell(command)

    def _tell(self, command: do.Command) -> None:
        """Commands that ask for no bytes."""
        match command:
            case do.Wake(at_ms):
                self._set_wake(at_ms)
            case do.StageEnded():
                self._means.page.publish("stage", stage_record(command))
            case do.Notice(error):
                self._means.page.publish("notice", error.record())

    def _fetch(self, command: do.Fetch) -> None:
        key = (command.frame_index, command.representation)
        segment = next(self._means.numbers)
        try:
            frame = self._streams.begin(segment, command.request, key, command.extent)
        except FirstlightError as error:
            error.frame_index = command.frame_index
            failed = on.FetchFailed(command.request, 0, error)
            asyncio.get_running_loop().call_soon(self._tell_scheduler, failed)
            return
        self._means.transport.fetch(
            ports.FetchOrder(
                segment=segment,
                url=frame.extent.url,
                extent=frame.resource_range(command.extent),
                milestones=tuple(map(frame.resource_offset, command.milestones)),
                version=self._streams.versions.get(frame.extent.url),
                priority=_PRIORITY[command.tier],
                accept=frame.extent.accept,
            )
        )

    def _fetch_heads(self, command: do.FetchHeads | do.WatchHeads) -> None:
        if isinstance(command, do.WatchHeads):
            # Adopted: the request has the segment's number.
            self._streams.begin_heads(command.request, command.request, command.pieces)
            self._means.transport.watch(command.request, command.milestones)
            return
        segment = next(self._means.numbers)
        self._streams.begin_heads(segment, command.request, command.pieces)
        self._means.transport.fetch(
            ports.FetchOrder(
                segment=segment,
                url=self._streams.heads_url,
                extent=command.extent,
                milestones=command.milestones,
                priority=_PRIORITY[command.tier],
            )
        )

    def _decode(self, command: do.Decode) -> None:
        key = (command.frame_index, command.representation)
        number = next(self._means.numbers)
        self.jobs[number] = (command.job, key)
        levels = self._ledgers.get(*key).final_level
        self._means.pool.decode(
            decode_order(number, self._tag, self._streams.of(key), levels, command)
        )

    def _release(self, command: do.Release) -> None:
        key = (command.frame_index, command.representation)
        for segment in self._streams.forget(key, keep_heads=command.keep_heads):
            self._means.transport.release(segment)
        if not command.keep_heads:
            self._describing.forget(key)

    def _set_wake(self, at_ms: float) -> None:
        if self._wake is not None:
            self._wake.cancel()
        seconds = max(0.0, at_ms - self._means.clock.now_ms()) / 1000
        self._wake = asyncio.get_running_loop().call_later(
            seconds, self._tell_scheduler, on.Woken()
        )


def decode_order(
    number: int, tag: int, frame: FrameBytes, levels: int, command: do.Decode
) -> ports.DecodeOrder:
    """The job of a decode command; ``levels`` are the decomposition levels."""
    assert frame.coding is not None
    stop = frame.frame_stop(command.stop)
    return ports.DecodeOrder(
        job=number,
        series_index=tag,
        frame_index=command.frame_index,
        codec=frame.coding.codec,
        pieces=frame.frame_pieces(ByteRange(0, stop)),
        resolution_level=command.resolution_level,
        decomposition_levels=levels,
        image=frame.form.image,
        inflated=frame.extent.inflated,
        first_bit=frame.extent.first_bit,
        has_own_size=frame.form.has_own_size,
        representation=command.representation,
        quality=command.quality.name,
    )
