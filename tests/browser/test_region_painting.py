"""A window of a finer level, drawn over the whole picture, as if all of its level were here."""

from __future__ import annotations

import numpy as np
import pytest

from browser.viewport_page import draw, frame_of, noise, record_of

pytestmark = pytest.mark.browser

ROWS, COLUMNS, LEVELS = 203, 310, 4
SCREEN = (310, 203)


def level_of(full: np.ndarray, below: int, seed: int) -> np.ndarray:
    """Any picture of the size of a level."""
    rows, columns = -(-full.shape[0] >> below), -(-full.shape[1] >> below)
    return noise(full.dtype.name, (rows, columns, *full.shape[2:]), seed=seed)


def region_of(level: np.ndarray, below: int, box: tuple[int, int, int, int]) -> dict:
    left, top, right, bottom = box
    crop = np.ascontiguousarray(level[top:bottom, left:right])
    return {**frame_of(crop, LEVELS - below, LEVELS), "left": left, "top": top}


def drawn_area(box: tuple[int, int, int, int], below: int, scale: float) -> np.ndarray:
    """The pixels of a canvas with the image in its middle that show a window, but its outermost."""
    size = 2**below
    rows, columns = -(-ROWS >> below), -(-COLUMNS >> below)
    left, top, right, bottom = box
    x, y = (np.arange(SCREEN[0]) + 0.5), (np.arange(SCREEN[1]) + 0.5)
    # image coordinates of each pixel's middle, about the centre of the image
    x = (x - SCREEN[0] / 2) / scale + COLUMNS / 2
    y = (y - SCREEN[1] / 2) / scale + ROWS / 2

    def inside(at: np.ndarray, start: int, stop: int, end: int) -> np.ndarray:
        low = -np.inf if start == 0 else start * size + 0.5 + 1 / scale
        high = np.inf if stop == end else (stop - 1) * size + 0.5 - 1 / scale
        return (at > low) & (at < high)

    return inside(y, top, bottom, rows)[:, None] & inside(x, left, right, columns)[None, :]


@pytest.mark.parametrize("mapper", ["canvas2d", "webgl2"])
@pytest.mark.parametrize(
    ("below", "box"),
    [
        (0, (60, 50, 200, 130)),
        (0, (0, 0, 150, 101)),
        (1, (31, 20, 120, 90)),
        (1, (100, 51, 155, 102)),
        (2, (0, 10, 78, 40)),
    ],
)
def test_a_window_is_drawn_as_all_of_its_level_would_be(viewport_page, mapper, below, box):
    full = np.zeros((ROWS, COLUMNS), np.uint16)
    record = record_of(full, windows=[{"center": 32768, "width": 65536}])
    whole, level = level_of(full, 3, 1), level_of(full, below, 2)
    for scale in (1, 1.7, 0.6):
        wishes = {"record": record, "wishes": [["scale", scale]]}
        coarse = {**wishes, "frame": frame_of(whole, LEVELS - 3, LEVELS)}
        windowed = {**coarse, "regions": [region_of(level, below, box)]}
        fine = {**wishes, "frame": frame_of(level, LEVELS - below, LEVELS)}
        given = [coarse, windowed, fine, windowed]
        [without, with_window, all_of_it, again], _ = draw(viewport_page, mapper, SCREEN, given)
        area = drawn_area(box, below, scale)
        assert area.sum() > 500
        assert not np.array_equal(without[area], all_of_it[area])
        np.testing.assert_array_equal(with_window[area], all_of_it[area])
        # and where it ends, what is under it is as it was
        outside = ~widened(box, below, scale)
        np.testing.assert_array_equal(with_window[outside], without[outside])
        np.testing.assert_array_equal(again, with_window)


def widened(box: tuple[int, int, int, int], below: int, scale: float) -> np.ndarray:
    """More than the pixels that show a window."""
    rows, columns = -(-ROWS >> below), -(-COLUMNS >> below)
    left, top, right, bottom = box
    wider = max(left - 4, 0), max(top - 4, 0), min(right + 4, columns), min(bottom + 4, rows)
    return drawn_area(wider, below, scale)


def test_colour_and_the_finest_of_several(viewport_page):
    full = np.zeros((ROWS, COLUMNS, 3), np.uint8)
    record = record_of(full)
    whole, middle, fine = (level_of(full, below, seed) for below, seed in ((3, 1), (1, 2), (0, 3)))
    wishes = {"record": record, "wishes": [["scale", 1]]}
    boxes = (20, 20, 140, 90), (100, 80, 200, 150)
    regions = [region_of(middle, 1, boxes[0]), region_of(fine, 0, boxes[1])]
    several = {**wishes, "frame": frame_of(whole, LEVELS - 3, LEVELS), "regions": regions}
    given = [
        several,
        *({**wishes, "frame": frame_of(each, at, LEVELS)} for each, at in ((middle, 3), (fine, 4))),
    ]
    [canvas, by_middle, by_fine], [told, *_] = draw(viewport_page, "canvas2d", SCREEN, given)
    finest = drawn_area(boxes[1], 0, 1)
    np.testing.assert_array_equal(canvas[finest], by_fine[finest])
    rest = drawn_area(boxes[0], 1, 1) & ~drawn_area((98, 78, 202, 152), 0, 1)
    np.testing.assert_array_equal(canvas[rest], by_middle[rest])
    assert told["regionLevel"] is None, "neither has all that is on the screen"


def test_what_is_on_the_screen_is_told(viewport_page):
    full = np.zeros((ROWS, COLUMNS), np.uint16)
    record = record_of(full)
    whole, level = level_of(full, 3, 1), level_of(full, 0, 2)
    frame = frame_of(whole, LEVELS - 3, LEVELS)
    region = region_of(level, 0, (100, 60, 220, 150))
    fitted = {"record": record, "frame": frame, "regions": [region]}
    zoomed = {**fitted, "wishes": [["scale", 4]], "probe": [155, 101]}
    _, [all_of_it, part] = draw(viewport_page, "canvas2d", SCREEN, [fitted, zoomed])
    assert all_of_it["visiblePart"] is None
    assert (all_of_it["regionLevel"], all_of_it["screenLevel"]) == (None, LEVELS)
    left, top, right, bottom = part["visiblePart"]
    assert (right - left) * COLUMNS == pytest.approx(SCREEN[0] / 4)
    assert (bottom - top) * ROWS == pytest.approx(SCREEN[1] / 4)
    assert (left + right) / 2 == pytest.approx(0.5, abs=1 / COLUMNS)
    assert part["regionLevel"] == LEVELS
    probed = part["probed"]
    assert probed["stored"] == [level[probed["row"], probed["column"]]]
    assert probed["reduced"] is False
    assert (probed["resolutionLevel"], probed["decompositionLevels"]) == (LEVELS, LEVELS)


def test_beside_the_window_the_probe_tells_the_coarser_value(viewport_page):
    full = np.zeros((ROWS, COLUMNS), np.uint16)
    whole = level_of(full, 2, 1)
    picture = {
        "record": record_of(full),
        "frame": frame_of(whole, LEVELS - 2, LEVELS),
        "regions": [region_of(level_of(full, 0, 2), 0, (100, 60, 220, 150))],
        "wishes": [["scale", 1]],
        "probe": [40.5, 20.5],
    }
    _, [told] = draw(viewport_page, "canvas2d", SCREEN, [picture])
    assert told["probed"]["stored"] == [whole[5, 10]]
    assert (told["probed"]["reduced"], told["probed"]["resolutionLevel"]) == (True, LEVELS - 2)
