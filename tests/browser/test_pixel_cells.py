"""Through the whole page: floats, overlays in unused bits, and the limit that a page sets."""

from __future__ import annotations

import base64

import numpy as np
import pytest

from browser.conftest import Viewer
from browser.dicom_files import smooth_noise, write_image
from support.recording_server import RecordingServer

pytestmark = pytest.mark.browser

ROWS, COLUMNS = 96, 80


@pytest.fixture
def opened(viewer_dist, page, tmp_path):
    """Serve a folder: ``opened() -> (viewer, folder)``."""
    with RecordingServer(tmp_path, viewer_dist) as server:
        yield Viewer(page, server.url), tmp_path


def values_of(viewer: Viewer) -> tuple[list[float], str]:
    """What ``storedPixels`` gives of the first frame, with NaN as None, and its type."""
    data, kind = viewer.page.evaluate(
        """async () => {
            const { data } = await document.querySelector('firstlight-viewer').storedPixels(0);
            return [[...data].map((value) => (value === value ? value : null)),
                    data.constructor.name];
        }"""
    )
    return data, kind


def canvas_of(viewer: Viewer) -> np.ndarray:
    """The red, green and blue of the canvas that the image is on."""
    width, height, pixels = viewer.page.evaluate(
        """() => {
            const canvas = document.querySelector('firstlight-viewer')
                .shadowRoot.querySelector('canvas');
            const { width, height } = canvas;
            const { data } = canvas.getContext('2d').getImageData(0, 0, width, height);
            let text = '';
            for (let at = 0; at < data.length; at += 32768)
                text += String.fromCharCode(...data.subarray(at, at + 32768));
            return [width, height, btoa(text)];
        }"""
    )
    return np.frombuffer(base64.b64decode(pixels), np.uint8).reshape(height, width, 4)[..., :3]


@pytest.mark.parametrize("keyword", ["FloatPixelData", "DoubleFloatPixelData"])
def test_floats(opened, keyword):
    viewer, folder = opened
    values = np.linspace(-0.25, 0.75, ROWS * COLUMNS).reshape(ROWS, COLUMNS)
    values[0, 0] = np.nan
    bits = 32 if keyword == "FloatPixelData" else 64
    path = folder / "map.dcm"
    dataset = write_image(path, np.zeros((ROWS, COLUMNS), "u2"), series="map", number=0, bits=16)
    for name in ("PixelData", "WindowCenter", "WindowWidth", "PixelRepresentation", "HighBit"):
        delattr(dataset, name)
    del dataset.BitsStored
    dataset.BitsAllocated = bits
    dataset.RescaleIntercept = 0
    dataset.WindowCenter, dataset.WindowWidth = 0.25, 1
    setattr(dataset, keyword, values.astype(f"<f{bits // 8}").tobytes())
    dataset.save_as(path, enforce_file_format=True)
    viewer.open("wadouri:data/map.dcm")
    viewer.wait_for("complete")
    assert viewer.state()[0]["error"] is None
    data, kind = values_of(viewer)
    assert kind == "Float32Array"
    assert data[0] is None
    np.testing.assert_array_equal(np.array(data[1:], "f4"), values.astype("f4").ravel()[1:])
    grey = canvas_of(viewer).astype(int)
    assert np.ptp(grey) > 200
    assert (grey == grey[..., :1]).all()


def test_an_overlay_in_unused_bits_is_drawn_and_is_no_value(opened):
    viewer, folder = opened
    pixels = smooth_noise(ROWS, COLUMNS, seed=2, bits=12)
    plane = np.zeros((ROWS, COLUMNS), np.uint16)
    plane[30:60, 20:50] = 1
    path = folder / "marked.dcm"
    dataset = write_image(path, pixels, series="marked", number=0, bits=12)
    dataset.PixelData = (pixels | plane << 13).astype("<u2").tobytes()
    for element, vr, value in (
        (0x0010, "US", ROWS),
        (0x0011, "US", COLUMNS),
        (0x0040, "CS", "G"),
        (0x0050, "SS", [1, 1]),
        (0x0100, "US", 16),
        (0x0102, "US", 13),
    ):
        dataset.add_new((0x6000, element), vr, value)
    dataset.save_as(path, enforce_file_format=True)
    viewer.open("wadouri:data/marked.dcm")
    viewer.wait_for("complete")
    np.testing.assert_array_equal(viewer.stored_pixels(0), pixels)
    viewer.page.wait_for_function(
        """() => {
            const canvas = document.querySelector('firstlight-viewer')
                .shadowRoot.querySelector('canvas');
            const { width, height } = canvas;
            const { data } = canvas.getContext('2d').getImageData(0, 0, width, height);
            for (let i = 0; i < data.length; i += 4) if (data[i] !== data[i + 2]) return true;
            return false;
        }"""
    )
    canvas = canvas_of(viewer).astype(int)
    coloured = np.ptp(canvas, axis=2) > 0
    rows, columns = np.nonzero(coloured)
    scale = (columns.max() + 1 - columns.min()) / 30
    assert (rows.max() + 1 - rows.min()) / 30 == pytest.approx(scale, abs=0.2)
    assert coloured.sum() == pytest.approx((30 * scale) ** 2, rel=0.05)


def test_the_page_limits_what_is_decoded(opened):
    viewer, folder = opened
    pixels = smooth_noise(ROWS, COLUMNS, seed=4, bits=12)
    write_image(folder / "image.dcm", pixels, series="limited", number=0, bits=12)
    viewer.open("wadouri:data/image.dcm")
    viewer.wait_for("complete")
    for limit, error in ((ROWS * COLUMNS - 1, "LimitExceeded"), (ROWS * COLUMNS, None)):
        viewer.page.evaluate(
            """async (limit) => {
                const viewer = document.querySelector('firstlight-viewer');
                const complete = new Promise((resolve) =>
                    viewer.addEventListener('firstlight:complete', resolve, { once: true }));
                viewer.maxSamples = limit;
                await complete;
            }""",
            limit,
        )
        found = viewer.state()[0]["error"]
        assert (found and found["type"]) == error
    np.testing.assert_array_equal(viewer.stored_pixels(0), pixels)
