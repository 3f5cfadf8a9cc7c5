"""A load of nothing, which makes Python fast before somebody waits for it.

A browser compiles WebAssembly quickly and badly at first, and well only what has run for a while:
the first series that a loader opens would cost it ten times what the second does.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections import deque
from typing import TYPE_CHECKING, Final

from firstlight import ports
from firstlight.loader import Loader, Outside
from firstlight.ranges import ByteRange

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FRAMES: Final = 24
LEVEL_ENDS: Final = (400, 1_200, 4_000, 14_000, 50_000, 170_000)

BUDGET_MS: Final = 1_000
"""Python's own time that is spent at most."""

FAST_MS: Final = 40
"""A series of `FRAMES` that took no longer was fast, as it is from the browser's cache of code."""

BUSY_WAIT_S: Final = 0.5

_SRC: Final = "https://rehearsal.invalid/firstlight.json"


async def rehearse(is_busy: Callable[[], bool], *, most_series: int | None = None) -> int:
    """Load made-up series while not ``is_busy``, until that is fast enough; how many they were."""
    spent_ms, count = 0.0, 0
    while spent_ms < BUDGET_MS and count != most_series:
        took_ms = await _Stage().play(is_busy)
        spent_ms, count = spent_ms + took_ms, count + 1
        if took_ms <= FAST_MS:
            break
    return count


class _Stage:
    """Transport, pool and page of one loader: what is ordered is there, but there are no bytes."""

    capacity = 4

    def __init__(self) -> None:
        self._answers: deque[ports.TransportEvent | ports.DecodeEvent] = deque()
        self._sinks: list[Callable[[ports.TransportEvent | ports.DecodeEvent], None]] = []
        self._descriptor = _descriptor()
        self._states: dict[int, str] = {}

    async def play(self, is_busy: Callable[[], bool]) -> float:
        """Load one series; the ms that it took, without the waiting."""
        loader = Loader(Outside(self, self, self, self, _need), itertools.count(1))
        opening = asyncio.ensure_future(loader.open(_SRC, frame_index=FRAMES // 2))
        spent_ms = 0.0
        try:
            while self._answers or not opening.done() or not loader.is_idle:
                while is_busy():
                    await asyncio.sleep(BUSY_WAIT_S)
                began_ms = self.now_ms()
                if self._answers:
                    self._give(self._answers.popleft())
                await asyncio.sleep(0)
                spent_ms += self.now_ms() - began_ms
        finally:
            opening.cancel()
            loader.close()
        return spent_ms

    @property
    def lossless(self) -> int:
        """How many frames have come to their end."""
        return sum(status == "lossless" for status in self._states.values())

    def _give(self, event: ports.TransportEvent | ports.DecodeEvent) -> None:
        is_decode = isinstance(event, ports.Decoded | ports.DecodeFailed)
        self._sinks[1 if is_decode else 0](event)

    # -- ports ----------------------------------------------------------------------------------

    def listen(self, sink: Callable[..., None]) -> None:
        """The loader listens to its transport first, then to its pool."""
        self._sinks.append(sink)

    def fetch(self, order: ports.FetchOrder) -> None:
        """Every resource has all that is asked of it."""
        is_descriptor = order.url == _SRC
        total = len(self._descriptor) if is_descriptor else FRAMES * LEVEL_ENDS[-1]
        stop = total if order.extent.stop is None else order.extent.stop
        extent = ByteRange(order.extent.start, stop)
        self._answers.append(ports.Opened(order.segment, extent, total, "1", True))
        self._answers += [ports.Milestone(order.segment, point) for point in order.milestones]
        self._answers.append(ports.Closed(order.segment, stop, False))

    def watch(self, segment: int, milestones: tuple[int, ...]) -> None:
        """All is told anyway."""

    def cancel(self, segment: int) -> None:
        """It is over already."""

    def release(self, segment: int) -> None:
        """Nothing is held."""

    async def read(self, segment: int, extent: ByteRange) -> bytes:
        """There is nothing to read but the descriptor."""
        return self._descriptor[extent.start : extent.stop]

    def decode(self, order: ports.DecodeOrder) -> None:
        """Done at once."""
        self._answers.append(ports.Decoded(order.job, 2 * 512 * 512, 1.0))

    def evict(self, frame_index: int) -> None:
        """Nobody looks at it."""

    def publish(self, kind: str, record: object) -> None:
        """As for a page that listens."""
        json.dumps(record, separators=(",", ":"))
        if kind == "states" and isinstance(record, list):
            self._states.update((state["frameIndex"], state["status"]) for state in record)

    def now_ms(self) -> float:
        return time.perf_counter() * 1000


async def _need(package: str) -> None:
    raise LookupError(package)


def _descriptor() -> bytes:
    image = {"rows": 512, "columns": 512, "bits_stored": 12, "pixel_spacing": [0.7, 0.7]}
    series = {
        "series_instance_uid": "1",
        "image": image | {"image_orientation_patient": [1, 0, 0, 0, 1, 0]},
        "frames": list(_frames()),
    }
    return json.dumps({"firstlight": 1, "series": [series]}).encode()


def _frames() -> Iterator[dict[str, object]]:
    length = LEVEL_ENDS[-1]
    for index in range(FRAMES):
        image = {"image_position_patient": [0, 0, 2.5 * index]}
        place = {"url": "frames.bin", "start": index * length, "length": length}
        yield place | {"level_ends": LEVEL_ENDS, "image": image}
