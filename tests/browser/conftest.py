"""The built viewer on prepared images, behind recording, shaped and faulty servers."""

from __future__ import annotations

import json
import re
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from browser.dicom_files import smooth_noise, write_image
from browser.viewport_page import open_viewport, sources_server
from firstlight.cli import app
from firstlight.serve.link import PROFILES
from support.patience import WAIT_MS
from support.recording_server import RecordingServer

ROOT = Path(__file__).resolve().parents[2]
STACK_FRAMES = 12
FAILED = pytest.StashKey[bool]()
EVENTS = (
    "first-render",
    "frame-render",
    "volume-first-render",
    "stage-complete",
    "complete",
    "error",
)


@dataclass(frozen=True)
class Tree:
    """A folder that `firstlight prepare` wrote, and the pixels that went in, by display order."""

    folder: Path
    pixels: tuple[np.ndarray, ...]

    @property
    def descriptor(self) -> dict:
        return json.loads((self.folder / "firstlight.json").read_text())

    def files(self) -> dict[str, bytes]:
        """What a faulty server needs to serve it."""
        found = (path for path in self.folder.rglob("*") if path.is_file())
        return {f"/{path.relative_to(self.folder)}": path.read_bytes() for path in found}


def prepare(source: Path, out: Path, layout: str) -> None:
    arguments = ["prepare", str(source), "--out", str(out), "--layout", layout, "--quiet"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output


@pytest.fixture(scope="session")
def sources_url():
    """The sources of web/ and the pages beside the tests, for modules without the rest."""
    with sources_server() as url:
        yield url


@pytest.fixture
def context(context):
    """Patient: on a busy machine everything takes longer."""
    context.set_default_timeout(WAIT_MS)
    return context


@pytest.fixture(scope="session")
def shared_context(browser):
    """For tests that leave nothing behind in their page."""
    context = browser.new_context()
    context.set_default_timeout(WAIT_MS)
    yield context
    context.close()


@pytest.fixture(scope="session")
def viewport_page(shared_context, sources_url):
    """One for all tests: whatever is drawn is drawn on a canvas of its own."""
    return open_viewport(shared_context.new_page(), sources_url)


@pytest.fixture(scope="session")
def viewer_dist() -> Path:
    dist = ROOT / "dist"
    assert (dist / "index.html").is_file(), "the viewer is not built: npm run build"
    return dist


@pytest.fixture(scope="session")
def stack(tmp_path_factory) -> Tree:
    """Twelve slices of 512 x 512, signed."""
    folder = tmp_path_factory.mktemp("stack")
    pixels = [
        (smooth_noise(512, 512, seed=n, bits=12).astype(np.int32) - 1024).astype(np.int16)
        for n in range(STACK_FRAMES)
    ]
    for number, array in enumerate(pixels):
        write_image(folder / "in" / f"{number}.dcm", array, series="stack", number=number, bits=16)
    prepare(folder / "in", folder / "out", "dicomweb")
    return Tree(folder / "out", tuple(pixels))


@pytest.fixture(scope="session")
def radiograph(tmp_path_factory) -> Tree:
    """One image of 1500 x 1300, 12 bit, as a jphuri pair."""
    folder = tmp_path_factory.mktemp("radiograph")
    pixels = smooth_noise(1500, 1300, seed=3, bits=12)
    write_image(folder / "in" / "1.dcm", pixels, series="radiograph", number=0, bits=12)
    prepare(folder / "in", folder / "out", "jphuri")
    return Tree(folder / "out", (pixels,))


class Viewer:
    """The page, and what its element says."""

    def __init__(self, page, url: str) -> None:
        self.page = page
        self.url = url
        self.messages: list[str] = []
        page.on("console", lambda message: self.messages.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: self.messages.append(f"pageerror: {error}"))
        page.add_init_script(
            "window.heard = [];"
            + "".join(
                f"addEventListener('firstlight:{name}',"
                f" (event) => heard.push(['{name}', event.detail, performance.now()]), true);"
                for name in EVENTS
            )
        )

    def open(self, src: str, **parameters: str) -> None:
        query = "&".join(f"{name}={value}" for name, value in {"src": src, **parameters}.items())
        self.page.goto(f"{self.url}/?{query}", wait_until="commit")

    def heard(self, name: str) -> list:
        return [detail for event, detail, _ in self.page.evaluate("heard") if event == name]

    def wait_for(self, name: str, count: int = 1, timeout_ms: float = WAIT_MS) -> list:
        condition = f"window.heard?.filter(([name]) => name === '{name}').length >= {count}"
        try:
            self.page.wait_for_function(condition, timeout=timeout_ms)
        except Exception as error:
            raise AssertionError(f"no {name}: {self.messages} {self.state()}") from error
        return self.heard(name)

    def wait_for_state(self, frame_index: int, status: str, timeout_ms: float = WAIT_MS) -> dict:
        condition = (
            "([index, status]) => document.querySelector('firstlight-viewer')"
            "?.state()[index]?.status === status"
        )
        try:
            self.page.wait_for_function(condition, arg=[frame_index, status], timeout=timeout_ms)
        except Exception as error:
            raise AssertionError(f"not {status}: {self.messages} {self.state()}") from error
        return self.state()[frame_index]

    def state(self) -> list[dict]:
        return self.page.evaluate("document.querySelector('firstlight-viewer')?.state() ?? []")

    def element(self, expression: str):
        return self.page.evaluate(f"document.querySelector('firstlight-viewer').{expression}")

    def stored_pixels(self, frame_index: int) -> np.ndarray:
        record = self.page.evaluate(
            """async (index) => {
                const viewer = document.querySelector('firstlight-viewer');
                const { data, rows, columns, samplesPerPixel, resolutionLevel } =
                    await viewer.storedPixels(index);
                const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
                return { text: bytes.toBase64(), type: data.constructor.name,
                         rows, columns, samplesPerPixel, resolutionLevel };
            }""",
            frame_index,
        )
        import base64

        types = {"Int16Array": "<i2", "Uint16Array": "<u2", "Uint8Array": "u1", "Int8Array": "i1"}
        flat = np.frombuffer(base64.b64decode(record["text"]), types[record["type"]])
        shape = [record["rows"], record["columns"]]
        if record["samplesPerPixel"] > 1:
            shape.append(record["samplesPerPixel"])
        return flat.reshape(shape)


@pytest.fixture
def serve(viewer_dist, page):
    """Serve a tree, open nothing yet: ``serve(tree, network='4g') -> (viewer, server)``."""
    with ExitStack() as stack:

        def start(tree: Tree, network: str | None = None) -> tuple[Viewer, RecordingServer]:
            profile = None if network is None else PROFILES[network]
            server = RecordingServer(tree.folder, viewer_dist, network=profile)
            stack.enter_context(server)
            return Viewer(page, server.url), server

        yield start


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item):
    report = yield
    if report.failed:
        item.stash[FAILED] = True
    return report


@pytest.fixture(autouse=True)
def keep_screenshot(request):
    """The page of a failed test as it was then; test-results/ is Playwright's, which empties it.

    A picture costs a tenth of what a test does.
    """
    page = request.getfixturevalue("page") if "page" in request.fixturenames else None
    yield
    if page is None or page.url == "about:blank" or not request.node.stash.get(FAILED, False):
        return
    folder = ROOT / "test-screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    name = re.sub(r"[^\w-]+", "_", request.node.name)[:80]
    page.screenshot(path=folder / f"{name}.png")
