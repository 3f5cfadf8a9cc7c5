"""One series being loaded: its scheduler, and the segments and jobs that its commands became."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from typing import TYPE_CHECKING

from firstlight import ports
from firstlight.loader.describing import Describing, cut_error, empty_frames
from firstlight.loader.executor import Executor, Means
from firstlight.loader.region import Regions
from firstlight.loader.report import frame_state
from firstlight.loader.streams import Streams, heads_pieces
from firstlight.ranges import ByteRange
from firstlight.schedule import Scheduler
from firstlight.schedule import commands as do
from firstlight.schedule import events as on

if TYPE_CHECKING:
    from collections.abc import Sequence

    from firstlight.errors import FirstlightError
    from firstlight.loader.streams import Exchange, Key
    from firstlight.retrieve.configuration import RetrieveOptions, Retriever
    from firstlight.retrieve.plan import Plan
    from firstlight.sources.base import Limit, Series


class SeriesRun:
    """Carries out the scheduler's commands for one series and tells it what became of them.

    ``tag`` marks its decode orders. ``retriever`` decides in place of a plan.
    """

    def __init__(
        self,
        tag: int,
        series: Series,
        means: Means,
        plan: Plan,
        retriever: Retriever | None = None,
    ) -> None:
        self.series = series
        self._means = means
        self._retriever = retriever
        # A configuration says itself how much of an image is wanted.
        whole_samples = means.capacity.whole_samples if plan.adaptive else None
        self._streams = Streams(series, lambda: self._scheduler.variants, whole_samples)
        self._scheduler = Scheduler(
            len(series.frames),
            means.capacity,
            plan=plan,
            heads=heads_pieces(series) if plan.adaptive else (),
            facts=self._streams.facts,
            link=means.link,
            limits=means.limits,
            jitter=random.random,
        )
        self._describing = Describing(
            self._streams,
            lambda key: self._scheduler.ledgers.get(*key),
            means.transport,
            self._dispatch,
        )
        self._executor = Executor(
            tag, means, self._streams, self._describing, self._scheduler.ledgers, self._dispatch
        )
        self._regions = Regions(
            tag,
            means,
            self._streams,
            self._scheduler.ledgers,
            lift=lambda index: self._dispatch(on.Lifted(index)),
            tell=self._tell_again,
        )
        self._suspended = False
        self._is_announced = False
        self._waiting: list[on.Event] = []
        self._turn: asyncio.Handle | None = None

    # -- from the page --------------------------------------------------------------------------

    def start(
        self,
        demand: on.Demand,
        adopted: Sequence[on.Adopted | on.AdoptedHeads],
        early: Sequence[ports.TransportEvent],
    ) -> None:
        """Take over what already runs, of which ``early`` is known, and ask for the rest."""
        for event in adopted:
            if isinstance(event, on.Adopted):
                extent = ByteRange(0, event.stop)
                self._streams.begin(event.request, event.request, (event.frame_index, 0), extent)
        self._dispatch(*empty_frames(self.series), *adopted)
        for heard in early:
            self.transport_event(heard)
        self._dispatch(self._without_window(demand))
        self._take_turn()
        for event in adopted:
            if self._streams.exchange(event.request) is None:  # heads that this plan does not use
                self._means.transport.release(event.request)

    def announce(self) -> None:
        """The page has been told of the series, and is told of its frames from now on."""
        self._is_announced = True
        self._publish()
        if self._retriever is not None:
            self._retriever.start(range(len(self.series.frames)), self)

    def want(self, demand: on.Demand) -> None:
        """The viewport shows something else now."""
        self._dispatch(self._without_window(demand))

    def _without_window(self, demand: on.Demand) -> on.Demand:
        """The demand for the scheduler, to which a pan over one frame is no news."""
        self._regions.want(demand)
        return replace(demand, window=None) if demand.window else demand

    def retry(self, frame_index: int) -> None:
        """Try a failed frame once more."""
        for frame in self._scheduler.ledgers.of(frame_index):
            self._describing.forget((frame_index, frame.representation))
        self._dispatch(on.Retry(frame_index))
        self._regions.retry(frame_index)

    def request(self, frame_index: int, options: RetrieveOptions) -> None:
        """`retrieve.configuration.Listener`: a custom retriever wants a frame in this way."""
        self._dispatch(on.Requested(frame_index, options))

    def limit(self, limit: Limit) -> None:
        """So much of every frame is wanted from now on."""
        self._dispatch(on.Limited(limit.stop, limit.levels_below))

    def done(self) -> None:
        """`retrieve.configuration.Listener`: there will be no further requests."""

    def replan(self, plan: Plan) -> None:
        """Go on by another plan with what is held."""
        self._take_turn()
        self._scheduler.replan(plan)
        self._dispatch()

    def state(self, frame_index: int) -> dict[str, object]:
        """What `state()` of the element gives for one frame."""
        scheduler = self._scheduler
        picture = scheduler.ledgers.pictures[frame_index]
        exact = True
        if picture.is_own:
            exact = self._streams.of((frame_index, picture.representation)).form.exact
        state = frame_state(frame_index, scheduler.ledgers, scheduler.order, exact=exact)
        if self._streams.has_vast:
            state |= self._regions.state(frame_index)
        return state

    @property
    def held_bytes(self) -> int:
        """Compressed bytes that the transport holds for this series."""
        return self._scheduler.compressed_bytes

    @property
    def is_idle(self) -> bool:
        """Whether nothing is on its way or being decoded."""
        loading = self._scheduler.is_fetching or self._executor.jobs
        return not loading and self._regions.is_idle

    def suspend(self) -> None:
        """Another series is shown: everything stops, bytes stay held."""
        self._take_turn()
        self._suspended = True
        self._regions.close()
        for command in self._scheduler.suspend(self._means.clock.now_ms()):
            self._executor.carry_out(command)

    def resume(self, demand: on.Demand) -> None:
        """This series is shown again; the page has forgotten all about it."""
        self._suspended = False
        begun = [frame.index for frame in self._scheduler.frames.begun()]
        self._means.page.publish("states", [self.state(index) for index in begun])
        self._dispatch(self._without_window(demand))

    def close(self) -> None:
        """Stop everything and forget all bytes."""
        if self._turn is not None:
            self._turn.cancel()
        self._waiting.clear()
        self._regions.close()
        self._describing.close()
        self._executor.close()
        for segment in self._streams.forget_all():
            self._means.transport.release(segment)

    # -- from the ports -------------------------------------------------------------------------

    def transport_event(self, event: ports.TransportEvent) -> bool:
        """Translate what happened to a segment; False when it is of another series."""
        exchange = self._streams.exchange(event.segment)
        if exchange is None:
            return self._regions.transport_event(event)
        if exchange.key is None:
            self._heads_event(exchange, event)
        else:
            self._frame_event(exchange, exchange.key, event)
        return True

    def _heads_event(self, exchange: Exchange, event: ports.TransportEvent) -> None:
        request = exchange.request
        if isinstance(event, ports.Opened):
            self._dispatch(on.Opened(request, None, event.ranges))
            return
        self._streams.heads_arrived(event.segment, exchange, event.stop)
        match event:
            case ports.Milestone():
                self._dispatch(on.Reached(request, event.stop))
            case ports.Closed():
                self._dispatch(on.Closed(request, event.stop))
            case ports.Failed(error=error):
                self._dispatch(on.FetchFailed(request, event.stop, error))

    def _frame_event(self, exchange: Exchange, key: Key, event: ports.TransportEvent) -> None:
        request, frame = exchange.request, self._streams.of(key)
        if isinstance(event, ports.Opened):
            self._streams.versions.setdefault(frame.extent.url, event.version)
            length = frame.length
            if length is None and event.total_bytes is not None:
                length = frame.stream_offset(event.total_bytes)
            self._dispatch(on.Opened(request, length, event.ranges))
            return
        stop = frame.stream_offset(event.stop)
        frame.advance(event.segment, event.stop)
        match event:
            case ports.Milestone():
                self._dispatch(on.Reached(request, stop))
            case ports.Closed():
                cut = None if event.cancelled else self._cut(key, exchange, stop)
                self._dispatch(
                    on.Closed(request, stop) if cut is None else on.FetchFailed(request, stop, cut)
                )
            case ports.Failed(error=error):
                error.frame_index = key[0]
                self._dispatch(on.FetchFailed(request, stop, error))

    def _cut(self, key: Key, exchange: Exchange, stop: int) -> FirstlightError | None:
        """What is wrong when a resource ends at ``stop``: its codestream says it is longer."""
        asked, goal = exchange.asked_stop, self._scheduler.ledgers.get(*key).goal_stop
        if goal is None or stop >= goal or (asked is not None and stop >= asked):
            return None
        return cut_error(self._streams.url(key), key[0], stop)

    def decode_event(self, event: ports.DecodeEvent) -> bool:
        """A decode job is over; False when it is of another series."""
        job, key = self._executor.jobs.pop(event.job, (None, (-1, 0)))
        if job is None:
            return self._regions.decode_event(event)
        if isinstance(event, ports.Decoded):
            self._dispatch(on.Decoded(job, event.stored_bytes))
        else:
            event.error.frame_index = key[0]
            event.error.resource = self._streams.url(key)
            self._dispatch(on.DecodeFailed(job, event.error))
        return True

    # -- to the scheduler and back ---------------------------------------------------------------

    def _dispatch(self, *events: on.Event) -> None:
        """Tell the scheduler; what happens while that goes on is told at once, in one turn.

        One event alone does not wait. Where many come, as with thousands of small frames, deciding
        and telling the page after each would be most of the work.
        """
        if self._turn is not None:
            self._waiting += events
            return
        self._turn = asyncio.get_running_loop().call_soon(self._end_turn)
        self._decide(events)

    def _end_turn(self) -> None:
        self._turn = None
        if self._waiting:
            self._take_turn()

    def _take_turn(self) -> None:
        """Tell the scheduler what is still to be told."""
        if self._turn is not None:
            self._turn.cancel()
            self._turn = None
        waiting, self._waiting = self._waiting, []
        if waiting:
            self._dispatch(*waiting)

    def _decide(self, events: Sequence[on.Event]) -> None:
        for command in self._scheduler.handle_all(events, self._means.clock.now_ms()):
            if isinstance(command, do.Retrieved):
                self._retrieved(command)
            else:
                self._executor.carry_out(command)
        if self._is_announced:
            self._publish()

    def _publish(self) -> None:
        touched = self._scheduler.touched()
        if touched and not self._suspended:
            self._means.page.publish("states", [self.state(index) for index in sorted(touched)])
            if self._streams.has_vast:
                for index in touched:
                    self._regions.changed(index)

    def _tell_again(self, frame_index: int) -> None:
        """There is news of a frame that the scheduler does not know."""
        if self._is_announced and not self._suspended:
            self._means.page.publish("states", [self.state(frame_index)])

    def _retrieved(self, command: do.Retrieved) -> None:
        if self._retriever is None:
            return
        if command.error is not None:
            self._retriever.failed(command.frame_index, command.error)
        elif command.quality is not None:
            self._retriever.retrieved(command.frame_index, command.quality)
