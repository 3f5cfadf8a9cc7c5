"""What every Transport does, as scenarios against a driver and a server that can misbehave."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from firstlight.errors import LimitExceeded
from firstlight.ports import (
    MAX_READ_BYTES,
    Closed,
    Failed,
    FetchOrder,
    Milestone,
    Opened,
    TransportEvent,
)
from firstlight.ranges import ByteRange
from support.faulty_server import Fault, FaultyServer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from contract.transport_drivers import Driver

SIZE = 300_000
CONTENT = random.Random(1).randbytes(SIZE)
PATH = "/image.jph"
OTHER_PATH = "/other.jph"
NO_FAULT = Fault()


@dataclass(frozen=True, slots=True)
class Case:
    """A scenario and the fault that `PATH` meets; `OTHER_PATH` holds the same without any."""

    scenario: Callable[[Any, FaultyServer], Awaitable[None]]
    fault: Fault = NO_FAULT
    max_segment_bytes: int | None = None
    name: str = ""

    def __str__(self) -> str:
        return self.name or self.scenario.__name__


def run_case(case: Case, run: Callable[..., None]) -> None:
    """Run a case on one transport."""
    files = {PATH: CONTENT, OTHER_PATH: CONTENT}
    run(case.scenario, files, {PATH: case.fault}, case.max_segment_bytes)


def order(server: FaultyServer, start: int = 0, stop: int | None = None, **more: Any) -> FetchOrder:
    """An order of segment 1, unless said otherwise."""
    fields = {"segment": 1, "url": server.url(PATH), **more}
    return FetchOrder(extent=ByteRange(start, stop), **fields)


async def rest(driver: Driver, segment: int = 1) -> list[TransportEvent]:
    """The events of a segment that are left, to its end."""
    events = [await driver.next(segment)]
    while not isinstance(events[-1], Closed | Failed):
        events.append(await driver.next(segment))
    return events


async def fetch(driver: Driver, wanted: FetchOrder) -> list[TransportEvent]:
    """All events of an order."""
    driver.fetch(wanted)
    return await rest(driver, wanted.segment)


async def expect_silence(driver: Driver, server: FaultyServer, segment: int = 1) -> None:
    """No event is left, not even after another exchange has gone by."""
    await fetch(driver, order(server, 0, 10, segment=99, url=server.url(OTHER_PATH)))
    assert await driver.unread(segment) == 0


async def held(driver: Driver, start: int, stop: int, segment: int = 1) -> bool:
    """Whether exactly these bytes of `CONTENT` are held."""
    return await driver.read(segment, ByteRange(start, stop)) == CONTENT[start:stop]


def opened(event: TransportEvent) -> tuple[ByteRange, int | None, bool]:
    """An `Opened` without its version, which must not be empty."""
    assert isinstance(event, Opened)
    assert event.version
    return event.extent, event.total_bytes, event.ranges


# -- ranges -----------------------------------------------------------------------------------


async def a_range_is_held(driver: Driver, server: FaultyServer) -> None:
    head, *others = await fetch(driver, order(server, 1000, 200_000))
    assert opened(head) == (ByteRange(1000, 200_000), SIZE, True)
    assert others == [Closed(1, 200_000, cancelled=False)]
    assert await held(driver, 1000, 200_000)
    (request,) = server.requests()  # so there was no preflight
    assert (request.method, request.range) == ("GET", "bytes=1000-199999")
    assert request.headers["accept-encoding"] == "identity"
    assert "if-range" not in request.headers


async def an_open_range_ends_with_the_resource(driver: Driver, server: FaultyServer) -> None:
    head, *others = await fetch(driver, order(server, 0, None))
    assert opened(head) == (ByteRange(0, SIZE), SIZE, True)
    assert others == [Closed(1, SIZE, cancelled=False)]
    assert await held(driver, 0, SIZE)


async def a_range_is_cut_at_the_end(driver: Driver, server: FaultyServer) -> None:
    head, *others = await fetch(driver, order(server, 250_000, 10 * SIZE))
    assert opened(head) == (ByteRange(250_000, SIZE), SIZE, True)
    assert others == [Closed(1, SIZE, cancelled=False)]
    assert await held(driver, 250_000, SIZE)


async def an_empty_range_needs_no_exchange(driver: Driver, server: FaultyServer) -> None:
    assert await fetch(driver, order(server, 500, 500)) == [Closed(1, 500, cancelled=False)]
    assert server.requests() == []


async def ranges_of_one_resource_run_side_by_side(driver: Driver, server: FaultyServer) -> None:
    for segment in range(4):
        start = segment * 50_000
        url = server.url(PATH if segment == 0 else OTHER_PATH)
        driver.fetch(order(server, start, start + 50_000, segment=segment, url=url))
    for segment in (1, 2, 3):  # while segment 0 stalls
        assert (await rest(driver, segment))[-1].stop == (segment + 1) * 50_000
    await driver.outside(lambda: server.release(PATH))
    assert (await rest(driver, 0))[-1] == Closed(0, 50_000, cancelled=False)


async def a_chunked_part_is_held(driver: Driver, server: FaultyServer) -> None:
    head, *others = await fetch(driver, order(server, 1000, 200_000))
    assert opened(head) == (ByteRange(1000, 200_000), SIZE, True)
    assert others == [Closed(1, 200_000, cancelled=False)]
    assert await held(driver, 1000, 200_000)


async def a_hidden_total_is_unknown(driver: Driver, server: FaultyServer) -> None:
    head, *others = await fetch(driver, order(server, 250_000, 10 * SIZE))
    assert opened(head) == (ByteRange(250_000, SIZE), None, True)
    assert others == [Closed(1, SIZE, cancelled=False)]


# -- servers without ranges -------------------------------------------------------------------


async def the_whole_serves_an_open_range(driver: Driver, server: FaultyServer) -> None:
    head, *others = await fetch(driver, order(server, 0, None, milestones=(70_000,)))
    assert opened(head) == (ByteRange(0, SIZE), SIZE, False)
    assert others == [Milestone(1, 70_000), Closed(1, SIZE, cancelled=False)]
    assert await held(driver, 0, SIZE)


async def the_whole_is_cut_to_the_range(driver: Driver, server: FaultyServer) -> None:
    wanted = order(server, 50_000, 150_000, milestones=(60_000, 150_000))
    head, *others = await fetch(driver, wanted)
    assert opened(head) == (ByteRange(50_000, 150_000), SIZE, False)
    ends = [Milestone(1, 60_000), Milestone(1, 150_000)]
    assert others == [*ends, Closed(1, 150_000, cancelled=False)]
    assert await held(driver, 50_000, 150_000)
    await driver.outside(lambda: server.requests.wait_until(lambda log: log[0].aborted))


async def a_whole_of_unknown_length_grows(driver: Driver, server: FaultyServer) -> None:
    head, *others = await fetch(driver, order(server, 10_000, None, milestones=(200_000,)))
    assert opened(head) == (ByteRange(10_000, None), None, False)
    assert others == [Milestone(1, 200_000), Closed(1, SIZE, cancelled=False)]
    assert await held(driver, 10_000, SIZE)


async def an_unknown_length_may_end_before_the_range(driver: Driver, server: FaultyServer) -> None:
    head, *others = await fetch(driver, order(server, 10_000, 2 * SIZE))
    assert opened(head) == (ByteRange(10_000, 2 * SIZE), None, False)
    assert others == [Closed(1, SIZE, cancelled=False)]


# -- milestones -------------------------------------------------------------------------------


async def milestones_come_once_in_order(driver: Driver, server: FaultyServer) -> None:
    wanted = (1001, 90_000, 1000, 1001, 120_000, 90_000, 1002, SIZE, SIZE + 1)
    events = await fetch(driver, order(server, 1000, 120_000, milestones=wanted))
    passed = [event.stop for event in events if isinstance(event, Milestone)]
    assert passed == [1000, 1001, 1002, 90_000, 120_000]
    assert isinstance(events[0], Opened)
    assert events[-1] == Closed(1, 120_000, cancelled=False)


async def a_milestone_means_the_bytes_are_held(driver: Driver, server: FaultyServer) -> None:
    driver.fetch(order(server, 0, None, milestones=(100_000,)))
    assert isinstance(await driver.next(1), Opened)
    assert await driver.next(1) == Milestone(1, 100_000)
    assert await held(driver, 0, 100_000)
    await driver.outside(lambda: server.release(PATH))
    assert await rest(driver) == [Closed(1, SIZE, cancelled=False)]


async def milestones_can_be_added(driver: Driver, server: FaultyServer) -> None:
    driver.fetch(order(server, 0, None, milestones=(100_000,)))
    assert isinstance(await driver.next(1), Opened)
    assert await driver.next(1) == Milestone(1, 100_000)
    driver.watch(1, (200_000, 50_000))
    assert await driver.next(1) == Milestone(1, 50_000)
    await driver.outside(lambda: server.release(PATH))
    assert await rest(driver) == [Milestone(1, 200_000), Closed(1, SIZE, cancelled=False)]
    driver.watch(1, (60_000, SIZE + 1))
    assert await driver.next(1) == Milestone(1, 60_000)
    await expect_silence(driver, server)


# -- cancel, release, read --------------------------------------------------------------------


async def cancel_stops_and_keeps_the_bytes(driver: Driver, server: FaultyServer) -> None:
    driver.fetch(order(server, 0, None, milestones=(100_000, 200_000)))
    assert isinstance(await driver.next(1), Opened)
    assert await driver.next(1) == Milestone(1, 100_000)
    driver.cancel(1)
    assert await driver.next(1) == Closed(1, 100_000, cancelled=True)
    await driver.outside(lambda: server.requests.wait_until(lambda log: log[0].aborted))
    assert await held(driver, 0, 100_000)
    driver.cancel(1)
    await expect_silence(driver, server)


async def cancel_works_before_the_answer(driver: Driver, server: FaultyServer) -> None:
    driver.fetch(order(server, 700, None))
    await driver.outside(lambda: server.requests.wait_until(lambda log: len(log) == 1))
    driver.cancel(1)
    assert await driver.next(1) == Closed(1, 700, cancelled=True)
    await driver.outside(lambda: server.requests.wait_until(lambda log: log[0].aborted))
    await expect_silence(driver, server)


async def cancel_after_the_end_does_nothing(driver: Driver, server: FaultyServer) -> None:
    assert (await fetch(driver, order(server, 0, 1000)))[-1] == Closed(1, 1000, cancelled=False)
    driver.cancel(1)
    await expect_silence(driver, server)
    assert await held(driver, 0, 1000)


async def release_drops_the_bytes(driver: Driver, server: FaultyServer) -> None:
    await fetch(driver, order(server, 0, 1000))
    driver.release(1)
    with pytest.raises(LookupError):
        await driver.read(1, ByteRange(0, 10))
    driver.release(1)
    driver.cancel(1)
    driver.watch(1, (10,))
    await expect_silence(driver, server)


async def release_aborts_what_runs(driver: Driver, server: FaultyServer) -> None:
    driver.fetch(order(server, 0, None, milestones=(100_000,)))
    assert isinstance(await driver.next(1), Opened)
    assert await driver.next(1) == Milestone(1, 100_000)
    driver.release(1)
    assert await driver.next(1) == Closed(1, 0, cancelled=True)
    await driver.outside(lambda: server.requests.wait_until(lambda log: log[0].aborted))
    with pytest.raises(LookupError):
        await driver.read(1, ByteRange(0, 10))


async def read_gives_only_what_is_held(driver: Driver, server: FaultyServer) -> None:
    await fetch(driver, order(server, 1000, 2000))
    assert await held(driver, 1000, 2000)
    assert await held(driver, 1999, 2000)
    assert await held(driver, 1500, 1500)
    assert await driver.read(1, ByteRange(1900, None)) == CONTENT[1900:2000]
    for start, stop in ((999, 1001), (1999, 2001), (0, 10), (2001, None)):
        with pytest.raises(LookupError):
            await driver.read(1, ByteRange(start, stop))
    with pytest.raises(LookupError):
        await driver.read(7, ByteRange(0, 1))


async def read_is_bounded(driver: Driver, server: FaultyServer) -> None:
    server.files[OTHER_PATH] = bytes(MAX_READ_BYTES + 1)
    await fetch(driver, order(server, url=server.url(OTHER_PATH)))
    assert len(await driver.read(1, ByteRange(1, None))) == MAX_READ_BYTES
    with pytest.raises(LimitExceeded):
        await driver.read(1, ByteRange(0, None))


_STALL = Fault(stall_after_bytes=100_000)

CASES = (
    Case(a_range_is_held),
    Case(an_open_range_ends_with_the_resource),
    Case(a_range_is_cut_at_the_end),
    Case(an_empty_range_needs_no_exchange),
    Case(ranges_of_one_resource_run_side_by_side, Fault(stall_after_bytes=10_000)),
    Case(a_chunked_part_is_held, Fault(framing="chunked")),
    Case(a_hidden_total_is_unknown, Fault(hide_total=True)),
    Case(the_whole_serves_an_open_range, Fault(ignore_range=True)),
    Case(the_whole_is_cut_to_the_range, Fault(ignore_range=True, stall_after_bytes=200_000)),
    Case(a_whole_of_unknown_length_grows, Fault(ignore_range=True, framing="chunked")),
    Case(
        a_whole_of_unknown_length_grows,
        Fault(ignore_range=True, framing="close"),
        name="a_whole_ended_by_closing_grows",
    ),
    Case(an_unknown_length_may_end_before_the_range, Fault(ignore_range=True, framing="chunked")),
    Case(milestones_come_once_in_order),
    Case(a_milestone_means_the_bytes_are_held, _STALL),
    Case(milestones_can_be_added, _STALL),
    Case(cancel_stops_and_keeps_the_bytes, _STALL),
    Case(cancel_works_before_the_answer, Fault(no_answer=True)),
    Case(cancel_after_the_end_does_nothing),
    Case(release_drops_the_bytes),
    Case(release_aborts_what_runs, _STALL),
    Case(read_gives_only_what_is_held),
    Case(read_is_bounded),
)
