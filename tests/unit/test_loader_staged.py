"""Retrieve configurations through the loader in CPython: a prepared tree with alternates."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import numpy as np
import pytest

from firstlight.adapters.http import HttpTransport
from firstlight.adapters.load import MonotonicClock, everything_installed
from firstlight.adapters.native import NativePool
from firstlight.adapters.page import CollectingPage
from firstlight.loader import Loader, Outside
from firstlight.retrieve.configuration import RetrieveOptions
from firstlight.retrieve.status import Quality
from support.patience import WAIT_S
from support.recording_server import RecordingServer
from unit.prepare_sources import descriptor_of, image, run, saved

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

SLICES = 8
SIDE = 256


def slice_values(index: int) -> np.ndarray:
    rows, columns = np.mgrid[0:SIDE, 0:SIDE]
    disc = np.hypot(rows - 120, columns - 130) < 40 + 5 * index
    noise = np.random.default_rng(index).integers(0, 60, disc.shape)
    return (disc * 1500 + noise).astype(np.uint16)


@pytest.fixture(scope="module")
def tree(tmp_path_factory) -> Path:
    """A series with lossy frames and thumbnails beside its own."""
    folder = tmp_path_factory.mktemp("staged")
    for index in range(SLICES):
        dataset = image(slice_values(index), BitsStored=12, HighBit=11)
        dataset.SOPInstanceUID = f"2.25.1.1.{index + 1}"
        dataset.InstanceNumber = index + 1
        saved(folder / "in" / f"{index}.dcm", dataset)
    words = [part for name in ("lossy", "jls=jpegls") for part in ("--alternate", name)]
    words += ["--alternate", "jlsThumbnail"]
    result = run(folder / "in", "-o", folder / "out", "-q", "-j", 1, *words)
    assert result.exit_code == 0, result.output
    return folder / "out"


class Page(CollectingPage):
    """Remembers stages, and the qualities that each frame went through."""

    def __init__(self) -> None:
        super().__init__()
        self.stages: list[dict] = []
        self.qualities: dict[int, list[str]] = {}

    def publish(self, kind: str, record: object) -> None:
        if kind == "stage":
            self.stages.append(record)
        elif kind == "states":
            for state in record:
                seen = self.qualities.setdefault(state["frameIndex"], [])
                if state["quality"] and state["quality"] not in seen[-1:]:
                    seen.append(state["quality"])
        super().publish(kind, record)

    def settled(self) -> int:
        final = ("lossless", "complete", "configured", "failed")
        return sum(state["status"] in final for state in self.states.values())


@asynccontextmanager
async def loading(src: str, configuration: object) -> AsyncIterator[tuple[Loader, Page]]:
    page = Page()
    async with HttpTransport() as transport:
        with NativePool(transport, page.keep) as pool:
            outside = Outside(transport, pool, page, MonotonicClock(), everything_installed)
            loader = Loader(outside)
            await loader.open(src, frame_index=2, configuration=configuration)
            yield loader, page
            loader.close()


async def loaded(src: str, configuration: object) -> Page:
    async with loading(src, configuration) as (_, page):
        await asyncio.wait_for(page.until(lambda _: page.settled() == SLICES), WAIT_S)
        return page


def paths_asked(server: RecordingServer, *words: str) -> dict[str, int]:
    """How many resources of each kind were asked for; one may be cancelled and go on later."""
    paths = {request.path for request in server.requests()}
    return {word: sum(f"/{word}/" in path for path in paths) for word in words}


@pytest.mark.parametrize("name", ["single", "sequential", "interleaved", "htj2k-range"])
def test_a_stock_configuration_ends_lossless(tree: Path, name: str) -> None:
    with RecordingServer(tree) as server:
        page = asyncio.run(loaded(server.data_url + "firstlight.json", name))
        for index in range(SLICES):
            assert page.states[index]["status"] == "lossless"
            assert page.states[index]["quality"] == "FULL_RESOLUTION"
            assert np.array_equal(page.pictures[index].values, slice_values(index))
        assert sum(stage["numberOfFailures"] for stage in page.stages) == 0
        assert page.stages
        server.requests.wait_until_idle()
        assert not server.requests("/data/" + descriptor_of(tree).series[0].heads.url)


def test_the_lossy_one_shows_it_first_and_ends_lossless(tree: Path) -> None:
    with RecordingServer(tree) as server:
        page = asyncio.run(loaded(server.data_url + "firstlight.json", "lossy"))
        asked = paths_asked(server, "lossy", "frames")
    assert [page.states[index]["status"] for index in range(SLICES)] == ["lossless"] * SLICES
    assert asked["lossy"] == SLICES
    assert asked["frames"] == SLICES
    assert page.qualities[2][-2:] == ["LOSSY", "FULL_RESOLUTION"]


def test_thumbnails_first_then_the_other_coding_that_has_all_pixels(tree: Path) -> None:
    with RecordingServer(tree) as server:
        page = asyncio.run(loaded(server.data_url + "firstlight.json", "jls-thumbnail"))
        asked = paths_asked(server, "jlsThumbnail", "jls", "frames")
    assert asked == {"jlsThumbnail": SLICES, "jls": SLICES, "frames": 0}
    for index in range(SLICES):
        assert page.states[index]["status"] == "lossless"
        assert np.array_equal(page.pictures[index].values, slice_values(index))
    assert page.qualities[2] == ["SUBRESOLUTION", "FULL_RESOLUTION"]


def test_a_path_that_nobody_announced_is_recognised_by_its_bytes(tree: Path, tmp_path) -> None:
    """As with a server's own renditions: the URL is rewritten, the coding found out."""
    descriptor = (tree / "firstlight.json").read_text("utf-8")
    plain = descriptor.replace('"alternates"', '"formerly_alternates"')
    assert plain != descriptor
    files = {path.relative_to(tree): path for path in tree.rglob("*") if path.is_file()}
    for name, path in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(path.read_bytes())
    (tmp_path / "firstlight.json").write_text(plain, "utf-8")
    with RecordingServer(tmp_path) as server:
        page = asyncio.run(loaded(server.data_url + "firstlight.json", "jls-thumbnail"))
        asked = paths_asked(server, "jlsThumbnail", "jls", "frames")
    assert asked["jlsThumbnail"] == asked["jls"] == SLICES
    for index in range(SLICES):
        assert np.array_equal(page.pictures[index].values, slice_values(index))
        assert page.states[index]["quality"] == "FULL_RESOLUTION"


def test_where_the_other_form_is_missing_the_frame_itself_is_loaded(tree: Path) -> None:
    configuration = {
        "stages": [
            {"id": "first", "retrieveType": "away"},
            {"id": "then", "retrieveType": "default"},
        ],
        "retrieveOptions": {"away": {"framesPath": "/nowhere/"}, "default": {}},
    }
    with RecordingServer(tree) as server:
        page = asyncio.run(loaded(server.data_url + "firstlight.json", configuration))
    assert [page.states[index]["status"] for index in range(SLICES)] == ["lossless"] * SLICES
    ended = {stage["stageId"]: stage for stage in page.stages}
    assert ended["first"]["numberOfFailures"] == SLICES
    assert ended["then"]["numberOfFailures"] == 0


def test_a_lossy_configuration_is_complete_as_configured(tree: Path) -> None:
    configuration = {
        "stages": [{"id": "only"}],
        "retrieveOptions": {"default": {"framesPath": "/lossy/", "imageQualityStatus": 7}},
    }
    with RecordingServer(tree) as server:
        page = asyncio.run(loaded(server.data_url + "firstlight.json", configuration))
    for index in range(SLICES):
        assert page.states[index]["status"] == "configured"
        assert page.states[index]["quality"] == "LOSSY"
        assert page.states[index]["error"] is None


class OwnRetriever:
    """Asks for every other frame, from the last to the first, and then for the rest."""

    def __init__(self) -> None:
        self.got: list[tuple[int, Quality]] = []

    def start(self, frames, listener) -> None:
        for index in (*reversed(frames[::2]), *frames[1::2]):
            listener.request(index, RetrieveOptions())
        listener.done()

    def retrieved(self, frame_index: int, quality: Quality) -> None:
        self.got.append((frame_index, quality))

    def failed(self, frame_index: int, error: Exception) -> None:
        raise AssertionError(f"frame {frame_index}: {error}")


def test_a_retriever_of_ones_own(tree: Path) -> None:
    retriever = OwnRetriever()
    configuration = {"create": lambda configuration: retriever}
    with RecordingServer(tree) as server:
        page = asyncio.run(loaded(server.data_url + "firstlight.json", configuration))
    assert [page.states[index]["status"] for index in range(SLICES)] == ["lossless"] * SLICES
    assert sorted(retriever.got) == [(i, Quality.FULL_RESOLUTION) for i in range(SLICES)]


def test_a_volume_has_all_frames_on_screen(tree: Path) -> None:
    async def main(src: str) -> Page:
        async with loading(src, "adaptive") as (loader, page):
            loader.want(5, 0, volume=True, side_px=64)
            await asyncio.wait_for(page.until(lambda _: page.settled() == SLICES), WAIT_S)
            return page

    with RecordingServer(tree) as server:
        page = asyncio.run(main(server.data_url + "firstlight.json"))
    for index in range(SLICES):
        assert np.array_equal(page.pictures[index].values, slice_values(index))


def test_a_series_shown_again_goes_on_from_what_is_held(tree: Path) -> None:
    async def main(server: RecordingServer) -> None:
        async with loading(server.data_url + "firstlight.json", None) as (loader, page):
            await asyncio.wait_for(page.until(lambda _: page.settled() == SLICES), WAIT_S)
            server.requests.wait_until_idle()
            before = len(server.requests())
            loader.select(0, 4)
            assert not page.pictures
            await asyncio.wait_for(page.until(lambda _: len(page.pictures) == SLICES), WAIT_S)
            await asyncio.wait_for(page.until(lambda _: page.settled() == SLICES), WAIT_S)
            assert len(server.requests()) == before
            for index in range(SLICES):
                assert np.array_equal(page.pictures[index].values, slice_values(index))

    with RecordingServer(tree) as server:
        asyncio.run(main(server))
