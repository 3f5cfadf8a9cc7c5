"""What comes before Python, how Python starts, and what the way to the first picture weighs."""

from __future__ import annotations

import os
import re
import shutil
import time
from contextlib import contextmanager
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING

import brotli
import numpy as np
import pytest

from support.recording_server import RecordingServer

from .conftest import Tree, Viewer

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.browser

BUDGET_BYTES = 120_000
"""HTML, prelude, threads, the decoder's script and WebAssembly: issue 6, point 2."""

BUDGET_WITH_UI_BYTES = 140_000
"""The same with what draws and what stands around the picture."""

STARTED = "performance.getEntriesByName('firstlight:python').map(({ detail }) => detail)"


@pytest.fixture
def copied_dist(viewer_dist, tmp_path) -> Path:
    """The built viewer to be spoiled; what is not spoiled costs no copy."""
    return Path(shutil.copytree(viewer_dist, tmp_path / "dist", copy_function=os.link))


def spoil(folder: Path, pattern: str, change) -> None:
    """Replace files, and take away their compressed forms."""
    found = list(folder.glob(pattern))
    assert found, pattern
    for file in found:
        content = change(file.read_bytes())
        for sibling in file.parent.glob(f"{file.name}*"):
            sibling.unlink()
        if content is not None:
            file.write_bytes(content)


@contextmanager
def served(tree: Tree, dist: Path, page) -> Iterator[tuple[Viewer, RecordingServer]]:
    with RecordingServer(tree.folder, dist) as server:
        yield Viewer(page, server.url), server


def started_by(viewer: Viewer) -> list[str]:
    viewer.element("ready.then(() => null)")
    return viewer.page.evaluate(STARTED)


def one_bit_wrong(content: bytes) -> bytes:
    at = len(content) * 3 // 4
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


def test_python_starts_from_the_snapshot(serve, stack):
    viewer, server = serve(stack)
    viewer.open("data/firstlight.json")
    viewer.wait_for("complete")
    assert started_by(viewer) == ["snapshot"]
    paths = [
        request.path
        for request in server.requests()
        if "/py-" in request.path and "service-worker-" not in request.headers.get("referer", "")
    ]
    assert any("snapshot" in path for path in paths)
    assert not any("stdlib" in path or "firstlight-" in path for path in paths)
    assert not any("warn" in message or "error" in message for message in viewer.messages)


@pytest.mark.parametrize(
    "change",
    [lambda _: None, one_bit_wrong, lambda content: content[: len(content) // 3], lambda _: b""],
    ids=["missing", "one bit wrong", "cut", "empty"],
)
def test_without_a_good_snapshot_python_starts_from_modules(copied_dist, stack, page, change):
    spoil(copied_dist, "py-*/snapshot-*.bin", change)
    with served(stack, copied_dist, page) as (viewer, _):
        viewer.open("data/firstlight.json")
        viewer.wait_for("complete")
        assert started_by(viewer) == ["modules"]
        assert viewer.heard("error") == []
        for index, pixels in enumerate(stack.pixels):
            assert np.array_equal(viewer.stored_pixels(index), pixels)


def test_without_any_python_the_failure_is_said(copied_dist, stack, page):
    spoil(copied_dist, "py-*/pyodide.asm.wasm", lambda _: b"")
    with served(stack, copied_dist, page) as (viewer, _):
        viewer.open("data/firstlight.json")
        [error] = viewer.wait_for("error", timeout_ms=60_000)
        assert error["frameIndex"] is None
        assert "Python did not start" in error["error"]["message"]


@contextmanager
def python_held_back(page) -> Iterator[list]:
    """Nothing of Python arrives until the block is left; gives the requests that wait."""
    waiting: list = []
    released: list = []

    def hold(route) -> None:
        route.continue_() if released else waiting.append(route)

    page.context.route(re.compile(r"/py-[^/]+/"), hold)
    yield waiting
    released.append(True)
    for route in waiting:
        route.continue_()


HELD = """async () => {
    const names = (await caches.keys()).filter((name) => name.startsWith('firstlight-python'));
    const requests = await Promise.all(
        names.map(async (name) => (await caches.open(name)).keys()));
    return requests.flat().map(({ url }) => new URL(url).pathname.split('/').pop()).sort();
}"""


def wait_until_kept(viewer: Viewer) -> list[str]:
    until = time.monotonic() + 30
    while len(held := viewer.page.evaluate(HELD)) < 2:
        assert time.monotonic() < until, f"not kept: {held}"
        viewer.page.wait_for_timeout(20)
    return held


def big_files_of_python(server: RecordingServer) -> list[str]:
    paths = [request.path for request in server.requests()]
    return [path for path in paths if re.search(r"/snapshot-[^/]*\.bin$|\.asm\.wasm$", path)]


def test_the_next_start_finds_its_files_kept(serve, stack):
    viewer, server = serve(stack)
    viewer.open("data/firstlight.json")
    viewer.wait_for("complete")
    snapshot, wasm = sorted(wait_until_kept(viewer), reverse=True)
    assert re.fullmatch(r"snapshot-\w+\.bin", snapshot)
    assert wasm == "pyodide.asm.wasm"
    # From here on the browser has nothing but what was kept.
    session = viewer.page.context.new_cdp_session(viewer.page)
    session.send("Network.clearBrowserCache")
    asked = len(big_files_of_python(server))
    viewer.open("data/firstlight.json")
    viewer.wait_for("complete")
    assert started_by(viewer) == ["snapshot"]
    assert len(big_files_of_python(server)) == asked
    for index, pixels in enumerate(stack.pixels):
        assert np.array_equal(viewer.stored_pixels(index), pixels)


def test_what_is_kept_of_another_version_goes(serve, stack):
    viewer, _ = serve(stack)
    viewer.open("data/firstlight.json")
    viewer.page.evaluate(
        """async () => {
            const cache = await caches.open('firstlight-python /');
            await cache.put('/py-0-old/snapshot-old.bin', new Response('old'));
        }"""
    )
    viewer.wait_for("complete")
    until = time.monotonic() + 30
    while len(held := viewer.page.evaluate(HELD)) != 2 or "snapshot-old.bin" in held:
        assert time.monotonic() < until, f"kept: {held}"
        viewer.page.wait_for_timeout(20)


@pytest.mark.parametrize("spoiled", ["snapshot", "asm.wasm"])
def test_a_kept_file_that_is_spoiled_does_no_harm(serve, stack, spoiled):
    viewer, _ = serve(stack)
    viewer.open("data/firstlight.json")
    viewer.wait_for("complete")
    wait_until_kept(viewer)
    viewer.page.evaluate(
        """async (part) => {
            for (const name of await caches.keys()) {
                const cache = await caches.open(name);
                for (const { url } of await cache.keys())
                    if (url.includes(part))
                        await cache.put(url, new Response('spoiled', {
                            headers: { 'Content-Type': 'application/wasm' } }));
            }
        }""",
        spoiled,
    )
    viewer.open("data/firstlight.json")
    viewer.wait_for("complete")
    assert started_by(viewer) == ["modules"]
    assert viewer.heard("error") == []
    viewer.open("data/firstlight.json")
    viewer.wait_for("complete")
    assert started_by(viewer) == ["snapshot"]


def test_the_descriptor_is_asked_for_once_and_before_the_viewer_is_there(serve, stack):
    viewer, server = serve(stack)
    waiting: list = []
    released: list = []

    def hold(route) -> None:
        route.continue_() if released else waiting.append(route)

    viewer.page.context.route(re.compile(r"/assets/(index|element)-"), hold)
    viewer.open("data/firstlight.json")
    until = time.monotonic() + 30
    while not any(r.path == "/data/firstlight.json" for r in server.requests()):
        assert time.monotonic() < until, "not asked for"
        viewer.page.wait_for_timeout(20)
    assert viewer.page.evaluate("customElements.get('firstlight-viewer') === undefined")
    released.append(True)
    for route in waiting:
        route.continue_()
    viewer.wait_for("complete")
    asked = [r.path for r in server.requests() if r.path == "/data/firstlight.json"]
    assert len(asked) == 1


def test_something_of_every_slice_is_shown_before_python(serve, stack):
    viewer, server = serve(stack)
    series = stack.descriptor["series"][0]
    heads = [frame["heads"][-1][1] for frame in series["frames"]]
    levels = [
        frame["level_ends"].index(stop) for frame, stop in zip(series["frames"], heads, strict=True)
    ]
    levels[0] = len(series["frames"][0]["level_ends"]) - 2  # the slice looked at: half its size
    with python_held_back(viewer.page) as waiting:
        viewer.open("data/firstlight.json")
        viewer.page.wait_for_function(
            """([levels, heads]) => {
                const states = document.querySelector('firstlight-viewer')?.state() ?? [];
                return states.length === levels.length && states.every(
                    (state, index) => state.resolutionLevel === levels[index]
                        && state.heldBytes >= heads[index]);
            }""",
            arg=[levels, heads],
        )
        assert viewer.page.evaluate(STARTED) == []
        urls = {frame["url"] for frame in series["frames"]}
        assert len([r for r in server.requests() if r.path.removeprefix("/data/") in urls]) == 1
        until = time.monotonic() + 30
        while not waiting:
            assert time.monotonic() < until, "Python is never asked for"
            viewer.page.wait_for_timeout(20)  # lets the routes above be called
    viewer.wait_for("complete")
    for index, pixels in enumerate(stack.pixels):
        assert np.array_equal(viewer.stored_pixels(index), pixels)


def test_planes_are_shown_before_python(serve, stack):
    viewer, _ = serve(stack)
    with python_held_back(viewer.page):
        viewer.open("data/firstlight.json", layout="mpr")
        viewer.wait_for("volume-first-render")
        assert viewer.page.evaluate(STARTED) == []
        canvas = "shadowRoot.querySelector('.pane[data-plane=axial] canvas')"
        viewer.page.evaluate(f"shown = document.querySelector('firstlight-viewer').{canvas}")
    viewer.wait_for("complete")
    # Python has found the same volume: nothing is put together anew.
    assert viewer.page.evaluate("shown.isConnected")
    assert len(viewer.heard("volume-first-render")) == 1
    for index, pixels in enumerate(stack.pixels):
        assert np.array_equal(viewer.stored_pixels(index), pixels)


def test_no_byte_of_what_came_before_python_is_fetched_again(serve, stack):
    viewer, server = serve(stack)
    with python_held_back(viewer.page):
        viewer.open("data/firstlight.json")
        viewer.page.wait_for_function(
            "document.querySelector('firstlight-viewer')?.state().length > 0"
            " && document.querySelector('firstlight-viewer').state()"
            ".every(({ resolutionLevel }) => resolutionLevel !== null)"
        )
    viewer.wait_for("complete")
    series = stack.descriptor["series"][0]
    wanted = sum(frame["level_ends"][-1] for frame in series["frames"])
    in_heads_too = series["frames"][0]["heads"][-1][1]
    received = sum(
        request.body_bytes
        for request in server.requests()
        if request.path.startswith("/data/") and not request.path.endswith(".json")
    )
    # Of the first slice alone the head comes a second time: it lies in one range with all others.
    assert received <= wanted + in_heads_too


class Scripts(HTMLParser):
    """What a page names in its head and body to be loaded."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        if tag == "script" and named.get("src"):
            self.found.add(str(named["src"]).removeprefix("./"))
        if tag == "link" and named.get("rel") in ("modulepreload", "preload", "stylesheet"):
            self.found.add(str(named["href"]).removeprefix("./"))


def with_imports(dist: Path, names: set[str]) -> set[str]:
    """These scripts and all that they import at once."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.add(name)
        text = (dist / name).read_text()
        imported = re.findall(r"(?:from|import)\s*[\"']\./([\w.-]+\.js)[\"']", text)
        waiting += [f"{Path(name).parent}/{each}" for each in imported]
    return found


def test_the_way_to_the_first_picture_is_light(viewer_dist):
    html = (viewer_dist / "index.html").read_text()
    scripts = Scripts()
    scripts.feed(html)
    assert not [name for name in scripts.found if name.endswith(".css")], "nothing may block"
    page = with_imports(viewer_dist, scripts.found)
    workers = {
        str(next(viewer_dist.glob(f"assets/{name}.worker-*.js")).relative_to(viewer_dist))
        for name in ("transport", "decoder")
    }
    wasm = {str(next(viewer_dist.glob("assets/openjph*.wasm")).relative_to(viewer_dist))}
    ui = {name for name in page if re.search(r"/(element|index)-", name)}
    assert ui
    sizes = {
        name: len(brotli.compress((viewer_dist / name).read_bytes(), quality=11))
        for name in {"index.html"} | page | with_imports(viewer_dist, workers) | wasm
    }
    assert sum(size for name, size in sizes.items() if name not in ui) <= BUDGET_BYTES, sizes
    assert sum(sizes.values()) <= BUDGET_WITH_UI_BYTES, sizes
    print(sum(sizes.values()), sizes)
