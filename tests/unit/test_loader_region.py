"""Images too large to load whole: the bytes that a window asks for, and what is decoded of it."""

from __future__ import annotations

import asyncio
import itertools
import json
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

import imagecodecs
import numpy as np
import pytest

from firstlight import errors, ports
from firstlight.adapters.load import MonotonicClock, everything_installed
from firstlight.adapters.page import CollectingPage
from firstlight.j2k.index import read_index
from firstlight.j2k.region import Box, RegionIndex
from firstlight.j2k.rewrite import rewrite
from firstlight.loader import Loader, Outside
from firstlight.prepare.lines import encode_in_memory, has_ojph
from firstlight.prepare.recipe import Arrangement
from firstlight.ranges import ByteRange
from firstlight.schedule.capacity import Capacity
from firstlight.sources.base import Limit
from support.patience import WAIT_S

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

pytestmark = pytest.mark.skipif(not has_ojph(), reason="precincts need the package ojph")

ROWS, COLUMNS, LEVELS = 1100, 1500, 4
WHOLE_SAMPLES = 420_000
"""A quarter of it has no more than level 2, of 375 x 275."""
WHOLE_LEVEL = 2
SRC = "http://somewhere/firstlight.json"
FRAME = "http://somewhere/x.jph"
OFFSET = 77
"""Where in its resource the codestream begins."""


@cache
def codestream(*, packet_lengths: bool = True) -> bytes:
    """A lossless image with precincts of 64."""
    random = np.random.default_rng(8)
    y, x = np.mgrid[:ROWS, :COLUMNS]
    plane = 2000 + 1500 * np.sin(x / 31) * np.cos(y / 17) + random.normal(0, 40, (ROWS, COLUMNS))
    values = np.clip(plane, 0, 4095).astype(np.uint16)
    if not packet_lengths:
        return bytes(imagecodecs.htj2k_encode(values, reversible=True, resolutions=LEVELS))
    arrangement = Arrangement(precinct_px=64)
    encoded = encode_in_memory(
        values,
        bits=12,
        levels=LEVELS,
        arrangement=arrangement,
        colour_transform=False,
        step=None,
    )
    return rewrite(encoded, tile_parts_by_resolution=True)


def ends(stream: bytes) -> tuple[int, ...]:
    return read_index(stream).level_ends


def descriptor(stream: bytes, count: int) -> bytes:
    image = {"rows": ROWS, "columns": COLUMNS, "bits_stored": 12}
    frame = {"url": "x.jph", "start": OFFSET, "length": len(stream), "level_ends": ends(stream)}
    series = {"series_instance_uid": "1.2.3", "image": image, "frames": [frame] * count}
    return json.dumps({"firstlight": 1, "series": [series]}).encode()


@dataclass
class Wire:
    """A transport over memory, and a pool that decodes nothing, both answering in later turns.

    Orders for which ``holds`` is true wait for `let_go`; ``refuses`` gives the error of others.
    """

    files: dict[str, bytes]
    ranges: bool = True
    capacity: int = 4
    holds: Callable[[ports.FetchOrder], bool] = lambda order: False
    refuses: Callable[[ports.FetchOrder], errors.FirstlightError | None] = lambda order: None
    fails: Callable[[ports.DecodeOrder], bool] = lambda order: False
    orders: list[ports.FetchOrder] = field(default_factory=list)
    jobs: list[ports.DecodeOrder] = field(default_factory=list)
    waiting: dict[int, ports.FetchOrder] = field(default_factory=dict)
    held: dict[int, tuple[str, ByteRange]] = field(default_factory=dict)
    cancelled: list[int] = field(default_factory=list)
    released: list[int] = field(default_factory=list)
    sinks: list[Callable] = field(default_factory=list)

    def listen(self, sink: Callable) -> None:
        self.sinks.append(sink)

    def fetch(self, order: ports.FetchOrder) -> None:
        self.orders.append(order)
        self.waiting[order.segment] = order
        if not self.holds(order):
            asyncio.get_running_loop().call_soon(self.answer, order)

    def let_go(self) -> None:
        for order in list(self.waiting.values()):
            self.answer(order)

    def answer(self, order: ports.FetchOrder) -> None:
        if self.waiting.pop(order.segment, None) is None:
            return
        error = self.refuses(order)
        if error is not None:
            self.sinks[0](ports.Failed(order.segment, order.extent.start, error))
            return
        total = len(self.files[order.url])
        stop = total if order.extent.stop is None else min(order.extent.stop, total)
        extent = ByteRange(order.extent.start, stop)
        self.held[order.segment] = (order.url, extent)
        self.sinks[0](ports.Opened(order.segment, extent, total, "v1", self.ranges))
        for milestone in order.milestones:
            if milestone <= stop:
                self.sinks[0](ports.Milestone(order.segment, milestone))
        self.sinks[0](ports.Closed(order.segment, stop, cancelled=False))

    def watch(self, segment: int, milestones: tuple[int, ...]) -> None:
        pass

    def cancel(self, segment: int) -> None:
        order = self.waiting.pop(segment, None)
        if order is not None:
            self.cancelled.append(segment)
            start = order.extent.start
            self.held[segment] = (order.url, ByteRange(start, start))
            closed = ports.Closed(segment, start, cancelled=True)
            asyncio.get_running_loop().call_soon(self.sinks[0], closed)

    def release(self, segment: int) -> None:
        self.waiting.pop(segment, None)
        self.held.pop(segment, None)
        self.released.append(segment)

    async def read(self, segment: int, extent: ByteRange) -> bytes:
        await asyncio.sleep(0)
        return self.bytes_of(ports.Piece(segment, extent))

    def bytes_of(self, piece: ports.Piece) -> bytes:
        if piece.segment not in self.held:
            raise LookupError(f"no segment {piece.segment}")
        url, held = self.held[piece.segment]
        extent = piece.extent
        assert extent.stop is not None and held.stop is not None
        assert held.start <= extent.start <= extent.stop <= held.stop
        return self.files[url][extent.start : extent.stop]

    def decode(self, order: ports.DecodeOrder) -> None:
        self.jobs.append(order)
        error = errors.DecodeError("values beyond 16 bits")
        outcome = ports.DecodeFailed(order.job, error) if self.fails(order) else None
        done = outcome or ports.Decoded(order.job, 1000, 1.0)
        asyncio.get_running_loop().call_soon(self.sinks[1], done)

    # -- what a test asks -----------------------------------------------------------------------

    def asked(self, first: int = 0) -> list[tuple[int, int]]:
        """The ranges of the frame asked for, counted from its first byte."""
        found = [order.extent for order in self.orders[first:] if order.url == FRAME]
        return [(each.start - OFFSET, (each.stop or 0) - OFFSET) for each in found]

    @property
    def windows(self) -> list[ports.DecodeOrder]:
        return [job for job in self.jobs if job.region is not None]


@dataclass
class Viewer:
    """A loader for one image in memory, and the page that it tells."""

    stream: bytes
    wire: Wire
    page: CollectingPage
    loader: Loader

    def look(self, window: tuple[float, float, float, float] | None, side_px: int) -> None:
        self.loader.want(0, 0, window=window, side_px=side_px)

    def state(self) -> dict:
        return self.page.states.get(0, {})

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait for something that is to happen; the time is only for when it never does."""
        async with asyncio.timeout(WAIT_S):
            while not condition():
                await asyncio.sleep(0.002)

    async def window(self, level: int, count: int = 1) -> ports.DecodeOrder:
        def found() -> list[ports.DecodeOrder]:
            return [job for job in self.wire.windows if job.resolution_level == level]

        await self.until(lambda: len(found()) >= count)
        return found()[-1]


def viewing(
    test: Callable[[Viewer], Awaitable[None]],
    *,
    stream: bytes | None = None,
    count: int = 1,
    ranges: bool = True,
    **capacity: float,
) -> None:
    """Run a test on an image that is opened."""

    async def scenario() -> None:
        bytes_ = codestream() if stream is None else stream
        files = {SRC: descriptor(bytes_, count), FRAME: bytes(OFFSET) + bytes_}
        wire, page = Wire(files, ranges=ranges), CollectingPage()
        limits = Capacity(**{"whole_samples": WHOLE_SAMPLES, "region_settle_ms": 0, **capacity})
        outside = Outside(wire, wire, page, MonotonicClock(), everything_installed)
        viewer = Viewer(bytes_, wire, page, Loader(outside, capacity=limits))
        await viewer.loader.open(SRC, frame_index=0)
        try:
            await test(viewer)
        finally:
            viewer.loader.close()

    asyncio.run(scenario())


async def turns() -> None:
    """As many turns of the loop as anything takes here: nothing waits for a clock."""
    for _ in range(200):
        await asyncio.sleep(0)


async def whole(viewer: Viewer) -> None:
    """Wait until its whole level is shown, and known where the packets of the finer ones lie."""
    await viewer.until(lambda: viewer.state().get("status") == "configured")
    await turns()


def test_a_vast_image_is_loaded_to_its_whole_level_and_no_further():
    async def test(viewer: Viewer) -> None:
        await whole(viewer)
        end = ends(viewer.stream)[WHOLE_LEVEL]
        assert viewer.state()["wholeLevel"] == WHOLE_LEVEL
        assert viewer.state()["heldBytes"] == end
        assert viewer.state()["resolutionLevel"] == WHOLE_LEVEL
        assert viewer.wire.asked()[0] == (0, end)
        viewer.look((0.2, 0.2, 0.6, 0.6), side_px=300)  # as much as is here
        await turns()
        # beyond it only where the packets of the finer levels lie
        beyond = sum(stop - start for start, stop in viewer.wire.asked()[1:])
        assert beyond < 0.1 * (ends(viewer.stream)[-1] - end)
        assert viewer.wire.windows == []

    viewing(test)


def test_an_image_that_is_not_vast_says_nothing_of_windows():
    async def test(viewer: Viewer) -> None:
        await viewer.until(lambda: viewer.state().get("status") == "lossless")
        assert "wholeLevel" not in viewer.state()

    viewing(test, whole_samples=ROWS * COLUMNS)


@pytest.mark.parametrize(
    ("window", "side_px", "level"),
    [
        ((0.4, 0.4, 0.6, 0.6), 1500, 4),
        ((0.0, 0.0, 0.1, 0.1), 9000, 4),
        ((0.9, 0.95, 1.0, 1.0), 1400, 4),
        ((0.3, 0.0, 0.7, 0.9), 700, 3),
        ((0.0, 0.0, 1.0, 1.0), 400, 3),
        (None, 600, 3),
    ],
)
def test_the_decoder_gets_the_packets_of_the_window_at_the_level_of_the_screen(
    window, side_px, level
):
    async def test(viewer: Viewer) -> None:
        await whole(viewer)
        viewer.look(window, side_px)
        job = await viewer.window(level)
        sent = b"".join(map(viewer.wire.bytes_of, job.pieces))
        index = RegionIndex(ends(viewer.stream))
        while (wanted := index.missing(LEVELS, 0)) is not None:
            index.feed(wanted.start, viewer.stream[wanted.start : wanted.stop])
        base = min(index.base_level(), WHOLE_LEVEL)
        box = box_of(job)
        size = (-(-COLUMNS >> (LEVELS - level)), -(-ROWS >> (LEVELS - level)))
        left, top, right, bottom = window or (0, 0, 1, 1)
        assert box.left <= left * size[0] and box.right >= right * size[0]
        assert box.top <= top * size[1] and box.bottom >= bottom * size[1]
        plan = index.plan(box, level, base)
        assert job.region == plan.message()
        extents = plan.extents()
        assert sent == b"".join(viewer.stream[each.start : each.stop] for each in extents)

    viewing(test)


def box_of(job: ports.DecodeOrder) -> Box:
    assert job.region is not None
    steps = job.region["steps"]
    return Box(*steps[-1]["box"])


def test_a_window_costs_its_own_packets_and_a_pan_only_what_is_new():
    async def test(viewer: Viewer) -> None:
        await whole(viewer)
        before = len(viewer.wire.orders)
        viewer.look((0.4, 0.4, 0.5, 0.5), 1500)
        await viewer.window(LEVELS)
        first = len(viewer.wire.orders)
        viewer.look((0.45, 0.4, 0.55, 0.5), 1500)
        await viewer.window(LEVELS, 2)
        level_bytes = ends(viewer.stream)[-1] - ends(viewer.stream)[WHOLE_LEVEL]
        ranges = sorted(viewer.wire.asked(before))
        assert sum(stop - start for start, stop in ranges) < level_bytes / 4
        assert viewer.wire.asked(first), "the pan brings something new"
        pairs = itertools.pairwise(ranges)
        assert [pair for pair in pairs if pair[0][1] > pair[1][0]] == []
        # within what is held nothing is asked for, and nothing decoded again
        count, jobs = len(viewer.wire.orders), len(viewer.wire.jobs)
        viewer.look((0.46, 0.41, 0.54, 0.49), 1500)
        await turns()
        assert (len(viewer.wire.orders), len(viewer.wire.jobs)) == (count, jobs)

    viewing(test)


def beyond_level(viewer: Viewer, level: int) -> Callable[[ports.FetchOrder], bool]:
    end = OFFSET + ends(viewer.stream)[level]
    return lambda order: order.url == FRAME and order.extent.start >= end


def test_what_the_window_has_left_behind_is_cancelled():
    async def test(viewer: Viewer) -> None:
        await whole(viewer)
        viewer.wire.holds = beyond_level(viewer, WHOLE_LEVEL)
        viewer.look((0.0, 0.0, 0.1, 0.1), 1500)
        await viewer.until(lambda: viewer.wire.waiting)
        running = set(viewer.wire.waiting)
        viewer.look((0.85, 0.85, 1.0, 1.0), 1500)
        await viewer.until(lambda: running == set(viewer.wire.cancelled))
        assert set(viewer.wire.waiting).isdisjoint(running)
        viewer.wire.holds = lambda order: False
        viewer.wire.let_go()
        box = box_of(await viewer.window(LEVELS))
        assert (box.right, box.bottom) == (COLUMNS, ROWS)
        # the first window was never decoded, and coming back is possible
        assert all(box_of(job).left > 0 for job in viewer.wire.windows)
        viewer.look((0.0, 0.0, 0.1, 0.1), 1500)
        assert box_of(await viewer.window(LEVELS, 2)).left == 0

    viewing(test)


def test_zooming_out_stops_everything():
    async def test(viewer: Viewer) -> None:
        await whole(viewer)
        viewer.wire.holds = beyond_level(viewer, WHOLE_LEVEL)
        viewer.look((0.0, 0.0, 0.1, 0.1), 1500)
        await viewer.until(lambda: viewer.wire.waiting)
        viewer.look(None, 300)
        await viewer.until(lambda: not viewer.wire.waiting)
        assert viewer.wire.windows == []

    viewing(test)


def test_a_lower_level_is_shown_while_the_last_is_on_its_way():
    async def test(viewer: Viewer) -> None:
        await whole(viewer)
        viewer.wire.holds = beyond_level(viewer, LEVELS - 1)
        viewer.look((0.4, 0.4, 0.6, 0.6), 1500)
        lower = await viewer.window(LEVELS - 1)
        assert viewer.wire.waiting
        viewer.wire.holds = lambda order: False
        viewer.wire.let_go()
        last = await viewer.window(LEVELS)
        inner, outer = box_of(lower), box_of(last)
        assert (inner.left, inner.top) == (outer.left // 2, outer.top // 2)
        assert (inner.right, inner.bottom) == (-(-outer.right // 2), -(-outer.bottom // 2))

    viewing(test)


def test_without_packet_lengths_all_of_it_is_loaded():
    async def test(viewer: Viewer) -> None:
        viewer.look((0.4, 0.4, 0.6, 0.6), 1500)
        await viewer.until(lambda: viewer.state().get("status") == "lossless")
        assert "wholeLevel" not in viewer.state()
        assert viewer.wire.windows == []
        assert max(stop for _, stop in viewer.wire.asked()) == ends(viewer.stream)[-1]

    viewing(test, stream=codestream(packet_lengths=False))


def test_a_server_without_ranges_sends_all_of_it():
    async def test(viewer: Viewer) -> None:
        viewer.look((0.4, 0.4, 0.6, 0.6), 1500)
        await viewer.until(lambda: viewer.state().get("status") == "lossless")
        assert viewer.wire.windows == []

    viewing(test, ranges=False)


def test_what_may_pass_is_tried_again():
    async def test(viewer: Viewer) -> None:
        await whole(viewer)
        refused: list[int] = []
        beyond = beyond_level(viewer, WHOLE_LEVEL)
        first = len(viewer.wire.orders)

        def refuse_the_first(order: ports.FetchOrder) -> errors.FirstlightError | None:
            if not beyond(order) or order not in viewer.wire.orders[first : first + 5]:
                return None
            refused.append(order.segment)
            return errors.HttpStatus("busy", status=503)

        viewer.wire.refuses = refuse_the_first
        viewer.look((0.4, 0.4, 0.6, 0.6), 1500)
        await viewer.window(LEVELS)
        assert len(refused) == 5, "more at once than there are attempts for one"
        assert viewer.state()["regionError"] is None
        # what came at the first attempt was not asked for again
        asked = viewer.wire.asked(first)
        ranges = sorted(each for n, each in enumerate(asked) if n >= 5)
        assert [pair for pair in itertools.pairwise(ranges) if pair[0][1] > pair[1][0]] == []

    viewing(test, retry_ms=1)


def test_what_does_not_pass_is_given_up():
    async def test(viewer: Viewer) -> None:
        await whole(viewer)
        beyond = beyond_level(viewer, WHOLE_LEVEL)
        busy = errors.HttpStatus("busy", status=503)
        viewer.wire.refuses = lambda order: busy if beyond(order) else None
        first = len(viewer.wire.orders)
        viewer.look((0.45, 0.45, 0.5, 0.5), 1500)
        await viewer.until(lambda: viewer.state()["regionError"])
        asked = viewer.wire.asked(first)
        assert max(map(asked.count, asked)) == Capacity().attempts

    viewing(test, retry_ms=1)


def test_a_window_that_does_not_come_says_so_until_another_is_wanted():
    async def test(viewer: Viewer) -> None:
        await whole(viewer)
        beyond = beyond_level(viewer, WHOLE_LEVEL)
        gone = errors.HttpStatus("not found", status=404)
        viewer.wire.refuses = lambda order: gone if beyond(order) else None
        viewer.look((0.4, 0.4, 0.5, 0.5), 1500)
        await viewer.until(lambda: viewer.state()["regionError"])
        error = viewer.state()["regionError"]
        assert (error["type"], error["frame_index"], error["resource"]) == ("HttpStatus", 0, FRAME)
        assert viewer.state()["status"] == "configured"
        viewer.wire.refuses = lambda order: None
        count = len(viewer.wire.orders)
        viewer.look((0.41, 0.41, 0.5, 0.5), 1500)
        await turns()
        assert len(viewer.wire.orders) == count, "nothing is asked for again and again"
        viewer.loader.retry(0)
        await viewer.window(LEVELS)
        assert viewer.state()["regionError"] is None

    viewing(test)


def test_where_the_packets_lie_is_asked_again_when_it_did_not_come():
    async def test(viewer: Viewer) -> None:
        beyond = beyond_level(viewer, WHOLE_LEVEL)
        gone = errors.HttpStatus("not found", status=404)
        viewer.wire.refuses = lambda order: gone if beyond(order) else None
        await viewer.until(lambda: viewer.state().get("regionError"))
        assert viewer.state()["status"] == "configured"
        viewer.wire.refuses = lambda order: None
        await turns()
        viewer.look((0.4, 0.4, 0.5, 0.5), 1500)
        await viewer.window(LEVELS)
        assert viewer.state()["regionError"] is None

    viewing(test)


def test_a_window_that_cannot_be_decoded_says_so():
    async def test(viewer: Viewer) -> None:
        await whole(viewer)
        viewer.wire.fails = lambda order: order.region is not None
        viewer.look((0.4, 0.4, 0.5, 0.5), 1500)
        await viewer.until(lambda: viewer.state()["regionError"])
        assert viewer.state()["regionError"]["type"] == "DecodeError"
        jobs = len(viewer.wire.jobs)
        await turns()
        assert len(viewer.wire.jobs) == jobs
        viewer.wire.fails = lambda order: False
        viewer.look((0.8, 0.8, 0.9, 0.9), 1500)
        await viewer.until(lambda: viewer.state()["regionError"] is None)
        await viewer.until(lambda: box_of(viewer.wire.windows[-1]).left > COLUMNS // 2)

    viewing(test)


def test_what_old_windows_brought_is_kept_up_to_a_limit():
    async def test(viewer: Viewer) -> None:
        await whole(viewer)
        for number, place in enumerate((0.0, 0.3, 0.6, 0.8)):
            viewer.look((place, place, place + 0.15, place + 0.15), 1500)
            await viewer.window(LEVELS, number + 1)
        windows_start = OFFSET + ends(viewer.stream)[WHOLE_LEVEL]
        held = {
            segment: extent.length or 0
            for segment, (url, extent) in viewer.wire.held.items()
            if url == FRAME and extent.start >= windows_start
        }
        used = {piece.segment for piece in viewer.wire.windows[-1].pieces} & set(held)
        in_use = sum(held[segment] for segment in used)
        assert 0 < in_use <= sum(held.values()) <= in_use + 40_000

    viewing(test, region_bytes=40_000)


def test_the_window_is_that_of_the_frame_the_eye_is_on():
    async def test(viewer: Viewer) -> None:
        def done() -> bool:
            states = viewer.page.states
            return [states.get(n, {}).get("status") for n in (0, 1)] == ["configured"] * 2

        await viewer.until(done)
        await turns()
        window = (0.4, 0.4, 0.5, 0.5)
        for number, index in enumerate((0, 1, 0)):
            orders = len(viewer.wire.orders)
            viewer.loader.want(index, 1, window=window, side_px=1500)
            job = await viewer.window(LEVELS, number + 1)
            assert job.frame_index == index
            assert bool(viewer.wire.asked(orders)) == (number < 2), "the third time all is held"
        viewer.loader.want(0, 0, volume=True, window=window, side_px=9000)
        await turns()
        assert len([job for job in viewer.wire.windows if job.resolution_level == LEVELS]) == 3

    viewing(test, count=2)


def test_a_limit_that_is_lifted_leaves_a_vast_image_vast():
    async def test(viewer: Viewer) -> None:
        await whole(viewer)
        viewer.loader.limit(Limit(levels_below=4))
        viewer.loader.limit(Limit())
        await turns()
        assert viewer.state()["heldBytes"] == ends(viewer.stream)[WHOLE_LEVEL]
        assert viewer.state()["status"] == "configured"

    viewing(test)


def test_nothing_is_left_behind():
    async def test(viewer: Viewer) -> None:
        await whole(viewer)
        viewer.look((0.4, 0.4, 0.5, 0.5), 1500)
        await viewer.window(LEVELS)
        viewer.loader.close()
        assert viewer.wire.held == {} or all(url == SRC for url, _ in viewer.wire.held.values())

    viewing(test)
