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
from support.patience import WAIT_S
from support.recording_server import RecordingServer
from unit.prepare_sources import descriptor_of, image, run, saved, tree_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from firstlight.sources.descriptor import FrameEntry
    from support.request_log import RecordedRequest

SLICES = 5
ROWS, COLUMNS = 300, 260


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
    heads_url: str

    def files(self) -> dict[str, bytes]:
        """Everything in it, by path on a server."""
        return {f"/{name}": content for name, content in tree_of(self.folder).items()}

    def files_without_heads(self) -> dict[str, bytes]:
        """The same as a host has it that has lost the heads file."""
        return {path: data for path, data in self.files().items() if path[1:] != self.heads_url}


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
    assert series.heads is not None
    return Tree(folder / "out", series.frames, pixels, series.heads.url)


class RecordingPage(CollectingPage):
    """A page that remembers more than the last of what it was told."""

    def __init__(self) -> None:
        super().__init__()
        self.notices: list[dict[str, object]] = []
        self.stages: list[dict[str, object]] = []
        self.statuses: dict[int, list[object]] = {}

    def publish(self, kind: str, record: object) -> None:
        if kind == "notice":
            self.notices.append(record)
        elif kind == "stage":
            self.stages.append(record)
        elif kind == "states":
            for state in record:
                self.statuses.setdefault(state["frameIndex"], []).append(state["status"])
        super().publish(kind, record)


@dataclass(slots=True)
class Running:
    """A loader at work."""

    loader: Loader
    page: RecordingPage

    async def until_settled(self, count: int) -> None:
        """Wait until so many frames are lossless or failed."""
        await asyncio.wait_for(self.page.until(lambda page: settled(page) == count), WAIT_S)

    async def until_status(self, frame_index: int, status: str) -> None:
        """Wait until a frame has a status."""
        reached = self.page.until(lambda page: page.states[frame_index]["status"] == status)
        await asyncio.wait_for(reached, WAIT_S)

    def status(self, frame_index: int) -> object:
        return self.page.states[frame_index]["status"]


def settled(page: CollectingPage) -> int:
    return sum(state["status"] in ("lossless", "failed") for state in page.states.values())


@asynccontextmanager
async def loading(
    src: str, frame_index: int = 0, configuration: object = None
) -> AsyncIterator[Running]:
    page = RecordingPage()
    async with HttpTransport() as transport:
        with NativePool(transport, page.keep) as pool:
            outside = Outside(transport, pool, page, MonotonicClock(), everything_installed)
            loader = Loader(outside)
            await loader.open(src, frame_index=frame_index, configuration=configuration)
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
    async def main(src: str) -> RecordingPage:
        async with loading(src, frame_index=2) as running:
            await running.until_settled(SLICES)
            return running.page

    with RecordingServer(tree.folder) as server:
        page = asyncio.run(main(server.data_url + "firstlight.json"))
        server.requests.wait_until_idle()
        assert len(server.requests("/data/firstlight.json")) == 1
        for index, frame in enumerate(tree.frames):
            own = covered(server.requests(f"/data/{frame.url}"))
            # What the heads brought is not asked for again; the frame on screen does without them.
            begun = {0, *(piece.stop for piece in frame.heads)}
            assert own in [[(frame.start + at, frame.start + frame.level_ends[-1])] for at in begun]
            picture = page.pictures[index]
            assert picture.is_final
            assert picture.values.dtype == np.int16
            assert np.array_equal(picture.values, tree.pixels[index])
        heads = server.requests(f"/data/{tree.heads_url}")
        sent = sum(end - start for start, end in covered(heads))
        assert 0 < sent < SLICES * tree.frames[0].heads[-1].stop


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
    files = tree.files()
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
            state = running.page.states[3]
            assert state["error"]["type"] == "HttpStatus"
            assert state["error"]["resource"] == server.url(broken)
            assert state["quality"] == "SUBRESOLUTION"  # its head is shown, and stays
            assert len(server.requests(broken)) == 1  # what is forbidden stays so
            running.loader.retry(3)
            await running.until_status(3, "lossless")
            assert np.array_equal(running.page.pictures[3].values, tree.pixels[3])

    with FaultyServer(files, {broken: Fault(status=403, first_requests=1)}) as server:
        asyncio.run(main(server))


def test_a_server_that_is_busy_is_asked_again(tree: Tree) -> None:
    busy = "/" + tree.frames[3].url

    async def main(server: FaultyServer) -> list[object]:
        async with loading(server.url("/firstlight.json")) as running:
            await running.until_settled(SLICES)
            assert np.array_equal(running.page.pictures[3].values, tree.pixels[3])
            return running.page.statuses[3]

    with FaultyServer(tree.files(), {busy: Fault(status=503, first_requests=2)}) as server:
        statuses = asyncio.run(main(server))
        assert len(server.requests(busy)) == 3
    assert "retrying" in statuses
    assert statuses[-1] == "lossless"


def test_a_broken_connection_costs_only_the_rest(tree: Tree) -> None:
    frame = tree.frames[0]
    cut = frame.level_ends[1] + 100
    fault = Fault(close_after_bytes=cut, first_requests=1)

    async def main(server: FaultyServer) -> np.ndarray:
        async with loading(server.url("/firstlight.json")) as running:
            await running.until_settled(SLICES)
            assert running.status(0) == "lossless"
            return running.page.pictures[0].values

    with FaultyServer(tree.files(), {"/" + frame.url: fault}) as server:
        values = asyncio.run(main(server))
        first, second = (request.range for request in server.requests("/" + frame.url))
    assert first == f"bytes={frame.start}-{frame.start + frame.level_ends[-1] - 1}"
    assert second == f"bytes={frame.start + cut}-{frame.start + frame.level_ends[-1] - 1}"
    assert np.array_equal(values, tree.pixels[0])


@pytest.mark.parametrize("fault", ["missing", "refused", "cut", "other"])
def test_without_its_heads_file_a_series_loads_all_the_same(tree: Tree, fault: str) -> None:
    heads = "/" + tree.heads_url
    files, faults = tree.files(), {}
    if fault == "missing":
        files = tree.files_without_heads()
    elif fault == "refused":
        faults[heads] = Fault(status=500)
    elif fault == "cut":
        files[heads] = files[heads][: len(files[heads]) // 3]
    else:
        files[heads] = bytes(len(files[heads]))

    async def main(server: FaultyServer) -> RecordingPage:
        async with loading(server.url("/firstlight.json"), frame_index=2) as running:
            await running.until_settled(SLICES)
            return running.page

    with FaultyServer(files, faults) as server:
        page = asyncio.run(main(server))
    assert [page.states[index]["status"] for index in range(SLICES)] == ["lossless"] * SLICES
    for index in range(SLICES):
        assert np.array_equal(page.pictures[index].values, tree.pixels[index])
    told = [notice["type"] for notice in page.notices]
    assert told in ([["HttpStatus"], ["ShortBody"], ["RangeIgnored"]] if fault != "other" else [[]])


def test_a_frame_that_is_no_codestream_is_an_error_of_that_frame(tree: Tree) -> None:
    files = tree.files()
    files["/" + tree.frames[4].url] = bytes(len(files["/" + tree.frames[4].url]))
    heads = bytearray(files["/" + tree.heads_url])
    start = tree.frames[4].heads[0].start
    heads[start : start + tree.frames[4].heads[0].stop] = bytes(tree.frames[4].heads[0].stop)
    files["/" + tree.heads_url] = bytes(heads)

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
    files = tree.files()
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
