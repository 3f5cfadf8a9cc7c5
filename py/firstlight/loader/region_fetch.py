"""The requests that windows of vast frames make; the scheduler knows of none of them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from firstlight import ports
from firstlight.errors import FirstlightError, RangeIgnored, ShortBody
from firstlight.schedule.concurrency import is_transient
from firstlight.schedule.retries import GROWTH

if TYPE_CHECKING:
    from collections.abc import Callable

    from firstlight.loader.executor import Means
    from firstlight.loader.region_frame import VastFrame
    from firstlight.loader.streams import Streams
    from firstlight.ranges import ByteRange


class RegionFetches:
    """Brings ranges of frames, tries again what may pass, and keeps what came up to a limit.

    ``arrived`` is told when a request has brought what it was for, ``missing`` when what one did
    not bring may be asked for again, ``failed`` when one has failed for good; RangeIgnored says
    that this server sends whole resources.
    """

    def __init__(
        self,
        means: Means,
        streams: Streams,
        arrived: Callable[[VastFrame], None],
        missing: Callable[[VastFrame], None],
        failed: Callable[[VastFrame, FirstlightError], None],
    ) -> None:
        self._means = means
        self._streams = streams
        self._arrived = arrived
        self._missing = missing
        self._failed = failed
        self._owners: dict[int, VastFrame] = {}
        self._answers: dict[int, asyncio.Future[int]] = {}
        self._again: asyncio.TimerHandle | None = None

    @property
    def is_fetching(self) -> bool:
        """Whether anything is on its way, or will be asked for again."""
        coming = any(frame.stretches.coming_bytes for frame in self._owners.values())
        return coming or self._again is not None

    def bring(self, frame: VastFrame, runs: tuple[ByteRange, ...]) -> None:
        """Have these ranges of a frame come; nothing else is wanted any more."""
        self.stop(frame, runs)
        frame.stretches.touch(runs)
        for extent in frame.stretches.missing(runs):
            frame.stretches.begin(self._fetch(frame, extent), extent)
        for segment in frame.stretches.surplus(self._means.capacity.region_bytes):
            self._release(segment)

    def stop(self, frame: VastFrame, keep: tuple[ByteRange, ...] = ()) -> None:
        """End the requests that bring none of the ranges to keep; what they brought stays held."""
        self._forget_retry()
        for stretch in frame.stretches.unneeded(keep):
            stretch.asked_stop = stretch.held_stop  # nothing is to be expected of it any more
            self._means.transport.cancel(stretch.segment)

    async def read(self, frame: VastFrame, extent: ByteRange) -> bytes:
        """A range of the frame, which is not kept.

        Raises:
            TransportError: it did not come, also not when asked for again.
        """
        parts = [await self._read_run(frame, run) for run in frame.bytes.payload.pieces(extent)]
        return b"".join(parts)

    async def _read_run(self, frame: VastFrame, run: ByteRange) -> bytes:
        for attempt in range(1, self._means.capacity.attempts + 1):
            segment = self._fetch(frame, run)
            answer = self._answers[segment] = asyncio.get_running_loop().create_future()
            try:
                stop = await answer
                if stop != run.stop:
                    raise ShortBody(f"the body ended at {stop}", extent=run)
                return await self._means.transport.read(segment, run)
            except FirstlightError as error:
                if not is_transient(error) or attempt == self._means.capacity.attempts:
                    raise
                await asyncio.sleep(self._wait_s(attempt))
            finally:
                self._release(segment)
        raise AssertionError("unreachable: the last attempt returns or raises")

    def release(self, frame: VastFrame) -> None:
        """Let go of all that is held and on its way for a frame."""
        for segment in [one for one, owner in self._owners.items() if owner is frame]:
            self._release(segment)

    def release_all(self) -> None:
        """Let go of everything."""
        self._forget_retry()
        for segment in list(self._owners):
            self._release(segment)

    def transport_event(self, event: ports.TransportEvent) -> bool:
        """Something happened to a segment; False when it is not one of these."""
        frame = self._owners.get(event.segment)
        if frame is None:
            return False
        match event:
            case ports.Opened(ranges=False):
                self._end(frame, event.segment, 0, RangeIgnored("no ranges from this server"))
                self._release(event.segment)
            case ports.Closed(segment, stop, cancelled):
                stretch = frame.stretches.get(segment)
                short = stretch is not None and stop < stretch.asked_stop and not cancelled
                error = ShortBody(f"the resource ends at {stop}") if short else None
                self._end(frame, segment, stop, error)
            case ports.Failed(segment, stop, error):
                self._end(frame, segment, stop, error)
            case _:
                pass
        return True

    def _fetch(self, frame: VastFrame, extent: ByteRange) -> int:
        segment, url = next(self._means.numbers), frame.bytes.extent.url
        self._owners[segment] = frame
        self._means.transport.fetch(
            ports.FetchOrder(
                segment=segment,
                url=url,
                extent=extent,
                version=self._streams.versions.get(url),
                priority="high",
                accept=frame.bytes.extent.accept,
            )
        )
        return segment

    def _end(
        self, frame: VastFrame, segment: int, stop: int, error: FirstlightError | None
    ) -> None:
        answer, stretch = self._answers.pop(segment, None), frame.stretches.get(segment)
        if answer is not None and not answer.done():
            if error is None:
                answer.set_result(stop)
            else:
                answer.set_exception(error)
        if stretch is None:
            return
        stretch.runs, stretch.held_stop = False, max(stretch.start, stop)
        if error is None:
            self._arrived(frame)
        elif not self._tries_again(frame, error):
            self._failed(frame, error)

    def _tries_again(self, frame: VastFrame, error: FirstlightError) -> bool:
        if not is_transient(error):
            return False
        if self._again is not None:
            return True  # with others that failed at the same time
        frame.attempts += 1
        if frame.attempts >= self._means.capacity.attempts:
            return False
        wait_s = self._wait_s(frame.attempts)
        self._again = asyncio.get_running_loop().call_later(wait_s, self._try_again, frame)
        return True

    def _try_again(self, frame: VastFrame) -> None:
        self._again = None
        self._missing(frame)

    def _forget_retry(self) -> None:
        if self._again is not None:
            self._again.cancel()
            self._again = None

    def _wait_s(self, attempt: int) -> float:
        capacity = self._means.capacity
        return min(capacity.retry_ms * GROWTH ** (attempt - 1), capacity.retry_max_ms) / 1000

    def _release(self, segment: int) -> None:
        frame = self._owners.pop(segment, None)
        if frame is not None:
            frame.stretches.forget(segment)
            self._answers.pop(segment, None)
            self._means.transport.release(segment)
