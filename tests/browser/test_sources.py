"""Every way in, in the page: the same pixels whatever the source, and no byte twice."""

from __future__ import annotations

import hashlib
import json
import re

import numpy as np
import pytest

from browser.conftest import Viewer
from support.recording_server import RecordingServer

pytestmark = pytest.mark.browser

LOOKED_UP_BYTES = 2048


@pytest.fixture
def at(viewer_dist, page, shared_data):
    """Serve the real files: ``at() -> (viewer, server)``."""
    with RecordingServer(shared_data, viewer_dist) as server:
        yield Viewer(page, server.url), server


@pytest.fixture(scope="session")
def expected(shared_data) -> dict:
    return json.loads((shared_data / "expected.json").read_text())


def _hash(pixels: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(pixels).tobytes()).hexdigest()


def _spans(server, path: str) -> list[tuple[int, int]]:
    found = []
    for request in server.requests(path):
        start, stop = re.fullmatch(r"bytes=(\d+)-(\d*)", request.range).groups()
        found.append((int(start), int(stop) + 1 if stop else request.body_bytes + int(start)))
    return sorted(found)


def _twice(spans: list[tuple[int, int]]) -> int:
    """How many bytes were fetched that were held already."""
    held = twice = 0
    for start, stop in spans:
        twice += max(0, min(held, stop) - start)
        held = max(held, stop)
    return twice


@pytest.mark.parametrize("name", ["CT1_JPH", "MR1_JPH", "CT1_UNC", "US1_UNC", "CT1_JLSL"])
def test_a_part10_file_is_ranged_into(at, expected, name):
    viewer, server = at
    viewer.open(f"wadouri:data/wg04/{name}.dcm")
    viewer.wait_for("complete")
    assert _hash(viewer.stored_pixels(0)) == expected[f"wg04/{name}.dcm"]["decoded"]["frame1"]
    # Twice, at the most, the few hundred bytes in which the place of the frame was looked up.
    assert _twice(_spans(server, f"/data/wg04/{name}.dcm")) <= LOOKED_UP_BYTES


def test_an_htj2k_file_shows_a_level_before_all_of_it_is_here(at):
    viewer, server = at
    viewer.open("wadouri:data/wg04/RG3_JPH.dcm")
    viewer.wait_for("complete")
    assert viewer.state()[0]["decompositionLevels"] >= 1
    assert len(server.requests("/data/wg04/RG3_JPH.dcm")) <= 4


@pytest.mark.parametrize("name", ["wg04/CT1_JPH.dcm", "htj2k/", "nonsense"])
def test_a_plain_address_is_recognised_by_its_first_bytes(at, expected, shared_data, name):
    viewer, _ = at
    if name == "nonsense":
        viewer.open("data/MANIFEST.md")
        error = viewer.wait_for("error")[0]["error"]
        assert error["type"] == "NotDicom"
        return
    if name.endswith("/"):
        found = sorted(shared_data.glob("openjph-tests/simple_enc_rev53_tall_narrow.j2c"))
        name = str(found[0].relative_to(shared_data))
    viewer.open(f"data/{name}")
    viewer.wait_for("complete")
    pixels = viewer.stored_pixels(0)
    record = expected[name]
    wanted = record["decoded"]["frame1"] if "frame1" in record.get("decoded", {}) else None
    if wanted is not None:
        assert _hash(pixels) == wanted
    assert pixels.size > 0


def test_a_dicomweb_series_of_a_static_tree(serve, stack):
    viewer, server = serve(stack)
    [series] = stack.descriptor["series"]
    study, uid = series["study_instance_uid"], series["series_instance_uid"]
    viewer.open(f"dicomweb:data/studies/{study}/series/{uid}")
    viewer.wait_for("complete")
    assert len(viewer.state()) == len(stack.pixels)
    for index, pixels in enumerate(stack.pixels):
        assert np.array_equal(viewer.stored_pixels(index), pixels), index
    for frame in series["frames"]:
        spans = _spans(server, f"/data/{frame['url']}") or _spans(
            server, f"/data/{frame['url'].removesuffix('.mht')}"
        )
        assert spans
        assert _twice(spans) == 0


def test_a_tree_of_another_tool(at, shared_data, expected):
    viewer, _ = at
    [metadata] = sorted(shared_data.glob("dicomweb/studies/*/series/*/metadata*"))[:1]
    series = metadata.parent
    viewer.open(f"dicomweb:data/{series.relative_to(shared_data)}")
    viewer.wait_for("complete", timeout_ms=60_000)
    states = viewer.state()
    assert states
    assert {state["status"] for state in states} <= {"lossless", "complete"}


def test_local_files_stay_on_the_machine(serve, stack, shared_data, expected):
    viewer, server = serve(stack)
    viewer.open("data/firstlight.json")
    viewer.wait_for("complete")
    before = len(server.requests())
    names = ["CT1_UNC.dcm", "CT1_JPH.dcm", "CT1_RLE.dcm"]
    viewer.page.evaluate(
        """() => {
            const input = document.createElement('input');
            input.type = 'file';
            input.multiple = true;
            input.id = 'files';
            document.body.append(input);
        }"""
    )
    files = [shared_data / "wg04" / name for name in names] + [shared_data / "MANIFEST.md"]
    viewer.page.locator("#files").set_input_files(files)
    viewer.page.evaluate(
        """() => document.querySelector('firstlight-viewer')
                 .openFiles(document.querySelector('#files').files)"""
    )
    viewer.wait_for("complete", count=2)
    assert viewer.state()[0]["status"] == "lossless"
    hashes = {expected[f"wg04/{name}"]["decoded"]["frame1"] for name in names}
    assert _hash(viewer.stored_pixels(0)) in hashes
    sent = [request for request in server.requests()[before:] if "wg04" in request.path]
    assert sent == []


def test_credentials_go_to_their_origin_alone(serve, stack, viewer_dist):
    viewer, server = serve(stack)
    with RecordingServer(stack.folder, None) as other:
        viewer.page.goto(f"{viewer.url}/firstlight.js")
        viewer.page.goto(f"{viewer.url}/?src=data/nothing.json", wait_until="commit")
        viewer.wait_for("error")
        viewer.page.evaluate(
            """([origin, src]) => {
                const element = document.createElement('firstlight-viewer');
                let asked = 0;
                element.credentials = [
                    { origin, headers: () => ({ Authorization: `Bearer ${++asked}` }) },
                ];
                element.src = src;
                document.querySelector('firstlight-viewer').replaceWith(element);
            }""",
            [other.url, f"{other.url}/data/firstlight.json"],
        )
        viewer.wait_for("complete")
        gets = [r for r in other.requests() if r.method == "GET"]
        assert gets
        assert all(r.headers.get("authorization", "").startswith("Bearer ") for r in gets)
        assert not any("authorization" in r.headers for r in server.requests())
