"""Planes of a volume in the browser: on the GPU as on the CPU, while it loads, and after."""

from __future__ import annotations

import base64

import imagecodecs
import numpy as np
import pytest

from browser.viewport_page import frame_of
from unit.test_viewport_pure import RECORD
from unit.test_volume_pure import geometry, oracle

pytestmark = pytest.mark.browser

COLUMNS, ROWS, SLICES = 61, 47, 14
SIZE = (150, 130)
ORIENTATIONS = ("axial", "coronal", "sagittal")


@pytest.fixture(scope="module")
def kept_page(shared_context):
    page = shared_context.new_page()
    yield page
    page.close()


@pytest.fixture
def volume_page(kept_page, sources_url):
    """Loaded anew for each test."""
    kept_page.goto(f"{sources_url}/tests/browser/volume_page.html")
    kept_page.wait_for_function("window.load !== undefined")
    return kept_page


def shape(**more) -> dict:
    positions = [2.5 * n + (1.5 if n > 9 else 0) for n in range(SLICES)]
    return geometry(positions, **{"rows": ROWS, "columns": COLUMNS, **more})


def records(**more) -> list[dict]:
    size = {"rows": ROWS, "columns": COLUMNS, "windows": [{"center": 300, "width": 900}]}
    return [
        {
            **RECORD,
            **size,
            "rescale_slope": 1 + 0.5 * (n % 2),
            "rescale_intercept": -40.0 * (n % 3),
            **more,
        }
        for n in range(SLICES)
    ]


def smooth(n: int) -> np.ndarray:
    """Values that a plane through many slices differs in, without being noise."""
    y, x = np.mgrid[:ROWS, :COLUMNS]
    wave = np.sin(x / 7 + n / 2) * np.cos(y / 5 - n / 3)
    return (400 + 350 * wave).astype(np.int16)


def picture(full: np.ndarray, below: int = 0) -> dict:
    return frame_of(full[:: 2**below, :: 2**below], 5 - below, 5)


def load(page, shape: dict, frames: list[dict], pictures: dict[int, dict | str]) -> None:
    page.evaluate("(given) => load(given)", {"geometry": shape, "frames": frames})
    update(page, pictures)


def update(page, pictures: dict[int, dict | str | None]) -> None:
    changes = [
        {"frameIndex": index, "status": one}
        if isinstance(one, str)
        else {"frameIndex": index, "picture": one}
        for index, one in pictures.items()
    ]
    page.evaluate("(changes) => update(changes)", changes)


def show(page, orientation: str, renderer: str = "canvas2d", size=SIZE) -> int:
    width, height = size
    given = {"orientation": orientation, "width": width, "height": height, "renderer": renderer}
    return page.evaluate("(given) => show(given)", given)


def drawn(page, index: int, size=SIZE) -> tuple[np.ndarray, dict]:
    answer = page.evaluate("(index) => drawn(index)", index)
    flat = np.frombuffer(base64.b64decode(answer.pop("pixels")), np.uint8)
    canvas = flat.reshape(size[1], size[0], 4)
    assert (canvas[..., 3] == 255).all()
    return canvas[..., :3].astype(int), answer


LOADING = {
    n: picture(smooth(n), below)
    for n, below in enumerate([0, 2, None, 1, None, None, 3, 0, 0, 1, 2, 0, None, 1])
    if below is not None
}
ALL = {n: picture(smooth(n)) for n in range(SLICES)}


LOOKS = {
    "plain": "",
    "nearest": "linked.interpolation = 'nearest'",
    "replicate": "linked.filling = 'replicate'",
    "inverted": "linked.inverted = true",
    "narrow": "linked.userWindow = {center: 300.5, width: 1}",
    "mip": "linked.slab = {mode: 'mip', thicknessMm: 9}",
    "minip": "linked.slab = {mode: 'minip', thicknessMm: 9}",
    "mean": "linked.slab = {mode: 'mean', thicknessMm: 9}",
    "small": "linked.views.forEach((view) => view.resize(40, 30))",
    "oblique": "linked.views.forEach((view) => view.rotate(0.4, [0.6, 0.8, 0]))",
}


@pytest.mark.parametrize("held", ["loading", "all"])
@pytest.mark.parametrize("look", LOOKS)
def test_the_gpu_draws_what_the_cpu_draws(volume_page, look, held):
    load(volume_page, shape(tilt=(0, 0.1)), records(), LOADING if held == "loading" else ALL)
    volume_page.evaluate("linked.crosshair = false; linked.marks = false")
    pairs = [
        (show(volume_page, orientation, "canvas2d"), show(volume_page, orientation, "webgl2"))
        for orientation in ORIENTATIONS
    ]
    volume_page.evaluate(f"() => {{ {LOOKS[look]} }}")
    size = (40, 30) if look == "small" else SIZE
    for on_cpu, on_gpu in pairs:
        cpu, said = drawn(volume_page, on_cpu, size)
        gpu, _ = drawn(volume_page, on_gpu, size)
        kinds = [drawn(volume_page, index, size)[1]["renderer"] for index in (on_cpu, on_gpu)]
        assert kinds == ["canvas2d", "webgl2"]
        assert len(np.unique(cpu)) > 1, said
        difference = np.abs(cpu - gpu).max(-1)
        # rounding: which sample is nearest, which side of a step a value is on, what is on the rim
        rounding = {"nearest": 0.03, "replicate": 0.03, "narrow": 0.01}.get(look, 0.003)
        assert (difference > 1).mean() <= rounding, (look, (difference > 1).mean())
        if look in ("plain", "inverted", "mean", "mip"):
            inside = (cpu > 0).all(-1) & (gpu > 0).all(-1)
            assert difference[inside].max() <= 1


def test_greys_are_those_of_the_oracle(volume_page):
    """The whole way: patient to voxel to level to rescale to window, against NumPy."""
    frames = records()
    given = {
        "geometry": shape(),
        "slices": [{"record": frame, "picture": None, "below": None} for frame in frames],
    }
    belows = {0: 0, 1: 2, 3: 1, 6: 3, 7: 0, 11: 0, 13: 1}
    for n, below in belows.items():
        level = smooth(n)[:: 2**below, :: 2**below]
        size = {"rows": level.shape[0], "columns": level.shape[1]}
        given["slices"][n] |= {"below": below, "picture": {"data": level.ravel().tolist(), **size}}
    load(volume_page, given["geometry"], frames, {n: LOADING[n] for n in belows})
    volume_page.evaluate("linked.crosshair = false; linked.marks = false")
    index = show(volume_page, "coronal")
    pixels, said = drawn(volume_page, index)
    width, height = SIZE
    points = volume_page.evaluate(
        "([index, width, height]) => Array.from({length: width * height}, (_, i) =>"
        " linked.volume.grid.toVoxel(linked.views[index]"
        ".toPatient((i % width) + 0.5, Math.floor(i / width) + 0.5)))",
        [index, width, height],
    )
    voxels = np.array(points).reshape(height, width, 3)
    values = oracle(given, voxels, linear=True, replicate=False)
    center, window_width = said["window"]["center"], said["window"]["width"]
    greys = ((values - (center - 0.5)) / (window_width - 1) + 0.5) * 255
    expected = np.floor(np.clip(greys, 0, 255) + 0.5)
    inside = ~np.isnan(expected)
    assert 0.3 < inside.mean() < 1
    assert (pixels[~inside] == 0).all()
    assert np.abs(pixels[..., 0] - expected)[inside].max() <= 1


def test_only_what_changed_is_uploaded(volume_page):
    load(volume_page, shape(), records(), LOADING)
    index = show(volume_page, "coronal", "webgl2")
    before = drawn(volume_page, index)[1]["uploadedBytes"]
    held = sum(len(base64.b64decode(one["data"])) for one in LOADING.values())
    assert before == held
    update(volume_page, {6: picture(smooth(6), 1)})
    after = drawn(volume_page, index)[1]["uploadedBytes"]
    assert after - before == 2 * ((ROWS + 1) // 2) * ((COLUMNS + 1) // 2)


def test_a_lost_gpu_changes_nothing_that_is_seen(volume_page):
    load(volume_page, shape(), records(), ALL)
    index = show(volume_page, "sagittal", "webgl2")
    before, said = drawn(volume_page, index)
    assert said["renderer"] == "webgl2"
    volume_page.evaluate("loseGpu()")
    after, said = drawn(volume_page, index)
    assert said["renderer"] == "canvas2d"
    assert np.abs(before - after).max() <= 1


def test_a_voi_lut_and_a_sigmoid_are_the_same_on_both(volume_page):
    entries = (np.linspace(0, 1, 1200) ** 0.5 * 4095).astype("<u2")
    lut = {"first_value": -100, "bits": 12, "data": base64.b64encode(entries.tobytes()).decode()}
    for attributes in ({"voi_luts": [lut]}, {"voi_lut_function": "SIGMOID"}):
        load(volume_page, shape(), records(**attributes), ALL)
        volume_page.evaluate("linked.crosshair = false; linked.marks = false")
        views = [show(volume_page, "coronal", kind) for kind in ("canvas2d", "webgl2")]
        cpu, gpu = (drawn(volume_page, view)[0] for view in views)
        assert len(np.unique(cpu)) > 50
        assert np.abs(cpu - gpu).max() <= 1


def test_what_is_made_up_is_marked_and_said(volume_page):
    held = {n: ALL[n] for n in range(SLICES) if n not in (4, 5, 9)}
    load(volume_page, shape(), records(), {**held, 9: "failed"})
    plain = show(volume_page, "coronal")
    volume_page.evaluate("linked.crosshair = false")
    marked, said = drawn(volume_page, plain)
    volume_page.evaluate("linked.marks = false")
    clean, _ = drawn(volume_page, plain)
    touched = np.abs(marked - clean).max(-1) > 0
    assert touched.any()
    assert [band["status"] for band in said["bands"]] == ["interpolated", "failed"]
    for band in said["bands"]:
        ys = [corner["y"] for corner in band["polygon"]]
        rows = slice(int(min(ys)) + 1, int(max(ys)))
        colours = marked[rows][touched[rows]]
        assert len(colours) > 0
        # amber at the rim only; red also as a hatch across
        assert (colours[:, 0] >= colours[:, 2]).all()
        across = touched[rows].any(0)
        assert across.mean() > 0.5 if band["status"] == "failed" else across.mean() < 0.2
    assert said["quality"]["failed"] > 0
    assert sum(said["quality"].values()) == pytest.approx(1)
    update(volume_page, {n: ALL[n] for n in (4, 5, 9)})
    done, said = drawn(volume_page, plain)
    assert said["quality"]["final"] == 1
    assert said["bands"] == []
    assert (done != marked).any()


def test_the_crosshair_links_planes_and_stays_in_the_volume(volume_page):
    load(volume_page, shape(), records(), ALL)
    views = [show(volume_page, orientation) for orientation in ORIENTATIONS]
    answer = volume_page.evaluate(
        """([axial, coronal]) => {
            const { views, volume } = linked;
            const heard = [];
            linked.addEventListener('change', ({ detail }) => heard.push(detail.what));
            views[axial].pickPoint(60, 50);
            const picked = linked.point;
            const on = views.map((view) => view.toPatient(
                view.toScreen(picked).x, view.toScreen(picked).y));
            views[coronal].scroll(3);
            const scrolled = linked.point;
            views[axial].scroll(2);
            const stepped = linked.point;
            linked.point = [1e6, 1e6, 1e6];
            const clamped = linked.point;
            const { x, y, slice } = volume.imagePoint(clamped);
            linked.reset();
            return { picked, on, scrolled, stepped, corner: [x, y, slice], heard,
                back: linked.point, centre: volume.centre,
                slices: [volume.sliceAt(scrolled), volume.sliceAt(stepped)] };
        }""",
        views,
    )
    for point in answer["on"]:
        assert point == pytest.approx(answer["picked"])
    moved = np.subtract(answer["scrolled"], answer["picked"])
    assert moved == pytest.approx([0, 3 * 0.8, 0])
    assert answer["slices"][1] - answer["slices"][0] == 2
    assert answer["corner"] == pytest.approx([COLUMNS - 0.5, ROWS - 0.5, SLICES - 1])
    assert answer["back"] == answer["centre"]
    assert answer["heard"].count("point") == 4


def test_rotating_the_crosshair_makes_oblique_planes_through_the_same_point(volume_page):
    load(volume_page, shape(), records(), ALL)
    views = [show(volume_page, orientation) for orientation in ORIENTATIONS]
    answer = volume_page.evaluate(
        """([axial, coronal, sagittal]) => {
            const { views, point } = linked;
            const before = views[coronal].toScreen(point);
            linked.rotateOthers(views[axial], Math.PI / 6);
            const after = views[coronal].toScreen(point);
            return { before, after, names: views.map((view) => view.name),
                normals: views.map(({ plane }) => plane.normal), orthogonal: linked.orthogonal };
        }""",
        views,
    )
    assert answer["after"] == pytest.approx(answer["before"])
    assert answer["names"] == ["Axial", "Oblique", "Oblique"]
    assert answer["orthogonal"] is False
    normals = np.array(answer["normals"])
    np.testing.assert_allclose(normals @ normals.T, np.eye(3), atol=1e-12)
    assert normals[1] == pytest.approx([-0.5, np.cos(np.pi / 6), 0])


def test_the_probe_tells_what_is_drawn_and_how_good_it_is(volume_page):
    load(volume_page, shape(), records(), LOADING)
    index = show(volume_page, "axial")
    probe = "([index, slice]) => {{ linked.point = linked.volume.pointOn(slice, linked.point);{} }}"
    ask = (
        " const view = linked.views[index]; const { x, y } = view.toScreen(linked.point);"
        " const one = view.probe(x, y);"
        " return { ...one, pixel: linked.volume.imagePoint(one.point) };"
    )
    full = volume_page.evaluate(probe.format(ask), [index, 7])
    column, row = (int(full["pixel"][axis]) for axis in "xy")
    stored = int(smooth(7)[row, column])
    assert (full["status"], full["slice"], full["stored"]) == ("final", 7, stored)
    assert full["value"] == pytest.approx(stored * 1.5 - 40, abs=1e-6)
    coarse = volume_page.evaluate(probe.format(ask), [index, 6])
    assert (coarse["status"], coarse["level"], coarse["levels"]) == ("reduced", 2, 5)
    between = volume_page.evaluate(probe.format(ask), [index, 5])
    assert (between["status"], between["stored"], between["level"]) == ("interpolated", None, None)
    beside = volume_page.evaluate("(index) => linked.views[index].probe(-5000, 0)", index)
    assert beside is None


def test_a_plane_apart_from_a_slice_is_not_drawn_again_for_it(volume_page):
    load(volume_page, shape(), records(), {n: ALL[n] for n in range(SLICES) if n != 1})
    views = [show(volume_page, orientation) for orientation in ("axial", "coronal")]
    before = [drawn(volume_page, view)[1]["draws"] for view in views]
    update(volume_page, {1: ALL[1]})
    volume_page.wait_for_function(
        "([index, before]) => linked.views[index].draws > before", arg=[views[1], before[1]]
    )
    draws = volume_page.evaluate("linked.views.map((view) => view.draws)")
    assert draws[0] == before[0]


def test_nothing_held_is_said_to_be_nothing(volume_page):
    load(volume_page, shape(), records(), {})
    index = show(volume_page, "axial")
    pixels, said = drawn(volume_page, index)
    assert said["empty"] is True
    assert said["quality"]["missing"] == 1
    assert said["window"] is None
    update(volume_page, {3: ALL[3]})
    pixels, said = drawn(volume_page, index)
    assert said["empty"] is False
    assert pixels.max() > 0
    update(volume_page, {3: None})
    pixels, said = drawn(volume_page, index)
    assert said["empty"] is True


def levels_of(full: np.ndarray, below: int) -> np.ndarray:
    """A resolution level as a real decoder gives it."""
    stream = imagecodecs.htj2k_encode(full, reversible=True, resolutions=4)
    return np.asarray(imagecodecs.htj2k_decode(stream, skipres=below)).astype(full.dtype)


@pytest.mark.parametrize("orientation", ["axial", "coronal", "sagittal"])
def test_nothing_moves_while_the_volume_sharpens(volume_page, orientation):
    """The centroid of a ball, at every level, in pixels of the full image."""
    middle = (251.0, 190.0, 13 * 2.5 / 2)
    y, x = np.mgrid[:397, :509]
    size = {"rows": 397, "columns": 509}
    form = {**shape(spacing=[0.5, 0.5, 2.5]), **size, "positions": [2.5 * n for n in range(SLICES)]}
    pixels = []
    for position in form["positions"]:
        across = ((x - middle[0]) ** 2 + (y - middle[1]) ** 2) / (2 * 30**2)
        along = (position - middle[2]) ** 2 / (2 * 6**2)
        pixels.append((np.exp(-across - along) * 3000).astype(np.uint16))
    frames = records(**size, windows=[{"center": 2048, "width": 4096}], rescale_slope=1)
    frames = [{**frame, "rescale_intercept": 0} for frame in frames]
    load(volume_page, form, frames, {})
    volume_page.evaluate("linked.crosshair = false; linked.marks = false")
    screen = (600, 600)
    index = show(volume_page, orientation, size=screen)
    centres = []
    for below in (4, 3, 2, 1, 0):
        pictures = {
            n: frame_of(levels_of(full, below), 4 - below, 4) for n, full in enumerate(pixels)
        }
        update(volume_page, pictures)
        grey = drawn(volume_page, index, screen)[0][..., 0].astype(float)
        down, across = np.mgrid[: screen[1], : screen[0]] + 0.5
        centres.append([(axis * grey).sum() / grey.sum() for axis in (across, down)])
    point = volume_page.evaluate(
        "([index, middle]) => { const { x, y } = linked.views[index].toScreen("
        "linked.volume.grid.toPatient(middle)); return [x, y]; }",
        [index, middle],
    )
    scale = 0.5 / volume_page.evaluate("(index) => linked.views[index].mmPerPx", index)
    for centre in centres:
        # half a pixel of the coarsest level would be 8
        assert np.abs(np.subtract(centre, centres[-1])).max() / scale < 0.3
    assert np.abs(np.subtract(centres[-1], point)).max() / scale < 0.5
