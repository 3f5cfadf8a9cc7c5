"""One series being loaded: its scheduler, and the segments and jobs that its commands became."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from firstlight import ports
from firstlight.errors import FirstlightError, MalformedCodestream
from firstlight.loader.describer import Describer
from firstlight.loader.frame_bytes import FrameBytes
from firstlight.loader.report import frame_state
from firstlight.ranges import ByteRange
from firstlight.schedule import Scheduler
from firstlight.schedule import commands as do
from firstlight.schedule import events as on
from firstlight.schedule.order import Tier

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Literal

    from firstlight.ports import Clock, DecoderPool, Page, Transport
    from firstlight.schedule.capacity import Capacity
    from firstlight.schedule.states import FrameLedger
    from firstlight.sources.base import Series

_PRIORITY: dict[Tier, Literal["high", "auto", "low"]] = {
    Tier.VISIBLE: "high",
    Tier.NEXT: "auto",
    Tier.REST: "low",
}


class SeriesRun:
    """Carries out the scheduler's commands for one series and tells it what became of them."""

    def __init__(
        self,
        series_index: int,
        series: Series,
        transport: Transport,
        pool: DecoderPool,
        page: Page,
        clock: Clock,
        numbers: Iterator[int],
        capacity: Capacity,
    ) -> None:
        self.series = series
        self._series_index = series_index
        self._transport = transport
        self._pool = pool
        self._page = page
        self._clock = clock
        self._numbers = numbers
        self._scheduler = Scheduler(len(series.frames), capacity)
        self._bytes = [FrameBytes(frame.extent) for frame in series.frames]
        self._segments: dict[int, int] = {}
        self._requests: dict[int, tuple[int, int]] = {}
        self._asked: dict[int, int | None] = {}
        self._versions: dict[str, str] = {}
        self._describers: dict[int, Describer] = {}
        self._describing: dict[int, asyncio.Task[None]] = {}
        self._jobs: dict[int, tuple[int, int]] = {}

    # -- from the page --------------------------------------------------------------------------

    def start(self, demand: on.Demand, adopted: Sequence[on.Adopted]) -> None:
        """State what is known ahead, take over what already runs, and begin."""
        known: list[on.Event] = []
        for index, frame in enumerate(self._bytes):
            ends = tuple(frame.stream_stop(level_end) for level_end in frame.extent.level_ends)
            if frame.extent.length == 0:
                known.append(on.Undescribable(index, self._cut_error(index, 0)))
            elif ends and not frame.is_wrapped:
                known.append(on.Described(index, ends, len(ends), complete=True))
            elif frame.length is not None and not frame.extent.framing:
                known.append(on.Sized(index, frame.length))
        for event in adopted:
            self._segments[event.request] = event.request
            self._requests[event.request] = (event.request, event.frame_index)
            self._bytes[event.frame_index].begin(event.request, 0)
            self._asked[event.frame_index] = event.stop
        self._dispatch(*known, *adopted, demand)
        self._page.publish(
            "states", [self.state(index) for index in range(len(self.series.frames))]
        )

    def want(self, demand: on.Demand) -> None:
        """The viewport shows something else now."""
        self._dispatch(demand)

    def retry(self, frame_index: int) -> None:
        """Try a failed frame once more."""
        self._describers.pop(frame_index, None)
        self._dispatch(on.Retry(frame_index))

    def state(self, frame_index: int) -> dict[str, object]:
        """What `state()` of the element gives for one frame."""
        reversible = self.series.frames[frame_index].coding.reversible
        return frame_state(self._scheduler.frames[frame_index], reversible)

    def close(self) -> None:
        """Stop everything and forget all bytes."""
        for task in self._describing.values():
            task.cancel()
        for segment in list(self._requests):
            self._transport.release(segment)
        self._requests.clear()
        self._segments.clear()

    # -- from the ports -------------------------------------------------------------------------

    def transport_event(self, event: ports.TransportEvent) -> None:
        """Translate what happened to a segment into what happened to a frame."""
        found = self._requests.get(event.segment)
        if found is None:
            return
        request, frame_index = found
        frame = self._bytes[frame_index]
        if isinstance(event, ports.Opened):
            self._versions.setdefault(frame.extent.url, event.version)
            self._dispatch(on.Opened(request, _length(frame, event), event.ranges))
            return
        stop = frame.stream_offset(event.stop)
        frame.advance(event.segment, event.stop)
        match event:
            case ports.Milestone():
                self._dispatch(on.Reached(request, stop))
            case ports.Closed():
                cut = None if event.cancelled else self._cut(frame_index, stop)
                self._dispatch(
                    on.Closed(request, stop) if cut is None else on.FetchFailed(request, stop, cut)
                )
            case ports.Failed(error=error):
                error.frame_index = frame_index
                self._dispatch(on.FetchFailed(request, stop, error))

    def _cut(self, frame_index: int, stop: int) -> FirstlightError | None:
        """What is wrong when a resource ends at ``stop``: its codestream says it is longer."""
        asked, goal = self._asked.get(frame_index), self._scheduler.frames[frame_index].goal_stop
        if goal is None or stop >= goal or (asked is not None and stop >= asked):
            return None
        return self._cut_error(frame_index, stop)

    def _cut_by(self, described: on.Described) -> FirstlightError | None:
        """What is wrong when all of a resource is held and its codestream says it is longer."""
        frame = self._scheduler.frames[described.frame_index]
        if described.complete and described.level_ends[-1] <= frame.held_stop:
            return None
        return self._cut_error(frame.index, frame.held_stop)

    def _cut_error(self, frame_index: int, stop: int) -> FirstlightError:
        return MalformedCodestream(
            f"the codestream is cut after {stop} bytes",
            resource=self.series.frames[frame_index].extent.url,
            frame_index=frame_index,
        )

    def decode_event(self, event: ports.DecodeEvent) -> None:
        """A decode job is over."""
        job, frame_index = self._jobs.pop(event.job, (None, -1))
        if job is None:
            return
        if isinstance(event, ports.Decoded):
            self._dispatch(on.Decoded(job, event.stored_bytes))
        else:
            event.error.frame_index = frame_index
            event.error.resource = self.series.frames[frame_index].extent.url
            self._dispatch(on.DecodeFailed(job, event.error))

    # -- commands -------------------------------------------------------------------------------

    def _dispatch(self, *events: on.Event) -> None:
        for command in self._scheduler.handle_all(events, self._clock.now_ms()):
            self._carry_out(command)
        touched = sorted(self._scheduler.touched())
        if touched:
            self._page.publish("states", [self.state(index) for index in touched])

    def _carry_out(self, command: do.Command) -> None:
        match command:
            case do.Fetch():
                self._fetch(command)
            case do.Watch():
                frame = self._bytes[command.frame_index]
                points = tuple(map(frame.resource_offset, command.milestones))
                self._transport.watch(self._segments[command.request], points)
            case do.Cancel():
                self._transport.cancel(self._segments[command.request])
            case do.Describe():
                self._describe(command)
            case do.Decode():
                self._decode(command)
            case do.Evict():
                self._page.evict(command.frame_index)
            case do.Release():
                self._release(command.frame_index)

    def _fetch(self, command: do.Fetch) -> None:
        frame = self._bytes[command.frame_index]
        url = frame.extent.url
        segment = next(self._numbers)
        self._segments[command.request] = segment
        self._requests[segment] = (command.request, command.frame_index)
        frame.begin(segment, command.extent.start)
        self._asked[command.frame_index] = command.extent.stop
        self._transport.fetch(
            ports.FetchOrder(
                segment=segment,
                url=url,
                extent=frame.resource_range(command.extent),
                milestones=tuple(map(frame.resource_offset, command.milestones)),
                version=self._versions.get(url),
                priority=_PRIORITY[command.tier],
                accept=frame.extent.accept,
            )
        )

    def _decode(self, command: do.Decode) -> None:
        frame = self._bytes[command.frame_index]
        number = next(self._numbers)
        self._jobs[number] = (command.job, command.frame_index)
        stop = frame.frame_stop(command.stop)
        self._pool.decode(
            ports.DecodeOrder(
                job=number,
                series_index=self._series_index,
                frame_index=command.frame_index,
                codec=self.series.frames[command.frame_index].coding.codec,
                pieces=frame.frame_pieces(ByteRange(0, stop)),
                resolution_level=command.resolution_level,
                decomposition_levels=self._scheduler.frames[command.frame_index].final_level,
                image=self.series.frames[command.frame_index].image,
                inflated=frame.extent.inflated,
                first_bit=frame.extent.first_bit,
            )
        )

    def _release(self, frame_index: int) -> None:
        frame = self._bytes[frame_index]
        for segment in frame.forget():
            self._transport.release(segment)
            request, _ = self._requests.pop(segment)
            del self._segments[request]
        self._describers.pop(frame_index, None)
        self._versions.pop(frame.extent.url, None)

    # -- the codestream index -------------------------------------------------------------------

    def _describe(self, command: do.Describe) -> None:
        index = command.frame_index
        if index not in self._describing:
            task = asyncio.get_running_loop().create_task(self._describe_all(index))
            self._describing[index] = task

    async def _describe_all(self, frame_index: int) -> None:
        try:
            await self._describe_on(frame_index)
        finally:
            # Here and not in a callback: what arrives after this must start a task of its own.
            del self._describing[frame_index]

    async def _describe_on(self, frame_index: int) -> None:
        """Read as far as the bytes go; bytes that came meanwhile are looked at in the same task."""
        frame = self._scheduler.frames[frame_index]
        seen: tuple[int, bool] | None = None
        while not frame.described and seen != (frame.held_stop, self._ended(frame)):
            # Both may change while bytes are being read: what is found is judged by these.
            held_stop, ended = seen = (frame.held_stop, self._ended(frame))
            describer = self._describer(frame_index)
            failure: FirstlightError | None = None
            try:
                await describer.advance(held_stop, length=frame.length, ended=ended)
            except FirstlightError as error:
                error.frame_index = frame_index
                failure = error
            except LookupError:
                return  # the bytes were released while they were being read
            described = describer.described
            if described is not None:
                failure = failure or (self._cut_by(described) if ended else None)
                self._dispatch(described)
            if failure is not None:
                self._dispatch(on.Undescribable(frame_index, failure))
                return

    @staticmethod
    def _ended(frame: FrameLedger) -> bool:
        """Whether all bytes that there will ever be of a frame are held."""
        return (
            frame.request is None and frame.length is not None and frame.held_stop >= frame.length
        )

    def _describer(self, frame_index: int) -> Describer:
        if frame_index not in self._describers:
            frame = self._bytes[frame_index]
            scalable = self.series.frames[frame_index].coding.scalable
            self._describers[frame_index] = Describer(
                frame_index, frame, self._copy, scalable=scalable
            )
        return self._describers[frame_index]

    async def _copy(self, pieces: tuple[ports.Piece, ...]) -> bytes:
        return b"".join([await self._transport.read(p.segment, p.extent) for p in pieces])


def _length(frame: FrameBytes, event: ports.Opened) -> int | None:
    """How much there is to fetch: as described, else what the resource has from its start on."""
    if frame.length is not None or event.total_bytes is None:
        return frame.length
    return frame.stream_offset(event.total_bytes)
