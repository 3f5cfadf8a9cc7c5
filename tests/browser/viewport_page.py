"""The viewport alone on a page: draws records and arrays, and gives the canvas back."""

from __future__ import annotations

import base64
import functools
import threading
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
KINDS = {
    "int8": "Int8Array",
    "uint8": "Uint8Array",
    "int16": "Int16Array",
    "uint16": "Uint16Array",
    "int32": "Int32Array",
    "uint32": "Uint32Array",
    "float32": "Float32Array",
}


class Quiet(SimpleHTTPRequestHandler):
    extensions_map = {**SimpleHTTPRequestHandler.extensions_map, ".js": "text/javascript"}  # noqa: RUF012

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def sources_server():
    """The address of the checkout's own modules, unbuilt."""
    handler = functools.partial(Quiet, directory=ROOT)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def open_viewport(page, url: str):
    page.goto(f"{url}/tests/browser/viewport_page.html")
    page.wait_for_function("window.draw !== undefined")
    return page


def record_of(full: np.ndarray, **attributes: object) -> dict:
    return {
        "rows": full.shape[0],
        "columns": full.shape[1],
        "samples_per_pixel": 1 if full.ndim == 2 else full.shape[2],
        "photometric_interpretation": "MONOCHROME2" if full.ndim == 2 else "RGB",
        "bits_allocated": full.itemsize * 8,
        "bits_stored": full.itemsize * 8,
        "pixel_representation": int(full.dtype.kind == "i"),
        "rescale_slope": 1,
        "rescale_intercept": 0,
        "rescale_type": "",
        "windows": [],
        "voi_lut_function": "LINEAR",
        "pixel_spacing_source": "",
        **attributes,
    }


def frame_of(level: np.ndarray, resolution_level: int = 0, decomposition_levels: int = 0) -> dict:
    return {
        "data": base64.b64encode(np.ascontiguousarray(level).tobytes()).decode(),
        "kind": KINDS[level.dtype.name],
        "rows": level.shape[0],
        "columns": level.shape[1],
        "samplesPerPixel": 1 if level.ndim == 2 else level.shape[2],
        "resolutionLevel": resolution_level,
        "decompositionLevels": decomposition_levels,
    }


def draw(page, mapper: str, size: tuple[int, int], pictures: list[dict], **options: object):
    """RGB canvases after each picture, and what the viewport says of itself."""
    width, height = size
    given = {"mapper": mapper, "width": width, "height": height, "pictures": pictures, **options}
    answers = page.evaluate("(given) => draw(given)", given)
    canvases = [
        np.frombuffer(base64.b64decode(answer.pop("pixels")), np.uint8).reshape(height, width, 4)
        for answer in answers
    ]
    assert all((canvas[..., 3] == 255).all() for canvas in canvases)
    return [canvas[..., :3] for canvas in canvases], answers


def noise(kind: str, shape: tuple[int, ...], seed: int = 1) -> np.ndarray:
    info = np.iinfo(kind)
    rng = np.random.default_rng(seed)
    return rng.integers(info.min, info.max, shape, dtype=kind, endpoint=True)
