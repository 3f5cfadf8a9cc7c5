"""What both transports make of servers that fail: one typed error, and the bytes so far stay."""

from __future__ import annotations

import socket
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from contract.transport_contract import (
    CONTENT,
    OTHER_PATH,
    PATH,
    SIZE,
    Case,
    expect_silence,
    fetch,
    held,
    opened,
    order,
    rest,
    run_case,
)
from contract.transport_drivers import Runner, checkout_url, run, transport_page
from firstlight.errors import (
    HttpStatus,
    LimitExceeded,
    RangeIgnored,
    ResourceChanged,
    ShortBody,
    Unreachable,
)
from firstlight.ports import Closed, Failed, Milestone, Opened
from firstlight.ranges import ByteRange
from support.faulty_server import Fault, FaultyServer

if TYPE_CHECKING:
    from contract.transport_drivers import Driver
    from firstlight.errors import FirstlightError
    from firstlight.ports import TransportEvent

__all__ = ["checkout_url", "run", "transport_page"]


def failure(event: TransportEvent, kind: type[FirstlightError], stop: int) -> FirstlightError:
    """The error of a `Failed`, which must be exactly of that kind and name the resource."""
    assert isinstance(event, Failed)
    assert type(event.error) is kind
    assert event.stop == stop
    assert event.error.message
    assert event.error.resource is not None
    return event.error


async def a_status_is_an_error(driver: Driver, server: FaultyServer) -> None:
    (event,) = await fetch(driver, order(server, 100, 200))
    error = failure(event, HttpStatus, stop=100)
    assert isinstance(error, HttpStatus)
    assert error.status == server.requests()[0].status
    await expect_silence(driver, server)


async def a_missing_file_is_a_404(driver: Driver, server: FaultyServer) -> None:
    (event,) = await fetch(driver, order(server, url=server.url("/missing.jph")))
    error = failure(event, HttpStatus, stop=0)
    assert isinstance(error, HttpStatus)
    assert error.status == 404


async def a_range_beyond_the_end_is_a_416(driver: Driver, server: FaultyServer) -> None:
    (event,) = await fetch(driver, order(server, SIZE, SIZE + 10))
    error = failure(event, HttpStatus, stop=SIZE)
    assert isinstance(error, HttpStatus)
    assert error.status == 416


async def a_whole_that_ends_before_the_range(driver: Driver, server: FaultyServer) -> None:
    *_, event = await fetch(driver, order(server, SIZE, SIZE + 10))
    failure(event, RangeIgnored, stop=SIZE)


async def nobody_listens(driver: Driver, server: FaultyServer) -> None:
    with socket.socket() as taken:  # bound but not listening: connections are refused
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/image.jph"
        (event,) = await fetch(driver, order(server, url=url))
    failure(event, Unreachable, stop=0)
    await expect_silence(driver, server)


async def no_url_at_all(driver: Driver, server: FaultyServer) -> None:
    (event,) = await fetch(driver, order(server, url="http://[half/image.jph"))
    failure(event, Unreachable, stop=0)


async def a_short_body_keeps_its_bytes(driver: Driver, server: FaultyServer) -> None:
    driver.fetch(order(server, 1000, None, milestones=(101_000, 200_000)))
    assert opened(await driver.next(1)) == (ByteRange(1000, SIZE), SIZE, True)
    assert await driver.next(1) == Milestone(1, 101_000)
    await driver.outside(lambda: server.release(PATH))
    event = await driver.next(1)
    failure(event, ShortBody, stop=event.stop)
    assert 101_000 <= event.stop <= 101_001  # a browser may drop what comes just before the break
    assert await held(driver, 1000, event.stop)
    await expect_silence(driver, server)


async def a_break_after_the_last_byte_does_not_matter(driver: Driver, server: FaultyServer) -> None:
    driver.fetch(order(server, milestones=(SIZE,)))
    assert opened(await driver.next(1)) == (ByteRange(0, SIZE), SIZE, True)
    assert await driver.next(1) == Milestone(1, SIZE)
    await driver.outside(lambda: server.release(PATH))
    assert await driver.next(1) == Closed(1, SIZE, cancelled=False)


async def another_version_is_refused(driver: Driver, server: FaultyServer) -> None:
    head, _ = await fetch(driver, order(server, 0, 1000))
    assert isinstance(head, Opened)
    wanted = order(server, 1000, 2000, segment=2, version=head.version, milestones=(1500,))
    (event,) = await fetch(driver, wanted)
    failure(event, ResourceChanged, stop=1000)
    with pytest.raises(LookupError):
        await driver.read(2, ByteRange(1000, 1001))
    assert await held(driver, 0, 1000)
    await expect_silence(driver, server, segment=2)


async def the_same_version_is_taken(driver: Driver, server: FaultyServer) -> None:
    head, _ = await fetch(driver, order(server, 0, 1000))
    assert isinstance(head, Opened)
    again, end = await fetch(driver, order(server, 1000, 2000, segment=2, version=head.version))
    assert isinstance(again, Opened)
    assert again.version == head.version
    assert end == Closed(2, 2000, cancelled=False)
    assert await held(driver, 1000, 2000, segment=2)


async def without_a_validator_lengths_are_compared(driver: Driver, server: FaultyServer) -> None:
    head, _ = await fetch(driver, order(server, 0, 1000))
    assert head == Opened(1, ByteRange(0, 1000), SIZE, "", True)
    same, _ = await fetch(driver, order(server, 1000, 2000, segment=2, version=""))
    assert same == Opened(2, ByteRange(1000, 2000), SIZE, "", True)
    (event,) = await fetch(driver, order(server, 2000, 3000, segment=3, version=""))
    failure(event, ResourceChanged, stop=2000)


async def another_range_is_refused(driver: Driver, server: FaultyServer) -> None:
    (event,) = await fetch(driver, order(server, 1000, 2000, milestones=(1500,)))
    failure(event, RangeIgnored, stop=1000)
    with pytest.raises(LookupError):
        await driver.read(1, ByteRange(1000, 1001))
    await expect_silence(driver, server)


async def a_compressed_part_is_refused(driver: Driver, server: FaultyServer) -> None:
    (event,) = await fetch(driver, order(server, 1000, 2000))
    # Chromium refuses it before we can, and does not say why.
    kind = RangeIgnored if driver.sees_all_headers else Unreachable
    assert "compression" in failure(event, kind, stop=1000).message


async def hidden_headers_are_done_without(driver: Driver, server: FaultyServer) -> None:
    head, *others = await fetch(driver, order(server, 1000, 2000, milestones=(1500,)))
    assert opened(head) == (ByteRange(1000, 2000), SIZE if driver.sees_all_headers else None, True)
    assert others == [Milestone(1, 1500), Closed(1, 2000, cancelled=False)]
    assert await held(driver, 1000, 2000)
    open_head, end = await fetch(driver, order(server, 250_000, None, segment=2))
    assert isinstance(open_head, Opened)
    assert open_head.extent == ByteRange(250_000, SIZE)
    assert end == Closed(2, SIZE, cancelled=False)


async def hidden_headers_and_length(driver: Driver, server: FaultyServer) -> None:
    head, end = await fetch(driver, order(server, 250_000, 2 * SIZE))
    assert isinstance(head, Opened)
    assert head.extent.stop == (SIZE if driver.sees_all_headers else 2 * SIZE)
    assert end == Closed(1, SIZE, cancelled=False)
    assert await held(driver, 250_000, SIZE)


async def too_long_is_refused_at_once(driver: Driver, server: FaultyServer) -> None:
    (event,) = await fetch(driver, order(server, 1000, None, milestones=(1000,)))
    failure(event, LimitExceeded, stop=1000)
    await driver.outside(server.requests.wait_until_idle)
    *_, event = await fetch(driver, order(server, 1000, 51_000, segment=2))
    assert event == Closed(2, 51_000, cancelled=False)


async def too_long_is_noticed_on_the_way(driver: Driver, server: FaultyServer) -> None:
    head, event = await fetch(driver, order(server))
    assert opened(head) == (ByteRange(0, None), None, False)
    assert isinstance(event, Failed)
    assert failure(event, LimitExceeded, stop=event.stop)
    assert event.stop <= 50_000
    await driver.outside(server.requests.wait_until_idle)


async def a_failure_does_not_harm_others(driver: Driver, server: FaultyServer) -> None:
    driver.fetch(order(server))
    driver.fetch(order(server, segment=2, url=server.url(OTHER_PATH)))
    failed = (await rest(driver, 1))[-1]
    failure(failed, ShortBody, stop=failed.stop)
    assert (await rest(driver, 2))[-1] == Closed(2, SIZE, cancelled=False)
    assert await held(driver, 0, SIZE, segment=2)


_SHORT = Fault(stall_after_bytes=100_000, close_after_bytes=100_001)
_UNVALIDATED = Fault(hide_etag=True, changes_after_requests=2, changed_content=CONTENT[:-1])
_CASES = (
    *(
        Case(a_status_is_an_error, Fault(status=status), name=f"status_{status}")
        for status in (204, 304, 401, 403, 404, 416, 429, 500, 503)
    ),
    Case(a_missing_file_is_a_404),
    Case(a_range_beyond_the_end_is_a_416),
    Case(a_whole_that_ends_before_the_range, Fault(ignore_range=True)),
    Case(
        a_whole_that_ends_before_the_range,
        Fault(ignore_range=True, framing="chunked"),
        name="a_chunked_whole_that_ends_before_the_range",
    ),
    Case(nobody_listens),
    Case(no_url_at_all),
    Case(a_short_body_keeps_its_bytes, _SHORT),
    Case(
        a_short_body_keeps_its_bytes,
        replace(_SHORT, framing="chunked"),
        name="a_short_chunked_body_keeps_its_bytes",
    ),
    Case(a_short_body_keeps_its_bytes, replace(_SHORT, reset=True), name="a_reset_is_a_short_body"),
    Case(
        a_break_after_the_last_byte_does_not_matter,
        Fault(framing="chunked", stall_after_bytes=SIZE, close_after_bytes=SIZE + 1),
    ),
    Case(another_version_is_refused, Fault(changes_after_requests=1)),
    Case(the_same_version_is_taken),
    Case(without_a_validator_lengths_are_compared, _UNVALIDATED),
    Case(another_range_is_refused, Fault(content_range_shift_bytes=1)),
    Case(a_compressed_part_is_refused, Fault(gzip_ranges=True)),
    Case(hidden_headers_are_done_without, Fault(hide_exposed=True)),
    Case(hidden_headers_and_length, Fault(hide_exposed=True, framing="chunked")),
    Case(too_long_is_refused_at_once, max_segment_bytes=50_000),
    Case(
        too_long_is_noticed_on_the_way,
        Fault(ignore_range=True, framing="chunked"),
        max_segment_bytes=50_000,
    ),
    Case(a_failure_does_not_harm_others, Fault(close_after_bytes=100_000)),
)


@pytest.mark.parametrize("case", _CASES, ids=str)
def test_transport_fault(case: Case, run: Runner) -> None:
    run_case(case, run)
