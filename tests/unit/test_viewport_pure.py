"""The pure parts of the viewport, run in node: PS3.3 C.11.2 against NumPy, geometry, resampling."""

from __future__ import annotations

import numpy as np
import pytest

from support.web_modules import needs_node, run

pytestmark = [pytest.mark.node, needs_node]

RECORD = {
    "rows": 512,
    "columns": 512,
    "samples_per_pixel": 1,
    "photometric_interpretation": "MONOCHROME2",
    "bits_allocated": 16,
    "bits_stored": 12,
    "pixel_representation": 0,
    "rescale_slope": 1,
    "rescale_intercept": 0,
    "rescale_type": "",
    "windows": [],
    "voi_lut_function": "LINEAR",
    "voi_luts": [],
    "presentation_lut_shape": "",
    "overlays": [],
    "lossy_image_compression": False,
    "pixel_spacing_source": "",
}


def windowed(values: np.ndarray, center: float, width: float, function: str) -> np.ndarray:
    """The pseudo code of PS3.3 C.11.2.1.2 to C.11.2.1.3, written anew."""
    if function == "SIGMOID":
        with np.errstate(over="ignore"):
            return 255 / (1 + np.exp(-4 * (values - center) / width))
    half, shift = ((width - 1) / 2, 0.5) if function == "LINEAR" else (width / 2, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        inside = ((values - (center - shift)) / (2 * half) + 0.5) * 255
    low, high = values <= center - shift - half, values > center - shift + half
    return np.select([low, high], [0.0, 255.0], inside)


def grey_table(record: dict, window: dict, **options: object) -> np.ndarray:
    options = {"bits": 16, "signed": False, "inverted": False, **options}
    body = "return [...web.greyTable(given[0], given[1], given[2])]"
    return np.array(run(["viewport/voi.js"], body, [record, window, options]))


@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
@pytest.mark.parametrize(("center", "width"), [(40, 400), (2048, 4096), (-600, 1500), (100.5, 1)])
def test_every_12_bit_value_has_the_grey_of_the_standard(function, center, width):
    record = {**RECORD, "rescale_slope": 2.0, "rescale_intercept": -1024.0}
    window = {"center": center, "width": width, "function": function}
    table = grey_table(record, window)
    expected = windowed(np.arange(4096) * 2.0 - 1024, center, width, function)
    np.testing.assert_array_equal(table[:4096], np.floor(expected + 0.5))


def test_linear_meets_the_examples_of_the_standard():
    """PS3.3 C.11.2.1.2.1, note 3: c=2048, w=4096 is the identity over 12 bits, scaled."""
    values = [0, 4095, 2047.5]
    body = (
        "return given.map((x) => web.applyWindow(x,"
        " {center: 2048, width: 4096, function: 'LINEAR'}))"
    )
    assert run(["viewport/voi.js"], body, values) == pytest.approx([0, 255, 127.5])


def test_overshoot_is_clamped_to_bits_stored():
    window = {"center": 2048, "width": 4096, "function": "LINEAR_EXACT"}
    table = grey_table({**RECORD, "rescale_slope": -1, "rescale_intercept": 4095}, window)
    assert set(table[4096:]) == {table[4095]}
    signed = grey_table({**RECORD, "pixel_representation": 1}, window, signed=True)
    assert set(signed[0x8000:0xF801]) == {signed[0xF800]}
    assert set(signed[2047:0x8000]) == {signed[2047]}


def test_monochrome1_is_inverted_at_display_and_padding_is_black_in_both():
    window = {"center": 2048, "width": 4096, "function": "LINEAR"}
    plain = grey_table(RECORD, window)
    padded = {**RECORD, "pixel_padding_value": 4000}
    for photometric, inverted in [("MONOCHROME1", False), ("MONOCHROME2", True)]:
        record = {**padded, "photometric_interpretation": photometric}
        table = grey_table(record, window, inverted=inverted)
        assert table[4000] == 0
        others = np.arange(4096) != 4000
        np.testing.assert_array_equal(table[:4096][others], (255 - plain[:4096])[others])
    both = {**RECORD, "photometric_interpretation": "MONOCHROME1"}
    np.testing.assert_array_equal(grey_table(both, window, inverted=True), plain)


def test_signed_8_bit_samples_index_by_bit_pattern():
    record = {**RECORD, "bits_allocated": 8, "bits_stored": 8, "pixel_representation": 1}
    window = {"center": 0, "width": 256, "function": "LINEAR"}
    table = grey_table(record, window, bits=8, signed=True)
    ascending = np.concatenate([table[128:], table[:128]])
    np.testing.assert_array_equal(ascending, np.arange(256))


def test_auto_window_ignores_padding_and_a_few_extremes():
    values = [3000] * 500 + list(range(100, 1100)) + [0] * 3 + [4095] * 3
    record = {**RECORD, "pixel_padding_value": 3000, "rescale_intercept": -1000}
    body = "return web.autoWindow(given[0], new Uint16Array(given[1]))"
    window = run(["viewport/auto-window.js"], body, [record, values])
    low, high = (window["center"] + side * window["width"] / 2 for side in (-1, 1))
    assert -900 <= low < -880
    assert 80 < high <= 99


def test_a_window_of_no_width_is_not_used():
    record = {**RECORD, "windows": [{"center": 0, "width": 0}, {"center": 40, "width": 400}]}
    assert run(["viewport/voi.js"], "return web.usableWindows(given)", record) == [
        {"center": 40, "width": 400}
    ]


def test_fit_shows_everything_and_no_more():
    for columns, rows, aspect, width, height in [
        (512, 512, 1, 1000, 700),
        (100, 2000, 1, 320, 240),
        (256, 120, 2.5, 333, 777),
    ]:
        shape = {"columns": columns, "rows": rows, "aspect": aspect}
        screen = {"width": width, "height": height}
        body = "return web.imageToScreen(web.fit(given[0], given[1]), given[0], given[1])"
        place = run(["viewport/geometry.js"], body, [shape, screen])
        across, down = columns * place["scaleX"], rows * place["scaleY"]
        assert place["scaleY"] / place["scaleX"] == pytest.approx(aspect)
        assert place["offsetX"] == pytest.approx((width - across) / 2)
        assert place["offsetY"] == pytest.approx((height - down) / 2)
        assert max(across / width, down / height) == pytest.approx(1)


def test_zoom_keeps_the_point_under_the_pointer_and_pan_moves_it_along():
    body = """
      const shape = {columns: 640, rows: 480, aspect: 1.5}, screen = {width: 900, height: 700};
      const at = (view, p) => web.apply(web.imageToScreen(view, shape, screen), p.x, p.y);
      let view = web.fit(shape, screen);
      const worst = [];
      for (const [factor, x, y] of given) {
        const point = web.apply(web.inverse(web.imageToScreen(view, shape, screen)), x, y);
        view = web.zoomAbout(view, shape, screen, factor, x, y);
        const held = at(view, point);
        const moved = at(web.pan(view, shape, 3, -2), point);
        worst.push(Math.hypot(held.x - x, held.y - y));
        worst.push(Math.hypot(moved.x - x - 3, moved.y - y + 2));
      }
      return worst"""
    steps = [[1.5, 450, 350], [2, 500, 300], [0.7, 420, 380], [1.1, 460, 340]]
    assert max(run(["viewport/geometry.js"], body, steps)) < 1e-9


def test_the_image_cannot_be_panned_away():
    body = """
      const shape = {columns: 100, rows: 100, aspect: 1};
      return web.pan({scale: 2, x: 50, y: 50}, shape, 1e6, -1e6)"""
    view = run(["viewport/geometry.js"], body)
    assert (view["x"], view["y"]) == (0, 100)


@pytest.mark.parametrize("levels_below", [0, 1, 2, 5])
def test_a_level_lies_where_its_low_pass_samples_do(levels_below):
    """Sample i of a level stands for full sample i * 2^levelsBelow (ISO/IEC 15444-1 annex F)."""
    body = "return [0, 1, 7].map((i) => web.apply(web.levelToImage(given), i + 0.5, i + 0.5))"
    for index, point in zip(
        [0, 1, 7], run(["viewport/geometry.js"], body, levels_below), strict=True
    ):
        assert point["x"] == point["y"] == index * 2**levels_below + 0.5


def test_what_is_left_to_interpolate_is_more_than_half():
    scales = [0.01, 0.1, 1 / 3, 0.34, 0.5, 0.66, 0.99, 1, 1.2, 1.6, 2, 3.4, 6.4]
    body = "return given.map((scale) => web.averaging(scale))"
    for scale, factor in zip(scales, run(["viewport/geometry.js"], body, scales), strict=True):
        assert factor == 1 or 0.5 < scale * factor <= 1 + 1e-9
        assert factor > 1 or scale > 0.5


def test_the_pixels_of_the_screen_that_an_image_covers():
    """Those whose middle lies in it; at least one each way; none beyond the margin."""
    body = """
      const [place, image, screen, margin] = given;
      return web.coveredRegion(place, image, screen, margin)"""

    def covered(offset, scale, size, margin=0):
        place = {"offsetX": offset, "offsetY": 3, "scaleX": scale, "scaleY": 1}
        image, screen = {"columns": size, "rows": 5}, {"width": 100, "height": 80}
        region = run(["viewport/geometry.js"], body, [place, image, screen, margin])
        if region is None:
            return None
        assert (region["y"], region["height"]) == (3, 5)
        return region["x"], region["width"]

    assert covered(0, 0.1, 1000) == (0, 100)
    assert covered(10, 0.5, 33) == (10, 17)
    assert covered(10, 0.001, 33) == (10, 1)
    assert covered(-40, 2, 200) == (0, 100)
    assert covered(-40, 2, 200, margin=16) == (-16, 132)
    assert covered(-400, 2, 200) is None
    assert covered(100, 1, 50) is None


@pytest.mark.parametrize(("kind", "samples"), [("Int16Array", 1), ("Uint8Array", 3)])
@pytest.mark.parametrize("factor", [1, 2, 3])
def test_averages_of_squares(kind, samples, factor):
    rng = np.random.default_rng(factor)
    low = -2000 if kind == "Int16Array" else 0
    image = rng.integers(low, 255, (7, 11, samples))
    body = """
      const [data, factor, samplesPerPixel, kind] = given;
      const source = {data: globalThis[kind].from(data), rows: 7, columns: 11, samplesPerPixel};
      const made = web.averageSquares(source, factor);
      return {...made, data: [...made.data], kind: made.data.constructor.name}"""
    made = run(["viewport/resample.js"], body, [image.ravel().tolist(), factor, samples, kind])
    rows, columns = -(-7 // factor), -(-11 // factor)
    assert (made["rows"], made["columns"], made["kind"]) == (rows, columns, kind)
    expected = [
        image[y * factor : (y + 1) * factor, x * factor : (x + 1) * factor].mean(axis=(0, 1))
        for y in range(rows)
        for x in range(columns)
    ]
    np.testing.assert_array_equal(made["data"], np.floor(np.ravel(expected) + 0.5))


@pytest.mark.parametrize("samples", [1, 3])
@pytest.mark.parametrize(("scale_x", "scale_y"), [(4, 4), (0.6, 0.9), (1, 1.5), (2.37, 0.51)])
def test_interpolation_is_linear_and_repeats_the_edge(scale_x, scale_y, samples):
    rng = np.random.default_rng(5)
    image = rng.integers(-1000, 1000, (6, 9, samples))
    region = {"x": -3, "y": 1, "width": 30, "height": 14}
    place = {"scaleX": scale_x, "scaleY": scale_y, "offsetX": 1.25, "offsetY": -2}
    body = """
      const [data, place, region, samplesPerPixel] = given;
      const source = {data: Int16Array.from(data), rows: 6, columns: 9, samplesPerPixel};
      const made = web.fitToScreen(source, place, region);
      return {...made, data: [...made.data]}"""
    given = [image.ravel().tolist(), place, region, samples]
    made = run(["viewport/resample.js"], body, given)
    assert (made["rows"], made["columns"], made["samplesPerPixel"]) == (14, 30, samples)
    x = (np.arange(30) + region["x"] + 0.5 - place["offsetX"]) / scale_x - 0.5
    y = (np.arange(14) + region["y"] + 0.5 - place["offsetY"]) / scale_y - 0.5
    for sample in range(samples):
        plane = image[..., sample]
        across = np.array([np.interp(x, np.arange(9), row) for row in plane])
        expected = np.array([np.interp(y, np.arange(6), column) for column in across.T]).T
        actual = np.reshape(made["data"], (14, 30, samples))[..., sample]
        assert np.abs(actual - expected).max() <= 0.5 + 1e-3


@pytest.mark.parametrize("kind", ["Int16Array", "Float32Array", "Uint32Array"])
def test_at_one_to_one_interpolation_changes_nothing(kind):
    body = """
      const values = {Int16Array: -32768, Float32Array: 0.1, Uint32Array: 4294967295};
      const data = globalThis[given].from({length: 35}, (_, i) => values[given] + i * (i % 3));
      const source = {data, rows: 5, columns: 7, samplesPerPixel: 1};
      const place = {scaleX: 1, scaleY: 1, offsetX: -40, offsetY: 11};
      const region = {x: -40, y: 11, width: 7, height: 5};
      const made = web.fitToScreen(source, place, region);
      return made.data.every((value, i) => Object.is(value, data[i]))"""
    assert run(["viewport/resample.js"], body, kind) is True


def test_a_constant_image_stays_constant():
    body = """
      const data = new Int16Array(35).fill(-1024);
      const source = {data, rows: 5, columns: 7, samplesPerPixel: 1};
      const place = {scaleX: 3.1, scaleY: 2.9, offsetX: 0, offsetY: 0};
      const larger = web.fitToScreen(source, place, {x: 0, y: 0, width: 24, height: 18}).data;
      return [...new Set([...larger, ...web.averageSquares(source, 3).data])]"""
    assert run(["viewport/resample.js"], body) == [-1024]


@pytest.mark.parametrize(
    ("mm_per_px", "label"), [(0.7, "10 cm"), (0.1, "1 cm"), (0.02, "2 mm"), (0.0001, "10 µm")]
)
def test_scale_bars_are_round_and_fit(mm_per_px, label):
    body = "return web.scaleBar(given, 150)"
    bar = run(["ui/measures.js"], body, mm_per_px)
    assert bar["label"] == label
    assert 150 / 2.5 < bar["lengthPx"] <= 150


@pytest.mark.parametrize(
    ("orientation", "letters"),
    [
        ([1, 0, 0, 0, 1, 0], "R L A P"),  # axial
        ([1, 0, 0, 0, 0, -1], "R L H F"),  # coronal
        ([0, 1, 0, 0, 0, -1], "A P H F"),  # sagittal
        ([0.8, 0.6, 0, 0, 0, -1], "RA LP H F"),
    ],
)
def test_edges_name_the_sides_of_the_patient(orientation, letters):
    body = "return web.edgeLetters(given)"
    edges = run(["ui/measures.js"], body, orientation)
    assert " ".join(edges[side] for side in ("left", "right", "top", "bottom")) == letters


def test_the_mark_says_what_is_drawn_not_what_is_hoped_for():
    frame = {"columns": 190, "rows": 190, "resolutionLevel": 2, "decompositionLevels": 6}
    full = {"columns": 3036, "rows": 3036, "resolutionLevel": 6, "decompositionLevels": 6}
    error = {"type": "ShortBody", "message": "", "resource": None}
    cases = [
        ["waiting", None, None, False, None],
        ["loading", frame, None, False, None],
        ["lossless", frame, None, False, None],  # Python knows of more than is drawn yet
        ["loading", full, None, False, None],
        ["lossless", full, None, False, None],
        ["lossless", full, None, True, None],
        ["complete", full, None, False, None],
        ["complete", full, None, True, None],
        ["failed", frame, error, False, None],
        ["lossless", full, None, False, 11],
    ]
    body = """
      return given.map(([status, frame, error, lossy, waitingFor]) => {
        const record = {columns: 3036, lossy_image_compression: lossy};
        return web.describe({status, error}, record, frame ?? undefined, {waitingFor});
      })"""
    kinds = [(mark["kind"], mark["text"]) for mark in run(["ui/mark.js"], body, cases)]
    assert kinds == [
        ("loading", "Loading"),
        ("loading", "Loading · 190 px of 3036"),
        ("loading", "Loading · 190 px of 3036"),
        ("loading", "Full resolution"),
        ("lossless", "Lossless"),
        ("complete", "Final · lossy (source)"),
        ("complete", "Final · lossy"),
        ("complete", "Final · lossy"),
        ("failed", "Failed: ShortBody"),
        ("waiting", "Waiting for frame 12"),
    ]


def test_up_to_eight_bits_are_shown_as_they_are():
    body = "return web.autoWindow(given, Uint8Array.from([7, 7, 7, 9]))"
    for bits, width in [(8, 255), (1, 1)]:
        record = {**RECORD, "bits_allocated": 8, "bits_stored": bits}
        window = run(["viewport/auto-window.js"], body, record)
        assert window == {"center": width / 2, "width": width, "function": "LINEAR_EXACT"}


def test_an_automatic_window_of_nothing_but_padding_can_be_drawn():
    record = {**RECORD, "pixel_padding_value": 5}
    body = "return web.autoWindow(given, Uint16Array.from([5, 5, 5, 5]))"
    assert run(["viewport/auto-window.js"], body, record)["width"] > 0


@pytest.mark.parametrize(
    ("photometric", "samples", "expected"),
    [
        ("MONOCHROME1", 1, {"model": "grey"}),
        ("", 1, {"model": "grey"}),
        ("RGB", 1, {"model": "grey"}),
        ("MONOCHROME2", 3, {"model": "rgb"}),
        ("YBR_RCT", 3, {"model": "rgb"}),
        ("YBR_FULL_422", 3, {"model": "ybr_full"}),
        ("YBR_PARTIAL_420", 3, {"model": "ybr_partial"}),
        ("RGB", 4, {"refusal": "4 samples a pixel are not shown"}),
        ("ARGB", 3, {"refusal": "Photometric Interpretation ARGB is retired and not shown"}),
    ],
)
def test_how_samples_are_read(photometric, samples, expected):
    record = {**RECORD, "photometric_interpretation": photometric}
    body = "return web.readingOf(given[0], given[1])"
    assert run(["viewport/colour.js"], body, [record, samples]) == expected


def test_broken_tables_of_a_descriptor_are_left_out():
    image = {
        "rows": 1,
        "columns": 1,
        "modality_lut": {"first_value": 0, "bits": 8, "data": "%%%"},
        "palette_color": {"first_value": 0, "data": ""},
        "voi_luts": [
            {"first_value": 3, "bits": 12, "data": "AQACAA=="},
            {"first_value": 0, "bits": 8, "data": "x"},
        ],
    }
    body = """
      const [image] = web.withDefaults({frames: [given]}).frames;
      const luts = image.voi_luts.map(({entries, ...lut}) => ({...lut, entries: [...entries]}));
      return [image.modality_lut ?? null, image.palette_color ?? null, luts]"""
    assert run(["engine/records.js"], body, image) == [
        None,
        None,
        [{"first_value": 3, "bits": 12, "entries": [1, 2]}],
    ]


def test_the_same_table_is_read_once_for_a_series():
    image = {"rows": 1, "columns": 1, "voi_luts": [{"first_value": 0, "bits": 8, "data": "AQI="}]}
    body = """
      const {frames} = web.withDefaults({frames: [given, structuredClone(given)]});
      return frames[0].voi_luts[0].entries === frames[1].voi_luts[0].entries"""
    assert run(["engine/records.js"], body, image) is True


@pytest.mark.parametrize(
    ("record", "modality", "probed", "text"),
    [
        ({"rescale_type": "HU"}, "CT", {"stored": [979], "modality": -45}, "\u221245 HU"),
        ({}, "CT", {"stored": [979], "modality": -45.123456}, "\u221245.123 HU"),
        ({"rescale_type": "US"}, "MR", {"stored": [979], "modality": 5}, "5"),
        ({}, "MR", {"stored": [979], "modality": 5, "reduced": True}, "≈ 5"),
        ({}, "MR", {"stored": [979], "modality": None}, "979"),
        (
            {"photometric_interpretation": "YBR_FULL"},
            "US",
            {"stored": [1, 2, 3], "modality": None},
            "Y 1  Cb 2  Cr 3",
        ),
        (
            {"photometric_interpretation": "PALETTE COLOR"},
            "US",
            {"stored": [8], "modality": None},
            "index 8",
        ),
    ],
)
def test_what_the_probe_says(record, modality, probed, text):
    body = "return web.probedText(given[0], given[1], given[2])"
    given = [{"reduced": False, **probed}, {**RECORD, **record}, modality]
    answer = run(["ui/probe.js"], body, given)
    assert answer["value"] == text
    assert answer["stored"] == ("stored 979" if probed["modality"] is not None else "")


def test_voi_luts_come_first_among_the_presets_and_are_told_apart():
    luts = [
        {"first_value": 0, "bits": 8, "data": "AQI=", "explanation": "SOFT"},
        {"first_value": 0, "bits": 8, "data": "AgM="},
    ]
    given = {"rows": 1, "columns": 1, "voi_luts": luts, "windows": [{"center": 1, "width": 2}]}
    body = """
      const [image] = web.withDefaults({frames: [given]}).frames;
      const presets = web.presetsOf(image, 'MR');
      const like = [{...presets[1]}, {center: 1, width: 2}].map((w) => web.presetLike(presets, w));
      return [presets.map(({label}) => label), like.map(({label}) => label)]"""
    labels, like = run(["engine/records.js", "ui/presets.js"], body, given)
    assert labels == ["SOFT", "VOI LUT 2", "from image"]
    assert like == ["VOI LUT 2", "from image"]
