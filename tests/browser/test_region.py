"""An image too large to load whole, in the built page: it is loaded finely where one looks."""

from __future__ import annotations

import base64
import itertools
import math
import re

import numpy as np
import pytest

from browser.conftest import Tree, prepare
from browser.dicom_files import smooth_noise, write_image
from firstlight.prepare.lines import has_ojph
from support.faults import Fault
from support.faulty_server import FaultyServer

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not has_ojph(), reason="precincts need the package ojph"),
]

ROWS, COLUMNS = 3000, 4000
LEVELS = 6
ZOOM_STEP = 1.25
"""Of a key."""
WHOLE_SAMPLES = 2_000_000
WHOLE_LEVEL = 3
"""500 x 375, the largest level of at most a quarter of that."""
SHOWN = "document.querySelector('firstlight-viewer')?.shadowRoot"
LISTEN = """
  window.windows = [];
  addEventListener('firstlight:region-render', (event) => windows.push(event.detail), true);
"""


@pytest.fixture(scope="module")
def vast(tmp_path_factory) -> Tree:
    """4000 x 3000, 16 bit."""
    folder = tmp_path_factory.mktemp("vast")
    pixels = smooth_noise(ROWS, COLUMNS, seed=4, bits=16) // 2 + 8000
    write_image(folder / "in" / "1.dcm", pixels, series="vast", number=0, bits=16)
    prepare(folder / "in", folder / "out", "dicomweb")
    return Tree(folder / "out", (pixels,))


@pytest.fixture(scope="module")
def vast_pair(vast, tmp_path_factory) -> Tree:
    """The same as a jphuri pair."""
    folder = tmp_path_factory.mktemp("vast-pair")
    write_image(folder / "in" / "1.dcm", vast.pixels[0], series="vast", number=0, bits=16)
    prepare(folder / "in", folder / "out", "jphuri")
    return Tree(folder / "out", vast.pixels)


def frame_of(tree: Tree) -> dict:
    return tree.descriptor["series"][0]["frames"][0]


def open_vast(viewer, src: str = "data/firstlight.json") -> None:
    viewer.page.set_viewport_size({"width": 640, "height": 540})
    viewer.page.add_init_script(LISTEN)
    viewer.open(src, **{"max-whole-samples": str(WHOLE_SAMPLES)})
    viewer.wait_for_state(0, "configured")


def zoom_to(viewer, level: int) -> None:
    """Zoom in, in one go, until the screen can show a level."""
    fitted = 640 / COLUMNS
    steps = math.ceil(math.log(0.6 / 2 ** (LEVELS - level) / fitted, ZOOM_STEP))
    press(viewer, "+", steps)


def press(viewer, key: str, times: int) -> None:
    viewer.page.evaluate(
        """([key, times]) => {
            const viewer = document.querySelector('firstlight-viewer');
            for (let i = 0; i < times; i += 1)
                viewer.dispatchEvent(new KeyboardEvent('keydown', { key, cancelable: true }));
        }""",
        [key, times],
    )


def wait_for_window(viewer, level: int, count: int = 1) -> dict:
    condition = f"windows.filter((one) => one.resolutionLevel === {level}).length >= {count}"
    try:
        viewer.page.wait_for_function(condition)
    except Exception as error:
        raise AssertionError(f"no window: {viewer.messages} {viewer.state()}") from error
    told = viewer.page.evaluate("windows")
    return [one for one in told if one["resolutionLevel"] == level][-1]


def stored_region(viewer) -> tuple[np.ndarray, dict]:
    record = viewer.page.evaluate(
        """() => {
            const viewer = document.querySelector('firstlight-viewer');
            const { data, ...rest } = viewer.storedRegion(0);
            const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
            return { ...rest, text: bytes.toBase64(), kind: data.constructor.name };
        }"""
    )
    assert record["kind"] == "Uint16Array"
    flat = np.frombuffer(base64.b64decode(record.pop("text")), "<u2")
    return flat.reshape(record["rows"], record["columns"]), record


def text_of(viewer, selector: str) -> str:
    return viewer.page.evaluate(f"{SHOWN}.querySelector('{selector}').innerText")


def wait_for_text(viewer, selector: str, text: str) -> None:
    condition = f"(text) => {SHOWN}.querySelector('{selector}').innerText.includes(text)"
    try:
        viewer.page.wait_for_function(condition, arg=text)
    except Exception as error:
        raise AssertionError(f"{text} is not in {text_of(viewer, selector)}") from error


def drag(viewer, dx: int, dy: int) -> None:
    viewer.page.evaluate("document.querySelector('firstlight-viewer').tool = 'pan'")
    mouse = viewer.page.mouse
    mouse.move(320, 270)
    mouse.down()
    # at once: where it stays for a while on its way, a window of its own is fetched
    mouse.move(320 + dx, 270 + dy)
    mouse.up()


def ranges_of(requests) -> list[tuple[int, int]]:
    found = [re.fullmatch(r"bytes=(\d+)-(\d+)", request.range) for request in requests]
    return [(int(match[1]), int(match[2]) + 1) for match in found]


def test_the_window_on_the_screen_is_lossless_and_the_rest_is_not_fetched(serve, vast):
    viewer, server = serve(vast)
    open_vast(viewer)
    frame = frame_of(vast)
    start, ends = frame.get("start", 0), frame["level_ends"]
    assert len(ends) == LEVELS + 1
    state = viewer.state()[0]
    assert (state["wholeLevel"], state["resolutionLevel"]) == (WHOLE_LEVEL, WHOLE_LEVEL)
    assert state["heldBytes"] == ends[WHOLE_LEVEL]
    assert state["regions"] == []
    server.requests.wait_until_idle()
    before = server.requests(f"/data/{frame['url']}")
    assert ranges_of(before)[0] == (start, start + ends[WHOLE_LEVEL])

    zoom_to(viewer, LEVELS)
    told = wait_for_window(viewer, LEVELS)
    region, record = stored_region(viewer)
    assert {name: record[name] for name in ("left", "top", "columns", "rows")} == {
        name: told[name] for name in ("left", "top", "columns", "rows")
    }
    left, top = record["left"], record["top"]
    there = vast.pixels[0][top : top + record["rows"], left : left + record["columns"]]
    np.testing.assert_array_equal(region, there)
    wait_for_text(viewer, ".mark", "Lossless")
    assert "in this window" in text_of(viewer, ".mark")

    server.requests.wait_until_idle()
    requests = server.requests(f"/data/{frame['url']}")[len(before) :]
    fetched = sum(stop - at for at, stop in ranges_of(requests))
    assert fetched < 0.2 * (ends[-1] - ends[WHOLE_LEVEL])
    assert len(requests) < 60
    assert sum(request.body_bytes for request in requests) <= fetched


def test_the_probe_and_the_canvas_show_the_window(serve, vast):
    viewer, _ = serve(vast)
    open_vast(viewer)
    zoom_to(viewer, LEVELS)
    wait_for_window(viewer, LEVELS)
    page = viewer.page
    for x, y in [(100, 100), (320, 270), (600, 400)]:
        page.mouse.move(x, y)
        page.wait_for_function(f"!{SHOWN}.querySelector('.probe').hidden")
        page.wait_for_function(
            "() => new Promise((done) => requestAnimationFrame(() => done(true)))"
        )
        words = text_of(viewer, ".probe")
        row, column = map(int, re.search(r"row (\d+)\s+column (\d+)", words).groups())
        stored = int(re.search(r"stored (\d+)", words)[1])
        assert stored == vast.pixels[0][row, column]
        assert "level" not in words
        assert "≈" not in words


def test_a_pan_fetches_what_is_new_and_nothing_twice(serve, vast):
    viewer, server = serve(vast)
    open_vast(viewer)
    zoom_to(viewer, LEVELS)
    wait_for_window(viewer, LEVELS)
    server.requests.wait_until_idle()
    url = f"/data/{frame_of(vast)['url']}"
    before = len(server.requests(url))
    drag(viewer, -250, -150)
    told = wait_for_window(viewer, LEVELS, 2)
    region, record = stored_region(viewer)
    assert (record["left"], record["top"]) == (told["left"], told["top"])
    there = vast.pixels[0][
        record["top"] : record["top"] + record["rows"],
        record["left"] : record["left"] + record["columns"],
    ]
    np.testing.assert_array_equal(region, there)
    server.requests.wait_until_idle()
    assert len(server.requests(url)) > before
    level_start = frame_of(vast).get("start", 0) + frame_of(vast)["level_ends"][-2] + 100_000
    full = [one for one in ranges_of(server.requests(url)) if one[0] >= level_start]
    assert full
    pairs = itertools.pairwise(sorted(full))
    assert [pair for pair in pairs if pair[0][1] > pair[1][0]] == []


def test_zooming_out_shows_the_whole_image_again(serve, vast):
    viewer, _ = serve(vast)
    open_vast(viewer)
    # 640 px wide, which level 3 is not
    wait_for_text(viewer, ".mark", "Level 4 of 6")
    assert "window" not in text_of(viewer, ".mark")
    zoom_to(viewer, LEVELS - 1)
    wait_for_window(viewer, LEVELS - 1)
    wait_for_text(viewer, ".mark", f"Level {LEVELS - 1} of {LEVELS}")
    assert "in this window" in text_of(viewer, ".mark")
    press(viewer, "-", 12)
    wait_for_text(viewer, ".mark", "Level 4 of 6")
    assert "window" not in text_of(viewer, ".mark")
    assert viewer.stored_pixels(0).shape == (375, 500)


def test_a_codestream_without_a_descriptor(serve, vast_pair):
    viewer, server = serve(vast_pair)
    open_vast(viewer, f"jphuri:{server.data_url}{frame_of(vast_pair)['url']}")
    assert viewer.state()[0]["wholeLevel"] == WHOLE_LEVEL
    zoom_to(viewer, LEVELS)
    wait_for_window(viewer, LEVELS)
    region, record = stored_region(viewer)
    left, top = record["left"], record["top"]
    there = vast_pair.pixels[0][top : top + record["rows"], left : left + record["columns"]]
    np.testing.assert_array_equal(region, there)


def test_an_image_of_ordinary_size_is_loaded_whole(serve, vast):
    viewer, server = serve(vast)
    viewer.page.set_viewport_size({"width": 640, "height": 540})
    viewer.open("data/firstlight.json")
    state = viewer.wait_for_state(0, "lossless")
    assert "wholeLevel" not in state
    np.testing.assert_array_equal(viewer.stored_pixels(0), vast.pixels[0])
    assert len(server.requests(f"/data/{frame_of(vast)['url']}")) == 1


def test_a_window_that_fails_is_said_and_asked_for_again(serve, vast):
    viewer, _ = serve(vast)
    path = f"/{frame_of(vast)['url']}"
    with FaultyServer(vast.files(), {}) as data:
        open_vast(viewer, data.url("/firstlight.json"))
        data.faults[path] = Fault(status=403)
        zoom_to(viewer, 5)
        failed = viewer.page.get_by_role("heading", name="This window could not be loaded")
        failed.wait_for()
        assert "403" in text_of(viewer, ".failure")
        assert viewer.state()[0]["regionError"]["type"] == "HttpStatus"
        assert viewer.state()[0]["resolutionLevel"] == WHOLE_LEVEL
        data.faults.clear()
        viewer.page.get_by_role("button", name="Retry").click()
        wait_for_window(viewer, 5)
        failed.wait_for(state="hidden")
        region, place = stored_region(viewer)
        assert place["resolutionLevel"] == 5
        assert region.size > 0
