"""Every way in, in the page: the same pixels whatever the source, and no byte twice."""

from __future__ import annotations

import hashlib
import json
import re
import shutil

import numpy as np
import pytest

from browser.conftest import Tree, Viewer
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
    viewer.wait_for("complete")
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


PHILIPS = "1.3.46.670589.30.1.3.1.1625260923.1632320482484.1"


def _choose(viewer: Viewer, files: list) -> None:
    """Give local files to the element as a reader does, by an input."""
    viewer.page.evaluate(
        """() => {
            const input = Object.assign(document.createElement('input'),
                { type: 'file', multiple: true, id: 'files' });
            document.body.append(input);
        }"""
    )
    viewer.page.locator("#files").set_input_files(files)
    viewer.page.evaluate(
        """() => document.querySelector('firstlight-viewer')
                 .openFiles(document.querySelector('#files').files)"""
    )


@pytest.mark.parametrize("name", ["t16e0", "t8c0e0", "t8nde0"])
def test_a_bare_jpeg_ls_stream(at, expected, name):
    viewer, _ = at
    viewer.open(f"data/jpeg-ls/{name}.jls")
    viewer.wait_for("complete")
    pixels = viewer.stored_pixels(0)
    assert _hash(pixels) == expected[f"jpeg-ls/{name}.jls"]["decoded"]["sha256"]
    assert viewer.state()[0]["status"] == "lossless"


def test_bare_jpeg_streams(viewer_dist, page, tmp_path):
    import imagecodecs

    x, y = np.meshgrid(np.arange(96), np.arange(64))
    grey = ((x + y) % 256).astype(np.uint8)
    colour = np.stack((grey, grey[::-1], np.full_like(grey, 90)), axis=2)
    (tmp_path / "grey.jpg").write_bytes(imagecodecs.jpeg8_encode(grey, level=95))
    (tmp_path / "colour.jpg").write_bytes(imagecodecs.jpeg8_encode(colour, level=95))
    with RecordingServer(tmp_path, viewer_dist) as server:
        viewer = Viewer(page, server.url)
        viewer.open("data/grey.jpg")
        viewer.wait_for("complete")
        decoded = imagecodecs.jpeg8_decode((tmp_path / "grey.jpg").read_bytes())
        assert np.array_equal(viewer.stored_pixels(0), decoded)
        assert viewer.state()[0]["status"] == "complete"
        viewer.open("data/colour.jpg")
        viewer.wait_for("complete")
        assert viewer.stored_pixels(0).shape == (64, 96, 3)


def test_what_could_not_be_read_is_said_on_the_screen(at, shared_data):
    viewer, _ = at
    viewer.open("data/wg04/CT1_JPH.dcm")
    viewer.wait_for("complete")
    files = [shared_data / "wg04/CT1_RLE.dcm", shared_data / "MANIFEST.md"]
    _choose(viewer, files)
    viewer.wait_for("complete", count=2)
    text = viewer.page.locator(".notices").inner_text()
    assert "1 of 2 files could not be read: MANIFEST.md" in text


def test_frames_of_several_syntaxes_are_one_stack(at, shared_data, expected, tmp_path):
    import pydicom

    names = ["CT1_JPH", "CT1_RLE", "CT1_JLSL", "CT1_J2KR", "CT1_UNC"]
    files = []
    for number, name in enumerate(names):
        dataset = pydicom.dcmread(shared_data / f"wg04/{name}.dcm")
        dataset.SeriesInstanceUID = "1.2.3"
        dataset.ImagePositionPatient = [0, 0, 5 * number]
        dataset.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
        files.append(tmp_path / f"{len(names) - number}.dcm")
        dataset.save_as(files[-1])
    viewer, _ = at
    viewer.open("data/wg04/MR1_JPH.dcm")
    viewer.wait_for("complete")
    _choose(viewer, files)
    viewer.wait_for("complete", count=2)
    assert [state["status"] for state in viewer.state()] == ["lossless"] * len(names)
    for index, name in enumerate(names):
        record = expected[f"wg04/{name}.dcm"]["decoded"]["frame1"]
        assert _hash(viewer.stored_pixels(index)) == record, name


def test_an_overlay_that_dicomweb_metadata_only_point_to(at):
    viewer, server = at
    viewer.open(f"dicomweb:data/dicomweb/studies/{PHILIPS}")
    viewer.wait_for("complete")
    asked = [request.path for request in server.requests() if "/bulkdata/" in request.path]
    assert any("/143/5e/" in path for path in asked)
    assert not viewer.page.locator(".notices").is_visible()


def test_float_pixels_are_shown(at, shared_data):
    import pydicom

    viewer, _ = at
    viewer.open("wadouri:data/dicom/parametric_map_float.dcm?frame=1")
    viewer.wait_for("complete")
    stored = pydicom.dcmread(shared_data / "dicom/parametric_map_float.dcm")
    shown = viewer.element("storedPixels(0).data.constructor.name")
    assert shown == "Float32Array"
    first = viewer.element("storedPixels(0).data[0]")
    assert first == np.frombuffer(stored.FloatPixelData, "<f4")[0]


def test_a_limit_and_then_only_the_rest(viewer_dist, page, shared_data, expected, tmp_path):
    import pydicom
    from pydicom.encaps import generate_frames

    dataset = pydicom.dcmread(shared_data / "wg04/RG3_JPH.dcm")
    (codestream,) = generate_frames(dataset.PixelData, number_of_frames=1)
    (tmp_path / "x.jph").write_bytes(codestream)
    del dataset.PixelData
    dataset.save_as(tmp_path / "x.metadata.dcm", enforce_file_format=True)
    with RecordingServer(tmp_path, viewer_dist) as server:
        viewer = Viewer(page, server.url)
        viewer.open("jphuri:data/x.jph%23byteRange=0-99999")
        state = viewer.wait_for_state(0, "configured")
        assert (state["resolutionLevel"], state["heldBytes"]) == (3, 100_000)
        server.requests.wait_until_idle()
        assert _spans(server, "/data/x.jph")[-1][1] == 100_000
        viewer.element("limit = {byteRange: '0-299999', decodeLevel: 1}")
        page.wait_for_function(
            "document.querySelector('firstlight-viewer').state()[0].resolutionLevel === 4"
        )
        viewer.element("limit = null")
        viewer.wait_for_state(0, "lossless")
        record = expected["wg04/RG3_JPH.dcm"]["decoded"]["frame1"]
        assert _hash(viewer.stored_pixels(0)) == record
        assert _twice(_spans(server, "/data/x.jph")) == 0


def test_a_descriptor_with_a_series_in_several_syntaxes(serve, stack, tmp_path):
    """The entries are joined, sorted anew, and nothing is shown as another slice before that."""
    descriptor = stack.descriptor
    [entry] = descriptor["series"]
    parts = {"201": entry["frames"][1::2], "202": entry["frames"][::2]}
    descriptor["series"] = [
        {**entry, "transfer_syntax_uid": f"1.2.840.10008.1.2.4.{end}", "frames": frames}
        for end, frames in parts.items()
    ]
    folder = tmp_path / "tree"
    shutil.copytree(stack.folder, folder)
    (folder / "firstlight.json").write_text(json.dumps(descriptor))
    viewer, _ = serve(Tree(folder, stack.pixels))
    viewer.open("data/firstlight.json")
    viewer.wait_for("complete")
    assert [state["status"] for state in viewer.state()] == ["lossless"] * len(stack.pixels)
    for index, pixels in enumerate(stack.pixels):
        assert np.array_equal(viewer.stored_pixels(index), pixels), index
