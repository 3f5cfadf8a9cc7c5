"""The static tree read by cornerstone3D in Chromium: its pixels are ours."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pydicom
import pytest

from firstlight.prepare.stored import stored_frames
from firstlight.serve.app import create_app
from firstlight.serve.run import Server
from unit.prepare_sources import copied, descriptor_of, run, shipped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

ROOT = Path(__file__).resolve().parents[2]
PAGE = Path(__file__).parent / "cornerstone"
PACKAGE = ROOT / "bench" / "node_modules" / "@cornerstonejs" / "core"
NAMES = (
    "CT_small.dcm",
    "emri_small.dcm",
    "MR_small_RLE.dcm",
    "MR_small_jp2klossless.dcm",
    "examples_rgb_color.dcm",
)
"""Signed and unsigned, of several frames, and of colour; each a study of its own."""

BUILD = """
const { build } = await import('vite');
await build({ configFile: process.argv[1], build: { outDir: process.argv[2] } });
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not PACKAGE.is_dir():
        pytest.skip("cornerstone3D is not installed (npm run bench installs it)")
    node = shutil.which("node")
    if node is None:
        pytest.skip("needs node")
    out = tmp_path_factory.mktemp("cornerstone")
    done = subprocess.run(
        [node, "--input-type=module", "-e", BUILD, str(PAGE / "vite.config.js"), str(out)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=150,
    )
    assert done.returncode == 0, done.stderr
    return out


@pytest.fixture(scope="module", params=[(), ("--format", "htj2k-lossless")])
def tree(request, built: Path, tmp_path_factory) -> Iterator[tuple[str, Path]]:
    folder = tmp_path_factory.mktemp("tree")
    for name in NAMES:  # some of these share their UIDs
        source = copied(folder / name / "in", name)
        assert run(source, "-o", folder / name / "out", *request.param).exit_code == 0
    with Server(create_app(folder, built), host="127.0.0.1", port=0) as server:
        yield server.url, folder


@pytest.mark.parametrize("name", NAMES)
def test_pixels(tree: tuple[str, Path], name: str, page: Page) -> None:
    url, folder = tree
    [series] = descriptor_of(folder / name / "out").series
    page.goto(f"{url}/")
    page.wait_for_function("globalThis.ready === true")
    place = f"data/{name}/out/studies/{series.study_instance_uid}/series/"
    found = page.evaluate("readSeries", f"{place}{series.series_instance_uid}")
    source = pydicom.dcmread(shipped(name))
    expected = [
        (values.shape[:2], hashlib.sha256(values.astype("<i4").tobytes()).hexdigest())
        for values in stored_frames(source, resource=name)
    ]
    read = [((frame["rows"], frame["columns"]), frame["sha256"]) for frame in found]
    assert read == expected, json.dumps(found)
