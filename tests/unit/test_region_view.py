"""Windows of vast images: which pixels, which bytes, what the page keeps of them and says."""

from __future__ import annotations

import math
import random

import pytest

from firstlight.dicom.attributes import ImageAttributes
from firstlight.j2k.region import Box
from firstlight.loader.region_bytes import MAX_GAP_BYTES, RegionBytes
from firstlight.loader.region_view import (
    WHOLE_IMAGE,
    View,
    box_at,
    contains,
    grown,
    level_shown,
    lowered,
    vast_levels_below,
    view_of,
)
from firstlight.ranges import ByteRange
from firstlight.schedule.capacity import WHOLE_SAMPLES
from support.web_modules import needs_node, run

VAST = ImageAttributes(rows=20_000, columns=20_000)


# -- which level, which pixels --------------------------------------------------------------------


def test_vast_is_more_than_the_limit_and_its_whole_level_a_quarter_of_it_at_most():
    assert vast_levels_below(ImageAttributes(rows=6000, columns=6000), WHOLE_SAMPLES) == 0
    assert vast_levels_below(ImageAttributes(rows=6000, columns=6001), WHOLE_SAMPLES) == 2
    colour = ImageAttributes(rows=4000, columns=4000, samples_per_pixel=3)
    assert vast_levels_below(colour, WHOLE_SAMPLES) == 2
    assert vast_levels_below(VAST, WHOLE_SAMPLES) == 3  # 2500 x 2500


@pytest.mark.node
@needs_node
def test_the_page_begins_with_the_same_whole_level():
    """What Python would stop at the prelude must not have asked for."""
    numbers = random.Random(3)
    images = [
        {
            "rows": numbers.randint(1, 30_000),
            "columns": numbers.randint(1, 30_000),
            "samplesPerPixel": numbers.choice((1, 3)),
            "levels": numbers.randint(1, 10),
            "limit": numbers.choice((1000, 2_000_000, None)),
        }
        for _ in range(300)
    ]
    body = """return given.map(({ levels, limit, ...image }) =>
        web.wholeLevel(image, levels, limit ?? undefined));"""
    found = run("engine/descriptor.js", body, images)
    for image, level in zip(images, found, strict=True):
        attributes = ImageAttributes(
            rows=image["rows"], columns=image["columns"], samples_per_pixel=image["samplesPerPixel"]
        )
        below = vast_levels_below(attributes, image["limit"] or WHOLE_SAMPLES)
        assert level == max(0, image["levels"] - 1 - below)


@pytest.mark.parametrize(
    ("side_px", "level"), [(20_000, 9), (10_001, 9), (10_000, 8), (2500, 6), (2501, 7), (1, 0)]
)
def test_the_level_is_the_smallest_that_fills_the_screen(side_px, level):
    assert level_shown(VAST, 9, side_px) == level


@pytest.mark.node
@needs_node
def test_the_page_knows_the_level_of_the_screen_too():
    body = """return given.map((scale) => web.screenLevel({ columns: 20000, rows: 15000 },
        { scaleX: scale, scaleY: scale, offsetX: 0, offsetY: 0 }, 9));"""
    scales = [1.5, 1, 0.51, 0.5, 0.26, 0.125, 0.01]
    image = ImageAttributes(rows=15_000, columns=20_000)
    expected = [level_shown(image, 9, math.ceil(20_000 * scale)) for scale in scales]
    assert run("viewport/region-geometry.js", body, scales) == expected


@pytest.mark.node
@needs_node
@pytest.mark.parametrize(
    ("offset", "scale", "part"),
    [
        ((0, 0), 0.1, None),
        ((-0.4, 3), 0.1004, None),
        ((-500, -400), 1, (0.5, 0.4, 0.6, 0.48)),
        ((50, -500), 1, (0, 0.5, 0.05, 0.58)),
        ((200, 0), 1, None),
    ],
)
def test_what_is_on_the_screen_of_an_image(offset, scale, part):
    body = """const [x, y, scale] = given;
      const place = { offsetX: x, offsetY: y, scaleX: scale, scaleY: scale };
      return web.visiblePart({ columns: 1000, rows: 1000 }, place, { width: 100, height: 80 });"""
    # 1000 px on 100 x 80: at a tenth, 80 of its 100 rows of pixels show
    if scale < 1:
        body = body.replace("height: 80", "height: 104")
    found = run("viewport/region-geometry.js", body, [*offset, scale])
    assert found == (None if part is None else pytest.approx(part))


def test_a_window_is_whole_pixels_and_never_none():
    assert box_at(VAST, 0, (0.1, 0.25, 0.2, 0.5)) == Box(2000, 5000, 4000, 10_000)
    assert box_at(VAST, 3, WHOLE_IMAGE) == Box(0, 0, 2500, 2500)
    assert box_at(VAST, 0, (0.99999, 0.5, 1.0, 0.500001)) == Box(19_999, 10_000, 20_000, 10_001)
    assert box_at(VAST, 9, (1.0, 1.0, 1.0, 1.0)) == Box(39, 39, 40, 40)
    assert box_at(VAST, 9, (-0.5, 0.0, 7.0, 0.0)) == Box(0, 0, 40, 1)


def test_a_window_that_is_too_large_is_had_at_a_lower_level():
    seen = view_of(VAST, 9, (0, WHOLE_IMAGE, 20_000), 36_000_000)
    assert (seen.level, seen.box) == (7, Box(0, 0, 5000, 5000))
    assert view_of(VAST, 9, (0, (0.0, 0.0, 0.1, 0.1), 20_000), 36_000_000).level == 9
    assert view_of(VAST, 9, (0, WHOLE_IMAGE, 20_000), 1).level == 0


def test_margins_end_where_the_image_ends():
    assert grown(Box(0, 100, 1600, 19_900), VAST, 0) == Box(0, 0, 1700, 20_000)
    assert grown(Box(5000, 5000, 5001, 5001), VAST, 0) == Box(4968, 4968, 5033, 5033)
    assert grown(Box(0, 0, 2500, 2500), VAST, 3) == Box(0, 0, 2500, 2500)


def test_what_is_shown_already_is_not_wanted_again():
    held = View(0, 8, Box(1000, 1000, 3000, 3000))
    assert contains(held, View(0, 8, Box(1000, 1200, 3000, 2000)))
    assert contains(held, View(0, 7, Box(500, 500, 1500, 1500)))
    assert not contains(held, View(0, 9, Box(2500, 2500, 2600, 2600)))
    assert not contains(held, View(0, 8, Box(999, 1200, 2000, 2000)))
    assert not contains(held, View(0, 7, Box(500, 500, 1501, 1500)))
    assert not contains(held, View(1, 8, Box(1000, 1200, 3000, 2000)))
    assert lowered(Box(3, 5, 8, 9), 1) == Box(1, 2, 4, 5)


# -- which bytes ----------------------------------------------------------------------------------


def test_ranges_near_each_other_are_one_request_unless_what_is_between_is_held():
    held = RegionBytes()
    runs = [ByteRange(0, 100), ByteRange(1000, 2000), ByteRange(900_000, 900_100)]
    assert held.missing(runs) == [ByteRange(0, 2000), ByteRange(900_000, 900_100)]
    held.begin(1, ByteRange(500, 600))
    assert held.missing(runs)[:2] == [ByteRange(0, 100), ByteRange(1000, 2000)]
    far = 2000 + MAX_GAP_BYTES
    assert held.missing([ByteRange(0, 2000), ByteRange(far, far + 1)])[-1].start == 600
    assert len(held.missing([ByteRange(1000, 2000), ByteRange(far + 1, far + 2)])) == 2


def test_a_cancelled_request_counts_for_what_it_brought():
    held = RegionBytes()
    held.begin(1, ByteRange(0, 1000))
    assert held.missing([ByteRange(0, 1000)]) == []
    stretch = held.get(1)
    assert stretch is not None
    stretch.runs, stretch.held_stop = False, 400
    assert held.missing([ByteRange(0, 1000)]) == [ByteRange(400, 1000)]
    with pytest.raises(LookupError, match="400"):
        held.pieces(ByteRange(0, 1000))
    (piece,) = held.pieces(ByteRange(100, 400))
    assert (piece.segment, piece.extent) == (1, ByteRange(100, 400))


def test_any_windows_are_covered_and_nothing_is_asked_for_twice():
    numbers = random.Random(11)
    for _ in range(40):
        held, asked, segment = RegionBytes(), bytearray(400), 0
        for _ in range(12):
            starts = sorted(numbers.sample(range(390), 4))
            runs = [ByteRange(start, start + numbers.randint(1, 10)) for start in starts]
            for extent in held.missing(runs):
                assert extent.stop is not None
                assert not any(asked[extent.start : extent.stop])
                asked[extent.start : extent.stop] = b"\x01" * (extent.stop - extent.start)
                segment += 1
                held.begin(segment, extent)
            for stretch in held.running():
                stretch.runs, stretch.held_stop = False, stretch.asked_stop
            for each in runs:
                pieces = held.pieces(each)
                ends = [piece.extent.stop for piece in pieces]
                assert [piece.extent.start for piece in pieces] == [each.start, *ends[:-1]]
                assert ends[-1] == each.stop


# -- what the page keeps --------------------------------------------------------------------------

PUT = """
  const store = new web.RegionStore();
  for (const [frameIndex, level, left, top, columns, rows] of given) {
    const data = new Uint16Array(columns * rows);
    const size = { columns, rows, samplesPerPixel: 1 };
    const picture = { data, ...size, resolutionLevel: level, decompositionLevels: 9 };
    store.put(frameIndex, picture, [left, top, left + columns, top + rows]);
  }
  const kept = (index) => store.of(index).map((one) => [one.resolutionLevel, one.left, one.top]);
  const before = { first: kept(0), second: kept(1), bytes: store.bytes };
  store.delete(0);
  return { ...before, after: kept(0), same: store.of(0) === store.of(5) };
"""


@pytest.mark.node
@needs_node
def test_windows_are_kept_until_a_better_one_shows_the_same():
    kept = run("engine/regions.js", PUT, [[0, 7, 10, 10, 20, 20], [0, 8, 20, 20, 40, 40]])
    assert kept["first"] == [[8, 20, 20]], "the finer one shows all of the coarser"
    kept = run("engine/regions.js", PUT, [[0, 8, 20, 20, 40, 40], [0, 7, 0, 0, 90, 90]])
    assert kept["first"] == [[7, 0, 0], [8, 20, 20]], "a coarser one lies below"
    assert kept["bytes"] == 2 * (90 * 90 + 40 * 40)
    assert kept["after"] == []
    assert kept["same"]
    many = [[0, 9, 100 * n, 0, 50, 50] for n in range(6)]
    assert run("engine/regions.js", PUT, many)["first"] == [[9, 100 * n, 0] for n in (3, 4, 5)]
    other = run("engine/regions.js", PUT, [[0, 9, 0, 0, 50, 50], [1, 9, 0, 0, 50, 50]])
    assert (other["first"], other["second"]) == ([], [[9, 0, 0]])


def mark(options: dict, **state: object) -> tuple[str, str]:
    record = {"rows": 20_000, "columns": 20_000, "lossy_image_compression": False}
    frame = {"rows": 2500, "columns": 2500, "resolutionLevel": 6, "decompositionLevels": 9}
    now = {"frameIndex": 0, "status": "configured", "error": None, "wholeLevel": 6, **state}
    body = "return web.describe(given[0], given[1], given[2], given[3]);"
    said = run("ui/mark.js", body, [now, record, frame, options])
    return said["kind"], f"{said['text']} | {said['detail']}".removesuffix(" | ")


@pytest.mark.node
@needs_node
def test_the_mark_says_how_good_the_window_is():
    whole = {"screenLevel": 5, "reversible": True}
    assert mark(whole) == ("complete", "Level 6 of 9")
    part = {**whole, "isPart": True, "screenLevel": 9}
    assert mark(part) == ("loading", "Loading this window | level 6 of 9")
    coarser = {**part, "region": {"resolutionLevel": 8}}
    assert mark(coarser) == ("loading", "Loading this window | level 8 of 9")
    assert mark({**coarser, "screenLevel": 8}) == ("complete", "Level 8 of 9 in this window")
    finest = {**part, "region": {"resolutionLevel": 9}}
    assert mark(finest) == ("lossless", "Lossless in this window")
    assert mark({**finest, "reversible": False}) == ("complete", "Final, lossy, in this window")
    error = {"type": "DecodeError"}
    failed = ("failed", "Level 8 of 9 | this window has failed: DecodeError")
    assert mark(coarser, regionError=error) == failed
    # where the whole level is still loading, that is what is said
    assert mark(part, status="loading") == ("loading", "Loading · 2500 px of 20000 | level 6/9")
