"""The first level as soon as its bytes are here, then lossless, and no byte twice."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

from support.faults import Fault
from support.faulty_server import FaultyServer

pytestmark = pytest.mark.browser


def _frame_requests(server, url: str) -> list:
    return server.requests(f"/data/{url}")


def _ranges(requests) -> list[tuple[int, int]]:
    """Half-open ranges asked for, in order."""
    found = [re.fullmatch(r"bytes=(\d+)-(\d*)", request.range) for request in requests]
    return [(int(match[1]), int(match[2]) + 1 if match[2] else -1) for match in found]


def test_one_image_is_one_stream_of_exactly_its_bytes(serve, radiograph):
    viewer, server = serve(radiograph, network="4g")
    frame = radiograph.descriptor["series"][0]["frames"][0]
    viewer.open("data/firstlight.json")
    viewer.wait_for("complete")
    levels = [detail["resolutionLevel"] for detail in viewer.heard("frame-render")]
    assert levels == sorted(levels)
    assert levels[0] == 0
    assert levels[-1] == len(frame["level_ends"]) - 1
    requests = _frame_requests(server, frame["url"])
    start, ends = frame.get("start", 0), frame["level_ends"]
    assert _ranges(requests) == [(start, start + ends[-1])]
    assert np.array_equal(viewer.stored_pixels(0), radiograph.pixels[0])
    assert viewer.state()[0]["status"] == "lossless"
    assert viewer.state()[0]["heldBytes"] == ends[-1]


@pytest.mark.parametrize("missing_bytes", [0, 1])
def test_first_render_needs_exactly_the_bytes_of_the_first_level(serve, radiograph, missing_bytes):
    viewer, _ = serve(radiograph)
    frame = radiograph.descriptor["series"][0]["frames"][0]
    path = f"/{frame['url']}"
    fault = Fault(stall_after_bytes=frame["level_ends"][0] - missing_bytes)
    with FaultyServer(_with_enclosed(radiograph, None), {path: fault}) as data:
        viewer.open(data.url("/firstlight.json"))
        if missing_bytes:
            viewer.page.wait_for_function(
                "document.querySelector('firstlight-viewer')?.state()[0]?.status === 'loading'"
            )
            # Python is up and has heard of every byte there is: there is nothing to render.
            viewer.element("ready")
            assert viewer.heard("first-render") == []
        else:
            [detail] = viewer.wait_for("first-render")
            assert detail["resolutionLevel"] == 0
            assert viewer.state()[0]["resolutionLevel"] == 0
            assert viewer.state()[0]["status"] == "loading"
        data.release(path)
        viewer.wait_for("complete")
        assert np.array_equal(viewer.stored_pixels(0), radiograph.pixels[0])


def _with_enclosed(tree, text: str | None) -> dict[str, bytes]:
    """The files of a tree whose descriptor encloses this as its first level, or none."""
    descriptor = tree.descriptor
    del descriptor["first_level"]
    if text is not None:
        descriptor["first_level"] = text
    return {**tree.files(), "/firstlight.json": json.dumps(descriptor).encode()}


def test_the_descriptor_brings_the_first_picture(serve, radiograph):
    viewer, _ = serve(radiograph)
    frame = radiograph.descriptor["series"][0]["frames"][0]
    path = f"/{frame['url']}"
    with FaultyServer(radiograph.files(), {path: Fault(no_answer=True)}) as data:
        viewer.open(data.url("/firstlight.json"))
        [detail] = viewer.wait_for("first-render")
        assert detail["resolutionLevel"] == 0
        viewer.element("ready")
        [state] = viewer.state()
        assert (state["status"], state["resolutionLevel"]) == ("waiting", 0)
        viewer.page.get_by_text(re.compile("loading", re.IGNORECASE)).first.wait_for()
        assert state["heldBytes"] == 0
        small = viewer.stored_pixels(0)
        data.release(path)
        viewer.wait_for("complete")
        assert np.array_equal(viewer.stored_pixels(0), radiograph.pixels[0])
        assert len(data.requests(path)) == 1
    with FaultyServer(
        _with_enclosed(radiograph, None), {path: Fault(stall_after_bytes=frame["level_ends"][0])}
    ) as data:
        viewer.open(data.url("/firstlight.json"))
        viewer.wait_for("first-render")
        assert np.array_equal(viewer.stored_pixels(0), small)


@pytest.mark.parametrize("length", ["right", "wrong"])
def test_an_enclosed_level_that_is_spoiled_does_no_harm(serve, radiograph, length):
    viewer, _ = serve(radiograph)
    enclosed = radiograph.descriptor["first_level"]
    spoiled = enclosed.swapcase() if length == "right" else enclosed[:-4]
    with FaultyServer(_with_enclosed(radiograph, spoiled)) as data:
        viewer.open(data.url("/firstlight.json"))
        viewer.wait_for("complete")
        assert viewer.state()[0]["status"] == "lossless"
        assert np.array_equal(viewer.stored_pixels(0), radiograph.pixels[0])
        assert viewer.heard("error") == []


def test_a_jphuri_pair_opens_and_becomes_lossless(serve, radiograph):
    viewer, server = serve(radiograph, network="4g")
    frame = radiograph.descriptor["series"][0]["frames"][0]
    viewer.open(f"jphuri:data/{frame['url']}")
    viewer.wait_for("complete")
    assert np.array_equal(viewer.stored_pixels(0), radiograph.pixels[0])
    requests = _frame_requests(server, frame["url"])
    assert len(requests) == 1
    assert requests[0].body_bytes <= frame["length"]


def test_a_stack_loads_whole_and_no_byte_twice(serve, stack):
    viewer, server = serve(stack)
    frames = stack.descriptor["series"][0]["frames"]
    viewer.open("data/firstlight.json")
    viewer.wait_for("complete")
    for index, frame in enumerate(frames):
        first = frame.get("start", 0)
        spans = sorted(_ranges(_frame_requests(server, frame["url"])))
        # Where the heads file brought the beginning, the frame's own request goes on from there.
        heads_end = {first + stop for _, stop in frame.get("heads", [])}
        at = spans[0][0]
        assert at in {first, *heads_end}
        for start, stop in spans:
            # One that was cancelled empty begins again where heads have come to.
            assert start == at or start in heads_end
            at = stop
        assert at == first + frame["level_ends"][-1]
        assert np.array_equal(viewer.stored_pixels(index), stack.pixels[index]), index


def test_scrolling_away_cancels_and_coming_back_fetches_the_rest(serve, stack):
    viewer, server = serve(stack, network="slow4g")
    url = stack.descriptor["series"][0]["frames"][0]["url"]
    viewer.open("data/firstlight.json")
    viewer.wait_for("first-render")
    viewer.element("ready")
    frame = stack.descriptor["series"][0]["frames"][0]
    end = frame.get("start", 0) + frame["level_ends"][-1]
    # The last request for it is on its way, through a network that takes a second for it.
    server.requests.wait_until(lambda _: _ranges(_frame_requests(server, url))[-1][1] == end)
    viewer.page.evaluate("document.querySelector('firstlight-viewer').frameIndex = 9")
    viewer.wait_for_state(9, "lossless")
    assert viewer.state()[0]["status"] == "loading"
    viewer.page.evaluate("document.querySelector('firstlight-viewer').frameIndex = 0")
    viewer.wait_for_state(0, "lossless")
    spans = _ranges(_frame_requests(server, url))
    # It was cut off, and gone on with from where it had come to.
    assert [stop for _, stop in spans].count(end) >= 2
    starts = [start for start, _ in spans]
    assert starts == sorted(starts)
    assert starts[-1] > starts[0]
    assert np.array_equal(viewer.stored_pixels(0), stack.pixels[0])


def test_leaving_the_page_cancels(serve, radiograph):
    viewer, server = serve(radiograph, network="slow4g")
    frame = radiograph.descriptor["series"][0]["frames"][0]
    viewer.open("data/firstlight.json")
    viewer.wait_for("first-render")
    viewer.page.goto("about:blank")
    server.requests.wait_until(
        lambda _: all(r.aborted for r in _frame_requests(server, frame["url"]))
    )


def test_removing_the_element_cancels(serve, radiograph):
    viewer, server = serve(radiograph, network="slow4g")
    frame = radiograph.descriptor["series"][0]["frames"][0]
    viewer.open("data/firstlight.json")
    viewer.wait_for("first-render")
    viewer.element("remove()")
    server.requests.wait_until(
        lambda _: all(r.aborted for r in _frame_requests(server, frame["url"]))
    )
