"""The pure parts of the volume, run in node: sampling against NumPy, geometry, what it says."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from unit.test_viewport_pure import RECORD, run

pytestmark = [
    pytest.mark.node,
    pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed"),
]

COLUMNS, ROWS = 21, 17
MODULES = [
    f"volume/{name}.js"
    for name in ("volume", "sample", "slab", "view", "planes", "bands", "outline", "shown", "greys")
] + ["viewport/voi.js"]

BUILD = """
const makeVolume = ({ geometry, slices }) => {
  const volume = new web.Volume(geometry, slices.map(({ record }) => record));
  slices.forEach(({ picture, state }, index) => {
    const held = picture && { ...picture, data: Int16Array.from(picture.data) };
    volume.update(index, held, { frameIndex: index, status: state ?? 'loading' });
  });
  return volume;
};
const numbers = (values) => [...values].map((value) => (value === value ? value : null));
"""


def unit(vector) -> np.ndarray:
    return np.asarray(vector, float) / np.linalg.norm(vector)


def geometry(positions, *, row=(1, 0, 0), column=(0, 1, 0), tilt=(0, 0), gaps=(), **more) -> dict:
    """Slices at ``positions`` mm; ``tilt``: mm along row and column for each mm of normal."""
    row, column = unit(row), unit(column)
    normal = unit(np.cross(row, column))
    spacing = more.pop("spacing", [0.8, 0.5, float(np.median(np.diff(positions)))])
    step = (normal + tilt[0] * row + tilt[1] * column) * spacing[2]
    return {
        "frames": list(range(len(positions))),
        "positions": list(map(float, positions)),
        "origin": [-12.5, 3.25, 40.0],
        "row": row.tolist(),
        "column": column.tolist(),
        "normal": normal.tolist(),
        "step": step.tolist(),
        "spacing": spacing,
        "rows": ROWS,
        "columns": COLUMNS,
        "slices": len(positions),
        "regular": True,
        "gaps": [list(gap) for gap in gaps],
        **more,
    }


def make_slices(count: int, *, levels: list[int | None], seed: int = 0) -> list[dict]:
    """Slices of noise; each at its own number of levels below the full image, None: not held."""
    rng = np.random.default_rng(seed)
    slices = []
    for index, below in enumerate(levels):
        record = {
            **RECORD,
            "rows": ROWS,
            "columns": COLUMNS,
            "rescale_slope": 1 + 0.25 * (index % 3),
            "rescale_intercept": -100 * (index % 2),
        }
        picture = None
        if below is not None:
            shape = (-(-ROWS // 2**below), -(-COLUMNS // 2**below))
            data = rng.integers(-1000, 1000, shape)
            picture = {
                "data": data.ravel().tolist(),
                "rows": shape[0],
                "columns": shape[1],
                "samplesPerPixel": 1,
                "resolutionLevel": 5 - below,
                "decompositionLevels": 5,
            }
        slices.append({"record": record, "picture": picture, "below": below})
    assert len(slices) == count
    return slices


def image_at(one: dict, x: np.ndarray, y: np.ndarray, linear: bool) -> np.ndarray:
    """Modality values of a slice at full-resolution pixel coordinates, the edge repeated."""
    picture = one["picture"]
    data = np.reshape(picture["data"], (picture["rows"], picture["columns"])).astype(float)
    size = 2 ** one["below"]
    u = np.clip(x / size, 0, picture["columns"] - 1)
    v = np.clip(y / size, 0, picture["rows"] - 1)
    if linear:
        left, top = np.floor(u).astype(int), np.floor(v).astype(int)
        right = np.minimum(left + 1, picture["columns"] - 1)
        bottom = np.minimum(top + 1, picture["rows"] - 1)
        a, b = u - left, v - top
        value = (1 - b) * ((1 - a) * data[top, left] + a * data[top, right])
        value += b * ((1 - a) * data[bottom, left] + a * data[bottom, right])
    else:
        value = data[np.floor(v + 0.5).astype(int), np.floor(u + 0.5).astype(int)]
    record = one["record"]
    return value * record["rescale_slope"] + record["rescale_intercept"]


def oracle(given: dict, voxels: np.ndarray, *, linear: bool, replicate: bool) -> np.ndarray:
    """Values at voxel coordinates of shape (..., 3); NaN outside the volume."""
    shape = given["geometry"]
    positions, margin = np.array(shape["positions"]), shape["spacing"][2] / 2
    x, y, t = np.moveaxis(voxels, -1, 0)
    columns, rows = shape["columns"], shape["rows"]
    inside = (x >= -0.5) & (x <= columns - 0.5) & (y >= -0.5) & (y <= rows - 0.5)
    inside &= (t >= -margin) & (t <= positions[-1] + margin)
    held = [i for i, one in enumerate(given["slices"]) if one["picture"]]
    images = np.array([image_at(given["slices"][i], x, y, linear) for i in held])
    places = positions[held]
    after = np.searchsorted(places, t, side="right")
    first = np.clip(after - 1, 0, len(held) - 1)
    second = np.clip(after, 0, len(held) - 1)
    span = places[second] - places[first]
    weight = np.where(span > 0, (t - places[first]) / np.where(span > 0, span, 1), 0.0)
    weight = np.where((after == 0) | (after == len(held)), 0.0, weight)
    far = np.array(held)[second] - np.array(held)[first] > 1
    stepped = (replicate & far) | (not linear)
    weight = np.where(stepped, (weight > 0.5).astype(float), weight)
    pick = lambda index: np.take_along_axis(images, index[None], 0)[0]  # noqa: E731
    values = pick(first) * (1 - weight) + pick(second) * weight
    return np.where(inside, values, np.nan)


def plane_voxels(plane: dict) -> np.ndarray:
    u = np.arange(plane["columns"])[None, :, None]
    v = np.arange(plane["rows"])[:, None, None]
    return np.array(plane["origin"]) + u * np.array(plane["right"]) + v * np.array(plane["down"])


def plane(origin, right, down, columns=40, rows=30) -> dict:
    return {
        "origin": list(origin),
        "right": list(right),
        "down": list(down),
        "columns": columns,
        "rows": rows,
    }


PLANES = {
    "slice": plane((-2, -2, 6.0), (0.6, 0, 0), (0, 0.7, 0)),
    "between slices": plane((-2, -2, 7.1), (0.6, 0, 0), (0, 0.7, 0)),
    "turned in the slice": plane((0, -2, 4.9), (0.5, 0.3, 0), (-0.3, 0.5, 0)),
    "coronal": plane((-1, 8.3, 22.0), (0.6, 0, 0), (0, 0, -0.9)),
    "sagittal": plane((9.7, -1, -2.0), (0, 0.6, 0), (0, 0, 0.9)),
    "sheared upright": plane((-1, 8.3, -2.0), (0.6, 0, 0), (0.1, -0.05, 0.9)),
    "oblique": plane((1.013, 2.007, -1.003), (0.4, 0.1, 0.25), (-0.1, 0.4, 0.2)),
    "oblique backwards": plane((20, 15, 21.0), (-0.4, -0.1, -0.55), (0.1, -0.4, -0.1)),
    "rows along the normal": plane((4.013, 0.007, -3.0), (0, 0, 0.7), (0.2, 0.5, 0)),
    "apart": plane((0, 0, 90.0), (1, 0, 0), (0, 1, 0)),
}
LEVELS = {
    "all at full size": [0] * 8,
    "each its own": [0, 2, None, 1, None, None, 3, 0],
    "one": [None, None, None, 2, None, None, None, None],
    "none at the ends": [None, 1, 0, None, 0, 0, None, None],
}
POSITIONS = (0, 2.5, 5, 7.5, 10, 12.5, 16.25, 21)


@pytest.mark.parametrize("mode", ["linear", "nearest", "replicate"])
@pytest.mark.parametrize("levels", LEVELS)
def test_planes_have_the_values_of_the_reference(levels, mode):
    given = {
        "geometry": geometry(POSITIONS),
        "slices": make_slices(8, levels=LEVELS[levels]),
        "planes": list(PLANES.values()),
        "linear": mode != "nearest",
        "filling": "replicate" if mode == "replicate" else "linear",
    }
    body = (
        BUILD
        + """
const volume = makeVolume(given);
volume.filling = given.filling;
return given.planes.map((plane) => {
  const out = new Float32Array(plane.columns * plane.rows);
  web.samplePlane(volume.field, plane, given.linear, out);
  return numbers(out);
});"""
    )
    answers = run(MODULES, body, given)
    for (name, one), values in zip(PLANES.items(), answers, strict=True):
        found = np.array(values, float).reshape(one["rows"], one["columns"])
        voxels = plane_voxels(one)
        expected = oracle(
            given, voxels, linear=given["linear"], replicate=given["filling"] == "replicate"
        )
        # on the rim, and where one sample ends and the next begins, rounding decides
        settled = ~_near_a_border(given, voxels)
        np.testing.assert_array_equal(np.isnan(found)[settled], np.isnan(expected)[settled], name)
        both = settled & ~np.isnan(expected)
        np.testing.assert_allclose(found[both], expected[both], atol=2e-3, rtol=1e-5, err_msg=name)
        assert name == "apart" or both.mean() > 0.2


def _near_a_border(given: dict, voxels: np.ndarray) -> np.ndarray:
    x, y, t = np.moveaxis(voxels, -1, 0)
    near = np.zeros(x.shape, bool)
    for value, last in ((x, COLUMNS), (y, ROWS)):
        near |= np.minimum(np.abs(value + 0.5), np.abs(value - last + 0.5)) < 1e-6
        if not given["linear"]:
            for below in range(4):
                place = value / 2**below + 0.5
                near |= np.abs(place - np.round(place)) < 1e-6
    positions = np.array(given["geometry"]["positions"])
    held = positions[[one["picture"] is not None for one in given["slices"]]]
    middles = (held[1:] + held[:-1]) / 2
    margin = given["geometry"]["spacing"][2] / 2
    for border in (*middles, -margin, positions[-1] + margin):
        near |= np.abs(t - border) < 1e-6
    return near


@pytest.mark.parametrize("mode", ["mip", "minip", "mean"])
def test_slabs_combine_the_planes_in_them(mode):
    offsets = [[0.1 * i, -0.2 * i, 0.8 * i - 2.0] for i in range(6)]
    given = {
        "geometry": geometry(POSITIONS),
        "slices": make_slices(8, levels=LEVELS["each its own"]),
        "plane": PLANES["oblique"],
        "slab": {"mode": mode, "offsets": offsets},
    }
    body = (
        BUILD
        + """
const out = new Float32Array(given.plane.columns * given.plane.rows);
web.sampleSlab(makeVolume(given).field, given.plane, given.slab, true, out);
return numbers(out);"""
    )
    found = np.array(run(MODULES, body, given), float)
    voxels = plane_voxels(given["plane"])
    layers = np.array(
        [oracle(given, voxels + np.array(o), linear=True, replicate=False) for o in offsets]
    )
    combine = {"mip": np.nanmax, "minip": np.nanmin, "mean": np.nanmean}[mode]
    somewhere = ~np.isnan(layers).all(0)
    assert 0.2 < somewhere.mean() < 1
    expected = np.full(somewhere.shape, np.nan)
    expected[somewhere] = combine(layers[:, somewhere], axis=0)
    np.testing.assert_allclose(found, expected.ravel(), atol=2e-3, rtol=1e-5)


@pytest.mark.parametrize(
    "shape",
    [
        geometry(POSITIONS),
        geometry(POSITIONS, tilt=(0.0, 0.3)),
        geometry(POSITIONS, row=(1, 0.2, 0.1), column=(-0.2, 1, -0.3), tilt=(0.1, -0.2)),
    ],
    ids=["straight", "tilted gantry", "oblique and sheared"],
)
def test_voxels_lie_where_the_standard_puts_them(shape):
    """PS3.3 C.7.6.2.1.1: P = position + row * column spacing * i + column * row spacing * j."""
    voxels = [[0, 0, 0], [3, 5, 7.5], [20, 16, 21], [1.25, -0.5, -1]]
    body = (
        "const grid = new web.Grid(given.geometry);"
        "return given.voxels.map((v) => ({point: grid.toPatient(v), back:"
        " grid.toVoxel(grid.toPatient(v))}));"
    )
    answers = run(["volume/grid.js"], body, {"geometry": shape, "voxels": voxels})
    row, column, step = (np.array(shape[name]) for name in ("row", "column", "step"))
    for (x, y, t), answer in zip(voxels, answers, strict=True):
        corner = np.array(shape["origin"]) + step * t / shape["spacing"][2]
        expected = corner + row * shape["spacing"][1] * x + column * shape["spacing"][0] * y
        np.testing.assert_allclose(answer["point"], expected, atol=1e-9)
        np.testing.assert_allclose(answer["back"], [x, y, t], atol=1e-9)


def test_status_of_every_part_of_the_volume():
    shape = geometry((0, 2, 4, 10, 12), spacing=[1, 1, 2.0], gaps=[(2, 2)])
    body = (
        "const bands = web.bandsOf(given[0], given[1], given[2]);"
        "return {bands, at: given[3].map((t) => web.statusAt(bands, t))};"
    )
    statuses = ["final", "interpolated", "reduced", "failed", "final"]
    places = [-1.5, -0.9, 1.5, 3.5, 5.5, 9.5, 12.9, 13.1]
    answer = run(["volume/bands.js"], body, [shape, statuses, True, places])
    assert [(b["from"], b["to"], b["status"]) for b in answer["bands"]] == [
        (-1, 1, "final"),
        (1, 3, "interpolated"),
        (3, 5, "reduced"),
        (5, 9, "gap"),
        (9, 11, "failed"),
        (11, 13, "final"),
    ]
    assert answer["at"] == [
        *("outside", "final", "interpolated", "reduced", "gap", "failed", "final", "outside")
    ]
    nothing = run(["volume/bands.js"], body, [shape, ["interpolated"] * 5, False, places])
    assert {b["status"] for b in nothing["bands"]} == {"missing"}


def test_a_worse_word_is_never_said_of_a_final_slice():
    """And a lossy picture of full size, or a coarse one, is not final."""
    slices = make_slices(5, levels=[0, 0, 1, None, None])
    slices[1]["picture"]["quality"] = "LOSSY"
    slices[4]["state"] = "failed"
    given = {"geometry": geometry((0, 1, 2, 3, 4)), "slices": slices}
    body = (
        BUILD + "const v = makeVolume(given); return [v.slices.map((s) => s.status), v.counts()];"
    )
    statuses, counts = run(MODULES, body, given)
    assert statuses == ["final", "reduced", "reduced", "interpolated", "failed"]
    assert counts == {"final": 1, "reduced": 2, "interpolated": 1, "failed": 1, "slices": 5}


VIEWED = """
const volume = makeVolume(given);
const { grid } = volume;
const screen = { width: 300, height: 200 };
const plane = web.planeOf(given.orientation, grid.geometry);
const view = web.fit(plane, grid, volume.centre, screen);
"""


@pytest.mark.parametrize(
    ("orientation", "letters"),
    [
        ("axial", "RLAP"),
        ("coronal", "RLHF"),
        ("sagittal", "APHF"),
    ],
)
def test_usual_planes_have_the_usual_letters_and_fit(orientation, letters):
    given = {
        "geometry": geometry(POSITIONS),
        "slices": make_slices(8, levels=[0] * 8),
        "orientation": orientation,
    }
    body = (
        BUILD
        + VIEWED
        + """
const corners = grid.corners.map((corner) => web.toScreen(view, screen, corner));
return { letters: web.edgeLetters(plane), name: web.planeName(plane, grid.geometry), corners,
  back: web.toPatient(view, screen, web.toScreen(view, screen, volume.centre)),
  centre: volume.centre };"""
    )
    answer = run(MODULES, body, given)
    found = answer["letters"]
    assert "".join(found[side] for side in ("left", "right", "top", "bottom")) == letters
    assert answer["name"].lower() == orientation
    np.testing.assert_allclose(answer["back"], answer["centre"], atol=1e-9)
    xs, ys = ([corner[axis] for corner in answer["corners"]] for axis in "xy")
    width, height = max(xs) - min(xs), max(ys) - min(ys)
    assert width == pytest.approx(300) or height == pytest.approx(200)
    assert min(xs) > -1e-6
    assert max(xs) < 300 + 1e-6
    assert min(ys) > -1e-6
    assert max(ys) < 200 + 1e-6


def test_what_is_shown_is_divided_by_status():
    levels = [0, 0, None, None, 1, 1, 0, 0]
    given = {
        "geometry": geometry(range(0, 16, 2), spacing=[1, 1, 2.0]),
        "slices": make_slices(8, levels=levels),
        "orientation": "coronal",
    }
    body = (
        BUILD
        + VIEWED
        + "return [web.qualityShown(volume, view, screen, null),"
        + " web.bandsShown(volume, view, screen, null)];"
    )
    quality, bands = run(MODULES, body, given)
    assert quality == pytest.approx(
        {"final": 0.5, "reduced": 0.25, "interpolated": 0.25, "failed": 0, "gap": 0, "missing": 0},
        abs=1e-6,
    )
    assert [band["status"] for band in bands] == ["interpolated", "reduced"]
    for band in bands:
        # heads are up: slices 2 and 3 below 4 and 5; marks run down both sides, not across
        assert len(band["edges"]) == 2
        for start, stop in band["edges"]:
            assert start["x"] == pytest.approx(stop["x"])
            assert abs(start["y"] - stop["y"]) == pytest.approx(200 / 4)
    assert quality["final"] > 0
    axial = {**given, "orientation": "axial"}
    quality, bands = run(MODULES, body, axial)
    assert quality["interpolated"] == 1
    assert len(bands[0]["edges"]) == 4


def test_a_slab_is_as_good_as_all_that_it_is_made_of():
    levels = [0, 0, 0, None, 0, 0, 0, 0]
    given = {
        "geometry": geometry(range(0, 16, 2), spacing=[1, 1, 2.0]),
        "slices": make_slices(8, levels=levels),
        "orientation": "axial",
        "slab": {"mode": "mip", "thicknessMm": 7},
    }
    body = (
        BUILD
        + VIEWED
        + """
const at = { ...view, centre: web.through(view.centre, plane, volume.pointOn(5, view.centre)) };
const slab = web.slabGrid(at, grid, given.slab);
return [null, slab].map((one) => [web.qualityShown(volume, at, screen, one),
  web.bandsShown(volume, at, screen, one).map(({ status }) => status)]);"""
    )
    thin, thick = run(MODULES, body, given)
    assert (thin[0]["final"], thin[1]) == (1, [])
    # five planes, the first of them at 6.5 mm: in slice 3, from 5 to 7 mm
    assert thick[0]["interpolated"] == pytest.approx(0.2)
    assert thick[1] == ["interpolated"]


def test_only_planes_near_a_slice_are_touched_by_it():
    given = {
        "geometry": geometry(range(0, 20, 2), spacing=[1, 1, 2.0]),
        "slices": make_slices(10, levels=[0, 0, 0, None, 0, 0, 0, 0, 0, 0]),
        "orientation": "axial",
    }
    body = (
        BUILD
        + VIEWED
        + "return volume.slices.map((_, k) => web.touches(volume, view, screen, null, k));"
    )
    touched = run(MODULES, body, given)
    # slice 4 is shown; 3 is not held, so that 2 stands in for it up to half way
    assert [index for index, yes in enumerate(touched) if yes] == [2, 3, 4, 5]
    upright = run(MODULES, body, {**given, "orientation": "sagittal"})
    assert all(upright)


@pytest.mark.parametrize("inverted", [False, True])
@pytest.mark.parametrize(
    "window",
    [
        {"center": 40, "width": 400, "function": "LINEAR"},
        {"center": 40.5, "width": 1, "function": "LINEAR"},
        {"center": -600, "width": 1500, "function": "LINEAR_EXACT"},
        {"center": 100, "width": 300, "function": "SIGMOID"},
        {
            **{"center": 128, "width": 256, "function": "LINEAR_EXACT"},
            "lut": {"first_value": -20, "bits": 12, "entries": [i * i for i in range(64)]},
        },
    ],
)
def test_greys_of_many_values_are_those_of_one(window, inverted):
    values = [-3000, -160.5, -160, -20, 0, 0.25, 39.5, 40, 40.5, 41, 239, 239.5, 240, 3000, 150.3]
    body = """
const out = new Uint32Array(given.values.length);
web.mapGreys(Float32Array.from(given.values), given, out);
const one = (v) => Math.floor(web.applyWindow(Math.fround(v), given.window) + 0.5);
return [[...out].map((p) => p & 255), given.values.map(one)];"""
    given = {"window": window, "inverted": inverted, "values": values}
    found, expected = run(["volume/greys.js", "viewport/voi.js"], body, given)
    np.testing.assert_array_equal(found, [255 - g if inverted else g for g in expected])
    nothing = run(
        ["volume/greys.js"],
        "const out = new Uint32Array(1);"
        "web.mapGreys(Float32Array.of(NaN), given, out); return out[0] & 0xffffff;",
        given,
    )
    assert nothing == 0


@pytest.mark.parametrize("size", [(512, 512), (509, 397), (500, 63)])
@pytest.mark.parametrize("reduction", [1, 2, 8])
@pytest.mark.parametrize("below", [0, 1, 3])
def test_pictures_lie_where_their_samples_lie(size, reduction, below):
    """Levels over even samples, smaller representations over the middle of blocks (`prepare`)."""
    columns, rows = size
    small = [-(-side // reduction) for side in size]
    picture = {
        "columns": -(-small[0] // 2**below),
        "rows": -(-small[1] // 2**below),
        "resolutionLevel": 4 - below,
        "decompositionLevels": 4,
    }
    body = (
        "const place = web.pictureToImage(given[0], given[1]);"
        "return [0, 1, 2].map((i) => web.apply(place, i + 0.5, i + 0.5));"
    )
    given = [picture, {"columns": columns, "rows": rows}]
    for i, point in enumerate(run(["viewport/geometry.js"], body, given)):
        of_block = i * 2**below * reduction + (reduction - 1) / 2
        assert (point["x"], point["y"]) == pytest.approx((of_block + 0.5, of_block + 0.5))


def test_a_thumbnail_of_any_size_covers_the_whole_image():
    picture = {"columns": 100, "rows": 100, "resolutionLevel": 0, "decompositionLevels": 0}
    body = (
        "const place = web.pictureToImage(given[0], given[1]);"
        "return [web.apply(place, 0, 0), web.apply(place, 100, 100)];"
    )
    corners = run(["viewport/geometry.js"], body, [picture, {"columns": 512, "rows": 512}])
    assert corners == [{"x": 0, "y": 0}, {"x": 512, "y": 512}]


@pytest.mark.parametrize("below", [1, 2, 4])
def test_a_probed_value_and_its_place_do_not_move_while_the_image_sharpens(below):
    """On a ramp every low-pass sample has the value of the pixel that it lies over."""
    size = 2**below
    row = list(range(0, 512, size))
    frame = {
        "data": row * len(row),
        "columns": len(row),
        "rows": len(row),
        "samplesPerPixel": 1,
        "resolutionLevel": 5 - below,
        "decompositionLevels": 5,
    }
    body = (
        "const frame = {...given[1], data: Int16Array.from(given[1].data)};"
        "return given[2].map((x) => web.probe(given[0], frame, {x: x + 0.5, y: 200.5}));"
    )
    columns = list(range(3, 480))
    probed = run(["viewport/probe.js"], body, [RECORD, frame, columns])
    assert [one["column"] for one in probed] == columns
    assert {one["row"] for one in probed} == {200}
    off = np.array([one["stored"][0] for one in probed]) - columns
    assert np.abs(off).max() <= size / 2
    assert abs(off.mean()) < 0.6
