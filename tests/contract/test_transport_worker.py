"""What only the worker does: several owners, adoption, pieces for decoders, the timeline."""

from __future__ import annotations

import base64
from functools import partial
from typing import TYPE_CHECKING

import pytest

from contract.transport_contract import CONTENT, OTHER_PATH, PATH, SIZE, fetch, order, rest
from contract.transport_drivers import (
    ChromiumDriver,
    checkout_url,
    event_of,
    run_on_chromium,
    transport_page,
)
from firstlight.ports import Closed, Milestone, Opened
from firstlight.ranges import ByteRange
from support.faulty_server import Fault, FaultyServer

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

__all__ = ["checkout_url", "transport_page"]

pytestmark = pytest.mark.browser

STALL = Fault(stall_after_bytes=100_000)


@pytest.fixture
def run(transport_page: Page) -> Callable[..., None]:
    files = {PATH: CONTENT, OTHER_PATH: CONTENT}
    return partial(run_on_chromium, transport_page, files=files)


def at_page(driver: ChromiumDriver, segment: int = 1):
    return event_of(driver.message(segment, "page"))


def test_events_go_to_whoever_ordered(run) -> None:
    async def scenario(driver: ChromiumDriver, server: FaultyServer) -> None:
        driver.fetch(order(server, 0, 1000), "page")
        assert isinstance(at_page(driver), Opened)
        assert at_page(driver) == Closed(1, 1000, cancelled=False)
        assert await driver.unread(1) == 0

    run(scenario, faults={})


def test_a_running_segment_is_adopted(run) -> None:
    async def scenario(driver: ChromiumDriver, server: FaultyServer) -> None:
        driver.fetch(order(server, 10, None, milestones=(50_000, 100_010, 200_000)), "page")
        opened = at_page(driver)
        assert [at_page(driver), at_page(driver)] == [Milestone(1, 50_000), Milestone(1, 100_010)]
        driver.send(kind="adopt", segment=1)
        assert await driver.next(1) == opened
        assert await driver.next(1) == Milestone(1, 100_010)
        server.release(PATH)
        assert await rest(driver) == [Milestone(1, 200_000), Closed(1, SIZE, cancelled=False)]

    run(scenario, faults={PATH: STALL})


def test_a_finished_segment_is_adopted(run) -> None:
    async def scenario(driver: ChromiumDriver, server: FaultyServer) -> None:
        driver.fetch(order(server, 0, 1000, milestones=(500,)), "page")
        opened, _, closed = at_page(driver), at_page(driver), at_page(driver)
        driver.send(kind="adopt", segment=1)
        assert await rest(driver) == [opened, Milestone(1, 1000), closed]
        assert await driver.read(1, ByteRange(0, 1000)) == CONTENT[:1000]

    run(scenario, faults={})


def test_a_failed_segment_is_adopted(run) -> None:
    async def scenario(driver: ChromiumDriver, server: FaultyServer) -> None:
        driver.fetch(order(server, 0, 1000), "page")
        told = driver.message(1, "page")
        driver.send(kind="adopt", segment=1)
        assert driver.message(1) == told
        assert told["error"]["type"] == "HttpStatus"
        assert told["error"]["status"] == 403

    run(scenario, faults={PATH: Fault(status=403)})


def test_an_unanswered_segment_is_adopted_in_silence(run) -> None:
    async def scenario(driver: ChromiumDriver, server: FaultyServer) -> None:
        driver.fetch(order(server, 0, 1000), "page")
        driver.send(kind="adopt", segment=1)
        server.requests.wait_until(lambda log: len(log) == 1)
        await fetch(driver, order(server, segment=2, url=server.url(OTHER_PATH)))
        assert await driver.unread(1) == 0
        server.release(PATH)
        assert [type(event) for event in await rest(driver)] == [Opened, Closed]

    run(scenario, faults={PATH: Fault(no_answer=True)})


def test_nothing_to_adopt_is_an_error(run) -> None:
    async def scenario(driver: ChromiumDriver, server: FaultyServer) -> None:
        driver.send(kind="adopt", segment=5)
        assert driver.message(5)["error"]["type"] == "Unreachable"

    run(scenario, faults={})


def decode_message(pieces: list[list[int]], worker: int = 0) -> dict[str, object]:
    names = {"job": 7, "seriesIndex": 2, "frameIndex": 3, "codec": "openjph", "worker": worker}
    return {"kind": "decode", **names, "pieces": pieces, "resolutionLevel": 1, "image": {"rows": 9}}


def test_pieces_go_to_the_decoder_joined(run) -> None:
    async def scenario(driver: ChromiumDriver, server: FaultyServer) -> None:
        await fetch(driver, order(server, 0, 1000))
        await fetch(driver, order(server, 1000, 200_000, segment=2))
        driver.send(**decode_message([[1, 100, 1000], [2, 1000, 150_000]]))
        job = driver.message("job 7", "decoder")
        assert base64.b64decode(job.pop("bytes")) == CONTENT[100:150_000]
        assert job.pop("owner") == "loader"
        sent = decode_message([])
        del sent["pieces"], sent["worker"]
        assert job == sent
        driver.send("page", **decode_message([[1, 0, 10]]))
        assert driver.message("job 7", "decoder")["owner"] == "page"
        assert await driver.read(2, ByteRange(1000, 1100)) == CONTENT[1000:1100]

    run(scenario, faults={})


def test_pieces_of_a_growing_segment_cross_its_blocks(run) -> None:
    async def scenario(driver: ChromiumDriver, server: FaultyServer) -> None:
        await fetch(driver, order(server, 1, None))
        driver.send(**decode_message([[1, 1, SIZE]]))
        job = driver.message("job 7", "decoder")
        assert base64.b64decode(job["bytes"]) == CONTENT[1:]
        driver.send(**decode_message([[1, 70_000, 200_001], [1, 5, 9]]))
        job = driver.message("job 7", "decoder")
        assert base64.b64decode(job["bytes"]) == CONTENT[70_000:200_001] + CONTENT[5:9]

    run(scenario, faults={PATH: Fault(ignore_range=True, framing="chunked")})


@pytest.mark.parametrize(
    ("pieces", "worker"), [([[1, 0, 1001]], 0), ([[1, 0, 10], [8, 0, 10]], 0), ([[1, 0, 10]], 4)]
)
def test_a_job_without_bytes_or_decoder_is_refused(run, pieces, worker) -> None:
    async def scenario(driver: ChromiumDriver, server: FaultyServer) -> None:
        await fetch(driver, order(server, 0, 1000))
        driver.send(**decode_message(pieces, worker))
        refusal = driver.message("job 7")
        assert refusal["kind"] == "undecoded"
        assert refusal["error"]["type"] == "DecodeError"
        place = [refusal[name] for name in ("seriesIndex", "frameIndex", "owner")]
        assert place == [2, 3, "loader"]

    run(scenario, faults={})


def test_the_timeline_tells_every_request(run) -> None:
    async def scenario(driver: ChromiumDriver, server: FaultyServer) -> None:
        await fetch(driver, order(server, 50, 1000))
        await fetch(driver, order(server, segment=2, url=server.url("/missing.jph")))
        driver.fetch(order(server, segment=3))
        server.requests.wait_until(lambda log: len(log) == 3)
        driver.send("page", kind="timeline", token="times")
        done, missing, running = driver.message("times", "page")["requests"]
        assert (done["segment"], done["url"]) == (1, server.url(PATH))
        assert (done["start"], done["stop"]) == (50, 1000)
        assert (done["status"], done["bytes"]) == (206, 950)
        assert done["startedMs"] <= done["openedMs"] <= done["closedMs"]
        assert (missing["status"], missing["bytes"]) == (404, 0)
        assert missing["closedMs"] is not None
        assert running["closedMs"] is None

    run(scenario, faults={PATH: Fault(stall_after_bytes=1000)})


def test_a_part_of_the_viewer_is_fetched_whole_or_not_at_all(transport_page: Page) -> None:
    def asset_at(url: str):
        return transport_page.evaluate("url => assetAt(url)", url)

    faults = {OTHER_PATH: Fault(close_after_bytes=1000)}
    with FaultyServer({PATH: CONTENT, OTHER_PATH: CONTENT}, faults) as server:
        assert base64.b64decode(asset_at(server.url(PATH))) == CONTENT
        assert asset_at(server.url(OTHER_PATH))["type"] == "ShortBody"
        missing = asset_at(server.url("/missing.zip"))
    assert (missing["type"], missing["status"]) == ("HttpStatus", 404)
    assert asset_at(server.url(PATH))["type"] == "Unreachable"
