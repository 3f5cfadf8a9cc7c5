"""The static tree read by cornerstone3D in Chromium: its pixels are ours."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pydicom
import pytest

from firstlight.prepare.stored import stored_frames
from firstlight.serve.app import create_app
from firstlight.serve.run import Server
from support.nginx import running_nginx
from unit.prepare_sources import copied, descriptor_of, run, shipped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "docs" / "prepare.md"
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


def prepared(folder: Path, *options: str) -> Path:
    for name in NAMES:  # some of these share their UIDs
        source = copied(folder / name / "in", name)
        assert run(source, "-o", folder / name / "out", *options).exit_code == 0
    return folder


def nginx_block() -> str:
    """What the documentation says."""
    found = re.search(r"```nginx\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    assert found is not None
    return found[1]


@pytest.fixture(
    scope="module",
    params=[
        (),
        ("--format", "htj2k-lossless"),
        ("--single-part",),
        ("--single-part", "--format", "jpegls"),
        ("--single-part", "nginx"),
        ("nginx",),
    ],
    ids=" ".join,
)
def tree(request, built: Path, tmp_path_factory) -> Iterator[tuple[str, str, Path]]:
    folder = tmp_path_factory.mktemp("tree")
    prepared(folder, *(word for word in request.param if word != "nginx"))
    if "nginx" not in request.param:
        with Server(create_app(folder, built), host="127.0.0.1", port=0) as server:
            yield server.url, "data", folder
        return
    block = nginx_block().replace("root /srv;", f"root {folder.parent};")
    with running_nginx(
        tmp_path_factory.mktemp("nginx"),
        viewer=built,
        data=folder,
        more=block.replace("/images/", f"/{folder.name}/"),
    ) as url:
        yield url, folder.name, folder


def test_pixels(tree: tuple[str, str, Path], page: Page) -> None:
    """Of all of them on one page, which takes long to load."""
    url, data, folder = tree
    page.goto(f"{url}/")
    page.wait_for_function("globalThis.ready === true")
    for name in NAMES:
        [series] = descriptor_of(folder / name / "out").series
        place = f"{data}/{name}/out/studies/{series.study_instance_uid}/series/"
        found = page.evaluate("readSeries", f"{place}{series.series_instance_uid}")
        source = pydicom.dcmread(shipped(name))
        expected = [
            (values.shape[:2], hashlib.sha256(values.astype("<i4").tobytes()).hexdigest())
            for values in stored_frames(source, resource=name)
        ]
        read = [((frame["rows"], frame["columns"]), frame["sha256"]) for frame in found]
        assert read == expected, (name, json.dumps(found))
