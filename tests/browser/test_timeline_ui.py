"""The timeline panel: opened with a key, explained under the pointer, exported as JSON."""

from __future__ import annotations

import json

import pytest

from browser.conftest import Viewer
from support.recording_server import RecordingServer

pytestmark = pytest.mark.browser

SHOWN = "document.querySelector('firstlight-viewer')?.shadowRoot"


@pytest.fixture(scope="module")
def complete(shared_context, viewer_dist, stack):
    """One page for what only looks: the stack, complete."""
    page = shared_context.new_page()
    with RecordingServer(stack.folder, viewer_dist) as server:
        viewer = Viewer(page, server.url)
        viewer.open("data/firstlight.json")
        viewer.wait_for("complete")
        yield page, server
        page.close()


@pytest.fixture
def loaded(complete):
    """The stack, complete, and the panel open: the page and the server."""
    page, server = complete
    page.bring_to_front()
    if page.evaluate(f"{SHOWN}.querySelector('.timeline') === null"):
        page.keyboard.press("t")
    page.wait_for_function(f"{SHOWN}.querySelector('.timeline-totals')?.innerText")
    return page, server


def totals(page) -> str:
    return page.evaluate(f"{SHOWN}.querySelector('.timeline-totals').innerText")


def tip(page) -> str:
    return page.evaluate(
        f"(({{ hidden, innerText }}) => hidden ? '' : innerText)"
        f"({SHOWN}.querySelector('.timeline-tip'))"
    )


def tips_down_the_middle(page) -> list[str]:
    """Every explanation along vertical lines across the canvas."""
    box = page.locator("firstlight-viewer .timeline-body").bounding_box()
    found: list[str] = []
    for part in (0.3, 0.6, 0.9):
        for y in range(4, int(box["height"]), 3):
            page.mouse.move(box["x"] + box["width"] * part, box["y"] + y)
            if (text := tip(page)) and text not in found:
                found.append(text)
    return found


def inked(page) -> int:
    """Pixels of the canvas that are not empty."""
    return page.evaluate(
        f"""(() => {{
          const canvas = {SHOWN}.querySelector('.timeline-body canvas');
          const {{ width, height }} = canvas;
          const {{ data }} = canvas.getContext('2d').getImageData(0, 0, width, height);
          let count = 0;
          for (let i = 3; i < data.length; i += 4) count += data[i] > 0;
          return count;
        }})()"""
    )


def test_totals_agree_with_the_timeline_and_the_server(loaded):
    page, server = loaded
    record = page.evaluate("document.querySelector('firstlight-viewer').timeline()")
    count = len(record["requests"])
    assert count == sum(one.path.startswith("/data/") for one in server.requests())
    text = totals(page)
    assert text.startswith(f"{count} requests · ")
    assert "first picture" in text
    assert "all done" in text
    assert inked(page) > 5_000
    assert {decode["frameIndex"] for decode in record["decodes"]} == set(range(12))
    assert all(decode["decompositionLevels"] > 0 for decode in record["decodes"])


def test_the_pointer_is_told_what_it_is_on(loaded):
    page, _ = loaded
    texts = tips_down_the_middle(page)
    assert any("received" in text and "bytes" in text for text in texts), texts
    assert any(text.startswith("Frame ") and "of its levels" in text for text in texts), texts
    page.mouse.move(5, 5)
    page.wait_for_function(f"{SHOWN}.querySelector('.timeline-tip').hidden")


def test_zoom_shows_less_time(loaded):
    page, _ = loaded
    box = page.locator("firstlight-viewer .timeline-body").bounding_box()
    place = (box["x"] + box["width"] * 0.9, box["y"] + box["height"] - 10)

    def moment() -> str:
        page.mouse.move(*place)
        page.mouse.move(place[0] + 1, place[1])
        return tip(page).split(":")[0]

    before = moment()
    page.click("firstlight-viewer .timeline-head button[title='Show less time']")
    page.click("firstlight-viewer .timeline-head button[title='Show less time']")
    zoomed = moment()
    page.click("firstlight-viewer .timeline-head button[title='Show all of the time']")
    assert zoomed != before == moment()


def test_export_is_the_record_as_json(loaded):
    page, _ = loaded
    with page.expect_download() as download:
        page.click("firstlight-viewer .timeline-head button[title='Export JSON']")
    assert download.value.suggested_filename == "firstlight-timeline.json"
    record = json.loads(download.value.path().read_text())
    assert record["frameCount"] == 12
    assert record["src"] == "data/firstlight.json"
    shown = page.evaluate("document.querySelector('firstlight-viewer').timeline()")
    assert [one["url"] for one in record["requests"]] == [one["url"] for one in shown["requests"]]
    assert all(one["closedMs"] >= one["startedMs"] for one in record["requests"])
    assert {"decodes", "draws", "openedMs"} <= record.keys()


def test_the_key_and_escape_close_it(loaded):
    page, _ = loaded
    page.keyboard.press("t")
    assert page.evaluate(f"{SHOWN}.querySelector('.timeline') === null")
    page.keyboard.press("t")
    page.wait_for_function(f"{SHOWN}.querySelector('.timeline') !== null")
    page.keyboard.press("Escape")
    assert page.evaluate(f"{SHOWN}.querySelector('.timeline') === null")


def test_it_follows_what_is_loaded_while_it_is_open(serve, stack, page):
    viewer, _ = serve(stack, "4g")
    viewer.open("data/firstlight.json")
    viewer.wait_for("first-render")
    page.keyboard.press("t")
    page.wait_for_function(
        f"{SHOWN}.querySelector('.timeline-totals')?.innerText.includes('request')"
    )
    viewer.wait_for("complete")
    page.wait_for_function(
        f"""async () => {{
          const {{ requests }} = await document.querySelector('firstlight-viewer').timeline();
          const text = {SHOWN}.querySelector('.timeline-totals').innerText;
          return text.startsWith(`${{requests.length}} requests`) && text.includes('all done');
        }}"""
    )
