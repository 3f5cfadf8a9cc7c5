"""The transport for files and object stores keeps the contract too."""

from __future__ import annotations

import asyncio
import os
import uuid
from typing import TYPE_CHECKING

import fsspec
import pytest

from contract import transport_contract as contract
from contract.transport_contract import CONTENT, OTHER_PATH, PATH, SIZE, fetch, order
from contract.transport_drivers import HttpxDriver
from firstlight.adapters.file import FileTransport
from firstlight.errors import HttpStatus, ResourceChanged, Unreachable
from firstlight.ports import Closed, Failed, Milestone
from firstlight.ranges import ByteRange

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

SCENARIOS = (
    contract.an_open_range_ends_with_the_resource,
    contract.a_range_is_cut_at_the_end,
    contract.an_empty_range_needs_no_exchange,
    contract.milestones_come_once_in_order,
    contract.cancel_after_the_end_does_nothing,
    contract.release_drops_the_bytes,
    contract.read_gives_only_what_is_held,
    contract.read_is_bounded,
)
"""Those that need no server of their own."""


class Store:
    """A folder of a file system, with the few words of a server that the scenarios use."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.files = self
        self[PATH] = self[OTHER_PATH] = CONTENT

    def url(self, path: str) -> str:
        return self.root + path

    def requests(self) -> list[str]:
        """A file system keeps no log."""
        return []

    def __setitem__(self, path: str, content: bytes) -> None:
        with fsspec.open(self.url(path), "wb") as file:
            file.write(content)


@pytest.fixture(params=["file", "memory"])
def store(request, tmp_path) -> Store:
    if request.param == "file":
        return Store(tmp_path.as_uri())
    return Store(f"memory://{uuid.uuid4()}")


def drive(scenario: Callable[[HttpxDriver, Store], Awaitable[None]], store: Store) -> None:
    async def main() -> None:
        async with FileTransport() as transport:
            await scenario(HttpxDriver(transport), store)

    asyncio.run(main())


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_contract(scenario, store) -> None:
    drive(scenario, store)


def test_a_range_is_held(store) -> None:
    async def scenario(driver, store) -> None:
        head, *others = await fetch(driver, order(store, 1000, 200_000))
        assert contract.opened(head) == (ByteRange(1000, 200_000), SIZE, True)
        assert others == [Closed(1, 200_000, cancelled=False)]
        assert await contract.held(driver, 1000, 200_000)

    drive(scenario, store)


@pytest.mark.parametrize(
    ("path", "start", "status"), [("/none.jph", 0, 404), (PATH, SIZE, 416), (PATH, SIZE + 9, 416)]
)
def test_fails_as_a_server_does(store, path, start, status) -> None:
    async def scenario(driver, store) -> None:
        (failed,) = await fetch(driver, order(store, start, None, url=store.url(path)))
        assert isinstance(failed, Failed)
        assert isinstance(failed.error, HttpStatus)
        assert (failed.stop, failed.error.status) == (start, status)
        assert failed.error.resource == store.url(path)

    drive(scenario, store)


@pytest.mark.parametrize("url", ["nosuchscheme://a/b.jph", "no url at all", "/a/path.jph"])
def test_where_nothing_can_be_read(store, url) -> None:
    async def scenario(driver, store) -> None:
        (failed,) = await fetch(driver, order(store, url=url))
        assert isinstance(failed.error, Unreachable)
        assert failed.error.resource == url

    drive(scenario, store)


def test_another_version_is_noticed(store) -> None:
    async def scenario(driver, store) -> None:
        head, *_ = await fetch(driver, order(store, 0, 100))
        same = await fetch(driver, order(store, 100, 200, segment=2, version=head.version))
        assert same[-1] == Closed(2, 200, cancelled=False)
        store[PATH] = CONTENT + b"more"
        (failed,) = await fetch(driver, order(store, 200, segment=3, version=head.version))
        assert isinstance(failed.error, ResourceChanged)

    drive(scenario, store)


def test_names_that_urls_must_escape(tmp_path) -> None:
    path = tmp_path / "a folder #1" / "50 %.jph"
    path.parent.mkdir()
    path.write_bytes(CONTENT)

    async def scenario(driver, store) -> None:
        events = await fetch(driver, order(store, 0, 10, url=path.as_uri()))
        assert events[-1] == Closed(1, 10, cancelled=False)

    drive(scenario, Store(tmp_path.as_uri()))


def test_cancelled_at_a_milestone_reads_no_further(store) -> None:
    """What a caller asks for is a bound: a local file is not read beyond it."""

    async def main() -> list:
        events: list = []
        async with FileTransport() as transport:
            over = asyncio.Event()

            def sink(event) -> None:
                events.append(event)
                if isinstance(event, Milestone):
                    transport.cancel(1)
                if isinstance(event, Closed):
                    over.set()

            transport.listen(sink)
            transport.fetch(order(store, 0, None, milestones=(1234, SIZE)))
            await asyncio.wait_for(over.wait(), 20)
        return events

    _, *others = asyncio.run(main())
    assert others == [Milestone(1, 1234), Closed(1, 1234, cancelled=True)]


def test_a_file_that_shrinks_while_it_is_read(tmp_path) -> None:
    path = tmp_path / "shrinking.jph"
    path.write_bytes(CONTENT)

    async def main() -> list:
        events: list = []
        async with FileTransport() as transport:
            over = asyncio.Event()

            def sink(event) -> None:
                events.append(event)
                if isinstance(event, Milestone):
                    os.truncate(path, 2000)
                if isinstance(event, Closed | Failed):
                    over.set()

            transport.listen(sink)
            store = Store(tmp_path.as_uri())
            transport.fetch(order(store, url=path.as_uri(), milestones=(1000,)))
            await asyncio.wait_for(over.wait(), 20)
        return events

    *_, last = asyncio.run(main())
    assert isinstance(last, Failed)
    assert last.stop == 2000
    assert type(last.error).__name__ == "ShortBody"


def test_the_segment_is_there_already(store) -> None:
    async def scenario(driver, store) -> None:
        await fetch(driver, order(store, 0, 10))
        with pytest.raises(ValueError, match="already"):
            driver.fetch(order(store, 0, 10))

    drive(scenario, store)
