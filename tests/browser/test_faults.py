"""Bad servers and bad files: a typed error that names the resource, on the image and in state()."""

from __future__ import annotations

import numpy as np
import pytest

from support.faults import Fault
from support.faulty_server import FaultyServer

pytestmark = pytest.mark.browser

METADATA = "/image1.metadata.dcm"
PIXELS = "/image1.jph"


@pytest.fixture
def pair(radiograph) -> dict[str, bytes]:
    """The jphuri pair as files of a faulty server."""
    files = radiograph.files()
    return {name: files[name] for name in (METADATA, PIXELS)}


def _shown_text(viewer) -> str:
    """All that a person can read in the viewer."""
    return viewer.page.evaluate(
        """() => {
            const root = document.querySelector('firstlight-viewer').shadowRoot;
            const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
            const seen = [];
            while (walker.nextNode()) {
                const parent = walker.currentNode.parentElement;
                if (parent && parent.tagName !== 'STYLE' && parent.checkVisibility?.())
                    seen.push(walker.currentNode.textContent);
            }
            return seen.join(' ');
        }"""
    )


def _level_of(radiograph, held_bytes: int) -> int:
    """The resolution level that so many leading bytes hold."""
    ends = radiograph.descriptor["series"][0]["frames"][0]["level_ends"]
    return sum(end <= held_bytes for end in ends) - 1


def _release_when_shown(viewer, radiograph, data: FaultyServer, sent_bytes: int) -> None:
    """Let the connection end once what it brought is shown.

    Of a connection that ends at once Chromium may drop what it has not handed over.
    """
    _wait_for_level(viewer, _level_of(radiograph, sent_bytes))
    data.release(PIXELS)


def _wait_for_level(viewer, level: int | None) -> None:
    try:
        viewer.page.wait_for_function(
            """(level) => document.querySelector('firstlight-viewer')
                 ?.state()[0]?.resolutionLevel === level""",
            arg=level,
        )
    except Exception as error:
        raise AssertionError(f"not at level {level}: {viewer.state()}") from error


@pytest.mark.parametrize("status", [403, 404, 416, 500])
@pytest.mark.parametrize("missing", [METADATA, PIXELS])
def test_a_refused_resource_is_named(serve, radiograph, pair, missing, status):
    viewer, _ = serve(radiograph)
    with FaultyServer(pair, {missing: Fault(status=status)}) as data:
        viewer.open(f"jphuri:{data.url(PIXELS)}")
        error = viewer.wait_for("error")[0]["error"]
        assert error["type"] == "HttpStatus"
        assert error["resource"] == data.url(missing)
        viewer.page.get_by_text(f"status {status}").first.wait_for()
        assert missing[1:] in _shown_text(viewer)


def test_an_unreachable_server_is_named(serve, radiograph, pair):
    viewer, _ = serve(radiograph)
    with FaultyServer(pair) as data:
        url = data.url(PIXELS)
    viewer.open(f"jphuri:{url}")
    error = viewer.wait_for("error")[0]["error"]
    assert error["type"] == "Unreachable"


def test_a_server_that_ignores_ranges_is_streamed_once(serve, radiograph, pair):
    viewer, _ = serve(radiograph)
    ends = radiograph.descriptor["series"][0]["frames"][0]["level_ends"]
    fault = Fault(ignore_range=True, stall_after_bytes=ends[2])
    with FaultyServer(pair, {PIXELS: fault}) as data:
        viewer.open(f"jphuri:{data.url(PIXELS)}")
        _wait_for_level(viewer, 2)
        data.release(PIXELS)
        viewer.wait_for("complete")
        assert len(data.requests(PIXELS)) == 1
        assert np.array_equal(viewer.stored_pixels(0), radiograph.pixels[0])


def test_an_early_end_is_made_up_for_by_the_rest(serve, radiograph, pair):
    viewer, _ = serve(radiograph)
    fault = Fault(close_after_bytes=len(pair[PIXELS]) // 2, first_requests=1)
    with FaultyServer(pair, {PIXELS: fault}) as data:
        viewer.open(f"jphuri:{data.url(PIXELS)}")
        viewer.wait_for_state(0, "lossless")
        first, second = data.requests(PIXELS)
        begun = int(second.range.removeprefix("bytes=").partition("-")[0])
        # What the browser had not handed over when the connection broke is lost.
        assert begun <= first.body_bytes
        assert viewer.heard("error") == []
        assert np.array_equal(viewer.stored_pixels(0), radiograph.pixels[0])


def test_one_early_end_after_the_other_keeps_what_is_shown_until_asked(serve, radiograph, pair):
    viewer, _ = serve(radiograph)
    fault = Fault(close_after_bytes=30_000, stall_after_bytes=29_999)
    with FaultyServer(pair, {PIXELS: fault}) as data:
        viewer.open(f"jphuri:{data.url(PIXELS)}")
        _release_when_shown(viewer, radiograph, data, 29_999)
        state = viewer.wait_for_state(0, "failed")
        assert state["error"]["type"] == "ShortBody"
        assert state["error"]["resource"] == data.url(PIXELS)
        assert state["attempts"] == len(data.requests(PIXELS))
        _wait_for_level(viewer, _level_of(radiograph, state["heldBytes"]))
        assert viewer.stored_pixels(0).size > 0
        assert "ShortBody" in _shown_text(viewer)
        data.faults.clear()
        viewer.page.get_by_role("button", name="Retry").click()
        viewer.wait_for_state(0, "lossless")
        assert data.requests(PIXELS)[-1].range.startswith(f"bytes={state['heldBytes']}-")
        assert np.array_equal(viewer.stored_pixels(0), radiograph.pixels[0])


def test_a_file_that_changes_between_ranges_is_never_mixed(serve, radiograph, pair):
    viewer, _ = serve(radiograph)
    half = len(pair[PIXELS]) // 2
    fault = Fault(close_after_bytes=half, stall_after_bytes=half - 1, changes_after_requests=1)
    with FaultyServer(pair, {PIXELS: fault}) as data:
        viewer.open(f"jphuri:{data.url(PIXELS)}")
        _release_when_shown(viewer, radiograph, data, half - 1)
        state = viewer.wait_for_state(0, "failed")
        assert state["error"]["type"] == "ResourceChanged"
        _wait_for_level(viewer, _level_of(radiograph, state["heldBytes"]))
        assert viewer.stored_pixels(0).size > 0
        # Asked once more, everything is fetched anew, of one version.
        data.faults[PIXELS] = Fault(changes_after_requests=0)
        before = len(data.requests(PIXELS))
        viewer.page.get_by_role("button", name="Retry").click()
        viewer.wait_for_state(0, "lossless")
        assert data.requests(PIXELS)[before].range.startswith("bytes=0-")
        assert np.array_equal(viewer.stored_pixels(0), radiograph.pixels[0])


@pytest.mark.parametrize(
    "content",
    [b"", b"<html>not found</html>" * 1000, bytes(range(256)) * 100],
    ids=["nothing", "html", "noise"],
)
def test_what_is_not_a_codestream_is_said_to_be_none(serve, radiograph, pair, content):
    viewer, _ = serve(radiograph)
    with FaultyServer({**pair, PIXELS: content}) as data:
        viewer.open(f"jphuri:{data.url(PIXELS)}")
        error = viewer.wait_for("error")[0]["error"]
        assert error["type"] in ("MalformedCodestream", "HttpStatus", "ShortBody")
        assert error["resource"] == data.url(PIXELS)


@pytest.mark.parametrize("share", [0.0001, 0.01, 0.3, 0.999])
def test_a_codestream_cut_anywhere_fails_and_keeps_its_levels(serve, radiograph, pair, share):
    viewer, _ = serve(radiograph)
    content = pair[PIXELS][: int(len(pair[PIXELS]) * share)]
    with FaultyServer({**pair, PIXELS: content}) as data:
        viewer.open(f"jphuri:{data.url(PIXELS)}")
        state = viewer.wait_for_state(0, "failed")
        assert state["error"]["resource"] == data.url(PIXELS)
        assert state["error"]["type"] in ("MalformedCodestream", "ShortBody")
        ends = radiograph.descriptor["series"][0]["frames"][0]["level_ends"]
        whole = [level for level, end in enumerate(ends) if end <= len(content)]
        _wait_for_level(viewer, whole[-1] if whole else None)


def test_a_missing_descriptor_is_named_and_nothing_hangs(serve, radiograph):
    viewer, server = serve(radiograph)
    viewer.open("data/nowhere/firstlight.json")
    error = viewer.wait_for("error")[0]["error"]
    assert error["type"] == "HttpStatus"
    assert error["resource"] == f"{server.url}/data/nowhere/firstlight.json"
    viewer.page.get_by_text("status 404").first.wait_for()


def test_one_bad_frame_leaves_the_others_whole(serve, stack):
    viewer, _ = serve(stack)
    frames = stack.descriptor["series"][0]["frames"]
    bad = f"/{frames[3]['url']}"
    with FaultyServer(stack.files(), {bad: Fault(status=404)}) as data:
        viewer.open(data.url("/firstlight.json"))
        state = viewer.wait_for_state(3, "failed")
        assert state["error"]["type"] == "HttpStatus"
        assert state["error"]["resource"] == data.url(bad)
        for index in (0, 1, 2, 4, 11):
            viewer.wait_for_state(index, "lossless")
            assert np.array_equal(viewer.stored_pixels(index), stack.pixels[index])
