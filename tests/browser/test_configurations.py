"""Retrieve configurations in the page: which bytes, in which order, worth what; at last, exact."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING
from urllib.parse import quote

import numpy as np
import pytest
from typer.testing import CliRunner

from browser.conftest import Tree, Viewer
from browser.dicom_files import smooth_noise, write_image
from firstlight.cli import app
from support.faults import Fault
from support.faulty_server import FaultyServer
from support.recording_server import RecordingServer

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.browser

FRAMES = 12
CHUNK = 65_536
ORDER = ["FAR_REPLICATE", "ADJACENT_REPLICATE", "SUBRESOLUTION", "LOSSY", "FULL_RESOLUTION"]
ALTERNATES = ["jls", "jlsThumbnail", "lossy"]

WATCH = """
    window.qualities = {};
    const look = () => {
        const states = document.querySelector('firstlight-viewer')?.state() ?? [];
        for (const { frameIndex, quality, replicaOf } of states) {
            if (!quality) continue;
            const seen = (window.qualities[frameIndex] ??= []);
            const last = seen.at(-1);
            if (last?.[0] !== quality || last[1] !== replicaOf) seen.push([quality, replicaOf]);
        }
    };
    setInterval(look, 4);
"""
"""Keeps, for each frame, what its picture counted as, one after the other."""


@pytest.fixture(scope="module")
def tree(tmp_path_factory) -> Tree:
    """Twelve slices with every alternate that the stock configurations know."""
    folder = tmp_path_factory.mktemp("alternates")
    pixels = [
        (smooth_noise(512, 512, seed=n, bits=12).astype(np.int32) - 1024).astype(np.int16)
        for n in range(FRAMES)
    ]
    for number, array in enumerate(pixels):
        write_image(folder / "in" / f"{number}.dcm", array, series="alt", number=number, bits=16)
    arguments = ["prepare", str(folder / "in"), "--out", str(folder / "out")]
    arguments += ["--layout", "dicomweb", "--quiet"]
    for name in ALTERNATES:
        arguments += ["--alternate", name]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    return Tree(folder / "out", tuple(pixels))


@pytest.fixture
def watched(page):
    page.add_init_script(WATCH)


def _place(path: str) -> tuple[str, int] | None:
    """The folder and instance of a frame's resource."""
    found = re.search(r"/instances/([\d.]+)/(\w+)/1(?:\.mht)?$", path.split("?")[0])
    return (found[2], found[1]) if found else None


Asked = tuple[int, str, int, int]
"""Frame, folder, first byte and the one after the last."""


def requests_of(viewer: Viewer, tree: Tree) -> list[Asked]:
    """What was asked for of frames, in the order of starting; no byte of it twice.

    A request that was cancelled to make room, and the one that went on from there, are one.
    """
    index = {frame["sop_instance_uid"]: n for n, frame in enumerate(_frames(tree))}
    asked: list[Asked] = []
    held: dict[tuple[int, str], int] = {}
    for request in viewer.element("timeline()")["requests"]:
        place = _place(request["url"])
        if place is None:
            continue
        key = (index[place[1]], place[0])
        start, stop = request["start"], request["stop"]
        assert start >= held.get(key, 0), f"fetched twice: {key}, from {start}"
        held[key] = start + request["bytes"]
        goes_on = any((*key, stop) == (n, name, end) for n, name, _, end in asked)
        if not goes_on:
            asked.append((*key, start, stop))
    return asked


def _frames(tree: Tree) -> list[dict]:
    return tree.descriptor["series"][0]["frames"]


def _alternate(tree: Tree, index: int, name: str) -> tuple[int, str, int, int]:
    """The one request that brings a frame of an alternate."""
    [one] = [a for a in _frames(tree)[index]["alternates"] if a["name"] == name]
    return (index, name, one["start"], one["start"] + _last(one))


def _last(frame: dict) -> int:
    return frame["level_ends"][-1] if frame["level_ends"] else frame["length"]


def _whole(tree: Tree, index: int) -> tuple[int, str, int, int]:
    frame = _frames(tree)[index]
    return (index, "frames", frame["start"], frame["start"] + _last(frame))


def _first(tree: Tree, index: int, chunk: int = CHUNK) -> tuple[int, str, int, int]:
    start = _frames(tree)[index]["start"]
    return (index, "frames", start, start + chunk)


def _rest(tree: Tree, index: int, chunk: int = CHUNK) -> tuple[int, str, int, int]:
    _, name, start, stop = _whole(tree, index)
    return (index, name, start + chunk, stop)


def assert_order(viewer: Viewer, tree: Tree, first: list[Asked], *later: list[Asked]) -> None:
    """The requests of each stage, one after the other; those of frame 0, on screen, begin them.

    ``later`` are stages of frames whose requests of the stage before were decoded in any order, and
    so is the place of frame 0's own next request among the others.
    """
    found = requests_of(viewer, tree)
    own = [request for request in found if request[0] == 0]
    assert found[0] == own[0]
    others = [request for request in found if request[0] != 0]
    expected = [[request for request in stage if request[0] != 0] for stage in (first, *later)]
    assert others[: len(expected[0])] == expected[0]
    at = len(expected[0])
    for stage in expected[1:]:
        assert sorted(others[at : at + len(stage)]) == sorted(stage)
        at += len(stage)
    assert others[at:] == []
    assert own == [request for stage in (first, *later) for request in stage if request[0] == 0]


def assert_exact(viewer: Viewer, tree: Tree) -> None:
    for index, pixels in enumerate(tree.pixels):
        assert np.array_equal(viewer.stored_pixels(index), pixels), index


def assert_never_worse(viewer: Viewer) -> dict[int, list[str]]:
    """What each frame's picture counted as; never less than before."""
    seen = viewer.page.evaluate("window.qualities")
    found = {int(index): [quality for quality, _ in steps] for index, steps in seen.items()}
    for index, steps in found.items():
        ranks = [ORDER.index(quality) for quality in steps]
        assert ranks == sorted(ranks), (index, steps)
    return found


def stages_of(viewer: Viewer) -> dict[str, tuple[int, int, int]]:
    """Images, failures and skipped ones of each stage that is over."""
    found = {}
    for detail in viewer.heard("stage-complete"):
        assert detail["stageId"] not in found
        assert detail["startDurationMs"] >= 0
        assert detail["stageDurationMs"] >= 0
        found[detail["stageId"]] = (
            detail["numberOfImages"],
            detail["numberOfFailures"],
            detail["numberOfSkipped"],
        )
    return found


def loaded(serve, tree: Tree, configuration: str, **parameters: str) -> Viewer:
    """The viewer with a series complete and exact."""
    viewer, _ = serve(tree, network="4g")
    viewer.open("data/firstlight.json", configuration=quote(configuration), **parameters)
    viewer.wait_for("complete")
    assert_exact(viewer, tree)
    assert {state["status"] for state in viewer.state()} == {"lossless"}
    assert {state["quality"] for state in viewer.state()} == {"FULL_RESOLUTION"}
    assert viewer.heard("error") == []
    return viewer


def test_single(serve, tree, watched):
    viewer = loaded(serve, tree, "single", frame="3")
    # What is on screen first; the others in their order.
    order = [2, *(index for index in range(FRAMES) if index != 2)]
    assert requests_of(viewer, tree) == [_whole(tree, index) for index in order]
    assert_never_worse(viewer)
    assert stages_of(viewer) == {"initialImages": (12, 0, 0)}


def test_sequential(serve, tree, watched):
    viewer = loaded(serve, tree, "sequential")
    fast = [_first(tree, index) for index in range(FRAMES)]
    final = [_rest(tree, index) for index in range(FRAMES)]
    assert_order(viewer, tree, fast, final)
    for steps in list(assert_never_worse(viewer).values())[1:]:
        assert steps == ["SUBRESOLUTION", "FULL_RESOLUTION"]
    assert stages_of(viewer) == {
        "lossySequential": (12, 0, 0),
        "finalSequential": (12, 0, 0),
        "errorRetrieve": (12, 0, 12),
    }


def test_interleaved(serve, tree, watched):
    viewer = loaded(serve, tree, "interleaved")
    order = [_whole(tree, index) for index in (0, 5, 11)]
    order += [_first(tree, index) for index in (3, 7)]
    order += [_first(tree, index) for index in (1, 9)]
    order += [_whole(tree, index) for index in (2, 6, 10)]
    order += [_whole(tree, index) for index in (4, 8)]
    halves = [_rest(tree, index) for index in (1, 9)]
    quarters = [_rest(tree, index) for index in (3, 7)]
    assert_order(viewer, tree, order, halves, quarters)
    assert_never_worse(viewer)
    assert stages_of(viewer) == {
        "initialImages": (3, 0, 0),
        "quarterThumb": (3, 0, 1),
        "halfThumb": (3, 0, 1),
        "quarterFull": (3, 0, 0),
        "halfFull": (3, 0, 1),
        "threeQuarterFull": (3, 0, 1),
        "finalFull": (3, 0, 1),
        "errorRetrieve": (12, 0, 12),
    }


def test_a_neighbour_stands_in_for_a_slice_that_is_on_its_way(serve, tree, watched):
    viewer, _ = serve(tree)
    held = {2: (1, 3), 6: (5, 7)}
    paths = [f"/{_frames(tree)[index]['url']}" for index in held]
    with FaultyServer(tree.files(), {path: Fault(no_answer=True) for path in paths}) as data:
        viewer.open(data.url("/firstlight.json"), configuration="interleaved")
        for index, neighbours in held.items():
            viewer.page.wait_for_function(
                """([index, neighbours]) => {
                    const state = document.querySelector('firstlight-viewer')?.state()[index];
                    return state?.quality === 'ADJACENT_REPLICATE'
                        && neighbours.includes(state.replicaOf);
                }""",
                arg=[index, neighbours],
            )
        assert viewer.heard("complete") == []
        for path in paths:
            data.release(path)
        viewer.wait_for("complete")
        assert_exact(viewer, tree)
        assert_never_worse(viewer)
        for index in held:
            assert viewer.state()[index]["quality"] == "FULL_RESOLUTION"
            assert viewer.state()[index]["replicaOf"] is None


def test_htj2k_range(serve, tree, watched):
    viewer = loaded(serve, tree, "htj2k-range")
    fast = [_first(tree, index, 131_072) for index in range(FRAMES)]
    final = [_rest(tree, index, 131_072) for index in range(FRAMES)]
    assert_order(viewer, tree, fast, final)
    assert_never_worse(viewer)


def test_jls_thumbnail(serve, tree, watched):
    viewer = loaded(serve, tree, "jls-thumbnail")
    fast = [_alternate(tree, index, "jlsThumbnail") for index in range(FRAMES)]
    final = [_alternate(tree, index, "jls") for index in range(FRAMES)]
    assert_order(viewer, tree, fast, final)
    for steps in list(assert_never_worse(viewer).values())[1:]:
        assert steps == ["SUBRESOLUTION", "FULL_RESOLUTION"]
    assert stages_of(viewer)["errorRetrieve"] == (12, 0, 12)


def test_lossy(serve, tree, watched):
    viewer = loaded(serve, tree, "lossy")
    fast = [_alternate(tree, index, "lossy") for index in range(FRAMES)]
    final = [_whole(tree, index) for index in range(FRAMES)]
    assert_order(viewer, tree, fast, final)
    for steps in list(assert_never_worse(viewer).values())[1:]:
        assert steps[-2:] == ["LOSSY", "FULL_RESOLUTION"]


def test_planes_take_the_stages_of_volumes(serve, tree, watched):
    viewer = loaded(serve, tree, "lossy", layout="mpr")
    order = [_whole(tree, index) for index in (5, 0, 11)]
    order += [_alternate(tree, index, "lossy") for index in (3, 7, 1, 9)]
    order += [_whole(tree, index) for index in (2, 6, 10, 4, 8)]
    order += [_whole(tree, index) for index in (1, 9, 3, 7)]
    assert sorted(requests_of(viewer, tree)) == sorted(order)
    assert stages_of(viewer)["quarterThumb"] == (3, 0, 1)
    assert_never_worse(viewer)


def test_adaptive_fetches_no_byte_twice(serve, tree, watched):
    viewer = loaded(serve, tree, "adaptive")
    assert {name for _, name, _, _ in requests_of(viewer, tree)} == {"frames"}
    assert_never_worse(viewer)
    assert stages_of(viewer) == {}


STOCK = ["single", "sequential", "interleaved", "htj2k-range", "jls-thumbnail", "lossy", "adaptive"]


@pytest.fixture(scope="module")
def foreign(shared_data) -> str:
    """A series of the real tree."""
    [metadata] = sorted(shared_data.glob("dicomweb/studies/*/series/*/metadata*"))[:1]
    return f"dicomweb:data/{metadata.parent.relative_to(shared_data)}"


@pytest.fixture(scope="module")
def plain_pixels(foreign, shared_context, viewer_dist, shared_data) -> tuple:
    """Its first frame and its last, without a configuration."""
    page = shared_context.new_page()
    with RecordingServer(shared_data, viewer_dist) as server:
        plain = Viewer(page, server.url)
        plain.open(foreign)
        plain.wait_for("complete")
        pixels = tuple(plain.stored_pixels(index) for index in (0, len(plain.state()) - 1))
        page.close()
    return pixels


@pytest.mark.parametrize("name", STOCK)
def test_a_tree_of_another_tool(
    viewer_dist, page, shared_data, foreign, plain_pixels, name, watched
):
    """Uncompressed, without ranges worth asking for, without alternates: exact all the same."""
    with RecordingServer(shared_data, viewer_dist) as server:
        viewer = Viewer(page, server.url)
        viewer.open(foreign, configuration=name)
        viewer.wait_for("complete")
        states = viewer.state()
        assert {state["status"] for state in states} <= {"lossless", "complete"}
        assert {state["quality"] for state in states} == {"FULL_RESOLUTION"}
        if name in ("jls-thumbnail", "lossy"):
            failures = len(states)
            assert stages_of(viewer)["lossySequential"][:2] == (failures, failures)
        assert viewer.heard("error") == []
        assert_never_worse(viewer)
        # Those of the tests of the tree itself, which know what is in it.
        for index, plain in zip((0, len(states) - 1), plain_pixels, strict=True):
            assert np.array_equal(viewer.stored_pixels(index), plain)


def test_a_missing_alternate_is_passed_over(serve, tree, watched):
    viewer, _ = serve(tree)
    gone = [_alternate_path(tree, index, "jls") for index in range(FRAMES)]
    with FaultyServer(tree.files(), {path: Fault(status=404) for path in gone}) as data:
        viewer.open(data.url("/firstlight.json"), configuration="jls-thumbnail")
        viewer.wait_for("complete")
        assert_exact(viewer, tree)
        assert stages_of(viewer) == {
            "lossySequential": (12, 0, 0),
            "finalSequential": (12, 12, 0),
            "errorRetrieve": (12, 0, 0),
        }
        assert viewer.heard("error") == []


def _alternate_path(tree: Tree, index: int, name: str) -> str:
    [one] = [a for a in _frames(tree)[index]["alternates"] if a["name"] == name]
    return f"/{one['url']}"


SMALL_ONLY = {
    "stages": [{"id": "small", "retrieveType": "small"}],
    "retrieveOptions": {
        "small": {"framesPath": "/jlsThumbnail/", "imageQualityStatus": "SUBRESOLUTION"}
    },
}


def test_an_intentionally_small_series_is_complete_as_configured(serve, tree, watched):
    viewer, _ = serve(tree)
    viewer.open("data/firstlight.json", configuration=quote(json.dumps(SMALL_ONLY)))
    viewer.wait_for("complete")
    assert {state["status"] for state in viewer.state()} == {"configured"}
    assert {state["quality"] for state in viewer.state()} == {"SUBRESOLUTION"}
    assert viewer.stored_pixels(4).shape == (128, 128)
    asked = requests_of(viewer, tree)
    assert {name for _, name, _, _ in asked} == {"jlsThumbnail"}


def _spellings() -> Iterator[tuple[str, str]]:
    """The same configuration in JavaScript, as somebody may write it."""
    today = """{
        stages: 'sequential',
        retrieveOptions: {
            singleFast: { rangeIndex: 0, chunkSize: 20000, imageQualityStatus: 6 },
            singleFinal: { rangeIndex: -1 },
        },
    }"""
    older = """{
        stages: 'sequential',
        retrieveOptions: {
            singleFast: {
                default: {},
                '3.2.840.10008.1.2.4.96': { range: 0, initialBytes: 20000, status: 6 },
            },
            singleFinal: { default: { range: 1 } },
        },
    }"""
    yield "today", today
    yield "older", older
    yield "text", f"JSON.stringify({today})"


@pytest.mark.parametrize("spelling", dict(_spellings()))
def test_javascript_in_every_spelling_loads_alike(serve, tree, spelling):
    viewer, _ = serve(tree, network="4g")
    _open_with(viewer, dict(_spellings())[spelling])
    viewer.wait_for("complete")
    fast = [_first(tree, index, 20_000) for index in range(FRAMES)]
    final = [_rest(tree, index, 20_000) for index in range(FRAMES)]
    assert_order(viewer, tree, fast, final)
    assert_exact(viewer, tree)


def _open_with(viewer: Viewer, configuration: str) -> None:
    """A page with an element of its own, whose configuration is a JavaScript expression."""
    viewer.page.goto(f"{viewer.url}/?src=data/nothing.json", wait_until="commit")
    viewer.page.wait_for_function("customElements.get('firstlight-viewer') !== undefined")
    viewer.page.evaluate(
        """([expression, src]) => {
            window.heard = [];
            const element = document.createElement('firstlight-viewer');
            element.configuration = (0, eval)(`(${expression})`);
            element.src = src;
            document.querySelector('firstlight-viewer').replaceWith(element);
        }""",
        [configuration, f"{viewer.url}/data/firstlight.json"],
    )


def test_a_configuration_at_an_address(serve, tree):
    viewer, _ = serve(tree, network="4g")
    (tree.folder / "small.json").write_text(json.dumps(SMALL_ONLY))
    viewer.open("data/firstlight.json", configuration="data/small.json")
    viewer.wait_for("complete")
    assert {state["status"] for state in viewer.state()} == {"configured"}


BACKWARDS = """{
    create(configuration) {
        window.created = configuration.mark;
        return {
            async loadImages(frames, listener) {
                window.outcomes = [];
                for (const index of frames.toReversed()) {
                    window.outcomes.push(
                        await listener.request(index, { rangeIndex: 0, chunkSize: 20000 }));
                }
                window.outcomes.push(await listener.request(0, { chunkSize: -1 }));
                window.outcomes.push(await listener.request(0.5));
                await Promise.all(frames.map((index) => listener.request(index)));
                listener.done();
                window.finished = true;
            },
            retrieved(index, quality) { (window.told ??= []).push([index, quality]); },
            failed(index, error) { (window.refused ??= []).push(error.message); },
        };
    },
}"""


def test_a_retriever_written_in_javascript(serve, tree, watched):
    viewer, _ = serve(tree, network="4g")
    _open_with(viewer, BACKWARDS)
    viewer.wait_for("complete")
    viewer.page.wait_for_function("window.finished === true")
    backwards = [_first(tree, index, 20_000) for index in reversed(range(FRAMES))]
    # One after the other, since it waits for each; what it asks for together, the eye's first.
    assert requests_of(viewer, tree)[:FRAMES] == backwards
    rest = [_rest(tree, index, 20_000) for index in range(FRAMES)]
    assert sorted(requests_of(viewer, tree)[FRAMES:]) == rest
    outcomes = viewer.page.evaluate("window.outcomes")
    assert outcomes[:FRAMES] == [{"quality": "SUBRESOLUTION", "error": None}] * FRAMES
    assert [outcome["error"]["type"] for outcome in outcomes[FRAMES:]] == ["ConfigurationError"] * 2
    assert len(viewer.page.evaluate("window.told")) == 2 * FRAMES
    assert len(viewer.page.evaluate("window.refused")) == 2
    assert_exact(viewer, tree)
    assert_never_worse(viewer)


@pytest.mark.parametrize(
    ("create", "message"),
    [
        ("() => { throw new Error('no such thing'); }", "no such thing"),
        ("() => ({})", "loadImages"),
        ("() => ({ async loadImages() { throw new Error('later'); } })", "later"),
    ],
)
def test_a_retriever_that_crashes_leaves_nothing_blank(serve, tree, create, message):
    viewer, _ = serve(tree)
    _open_with(viewer, f"{{ create: {create} }}")
    viewer.wait_for("complete")
    assert_exact(viewer, tree)
    [detail] = viewer.heard("error")
    assert detail["frameIndex"] is None
    assert detail["error"]["type"] == "ConfigurationError"
    assert detail["error"]["message"].startswith("create: the retriever failed, ")
    assert message in detail["error"]["message"]


@pytest.mark.parametrize(
    ("configuration", "message"),
    [
        ("'zigzag'", "configuration: there is no 'zigzag', there are adaptive, single,"),
        ("{ stages: [{ id: 'a', decimate: 0 }] }", "stages[0].decimate: must be a whole number"),
        ("{ stages: [{ id: 'a', positions: [40] }] }", "stages[0].positions[0]: there is no fra"),
        (
            "{ retrieveOptions: { default: { chunkSize: () => 5 } } }",
            "retrieveOptions.default.chunkSize: must be a whole number of at least 1, not 'func",
        ),
        ("(() => { const a = {}; a.a = a; return a; })()", "configuration: "),
        ("'data/no-such.json'", "configuration: "),
        ("'data/firstlight.json'", "firstlight: not known here; there are name, stages,"),
    ],
)
def test_a_wrong_configuration_is_told_and_stops_nothing(serve, tree, configuration, message):
    viewer, _ = serve(tree)
    _open_with(viewer, configuration)
    viewer.wait_for("complete")
    assert_exact(viewer, tree)
    [detail] = viewer.heard("error")
    assert detail["frameIndex"] is None
    assert detail["error"]["type"] == "ConfigurationError"
    assert detail["error"]["message"].startswith(message)
    assert viewer.element("error") is None


def test_the_reader_sees_what_is_wrong(serve, tree):
    viewer, _ = serve(tree)
    viewer.open("data/firstlight.json", configuration="zigzag")
    viewer.wait_for("complete")
    notice = viewer.page.locator("firstlight-viewer .notices li")
    assert "there is no 'zigzag'" in notice.inner_text()
