"""The viewer without network after a first visit, and what its service worker leaves alone."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest

from support.patience import WAIT_S
from support.recording_server import RecordingServer

from .conftest import ROOT, Viewer
from .dicom_files import smooth_noise, write_image

pytestmark = pytest.mark.browser

OUTCOME = "performance.getEntriesByName('firstlight:offline').map(({ detail }) => detail)[0]"
STARTED = "performance.getEntriesByName('firstlight:python').map(({ detail }) => detail)"
CONTROLLED = "navigator.serviceWorker.controller !== null"
NAMED = "document.querySelector('meta[name=\"firstlight-service-worker\"]').content"
KEPT = """async () => Object.fromEntries(await Promise.all(
    (await caches.keys()).map(async (name) => {
        const requests = await (await caches.open(name)).keys();
        return [name, requests.map(({ url }) => new URL(url).pathname).sort()];
    })))"""


WORKERS = """async () => {
    const names = (await caches.keys()).filter((name) => name.startsWith('firstlight-shell '));
    const all = await navigator.serviceWorker.getRegistrations();
    const active = all.filter(({ active, waiting }) => active?.state === 'activated' && !waiting);
    return [names, active.length];
}"""
SOURCES = """() => {
    const all = ['navigation', 'resource'].flatMap((kind) => performance.getEntriesByType(kind));
    const source = (entry) => entry.workerMatchedSourceType ?? entry.workerMatchedRouterSource;
    const found = (part) => source(all.find(({ name }) => name.includes(part)));
    return { page: found('/?'), script: found('/assets/element-'), data: found('.json') };
}"""


class Place:
    """A viewer at a path of a host, which may go away and may get another build."""

    def __init__(self, folder: Path, path: str, tree, page) -> None:
        self.dist = folder / path.strip("/")
        self.tree = tree
        self._host = ExitStack()
        self.server = self._host.enter_context(RecordingServer(tree.folder, folder))
        self.path = path
        self.viewer = Viewer(page, self.server.url + path.rstrip("/"))

    def go_away(self) -> None:
        """No server, and nothing in the browser but what was put away."""
        page = self.viewer.page
        page.context.new_cdp_session(page).send("Network.clearBrowserCache")
        self._host.close()

    def visit(self) -> str:
        """Open the series until all is done; what became of the worker."""
        self.viewer.open("/data/firstlight.json")
        return self.outcome()

    def outcome(self) -> str:
        self.viewer.wait_for("complete")
        page = self.viewer.page
        page.wait_for_function(OUTCOME)
        return page.evaluate(OUTCOME)

    def open_local(self, file: Path) -> None:
        """Through the page that asks what to open."""
        page = self.viewer.page
        page.goto(f"{self.viewer.url}/", wait_until="commit")
        with page.expect_file_chooser() as chooser:
            page.get_by_role("button", name="Open files").click()
        chooser.value.set_files(file)
        self.viewer.wait_for("complete")

    def leave(self) -> None:
        """Go elsewhere, so that no page is open any more; then look at what is kept."""
        self.viewer.page.goto(f"{self.server.url}/data/firstlight.json")


@pytest.fixture
def place(viewer_dist, stack, page, tmp_path):
    """``place('/')``: the built viewer there, its files to be changed at will."""
    with ExitStack() as hosts:

        def at(path: str = "/") -> Place:
            shutil.copytree(viewer_dist, tmp_path / f"host{path}", copy_function=os.link)
            found = Place(tmp_path / "host", path, stack, page)
            hosts.callback(found._host.close)
            return found

        yield at


def change(file: Path, pattern: str, replacement: str) -> None:
    """In a text; its compressed forms go."""
    text = file.read_text()
    changed, count = re.subn(pattern, replacement, text)
    assert count, f"{pattern} is not in {file.name}"
    for sibling in file.parent.glob(f"{file.name}*"):
        sibling.unlink()
    file.write_text(changed)


def unspoiled(_dist: Path) -> None:
    """As it was built."""


def without_routes(dist: Path) -> None:
    """As in a browser that does not know them."""
    [script] = dist.glob("service-worker-*.js")
    change(script, r"\baddRoutes\b", "noRoutes")


def next_build(dist: Path) -> dict[str, str]:
    """The same viewer as another build: three files get other names, which others name."""
    kinds = ("assets/element-*.js", "assets/loader.worker-*.js", "py-*/snapshot-*.bin")
    old = [next(dist.glob(kind)).name for kind in kinds]
    new = {name: re.sub(r"-[\w-]{8}\.", f"-next000{n}.", name) for n, name in enumerate(old)}
    for file in [dist / "index.html", *dist.glob("assets/*.js")]:
        text = file.read_text()
        for name in filter(text.__contains__, old):
            change(file, re.escape(name), new[name])
            text = file.read_text()
    for file in [f for name in old for f in dist.rglob(f"{name}*")]:
        file.rename(
            file.with_name(next(file.name.replace(n, new[n]) for n in old if n in file.name))
        )
    make = "const { addServiceWorker } = await import(process.argv[1]);"
    script = f"{make} await addServiceWorker(process.argv[2]);"
    module = (ROOT / "web/build/service-worker.js").as_uri()
    command = ["node", "--input-type=module", "-e", script, module, str(dist)]
    subprocess.run(command, check=True, cwd=ROOT, timeout=120)
    return new


def shells(kept: dict[str, list[str]]) -> list[str]:
    return [name for name in kept if name.startswith("firstlight-shell ")]


def of_the_build(server: RecordingServer) -> list:
    return [request for request in server.requests() if not request.path.startswith("/data/")]


def by_worker(request) -> bool:
    is_script = request.headers.get("sec-fetch-dest") == "serviceworker"
    return is_script or "service-worker-" in request.headers.get("referer", "")


def test_the_first_visit_is_as_it_was_and_nothing_comes_twice(place):
    here = place()
    assert here.visit() == "kept"
    assert not here.viewer.page.evaluate(CONTROLLED)
    requests = here.server.requests()
    first = next(n for n, request in enumerate(requests) if by_worker(request))
    before, after = requests[:first], requests[first:]
    assert all(by_worker(request) for request in after)
    assert all(request.finished for request in before)
    # The page was asked for under an address of its own, which the cache knows nothing else of.
    asked = Counter(request.path for request in requests if request.path != "/")
    in_pieces = {path for path in asked if path.startswith("/data/")}
    assert [path for path, times in asked.items() if times > 1 and path not in in_pieces] == []
    kept = here.viewer.page.evaluate(KEPT)
    assert len(kept) == 2
    everything = [path for paths in kept.values() for path in paths]
    assert len(everything) == len(set(everything))
    assert not any("warn" in message or "error" in message for message in here.viewer.messages)


@pytest.mark.parametrize("spoil", [unspoiled, without_routes], ids=["routes", "events"])
def test_the_second_visit_asks_for_the_page_and_the_images_alone(place, spoil):
    """And its ranges reach the server as they were asked for."""
    here = place()
    spoil(here.dist)
    assert here.visit() == "kept"
    seen = len(here.server.requests())
    page = here.viewer.page
    page.context.new_cdp_session(page).send("Network.clearBrowserCache")
    assert here.visit() == "kept"
    assert page.evaluate(CONTROLLED)
    requests = here.server.requests()[seen:]
    code = [r for r in requests if not r.path.startswith("/data/") and not by_worker(r)]
    assert [request.path for request in code] == ["/"]
    frames = [r for r in requests if r.path.startswith("/data/") and not r.path.endswith(".json")]
    assert frames
    assert all(request.range and request.status == 206 for request in frames)
    assert set(started_by(here.viewer)) == {"snapshot"}
    if spoil is without_routes:
        return
    assert page.evaluate(SOURCES) == {"page": "network", "script": "cache", "data": "network"}


@pytest.mark.parametrize("spoil", [unspoiled, without_routes], ids=["routes", "events"])
def test_a_range_reaches_the_server_as_it_was_asked_for(place, spoil):
    here = place()
    spoil(here.dist)
    assert here.visit() == "kept"
    page = here.viewer.page
    page.goto(f"{here.server.url}/index.html?src=local:", wait_until="commit")
    assert page.evaluate(CONTROLLED)
    text = (here.tree.folder / "firstlight.json").read_text()
    seen = len(here.server.requests("/data/firstlight.json"))
    answer = page.evaluate(
        """async () => {
            const headers = { Range: 'bytes=3-11' };
            const answer = await fetch('/data/firstlight.json', { headers, cache: 'no-store' });
            return [answer.status, answer.headers.get('Content-Range'), await answer.text()];
        }"""
    )
    assert answer == [206, f"bytes 3-11/{len(text.encode())}", text[3:12]]
    [request] = here.server.requests("/data/firstlight.json")[seen:]
    assert request.range == "bytes=3-11"


@pytest.fixture
def local_file(tmp_path) -> tuple[Path, np.ndarray]:
    """One Part 10 file, which pydicom has to read, and its pixels."""
    pixels = smooth_noise(300, 400, seed=5, bits=12)
    write_image(tmp_path / "local.dcm", pixels, series="local", number=0, bits=12)
    return tmp_path / "local.dcm", pixels


@pytest.mark.parametrize(
    ("path", "spoil"),
    [("/", unspoiled), ("/", without_routes), ("/some/where/", unspoiled)],
    ids=["routes", "events", "sub-path"],
)
def test_without_network_the_page_opens_and_shows_a_local_file(place, local_file, path, spoil):
    here = place(path)
    spoil(here.dist)
    assert here.visit() == "kept"
    here.go_away()
    file, pixels = local_file
    here.open_local(file)
    assert np.array_equal(here.viewer.stored_pixels(0), pixels)
    assert set(started_by(here.viewer)) == {"snapshot"}
    # What the page looks for when its address names nothing.
    assert [error["error"]["type"] for error in here.viewer.heard("error")] == ["Unreachable"]


def test_the_next_build_takes_the_place_of_the_last_and_is_not_mixed_with_it(place, local_file):
    here = place("/viewer/")
    assert here.visit() == "kept"
    page = here.viewer.page
    [last] = shells(page.evaluate(KEPT))
    new = next_build(here.dist)
    seen = len(here.server.requests())
    assert here.visit() == "kept"
    named = page.evaluate(NAMED)
    assert named not in last
    asked = {Path(request.path).name for request in here.server.requests()[seen:]}
    assert set(new.values()) <= asked
    assert not set(new) & asked
    # The last one still serves this page, and has all that it needs.
    kept = page.evaluate(KEPT)
    assert set(shells(kept)) == {last, f"firstlight-shell /viewer/ {named}"}
    assert set(new) | set(new.values()) <= {Path(p).name for paths in kept.values() for p in paths}
    here.leave()
    wait_until_shells(page, [f"firstlight-shell /viewer/ {named}"])
    names = {Path(path).name for paths in page.evaluate(KEPT).values() for path in paths}
    assert set(new.values()) <= names
    assert not set(new) & names
    here.go_away()
    file, pixels = local_file
    here.open_local(file)
    assert page.evaluate(NAMED) == named
    assert set(started_by(here.viewer)) == {"snapshot"}
    assert np.array_equal(here.viewer.stored_pixels(0), pixels)


def test_between_two_builds_the_last_one_opens_without_network(place, local_file):
    here = place("/viewer/")
    assert here.visit() == "kept"
    page = here.viewer.page
    named = page.evaluate(NAMED)
    next_build(here.dist)
    assert here.visit() == "kept"
    assert page.evaluate(NAMED) != named
    here.go_away()
    file, pixels = local_file
    here.open_local(file)
    assert page.evaluate(NAMED) == named
    assert set(started_by(here.viewer)) == {"snapshot"}
    assert np.array_equal(here.viewer.stored_pixels(0), pixels)


def wait_until_shells(page, expected: list[str]) -> None:
    """Until these are kept alone, and the worker of the last is at work."""
    until = time.monotonic() + WAIT_S
    while (found := page.evaluate(WORKERS)) != [expected, 1]:
        assert time.monotonic() < until, found
        page.wait_for_timeout(20)


def test_a_page_of_another_build_is_not_kept(place):
    here = place()
    page = here.viewer.page
    here.viewer.open("/data/firstlight.json")
    page.wait_for_function("document.querySelector('meta[name=\"firstlight-service-worker\"]')")
    change(here.dist / "index.html", r"service-worker-\w+\.js", "service-worker-other.js")
    assert here.outcome().startswith("failed: ")
    assert shells(page.evaluate(KEPT)) == []
    assert here.viewer.heard("error") == []


def test_a_page_that_names_no_worker_takes_an_earlier_one_back(place):
    here = place()
    assert here.visit() == "kept"
    change(here.dist / "index.html", '<meta name="firstlight-service-worker"[^>]*>', "")
    assert here.visit() == "none"
    page = here.viewer.page
    assert shells(page.evaluate(KEPT)) == []
    assert (
        page.evaluate("navigator.serviceWorker.getRegistrations().then((all) => all.length)") == 0
    )


def test_in_another_page_nothing_is_kept(place):
    here = place()
    page = here.viewer.page
    page.goto(f"{here.server.url}/data/firstlight.json")
    page.evaluate(
        """() => {
            const frame = document.createElement('iframe');
            frame.src = '/?src=/data/firstlight.json';
            document.body.append(frame);
        }"""
    )
    page.wait_for_function(f"(() => {{ const {{ performance }} = frames[0]; return {OUTCOME} }})()")
    assert page.frames[1].evaluate(OUTCOME) == "embedded"
    assert not any(by_worker(request) for request in here.server.requests())


def started_by(viewer: Viewer) -> list[str]:
    viewer.element("ready.then(() => null)")
    return viewer.page.evaluate(STARTED)
