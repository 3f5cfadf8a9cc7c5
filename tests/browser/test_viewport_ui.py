"""Cine, probe, overlays, local files and the words of the mark, in the built page."""

from __future__ import annotations

import re

import numpy as np
import pydicom
import pytest

from browser.conftest import STACK_FRAMES, Viewer
from browser.dicom_files import smooth_noise, write_image
from support.recording_server import RecordingServer

pytestmark = pytest.mark.browser

SHOWN = "document.querySelector('firstlight-viewer').shadowRoot"


@pytest.fixture
def local(viewer_dist, page, tmp_path):
    """The viewer where the usual place has no data, and a folder for files."""
    (tmp_path / "none").mkdir()
    with RecordingServer(tmp_path / "none", viewer_dist) as server:
        viewer = Viewer(page, server.url)
        page.goto(server.url)
        page.wait_for_selector("#start:not([hidden])")
        yield viewer, tmp_path / "files"


def choose(page, *paths, button="#start [data-choose=files]") -> None:
    with page.expect_file_chooser() as chooser:
        page.click(button)
    chooser.value.set_files(list(paths))


def drop(page, *paths) -> None:
    """As a file manager does it: a drag from outside, let go in the middle."""
    size = page.viewport_size
    at = {"x": size["width"] // 2, "y": size["height"] // 2}
    data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
    session = page.context.new_cdp_session(page)
    for kind in ("dragEnter", "dragOver", "drop"):
        session.send("Input.dispatchDragEvent", {"type": kind, "data": data, **at})


def stacked(folder, count: int):
    for number in range(count):
        pixels = smooth_noise(64, 80, seed=number, bits=12)
        path = folder / ("deep" if number % 2 else "") / f"{number}.dcm"
        write_image(path, pixels, series="local", number=number, bits=12)
    return [smooth_noise(64, 80, seed=number, bits=12) for number in range(count)]


def text_of(page, selector: str) -> str:
    return page.evaluate(f"{SHOWN}.querySelector('{selector}').innerText")


def wait_for_text(page, selector: str, text: str) -> None:
    page.wait_for_function(
        f"([selector, text]) => {SHOWN}.querySelector(selector).innerText.includes(text)",
        arg=[selector, text],
    )


def test_cine_shows_every_frame_in_turn_and_again(serve, stack, page):
    viewer, _ = serve(stack)
    viewer.open("data/firstlight.json")
    viewer.wait_for("complete")
    viewer.element("frameRate = 60")
    page.evaluate("heard.length = 0")
    page.keyboard.press(" ")
    assert viewer.element("playing")
    viewer.wait_for("frame-render", 2 * STACK_FRAMES)
    page.keyboard.press(" ")
    assert not viewer.element("playing")
    shown = [detail["frameIndex"] for detail in viewer.heard("frame-render")]
    assert shown[: STACK_FRAMES + 2] == [n % STACK_FRAMES for n in range(1, STACK_FRAMES + 3)]
    assert shown == [(shown[0] + n) % STACK_FRAMES for n in range(len(shown))]


def test_cine_takes_its_time_from_the_image_or_the_reader(serve, stack, page):
    viewer, _ = serve(stack)
    viewer.open("data/firstlight.json")
    viewer.wait_for("first-render")
    assert viewer.element("frameRate") == 10
    page.keyboard.press("]")
    assert viewer.element("frameRate") == 15
    page.keyboard.press("[")
    page.keyboard.press("[")
    assert viewer.element("frameRate") == 5


def test_cine_waits_for_a_frame_and_says_so(serve, stack, page):
    late = 7
    url = stack.descriptor["series"][0]["frames"][late]["url"]
    held_back = []

    def hold_back(route) -> None:
        if held_back is None:
            route.continue_()
        else:
            held_back.append(route)

    page.route(re.compile(re.escape(url)), hold_back)
    viewer, _ = serve(stack)
    viewer.open("data/firstlight.json")
    viewer.wait_for("first-render")
    viewer.element("frameRate = 60")
    viewer.element("play()")
    wait_for_text(page, ".mark", f"Waiting for frame {late + 1}")
    assert viewer.element("frameIndex") == late - 1
    assert held_back
    waiting = list(held_back)
    held_back = None
    for route in waiting:
        route.continue_()
    page.wait_for_function(
        f"document.querySelector('firstlight-viewer').frameIndex > {late}", timeout=30_000
    )
    # those behind it may still be on their way; once all are here there is nothing to wait for
    viewer.wait_for("complete")
    page.wait_for_function(f"!{SHOWN}.querySelector('.mark').innerText.includes('Waiting')")


def test_scrolling_stops_cine(serve, stack, page):
    viewer, _ = serve(stack)
    viewer.open("data/firstlight.json")
    viewer.wait_for("complete")
    viewer.element("play()")
    page.keyboard.press("ArrowDown")
    assert not viewer.element("playing")


def test_the_probe_shows_row_column_and_value(local, page):
    viewer, folder = local
    path = folder / "1.dcm"
    pixels = smooth_noise(64, 80, seed=1, bits=12)
    dataset = write_image(path, pixels, series="x", number=0, bits=12)
    dataset.RescaleSlope, dataset.RescaleIntercept = "1", "-1024"
    dataset.save_as(path, enforce_file_format=True)
    choose(page, path)
    viewer.wait_for("complete")
    page.mouse.move(300, 220)
    wait_for_text(page, ".probe", "HU")
    text = text_of(page, ".probe")
    found = re.search(r"row (\d+)\s+column (\d+)", text)
    value = int(pixels[int(found[1]), int(found[2])])
    assert f"{value - 1024} HU".replace("-", "\u2212") in text
    assert f"stored {value}" in text
    page.mouse.move(1, 1)
    page.wait_for_function(f"{SHOWN}.querySelector('.probe').hidden")


def test_chosen_files_are_shown_and_leave_no_request(local, page):
    viewer, folder = local
    pixels = stacked(folder, 3)
    choose(page, *sorted(folder.rglob("*.dcm")))
    viewer.wait_for("complete")
    assert viewer.element("src") == "local:"
    for index, expected in enumerate(pixels):
        np.testing.assert_array_equal(viewer.stored_pixels(index), expected)


def test_a_dropped_folder_is_walked(local, page):
    viewer, folder = local
    pixels = stacked(folder, 4)
    (folder / ".hidden").write_bytes(b"not to be read")
    drop(page, folder)
    viewer.wait_for("complete")
    assert len(viewer.state()) == 4
    # another drop, on the viewer itself this time, takes its place
    other = folder.parent / "other"
    stacked(other, 2)
    drop(page, *sorted(other.rglob("*.dcm")))
    page.wait_for_function("document.querySelector('firstlight-viewer').state().length === 2")
    viewer.wait_for_state(1, "lossless")
    np.testing.assert_array_equal(viewer.stored_pixels(1), pixels[1])


def test_an_empty_viewer_asks_for_files(viewer_dist, page, tmp_path):
    with RecordingServer(tmp_path, viewer_dist) as server:
        page.goto(f"{server.url}/?src=local:")
        wait_for_text(page, ".drop", "Drop DICOM files or folders here")
        stacked(tmp_path, 1)
        choose(page, tmp_path / "0.dcm", button="firstlight-viewer .drop button >> nth=0")
        page.wait_for_function("document.querySelector('firstlight-viewer').state().length === 1")


def test_overlays_are_switched_with_a_key(local, shared_data, page):
    viewer, _ = local
    choose(page, shared_data / "dicom" / "examples_overlay.dcm")
    viewer.wait_for("complete")
    coloured = f"""() => {{
      const canvas = {SHOWN}.querySelector('canvas');
      const {{ data }} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
      return data.some((value, i) => i % 4 === 0 && value !== data[i + 2]);
    }}"""
    page.wait_for_function(coloured)
    page.keyboard.press("o")
    page.wait_for_function(f"!({coloured})()")
    dataset = pydicom.dcmread(shared_data / "dicom" / "examples_overlay.dcm")
    np.testing.assert_array_equal(viewer.stored_pixels(0), dataset.pixel_array)


def test_what_was_lossy_at_its_source_is_not_called_lossless(local, page):
    viewer, folder = local
    path = folder / "1.dcm"
    dataset = write_image(
        path, smooth_noise(64, 64, seed=1, bits=12), series="x", number=0, bits=12
    )
    dataset.LossyImageCompression = "01"
    dataset.save_as(path, enforce_file_format=True)
    choose(page, path)
    viewer.wait_for("complete")
    wait_for_text(page, ".mark", "Final · lossy (source)")
    assert viewer.state()[0]["status"] == "lossless"


@pytest.mark.parametrize("photometric", ["ARGB", "PALETTE COLOR"])
def test_an_image_that_cannot_be_shown_says_why(local, page, photometric):
    viewer, folder = local
    path = folder / "1.dcm"
    dataset = write_image(path, smooth_noise(64, 64, seed=1, bits=8), series="x", number=0, bits=8)
    dataset.PhotometricInterpretation = photometric
    dataset.save_as(path, enforce_file_format=True)
    choose(page, path)
    wait_for_text(page, ".failure", photometric)
    assert "Lossless" not in text_of(page, ".mark")
    assert viewer.messages == []
