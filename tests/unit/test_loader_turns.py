"""Events that come while the loader decides are told to the scheduler, and to the page, at once."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from firstlight import ports
from firstlight.adapters.load import MonotonicClock, everything_installed
from firstlight.adapters.page import CollectingPage
from firstlight.loader import Loader, Outside
from firstlight.ranges import ByteRange

if TYPE_CHECKING:
    from collections.abc import Callable

COUNT = 12
ENDS = [510, 1700, 6500]
SRC = "http://somewhere/firstlight.json"


def descriptor() -> bytes:
    image = {"rows": 64, "columns": 64, "bits_stored": 12}
    frames = [
        {"url": "frames.bin", "start": index * ENDS[-1], "length": ENDS[-1], "level_ends": ENDS}
        for index in range(COUNT)
    ]
    series = {"series_instance_uid": "1.2.3", "image": image, "frames": frames}
    return json.dumps({"firstlight": 1, "series": [series]}).encode()


@dataclass
class Wire:
    """A transport and a pool whose answers the test gives itself."""

    orders: list[ports.FetchOrder] = field(default_factory=list)
    jobs: list[ports.DecodeOrder] = field(default_factory=list)
    body: bytes = b""
    capacity: int = 4
    sinks: list[Callable] = field(default_factory=list)

    def listen(self, sink: Callable) -> None:
        self.sinks.append(sink)

    def fetch(self, order: ports.FetchOrder) -> None:
        self.orders.append(order)

    def watch(self, segment: int, milestones: tuple[int, ...]) -> None:
        pass

    def cancel(self, segment: int) -> None:
        pass

    def release(self, segment: int) -> None:
        pass

    async def read(self, segment: int, extent: ByteRange) -> bytes:
        return self.body[extent.start : extent.stop]

    def decode(self, order: ports.DecodeOrder) -> None:
        self.jobs.append(order)

    def answer(self, order: ports.FetchOrder, total: int) -> None:
        """All of an order, told in one go."""
        stop = total if order.extent.stop is None else order.extent.stop
        extent = ByteRange(order.extent.start, stop)
        self.sinks[0](ports.Opened(order.segment, extent, total, "v1", True))
        self.sinks[0](ports.Closed(order.segment, stop, False))


class Page(CollectingPage):
    """Notes what came in which order."""

    def __init__(self) -> None:
        super().__init__()
        self.kinds: list[str] = []

    def publish(self, kind: str, record: object) -> None:
        self.kinds.append(kind)
        super().publish(kind, record)


async def opened(wire: Wire, page: Page) -> Loader:
    wire.body = descriptor()
    clock = MonotonicClock()
    outside = Outside(wire, wire, page, clock, everything_installed)
    loader = Loader(outside)
    opening = asyncio.ensure_future(loader.open(SRC, frame_index=0))
    while not wire.orders:
        await asyncio.sleep(0)
    wire.answer(wire.orders.pop(), len(wire.body))
    await opening
    return loader


def test_the_first_requests_are_under_way_before_the_page_is_told_of_the_series():
    async def scenario() -> None:
        wire, page = Wire(), Page()
        asked_at: list[int] = []
        fetch = wire.fetch
        wire.fetch = lambda order: (asked_at.append(len(page.kinds)), fetch(order))
        loader = await opened(wire, page)
        series_at = page.kinds.index("series")
        assert asked_at[1] <= series_at, "asked_at[0] is the descriptor's"
        assert "states" not in page.kinds[:series_at]
        assert "states" in page.kinds[series_at:]
        loader.close()

    asyncio.run(scenario())


def test_what_happens_meanwhile_is_told_in_one_turn_and_nothing_is_lost():
    async def scenario() -> None:
        wire, page = Wire(), Page()
        loader = await opened(wire, page)
        await asyncio.sleep(0)  # the turn of the opening is over
        orders, wire.orders = wire.orders, []
        assert len(orders) >= 2
        before = page.kinds.count("states")
        for order in orders:
            wire.answer(order, COUNT * ENDS[-1])
        assert page.kinds.count("states") <= before + 1, "only the first does not wait"
        await asyncio.sleep(0)
        assert page.kinds.count("states") <= before + 2
        assert {job.frame_index for job in wire.jobs} == set(range(len(orders)))
        for number in range(len(wire.jobs)):
            wire.sinks[1](ports.Decoded(wire.jobs[number].job, 8192, 1.0))
        await asyncio.sleep(0)
        states = page.states.values()
        done = [s["frameIndex"] for s in states if s["resolutionLevel"] is not None]
        assert sorted(done) == list(range(len(orders)))
        loader.close()

    asyncio.run(scenario())
