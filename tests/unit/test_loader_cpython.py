"""The loader of the viewer in CPython: httpx, native decoders, and a page that collects."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pytest

from firstlight.adapters.http import HttpTransport
from firstlight.adapters.load import MonotonicClock, everything_installed, load_frame
from firstlight.adapters.native import NativePool
from firstlight.adapters.page import CollectingPage
from firstlight.errors import TransportError
from firstlight.loader import Loader, Outside
from support.faulty_server import Fault, FaultyServer
from support.recording_server import RecordingServer
from unit.prepare_sources import descriptor_of, image, run, saved, tree_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from firstlight.sources.descriptor import FrameEntry
    from support.request_log import RecordedRequest

SLICES = 5
ROWS, COLUMNS = 300, 260
WAIT_S = 60.0


def slice_values(index: int) -> np.ndarray:
    """A disc and noise, 12 bits signed: smooth enough for levels of very different sizes."""
    rows, columns = np.mgrid[0:ROWS, 0:COLUMNS]
    disc = np.hypot(rows - 150, columns - 130) < 60 + 10 * index
    noise = np.random.default_rng(index).integers(0, 60, disc.shape)
    return (disc * 1500 + noise - 1000).astype(np.int16)


@dataclass(frozen=True, slots=True)
class Tree:
    """A prepared stack: where it lies, its frames, and the pixels it was made of."""

    folder: Path
    frames: tuple[FrameEntry, ...]
    pixels: tuple[np.ndarray, ...]


@pytest.fixture(scope="module")
def pairs(tmp_path_factory) -> Tree:
    return prepared(tmp_path_factory.mktemp("jphuri"), "jphuri")


@pytest.fixture(scope="module", params=["dicomweb", "jphuri"])
def tree(request, tmp_path_factory) -> Tree:
    if request.param == "jphuri":
        return request.getfixturevalue("pairs")
    return prepared(tmp_path_factory.mktemp(request.param), request.param)


def prepared(folder: Path, layout: str) -> Tree:
    for index in range(SLICES):
        dataset = image(slice_values(index), BitsStored=12, HighBit=11)
        dataset.SOPInstanceUID = f"2.25.1.1.{index + 1}"
        dataset.InstanceNumber = index + 1
        dataset.WindowCenter, dataset.WindowWidth = 40, 400
        saved(folder / "in" / f"{index}.dcm", dataset)
    result = run(folder / "in", "-o", folder / "out", "--layout", layout, "-q", "-j", 1)
    assert result.exit_code == 0, result.output
    (series,) = descriptor_of(folder / "out").series
    pixels = tuple(slice_values(index) for index in range(SLICES))
    return Tree(folder / "out", series.frames, pixels)


@dataclass(slots=True)
class Running:
    """A loader at work."""

    loader: Loader
    page: CollectingPage

    async def until_settled(self, count: int) -> None:
        """Wait until so many frames are lossless or failed."""
        await asyncio.wait_for(self.page.until(lambda page: settled(page) == count), WAIT_S)

    def status(self, frame_index: int) -> object:
        return self.page.states[frame_index]["status"]


def settled(page: CollectingPage) -> int:
    return sum(state["status"] in ("lossless", "failed") for state in page.states.values())


@asynccontextmanager
async def loading(src: str, frame_index: int = 0) -> AsyncIterator[Running]:
    page = CollectingPage()
    async with HttpTransport() as transport:
        with NativePool(transport, page.keep) as pool:
            ends = (everything_installed, lambda segment: None)
            loader = Loader(Outside(transport, pool, page, MonotonicClock(), *ends))
            await loader.open(src, frame_index=frame_index, adoptions=())
            yield Running(loader, page)
            loader.close()


def covered(requests: list[RecordedRequest]) -> list[tuple[int, int]]:
    """The ranges of a resource that were sent, joined; an overlap fails."""
    spans = []
    for request in requests:
        assert request.range is not None
        start = int(request.range.removeprefix("bytes=").partition("-")[0])
        spans.append((start, start + request.body_bytes))
    joined: list[tuple[int, int]] = []
    for start, stop in sorted(spans):
        if joined and start <= joined[-1][1]:
            assert start == joined[-1][1], f"bytes from {start} came twice"
            joined[-1] = (joined[-1][0], stop)
        else:
            joined.append((start, stop))
    return joined


def test_a_stack_comes_whole_and_no_byte_twice(tree: Tree) -> None:
    async def main(src: str) -> CollectingPage:
        async with loading(src, frame_index=2) as running:
            await running.until_settled(SLICES)
            return running.page

    with RecordingServer(tree.folder) as server:
        page = asyncio.run(main(server.data_url + "firstlight.json"))
        server.requests.wait_until_idle()
        assert len(server.requests("/data/firstlight.json")) == 1
        for index, frame in enumerate(tree.frames):
            spans = covered(server.requests(f"/data/{frame.url}"))
            assert spans == [(frame.start, frame.start + frame.level_ends[-1])]
            picture = page.pictures[index]
            assert picture.is_final
            assert picture.values.dtype == np.int16
            assert np.array_equal(picture.values, tree.pixels[index])


@pytest.mark.parametrize("level", [0, 1, 2])
def test_a_level_costs_exactly_its_bytes(tree: Tree, level: int) -> None:
    path = tree.folder / tree.frames[1].url
    loaded = asyncio.run(load_frame((tree.folder / "firstlight.json").as_uri(), 1, level))
    frame = tree.frames[1]
    descriptor_bytes = (tree.folder / "firstlight.json").stat().st_size
    assert loaded.fetched_bytes == descriptor_bytes + frame.level_ends[level]
    assert loaded.picture.resolution_level == level
    # OpenJPEG reads the whole file's codestream: an independent way to the same level.
    import imagecodecs

    codestream = path.read_bytes()[frame.start : frame.start + frame.length]
    levels_below = len(frame.level_ends) - 1 - level
    expected = imagecodecs.jpeg2k_decode(codestream, skipres=levels_below)
    assert np.array_equal(loaded.picture.values, expected)


def test_a_pair_of_files(pairs: Tree) -> None:
    with RecordingServer(pairs.folder) as server:
        src = f"jphuri:{server.data_url}{pairs.frames[0].url}"
        loaded = asyncio.run(load_frame(src))
        server.requests.wait_until_idle()
        ((start, stop),) = covered(server.requests(f"/data/{pairs.frames[0].url}"))
        assert (start, stop) in ((0, pairs.frames[0].level_ends[-1]), (0, pairs.frames[0].length))
    assert np.array_equal(loaded.picture.values, pairs.pixels[0])
    assert [window.width for window in loaded.image.windows] == [400]


def test_a_failing_frame_leaves_the_others_and_comes_when_asked_again(tree: Tree) -> None:
    files = {f"/{name}": content for name, content in tree_of(tree.folder).items()}
    broken = "/" + tree.frames[3].url

    async def main(server: FaultyServer) -> None:
        async with loading(server.url("/firstlight.json")) as running:
            await running.until_settled(SLICES)
            assert [running.status(index) for index in range(SLICES)] == [
                "lossless",
                "lossless",
                "lossless",
                "failed",
                "lossless",
            ]
            error = running.page.states[3]["error"]
            assert error["type"] == "HttpStatus"
            assert error["resource"] == server.url(broken)
            running.loader.retry(3)
            await asyncio.wait_for(running.page.until(lambda page: 3 in page.pictures), WAIT_S)
            await running.until_settled(SLICES)
            assert running.status(3) == "lossless"
            assert np.array_equal(running.page.pictures[3].values, tree.pixels[3])

    with FaultyServer(files, {broken: Fault(status=503, first_requests=1)}) as server:
        asyncio.run(main(server))


def test_a_broken_connection_costs_only_the_rest(tree: Tree) -> None:
    files = {f"/{name}": content for name, content in tree_of(tree.folder).items()}
    frame = tree.frames[0]
    cut = frame.level_ends[1] + 100
    fault = Fault(close_after_bytes=cut, first_requests=1)

    async def main(server: FaultyServer) -> np.ndarray:
        async with loading(server.url("/firstlight.json")) as running:
            await running.until_settled(SLICES)
            assert running.status(0) == "failed"
            assert running.page.states[0]["resolutionLevel"] == 1
            running.loader.retry(0)
            page = running.page
            whole = lambda page: 0 in page.pictures and page.pictures[0].is_final  # noqa: E731
            await asyncio.wait_for(page.until(whole), WAIT_S)
            return page.pictures[0].values

    with FaultyServer(files, {"/" + frame.url: fault}) as server:
        values = asyncio.run(main(server))
        first, second = (request.range for request in server.requests("/" + frame.url))
    assert first == f"bytes={frame.start}-{frame.start + frame.level_ends[-1] - 1}"
    assert second == f"bytes={frame.start + cut}-{frame.start + frame.level_ends[-1] - 1}"
    assert np.array_equal(values, tree.pixels[0])


def test_a_frame_that_is_no_codestream_is_an_error_of_that_frame(tree: Tree) -> None:
    files = {f"/{name}": content for name, content in tree_of(tree.folder).items()}
    files["/" + tree.frames[4].url] = bytes(len(files["/" + tree.frames[4].url]))

    async def main(server: FaultyServer) -> dict:
        async with loading(server.url("/firstlight.json")) as running:
            await running.until_settled(SLICES)
            assert [running.status(index) for index in range(4)] == ["lossless"] * 4
            return running.page.states[4]["error"]

    with FaultyServer(files) as server:
        error = asyncio.run(main(server))
    assert error["type"] in ("MalformedCodestream", "DecodeError")
    assert error["frame_index"] == 4


def test_a_level_over_http_costs_exactly_its_bytes(tree: Tree) -> None:
    """The server holds back everything behind the level: it must do without."""
    files = {f"/{name}": content for name, content in tree_of(tree.folder).items()}
    frame = tree.frames[0]
    fault = Fault(stall_after_bytes=frame.level_ends[1])
    with FaultyServer(files, {"/" + frame.url: fault}) as server:
        src = server.url("/firstlight.json")
        loaded = asyncio.run(asyncio.wait_for(load_frame(src, 0, 1), WAIT_S))
        assert len(server.requests("/" + frame.url)) == 1
    assert loaded.picture.resolution_level == 1
    assert loaded.fetched_bytes == len(files["/firstlight.json"]) + frame.level_ends[1]


def test_what_is_not_there(tree: Tree) -> None:
    src = (tree.folder / "firstlight.json").as_uri()
    for arguments, word in (((SLICES, None), "no frame 6"), ((0, 9), "no resolution level 9")):
        with pytest.raises(LookupError, match=word):
            asyncio.run(load_frame(src, *arguments))
    with pytest.raises(LookupError, match="no series 2"):
        asyncio.run(load_frame(src, series_index=1))
    with pytest.raises(TransportError, match="no such file"):
        asyncio.run(load_frame(src.replace("firstlight", "nothing")))
