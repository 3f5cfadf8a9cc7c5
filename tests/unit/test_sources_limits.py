"""A limit of ``jphuri:`` through the loader: so many bytes and no more, and later only the rest."""

from __future__ import annotations

import asyncio
import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pydicom
import pytest
from pydicom.encaps import generate_frames

from firstlight.adapters.load import load_frame
from firstlight.j2k.index import read_index
from firstlight.sources.base import Limit
from support.recording_server import RecordingServer
from unit.test_loader_cpython import covered, loading

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class Pair:
    """A real radiograph as a pair of files behind a server."""

    server: RecordingServer
    level_ends: tuple[int, ...]
    sha256: str

    @property
    def src(self) -> str:
        return f"jphuri:{self.server.data_url}x.jph"

    def covered(self) -> list[tuple[int, int]]:
        self.server.requests.wait_until_idle()
        return covered(self.server.requests("/data/x.jph"))


@pytest.fixture
def pair(tmp_path, shared_data) -> Iterator[Pair]:
    name = "wg04/RG3_JPH.dcm"
    dataset = pydicom.dcmread(shared_data / name)
    (codestream,) = generate_frames(dataset.PixelData, number_of_frames=1)
    (tmp_path / "x.jph").write_bytes(codestream)
    del dataset.PixelData
    dataset.save_as(tmp_path / "x.metadata.dcm", enforce_file_format=True)
    expected = json.loads((shared_data / "expected.json").read_text())[name]
    with RecordingServer(tmp_path) as server:
        sha256 = expected["decoded"]["frame1"]
        yield Pair(server, read_index(codestream).level_ends, sha256)


def load(src: str, **options):
    return asyncio.run(load_frame(src, **options))


def test_a_range_and_then_only_the_rest(pair: Pair) -> None:
    ends = pair.level_ends

    async def main() -> None:
        async with loading(f"{pair.src}#byteRange=0-99999") as running:
            await running.until_status(0, "configured")
            assert running.page.pictures[0].resolution_level == 3
            assert pair.covered() == [(0, 100_000)]
            running.loader.limit(Limit(ends[4] + 10))
            await asyncio.wait_for(
                running.page.until(lambda page: page.pictures[0].resolution_level == 4), 60
            )
            await running.until_status(0, "configured")
            assert pair.covered() == [(0, ends[4] + 10)]
            running.loader.limit(Limit())
            await running.until_status(0, "lossless")
            values = np.ascontiguousarray(running.page.pictures[0].values)
            assert hashlib.sha256(values.tobytes()).hexdigest() == pair.sha256

    asyncio.run(main())
    (whole,) = pair.covered()
    assert whole[0] == 0
    assert whole[1] >= ends[-1]


def test_levels_that_are_left_out_are_not_fetched(pair: Pair) -> None:
    async def main() -> None:
        async with loading(f"{pair.src}#decodeLevel=2") as running:
            await running.until_status(0, "configured")
            assert running.page.pictures[0].resolution_level == 3
            assert pair.covered() == [(0, pair.level_ends[3])]
            running.loader.limit(Limit())
            await running.until_status(0, "lossless")

    asyncio.run(main())
    assert len(pair.covered()) == 1


def test_a_limit_below_what_is_held_takes_nothing_away(pair: Pair) -> None:
    async def main() -> None:
        async with loading(pair.src) as running:
            await running.until_status(0, "lossless")
            running.loader.limit(Limit(1000, 3))
            assert running.status(0) == "lossless"
            assert running.page.pictures[0].is_final

    asyncio.run(main())


@pytest.mark.parametrize(
    ("fragment", "level"),
    [
        ("byteRange=bytes=0-99999", 3),
        ("byteRange=0-99999&decodeLevel=3", 2),
        ("decodeLevel=1", 4),
        ("byteRange=0-99999999", 5),
        ("decodeLevel=32", 0),
    ],
)
def test_the_finest_picture_within_a_limit(pair: Pair, fragment: str, level: int) -> None:
    assert load(f"{pair.src}#{fragment}").picture.resolution_level == level


def test_bytes_that_make_no_picture_are_said(pair: Pair) -> None:
    with pytest.raises(LookupError, match="no level is in the bytes"):
        load(f"{pair.src}#byteRange=0-100")
    with pytest.raises(LookupError, match="level 4 is not in the bytes"):
        load(f"{pair.src}#byteRange=0-99999", resolution_level=4)
