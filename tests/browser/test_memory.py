"""Compressed bytes and pixels never enter Python's heap."""

from __future__ import annotations

import json

import pytest

from browser import conftest
from browser.conftest import Tree
from browser.dicom_files import smooth_noise, write_image

pytestmark = pytest.mark.browser

LOADED_BYTES = 200_000_000
MIB = 2**20


@pytest.fixture(scope="module")
def large(tmp_path_factory) -> Tree:
    """One real image that a descriptor names so often that 200 MB of it are loaded."""
    folder = tmp_path_factory.mktemp("large")
    pixels = smooth_noise(3036, 3036, seed=1, bits=12)
    write_image(folder / "in" / "1.dcm", pixels, series="large", number=0, bits=12)
    conftest.prepare(folder / "in", folder / "out", "jphuri")
    path = folder / "out" / "firstlight.json"
    descriptor = json.loads(path.read_text())
    [frame] = descriptor["series"][0]["frames"]
    count = -(-LOADED_BYTES // frame["length"])
    # A query makes each a resource of its own.
    frames = [{**frame, "url": f"{frame['url']}?copy={n}"} for n in range(count)]
    descriptor["series"][0]["frames"] = frames
    path.write_text(json.dumps(descriptor))
    return Tree(folder / "out", (pixels,) * count)


def test_pythons_heap_does_not_grow_with_the_data(serve, large):
    viewer, _ = serve(large)
    viewer.open("data/firstlight.json")
    viewer.wait_for("first-render")
    viewer.element("ready")
    before = viewer.element("memory()")["pythonHeapBytes"]
    viewer.page.wait_for_function(
        """(wanted) => document.querySelector('firstlight-viewer').state()
             .reduce((sum, { heldBytes }) => sum + heldBytes, 0) >= wanted""",
        arg=LOADED_BYTES,
    )
    after = viewer.element("memory()")["pythonHeapBytes"]
    assert before > 10 * MIB
    assert after - before < 4 * MIB
