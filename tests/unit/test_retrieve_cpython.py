"""Configurations followed by the loader in CPython: every stock one, and retrievers in Python."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import numpy as np
import pytest
from typer.testing import CliRunner

from firstlight.adapters.file import FileTransport
from firstlight.adapters.load import MonotonicClock, everything_installed, load_frame
from firstlight.adapters.native import NativePool
from firstlight.adapters.page import CollectingPage
from firstlight.cli import app
from firstlight.errors import ConfigurationError
from firstlight.loader import Loader, Outside
from firstlight.retrieve import stock
from firstlight.retrieve.configuration import RetrieveConfiguration, RetrieveOptions, Stage
from firstlight.retrieve.status import Quality
from support.patience import WAIT_S
from unit.prepare_sources import descriptor_of, image, run, saved

if TYPE_CHECKING:
    from pathlib import Path

SLICES = 4
ALL = RetrieveOptions()


def slice_values(index: int) -> np.ndarray:
    rows, columns = np.mgrid[0:300, 0:260]
    disc = np.hypot(rows - 150, columns - 130) < 60 + 10 * index
    noise = np.random.default_rng(index).integers(0, 200, disc.shape)
    return (disc * 1500 + noise - 1000).astype(np.int16)


@pytest.fixture(scope="module")
def tree(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("alternates")
    for index in range(SLICES):
        dataset = image(slice_values(index), BitsStored=12, HighBit=11)
        dataset.SOPInstanceUID = f"2.25.1.2.{index + 1}"
        dataset.InstanceNumber = index + 1
        saved(folder / "in" / f"{index}.dcm", dataset)
    alternates = [a for name in ("jls", "jlsThumbnail", "lossy") for a in ("--alternate", name)]
    arguments = ("--layout", "dicomweb", "-q", "-j", 1, *alternates)
    result = run(folder / "in", "-o", folder / "out", *arguments)
    assert result.exit_code == 0, result.output
    return folder / "out"


def src_of(tree: Path) -> str:
    return (tree / "firstlight.json").as_uri()


class TellingPage(CollectingPage):
    """Keeps what a configuration was refused for apart from what the source was."""

    def __init__(self) -> None:
        super().__init__()
        self.refused: list[str] = []
        self.stages: list[dict] = []

    def publish(self, kind, record):
        if kind == "configuration":
            self.refused.append(record["message"])
        elif kind == "stage":
            self.stages.append(record)
        else:
            super().publish(kind, record)


@asynccontextmanager
async def loading(tree: Path, configuration: object, *, volume: bool = False):
    page = TellingPage()
    async with FileTransport() as transport:
        with NativePool(transport, page.keep) as pool:
            outside = Outside(transport, pool, page, MonotonicClock(), everything_installed)
            loader = Loader(outside)
            if volume:  # while the source is being read, as a page does that shows planes at once
                loader.want(0, 0, volume=True)
            await loader.open(src_of(tree), frame_index=0, configuration=configuration)
            yield page
            loader.close()


def loaded(tree: Path, configuration: object, **layout: bool) -> TellingPage:
    """The page when every frame is final."""
    final = {"lossless", "complete", "configured", "failed"}

    async def main():
        async with loading(tree, configuration, **layout) as page:
            await asyncio.wait_for(
                page.until(
                    lambda page: (
                        len(page.states) == SLICES
                        and {s["status"] for s in page.states.values()} <= final
                    )
                ),
                WAIT_S,
            )
            return page

    return asyncio.run(main())


def assert_exact(page: TellingPage) -> None:
    for index in range(SLICES):
        assert np.array_equal(page.pictures[index].values, slice_values(index)), index


@pytest.mark.parametrize("name", stock.NAMES)
def test_every_stock_configuration_ends_exact(tree, name):
    page = loaded(tree, name)
    assert_exact(page)
    assert {state["status"] for state in page.states.values()} == {"lossless"}
    assert page.refused == []
    stages = stock.configuration(name).stages
    assert sorted(s["stageId"] for s in page.stages) == sorted(stage.id for stage in stages)


@pytest.mark.parametrize("name", ["htj2k-range", "jls-thumbnail", "lossy"])
def test_a_series_shown_as_a_volume_takes_the_stages_of_volumes(tree, name):
    page = loaded(tree, name, volume=True)
    assert_exact(page)
    stages = stock.configuration("interleaved").stages
    assert sorted(s["stageId"] for s in page.stages) == sorted(stage.id for stage in stages)


@pytest.mark.parametrize("name", stock.NAMES)
def test_one_frame_is_fetched_by_every_stock_configuration(tree, name):
    frame = asyncio.run(load_frame(src_of(tree), 2, configuration=name))
    assert np.array_equal(frame.picture.values, slice_values(2))
    assert frame.picture.quality is Quality.FULL_RESOLUTION


SMALL = {
    "stages": "single",
    "retrieveOptions": {"single": {"framesPath": "/jlsThumbnail/", "imageQualityStatus": 6}},
}


def test_what_is_configured_to_be_small_is_small(tree):
    [series] = descriptor_of(tree).series
    [small] = [a for a in series.frames[1].alternates if a.name == "jlsThumbnail"]
    frame = asyncio.run(load_frame(src_of(tree), 1, configuration=SMALL))
    assert frame.picture.values.shape == (small.rows, small.columns)
    assert frame.picture.quality is Quality.SUBRESOLUTION
    descriptor_bytes = (tree / "firstlight.json").stat().st_size
    assert frame.fetched_bytes == descriptor_bytes + small.length


def test_a_script_is_told_what_is_wrong(tree):
    with pytest.raises(ConfigurationError, match=r"^stages\[0\].decimate: must be a whole numb"):
        wrong = {"stages": [{"id": "a", "decimate": 0}]}
        asyncio.run(load_frame(src_of(tree), configuration=wrong))
    with pytest.raises(ConfigurationError, match="there is no frame 9 among 4"):
        far = RetrieveConfiguration(stages=(Stage("a", positions=(9,)),))
        asyncio.run(load_frame(src_of(tree), configuration=far))
    with pytest.raises(LookupError, match="no frame 10, there are 4"):
        asyncio.run(load_frame(src_of(tree), 9, configuration="single"))


class Steps:
    """A retriever that asks for the next frame when the one before has come, from the last on."""

    def __init__(self) -> None:
        self.told: list[tuple[int, str]] = []

    def start(self, frames, listener):
        self.left, self.listener = list(frames), listener
        self.step()

    def step(self):
        if self.left:
            index = self.left.pop()
            self.listener.request(index, RetrieveOptions(range_index=0, chunk_size_bytes=9000))
            self.listener.request(index, ALL)
        else:
            self.listener.done()

    def retrieved(self, frame_index, quality):
        self.told.append((frame_index, quality.name))
        if quality is Quality.FULL_RESOLUTION:
            self.step()

    def failed(self, frame_index, error):
        self.told.append((frame_index, type(error).__name__))
        self.step()


def test_a_retriever_in_python_decides(tree):
    made = []

    def create(configuration):
        made.append(Steps())
        return made[-1]

    page = loaded(tree, RetrieveConfiguration(create=create))
    assert_exact(page)
    [retriever] = made
    assert retriever.told == [
        (index, quality)
        for index in reversed(range(SLICES))
        for quality in ("SUBRESOLUTION", "FULL_RESOLUTION")
    ]


class Broken(Steps):
    def start(self, frames, listener):
        raise ZeroDivisionError("start")


class BrokenLater(Steps):
    def start(self, frames, listener):
        for index in frames:
            listener.request(index, ALL)

    def retrieved(self, frame_index, quality):
        raise ZeroDivisionError(f"retrieved {frame_index}")


def broken_at_once(configuration):
    raise ZeroDivisionError("create")


@pytest.mark.parametrize(
    ("create", "where"),
    [(broken_at_once, "create"), (lambda c: Broken(), "start")],
    ids=["create", "start"],
)
def test_a_retriever_that_cannot_begin_is_done_without(tree, create, where):
    page = loaded(tree, RetrieveConfiguration(create=create))
    assert_exact(page)
    assert page.refused == [f"create: the retriever failed, ZeroDivisionError: {where}"]


def test_a_retriever_that_fails_later_stops_nothing(tree):
    page = loaded(tree, RetrieveConfiguration(create=lambda c: BrokenLater()))
    assert_exact(page)
    assert len(page.refused) == SLICES


# -- the command line -----------------------------------------------------------------------------


def fetched(*arguments: object):
    return CliRunner().invoke(app, ["fetch", *map(str, arguments)])


def test_fetch_takes_a_name_or_a_file(tree, tmp_path):
    src, out = tree / "firstlight.json", tmp_path / "out.npy"
    assert fetched(src, "--frame", 3, "--configuration", "lossy", "-o", out).exit_code == 0
    assert np.array_equal(np.load(out), slice_values(2))
    (tmp_path / "small.json").write_text(json.dumps(SMALL))
    result = fetched(src, "--configuration", tmp_path / "small.json", "--json")
    assert json.loads(result.stdout)["quality"] == "SUBRESOLUTION"


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (("--configuration", "zigzag"), 1, "configuration: there is no 'zigzag'"),
        (("--configuration", '{"stages": 5}'), 1, "stages: must be a list, not 5"),
        (("--configuration", "no/such.json"), 1, "configuration: "),
        (("--configuration", "single", "--level", 1), 2, "a configuration chooses the levels"),
        (("--configuration", json.dumps(SMALL), "-o", "x.dcm"), 1, "takes the full image"),
    ],
)
def test_fetch_says_what_is_wrong(tree, tmp_path, monkeypatch, arguments, code, text):
    monkeypatch.chdir(tmp_path)
    result = fetched(tree / "firstlight.json", *arguments)
    assert result.exit_code == code
    assert text in " ".join(result.stderr.split())
