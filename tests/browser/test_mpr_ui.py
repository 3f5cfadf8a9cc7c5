"""Layouts with planes of a volume: linked with one another and the stack, and honest."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest

from browser.conftest import ROOT, STACK_FRAMES, Tree, prepare
from browser.dicom_files import smooth_noise, write_image

pytestmark = pytest.mark.browser

SHOWN = "document.querySelector('firstlight-viewer')?.shadowRoot"
PLANES = ("axial", "coronal", "sagittal")


@pytest.fixture
def planes(serve, stack, page):
    """Opens the stack in a layout, and waits until every slice is there."""

    def start(layout: str = "mpr"):
        viewer, server = serve(stack)
        viewer.open("data/firstlight.json", layout=layout)
        viewer.wait_for("volume-first-render")
        viewer.wait_for("complete")
        return viewer, server

    return start


def place(page, plane: str) -> str:
    """Where along its normal a plane says it is: 'index / count'."""
    text = page.evaluate(
        f"{SHOWN}.querySelector('.pane[data-plane={plane}] .corner.bottom.left').innerText"
    )
    return re.match(r"\d+ / \d+", text)[0]


def wait_for_place(page, plane: str, text: str) -> None:
    page.wait_for_function(
        f"([plane, text]) => {SHOWN}.querySelector(`[data-plane=${{plane}}] .corner.bottom.left`)"
        ".innerText.startsWith(text + ' ') ",
        arg=[plane, text],
    )


def wait_for_frame(page, index: int) -> None:
    page.wait_for_function(
        "(index) => document.querySelector('firstlight-viewer').frameIndex === index", arg=index
    )


def box_of(page, plane: str) -> dict:
    return page.locator(f"firstlight-viewer .pane[data-plane={plane}]").bounding_box()


def names(page) -> list[str]:
    return page.evaluate(
        f"[...{SHOWN}.querySelectorAll('.plane-name')].map((name) => name.innerText)"
    )


def wait_for_mark(page, plane: str, text: str) -> None:
    page.wait_for_function(
        f"([plane, text]) => {SHOWN}.querySelector(`.pane[data-plane=${{plane}}] .mark`)"
        ".textContent.includes(text)",
        arg=[plane, text],
    )


def brightness(page, plane: str) -> float:
    """Mean grey of what a plane has drawn."""
    return page.evaluate(
        f"""(plane) => {{
          const canvas = {SHOWN}.querySelector(`.pane[data-plane=${{plane}}] canvas`);
          const {{ width, height }} = canvas;
          const {{ data }} = canvas.getContext('2d').getImageData(0, 0, width, height);
          let sum = 0;
          for (let i = 0; i < data.length; i += 4) sum += data[i];
          return sum / (data.length / 4);
        }}""",
        plane,
    )


LINE_COLOURS = {
    "coronal": "green - Math.max(red, blue) > 40",
    "sagittal": "Math.min(red, green) - blue > 60",
}
"""What tells a pixel of the line in which a plane cuts another from a grey one."""


def wait_for_line(page, plane: str, cut_by: str) -> None:
    page.wait_for_function(
        f"""(plane) => {{
          const canvas = {SHOWN}.querySelector(`.pane[data-plane=${{plane}}] canvas`);
          const {{ width, height }} = canvas;
          const {{ data }} = canvas.getContext('2d').getImageData(0, 0, width, height);
          for (let i = 0; i < data.length; i += 4) {{
            const [red, green, blue] = data.subarray(i, i + 3);
            if ({LINE_COLOURS[cut_by]}) return true;
          }}
          return false;
        }}""",
        arg=plane,
    )


def test_three_planes_are_drawn_and_told(planes, page):
    viewer, _ = planes("mpr")
    [told] = viewer.heard("volume-first-render")
    assert told["slices"] == STACK_FRAMES
    assert told["bytesReceived"] > 0
    assert told["elapsed"] > 0
    assert page.evaluate("performance.getEntriesByName('firstlight:volume-first-render').length")
    assert names(page) == ["Axial", "Coronal", "Sagittal"]
    for plane in PLANES:
        wait_for_mark(page, plane, "Lossless")
        assert brightness(page, plane) > 5
    assert not page.locator("firstlight-viewer .stage").is_visible()
    assert viewer.element("layout") == "mpr"
    assert viewer.messages == []


def test_scrolling_a_plane_moves_the_point_and_the_frame(planes, page):
    viewer, _ = planes()
    box = box_of(page, "axial")
    page.mouse.move(box["x"] + 200, box["y"] + 200)
    before = viewer.element("frameIndex")
    page.mouse.wheel(0, 100)
    wait_for_frame(page, before + 1)
    # the keys act on the plane that was last used
    page.keyboard.press("ArrowUp")
    wait_for_frame(page, before)
    page.keyboard.press("End")
    wait_for_place(page, "axial", f"{STACK_FRAMES} / {STACK_FRAMES}")
    wait_for_frame(page, STACK_FRAMES - 1)
    # and the frame that is asked for moves the plane
    viewer.element("frameIndex = 2")
    wait_for_place(page, "axial", f"3 / {STACK_FRAMES}")
    # a pane that has the focus is the one that keys act on
    page.locator("firstlight-viewer .pane[data-plane=coronal]").focus()
    index, count = (int(part) for part in place(page, "coronal").split(" / "))
    page.keyboard.press("ArrowDown")
    wait_for_place(page, "coronal", f"{index + 1} / {count}")
    assert viewer.element("frameIndex") == 2


def test_a_click_with_the_crosshair_moves_the_other_planes(planes, page):
    viewer, _ = planes()
    assert viewer.element("tool") == "crosshair"
    before = [place(page, plane) for plane in PLANES]
    box = box_of(page, "axial")
    page.mouse.click(box["x"] + box["width"] * 0.35, box["y"] + box["height"] * 0.6)
    page.wait_for_function(
        f"(before) => !{SHOWN}.querySelector('.pane[data-plane=sagittal] .corner.bottom.left')"
        ".innerText.startsWith(before + ' ')",
        arg=before[2],
    )
    assert place(page, "axial") == before[0]
    assert place(page, "coronal") != before[1]


def test_the_window_is_shared_with_the_stack(planes, page):
    viewer, _ = planes("2x2")
    box = box_of(page, "coronal")
    viewer.element("tool = 'window'")
    page.mouse.move(box["x"] + 100, box["y"] + 100)
    page.mouse.down()
    page.mouse.move(box["x"] + 150, box["y"] + 130, steps=4)
    page.mouse.up()
    window = viewer.element("window")
    assert window["width"] > 2000
    # and from the stack to the planes
    grey = brightness(page, "axial")
    viewer.element("window = { center: -5000, width: 100 }")
    page.wait_for_function(
        f"{SHOWN}.querySelector('.pane[data-plane=axial]').innerText.includes('L \u22125000')"
    )
    assert brightness(page, "axial") > grey + 50


def test_slab_keys_choose_projection_and_thickness(planes, page):
    planes()
    label = f"{SHOWN}.querySelector('.pane[data-plane=coronal] .plane-slab').innerText"
    thin = brightness(page, "coronal")
    page.keyboard.press("m")
    page.wait_for_function(f"{label}.includes('MIP 10 mm')")
    mip = brightness(page, "coronal")
    page.keyboard.press("m")
    page.wait_for_function(f"{label}.includes('MinIP 10 mm')")
    assert brightness(page, "coronal") < thin < mip
    page.keyboard.press(".")
    page.wait_for_function(f"{label}.includes('MinIP 20 mm')")
    page.keyboard.press("m")
    page.wait_for_function(f"{label}.includes('Mean 20 mm')")
    page.keyboard.press("m")
    page.wait_for_function(f"{label} === ''")


def test_planes_are_turned_and_put_back(planes, page):
    planes()
    page.keyboard.press("x")
    box = box_of(page, "axial")
    centre = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.move(centre[0] + 120, centre[1])
    page.mouse.down()
    page.mouse.move(centre[0] + 110, centre[1] + 60, steps=5)
    page.mouse.up()
    page.wait_for_function(f"{SHOWN}.querySelectorAll('.pane[data-name=Oblique]').length === 2")
    assert names(page)[0] == "Axial"
    for oblique in LINE_COLOURS:
        wait_for_line(page, "axial", cut_by=oblique)
    page.keyboard.press("r")
    page.wait_for_function(f"{SHOWN}.querySelectorAll('.pane[data-name=Oblique]').length === 0")
    assert names(page) == ["Axial", "Coronal", "Sagittal"]


def test_a_double_click_shows_one_plane_alone(planes, page):
    planes()
    before = box_of(page, "sagittal")["width"]
    page.locator("firstlight-viewer .pane[data-plane=sagittal]").dblclick()
    assert box_of(page, "sagittal")["width"] > 2 * before
    assert not page.locator("firstlight-viewer .pane[data-plane=axial]").is_visible()
    page.locator("firstlight-viewer .pane[data-plane=sagittal]").dblclick()
    assert box_of(page, "sagittal")["width"] == before


def test_the_layout_key_goes_round_and_the_stack_is_where_the_planes_were(planes, page):
    viewer, _ = planes("mpr")
    page.keyboard.press("Home")
    page.keyboard.press("ArrowDown")
    wait_for_frame(page, 1)
    page.keyboard.press("l")
    assert viewer.element("layout") == "2x2"
    assert page.locator("firstlight-viewer .stage").is_visible()
    page.keyboard.press("l")
    assert viewer.element("layout") == "stack"
    page.wait_for_function(f"{SHOWN}.querySelectorAll('.pane').length === 0")
    assert viewer.element("frameIndex") == 1
    assert viewer.element("tool") == "window"


@pytest.fixture(scope="session")
def unplaced(tmp_path_factory) -> Tree:
    """Three images that do not say where they lie."""
    folder = tmp_path_factory.mktemp("unplaced")
    for number in range(3):
        path = folder / "in" / f"{number}.dcm"
        pixels = smooth_noise(64, 64, seed=number, bits=12)
        dataset = write_image(path, pixels, series="unplaced", number=number, bits=12)
        del dataset.ImagePositionPatient
        del dataset.ImageOrientationPatient
        dataset.save_as(path, enforce_file_format=True)
    prepare(folder / "in", folder / "out", "dicomweb")
    return Tree(folder / "out", ())


def test_a_series_without_geometry_stays_a_stack_and_says_why(serve, unplaced, page):
    viewer, _ = serve(unplaced)
    viewer.open("data/firstlight.json", layout="mpr")
    viewer.wait_for("complete")
    page.wait_for_function(f"{SHOWN}.querySelector('.notices').innerText.includes('as a stack')")
    assert page.evaluate(f"{SHOWN}.querySelectorAll('.pane').length") == 0
    assert page.locator("firstlight-viewer .stage").is_visible()
    page.keyboard.press("Escape")
    assert not page.locator("firstlight-viewer .notices").is_visible()


def test_a_slice_that_fails_is_marked_and_can_be_tried_again(serve, stack, page):
    series = stack.descriptor["series"][0]
    failing = 6
    broken = {"on": True}

    def answer(route) -> None:
        if broken["on"]:
            route.fulfill(status=404)
        else:
            route.continue_()

    page.route(f"**/{series['heads']['url']}", lambda route: route.fulfill(status=404))
    page.route(f"**/{series['frames'][failing]['url']}", answer)
    viewer, _ = serve(stack)
    viewer.open("data/firstlight.json", layout="mpr")
    viewer.wait_for("complete")
    wait_for_mark(page, "coronal", "failed")
    page.wait_for_function(
        f"{SHOWN}.querySelector('.notices').innerText.includes('Slice {failing + 1} ')"
    )
    assert "without heads" in page.evaluate(f"{SHOWN}.querySelector('.notices').innerText")
    broken["on"] = False
    page.click("firstlight-viewer .notices .act")
    for plane in PLANES:
        wait_for_mark(page, plane, "Lossless")
    np.testing.assert_array_equal(viewer.stored_pixels(failing), stack.pixels[failing])
    page.wait_for_function(f"!{SHOWN}.querySelector('.notices').innerText.includes('Slice')")


def test_it_fits_a_narrow_screen(planes, page):
    page.set_viewport_size({"width": 390, "height": 760})
    planes("mpr")
    boxes = [box_of(page, plane) for plane in PLANES]
    assert boxes[0]["width"] > 380
    assert boxes[1]["y"] == boxes[2]["y"] > boxes[0]["y"]
    bar = page.locator("firstlight-viewer .bar").bounding_box()
    assert bar["y"] + bar["height"] <= 760
    overflow = (
        f"{SHOWN}.querySelector('.bar').scrollWidth - {SHOWN}.querySelector('.bar').clientWidth"
    )
    assert page.evaluate(overflow) <= 0


@pytest.fixture(scope="session")
def thorax(tmp_path_factory, shared_data) -> Tree:
    """A CT of 135 slices."""
    folder = tmp_path_factory.mktemp("thorax")
    prepare(shared_data / "volumes" / "ct-acrin-135", folder, "dicomweb")
    return Tree(folder, ())


class Gate:
    """Holds requests back beyond so many different addresses."""

    def __init__(self, page, pattern: re.Pattern) -> None:
        self._free: set[str] = set()
        self._places = 0
        self._held: list = []
        page.route(pattern, self._answer)

    def _answer(self, route) -> None:
        url = route.request.url
        if url not in self._free and len(self._free) == self._places:
            self._held.append(route)
            return
        self._free.add(url)
        route.continue_()

    def let_through(self, count: int) -> None:
        """As many addresses as this, in the order of asking."""
        self._places = count
        held, self._held = self._held, []
        for route in held:
            self._answer(route)


def test_planes_of_a_ct_while_it_loads(serve, thorax, page):
    """Leaves test-screenshots/mpr-5.png, mpr-30.png and mpr-100.png, which docs/pictures has."""
    frames = thorax.descriptor["series"][0]["frames"]
    total = sum(frame["length"] for frame in frames)
    is_frame = re.compile("|".join(re.escape(frame["url"]) for frame in frames))
    gate = Gate(page, is_frame)
    viewer, _ = serve(thorax)
    viewer.open("data/firstlight.json", layout="mpr")
    final_parts = []
    folder = ROOT / "test-screenshots"
    folder.mkdir(exist_ok=True)
    for percent in (5, 30, 100):
        gate.let_through(math.ceil(len(frames) * percent / 100))
        page.wait_for_function(
            f"""([total, part]) => {{
              const states = document.querySelector('firstlight-viewer')?.state() ?? [];
              const held = states.reduce((sum, {{ heldBytes }}) => sum + heldBytes, 0);
              return {SHOWN}.querySelectorAll('.pane').length === 3 && held >= part * total;
            }}""",
            arg=[total, percent / 100 - 0.001],
        )
        if percent == 100:
            viewer.wait_for("complete")
            wait_for_mark(page, "coronal", "Lossless")
        page.screenshot(path=folder / f"mpr-{percent}.png")
        settled = [one["status"] == "lossless" for one in viewer.state()]
        final_parts.append(sum(settled) / len(settled))
    assert final_parts == sorted(final_parts)
    assert final_parts[0] < 0.5
    assert final_parts[-1] == 1
