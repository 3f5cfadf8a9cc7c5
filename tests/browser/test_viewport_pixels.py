"""What the viewport draws: exact greys, the same by either renderer, always in the same place."""

from __future__ import annotations

import imagecodecs
import numpy as np
import pytest

from browser.viewport_page import draw, frame_of, noise, record_of

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("mapper", ["canvas2d", "webgl2"])
def test_at_one_to_one_every_pixel_has_the_grey_of_the_standard(viewport_page, mapper):
    stored = noise("int16", (200, 300)) >> 3
    record = record_of(
        stored,
        bits_stored=13,
        rescale_slope=2,
        rescale_intercept=-24,
        windows=[{"center": 40, "width": 4000}],
    )
    [canvas], _ = draw(
        viewport_page, mapper, (300, 200), [{"record": record, "frame": frame_of(stored)}]
    )
    values = stored.astype(float) * 2 - 24
    grey = np.clip(((values - 39.5) / 3999 + 0.5) * 255, 0, 255)
    expected = np.floor(grey + 0.5).astype(np.uint8)
    np.testing.assert_array_equal(canvas, np.repeat(expected[..., None], 3, axis=2))


@pytest.mark.parametrize("kind", ["int16", "uint16", "uint8", "int8"])
def test_both_renderers_draw_the_same_pixels(viewport_page, kind):
    full = noise(kind, (333, 411))
    reduced = noise(kind, (42, 52), seed=2)
    info = np.iinfo(kind)
    span = info.max - info.min
    window = {"center": info.min + span * 0.4, "width": span * 0.5}
    plain = record_of(full, pixel_padding_value=int(full[0, 0]))
    other = record_of(
        full,
        photometric_interpretation="MONOCHROME1",
        pixel_spacing=[1.5, 1],
        bits_stored=full.itemsize * 8 - 1,
    )
    pictures = [
        {"record": plain, "frame": frame_of(full), "window": window},
        {"record": plain, "frame": frame_of(reduced, 1, 4), "window": window},
        {"record": plain, "frame": frame_of(full), "wishes": [["scale", 1], ["pan", 13, -7]]},
        {"record": plain, "frame": frame_of(full), "wishes": [["zoom", 3.3, 40, 20]]},
        {"record": plain, "frame": frame_of(full), "wishes": [["zoom", 0.2]], "inverted": True},
        {"record": other, "frame": frame_of(full), "window": window, "wishes": [["fit"]]},
        {"record": other, "frame": frame_of(reduced, 1, 4), "wishes": [["zoom", 1.7]]},
    ]
    by_cpu, told_by_cpu = draw(viewport_page, "canvas2d", (250, 240), pictures)
    by_gpu, told_by_gpu = draw(viewport_page, "webgl2", (250, 240), pictures)
    assert {told["renderer"] for told in told_by_cpu} == {"canvas2d"}
    assert {told["renderer"] for told in told_by_gpu} == {"webgl2"}
    for one, two in zip(by_cpu, by_gpu, strict=True):
        assert np.ptp(one) > 0
        np.testing.assert_array_equal(one, two)


def test_colour_is_shown_as_it_is(viewport_page):
    stored = noise("uint8", (64, 80, 3))
    picture = {"record": record_of(stored), "frame": frame_of(stored)}
    for mapper in ("canvas2d", "webgl2"):
        [canvas], [told] = draw(viewport_page, mapper, (80, 64), [picture])
        np.testing.assert_array_equal(canvas, stored)
        assert told["window"] is None


def test_an_image_beyond_the_largest_texture_is_drawn(viewport_page):
    stored = noise("uint16", (4, 20_000))
    record = record_of(stored, windows=[{"center": 32768, "width": 65536}])
    picture = {"record": record, "frame": frame_of(stored), "wishes": [["scale", 1]]}
    [by_cpu], _ = draw(viewport_page, "canvas2d", (200, 10), [picture])
    [by_gpu], _ = draw(viewport_page, "webgl2", (200, 10), [picture])
    assert np.ptp(by_cpu) > 0
    np.testing.assert_array_equal(by_cpu, by_gpu)


def test_a_lost_context_leaves_the_same_picture(viewport_page):
    stored = noise("int16", (100, 100))
    record = record_of(stored, windows=[{"center": 0, "width": 40_000}])
    # the same picture again, so that what the GPU has drawn would do if it were still there
    pictures = [{"record": record, "frame": frame_of(stored)}] * 2
    canvases, told = draw(viewport_page, "webgl2", (100, 100), pictures, loseContextBefore=1)
    assert [each["renderer"] for each in told] == ["webgl2", "canvas2d"]
    assert np.ptp(canvases[0]) > 0
    np.testing.assert_array_equal(*canvases)


def test_software_webgl_is_not_chosen(viewport_page):
    """The tests' Chromium has no GPU."""
    assert viewport_page.evaluate("chosen()") == "canvas2d"


def levels_of(full: np.ndarray, decomposition_levels: int) -> list[np.ndarray]:
    stream = imagecodecs.htj2k_encode(full, reversible=True, resolutions=decomposition_levels)
    return [
        np.asarray(imagecodecs.htj2k_decode(stream, skipres=below)).astype(full.dtype)
        for below in range(decomposition_levels, 0, -1)
    ] + [full]


@pytest.mark.parametrize(("columns", "rows"), [(512, 512), (509, 397)])
def test_nothing_moves_while_the_image_sharpens(viewport_page, columns, rows):
    y, x = np.mgrid[:rows, :columns]
    blob = np.exp(-((x - 190.0) ** 2 + (y - 230.0) ** 2) / (2 * 30**2))
    full = (blob * 3000).astype(np.uint16)
    record = record_of(full, bits_stored=12, windows=[{"center": 2048, "width": 4096}])
    levels = levels_of(full, 4)
    pictures = [
        {"record": record, "frame": frame_of(level, n, 4)} for n, level in enumerate(levels)
    ]
    canvases, _ = draw(viewport_page, "canvas2d", (columns * 2, rows * 2), pictures)
    for canvas in canvases:
        grey = canvas[..., 0].astype(float)
        down, across = np.mgrid[: grey.shape[0], : grey.shape[1]]
        middle = [(axis + 0.5) * grey for axis in (across, down)]
        centre = [axis.sum() / grey.sum() / 2 for axis in middle]
        # in pixels of the full image; half a pixel of the coarsest level would be 8
        assert centre == pytest.approx([190.5, 230.5], abs=0.3)


def test_a_reduced_level_covers_the_whole_image_and_no_more(viewport_page):
    full = np.full((397, 509), 4000, np.uint16)
    record = record_of(full, bits_stored=12, windows=[{"center": 2048, "width": 4096}])
    pictures = [
        {"record": record, "frame": frame_of(level, n, 4), "wishes": [["scale", 0.5]]}
        for n, level in enumerate(levels_of(full, 4))
    ]
    canvases, _ = draw(viewport_page, "canvas2d", (320, 260), pictures)
    for canvas in canvases:
        np.testing.assert_array_equal(canvas, canvases[-1])


def test_the_automatic_window_stays_while_the_image_sharpens(viewport_page):
    full = (np.mgrid[:256, :256].sum(axis=0) * 7).astype(np.uint16)
    full[100:104, 100:104] = 60_000
    record = record_of(full)
    pictures = [
        {"record": record, "frame": frame_of(level, n, 2)}
        for n, level in enumerate(levels_of(full, 2))
    ]
    _, told = draw(viewport_page, "canvas2d", (256, 256), pictures)
    assert told[0]["window"]["origin"] == "auto"
    assert told[0]["window"] == told[1]["window"] == told[2]["window"]
