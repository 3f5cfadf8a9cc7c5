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

SHOWN = "document.querySelector('firstlight-viewer')?.shadowRoot"


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
    series = stack.descriptor["series"][0]
    url = series["frames"][late]["url"]
    held_back = []
    # with its head something of the frame would be there to show
    page.route(f"**/{series['heads']['url']}", lambda route: route.fulfill(status=404))

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
    page.wait_for_function(f"document.querySelector('firstlight-viewer').frameIndex > {late}")
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


def test_a_frame_that_is_held_is_drawn_in_the_next_animation_frame(serve, stack, page):
    viewer, _ = serve(stack)
    viewer.open("data/firstlight.json")
    viewer.wait_for("complete")
    drawn = page.evaluate(
        f"""async () => {{
          const viewer = document.querySelector('firstlight-viewer');
          const found = [];
          for (let index = 1; index < {STACK_FRAMES}; index += 1) {{
            heard.length = 0;
            viewer.frameIndex = index;
            // asked for after the viewer did: called in the same frame, after its draw
            await new Promise(requestAnimationFrame);
            const told = heard.find(([name]) => name === 'frame-render');
            const corner = viewer.shadowRoot.querySelector('.corner.bottom.left').innerText;
            found.push([told?.[1].frameIndex, corner.split(' ')[0]]);
          }}
          return found;
        }}"""
    )
    assert drawn == [[index, str(index + 1)] for index in range(1, STACK_FRAMES)]


LOSSLESS = [0x74, 0xAB, 0x8F]
FAILED = [0xDD, 0x7A, 0x5C]
EMPTY = [0x1D, 0x1F, 0x22]


def bars(page, count: int, part: float) -> list[list[int]]:
    """Colours in the middle of each bar of the map, at a part of its height from the top."""
    return page.evaluate(
        f"""([count, part]) => {{
          const canvas = {SHOWN}.querySelector('.strip canvas');
          const lane = Math.round(9 * devicePixelRatio);
          const y = Math.round((canvas.height - lane) / 2) + Math.floor(lane * part);
          const context = canvas.getContext('2d');
          return Array.from({{ length: count }}, (_, index) => {{
            const x = Math.floor(((index + 0.5) / count) * canvas.width);
            return [...context.getImageData(x, y, 1, 1).data.slice(0, 3)];
          }});
        }}""",
        [count, part],
    )


def test_the_map_shows_every_frame_and_a_click_goes_there(serve, stack, page):
    failing = 4
    series = stack.descriptor["series"][0]
    page.route(f"**/{series['heads']['url']}", lambda route: route.fulfill(status=404))
    url = series["frames"][failing]["url"]
    page.route(f"**/{url}", lambda route: route.fulfill(status=404))
    viewer, _ = serve(stack)
    viewer.open("data/firstlight.json")
    viewer.wait_for("complete")
    page.evaluate("new Promise(requestAnimationFrame)")
    upper, lower = bars(page, STACK_FRAMES, 0.2), bars(page, STACK_FRAMES, 0.8)
    for index in range(STACK_FRAMES):
        failed = index == failing
        assert upper[index] == (FAILED if failed else LOSSLESS)
        assert lower[index] == (EMPTY if failed else LOSSLESS)
    box = page.locator("firstlight-viewer .strip").bounding_box()
    width = box["width"] / STACK_FRAMES
    for index in (STACK_FRAMES - 1, 0, 7):
        # near either edge of the bar: what is pointed at is what is shown
        for x in (index * width + 2, (index + 1) * width - 3):
            page.mouse.click(box["x"] + x, box["y"] + 8)
            assert viewer.element("frameIndex") == index


def test_a_neighbour_that_stands_in_is_named(serve, stack, page):
    late = 1
    url = stack.descriptor["series"][0]["frames"][late]["url"]
    gate = {"open": False, "held": []}

    def hold_back(route) -> None:
        if gate["open"]:
            route.continue_()
        else:
            gate["held"].append(route)

    page.route(f"**/{url}", hold_back)
    viewer, _ = serve(stack)
    viewer.open("data/firstlight.json", configuration="interleaved")
    viewer.wait_for("first-render")
    viewer.element(f"frameIndex = {late}")
    wait_for_text(page, ".mark", f"{late + 1} is loading")
    assert re.search(r"Slice (\d+) shown", text_of(page, ".mark"))
    assert "showing" in text_of(page, ".corner.bottom.left")
    assert page.evaluate(f"{SHOWN}.querySelector('.stage').classList.contains('replica')")
    gate["open"] = True
    for route in gate["held"]:
        route.continue_()
    wait_for_text(page, ".mark", "Lossless")
    assert not page.evaluate(f"{SHOWN}.querySelector('.stage').classList.contains('replica')")
    np.testing.assert_array_equal(viewer.stored_pixels(late), stack.pixels[late])


def test_a_frame_that_is_tried_again_says_so(serve, stack, page):
    series = stack.descriptor["series"][0]
    busy = {"on": True}

    def answer(route) -> None:
        if busy["on"]:
            # so that it is tried again for long enough to be seen by a page that gets little time
            route.fulfill(status=503, headers={"Retry-After": "4"})
        else:
            route.continue_()

    page.route(f"**/{series['heads']['url']}", lambda route: route.fulfill(status=404))
    page.route(f"**/{series['frames'][3]['url']}", answer)
    viewer, _ = serve(stack)
    viewer.open("data/firstlight.json", frame="4")
    wait_for_text(page, ".mark", "Trying again")
    busy["on"] = False
    wait_for_text(page, ".mark", "Lossless")
