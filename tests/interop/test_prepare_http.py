"""Sources behind http://, from servers with and without ranges."""

from __future__ import annotations

import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from firstlight.serve.app import create_app
from firstlight.serve.run import Server
from unit.prepare_sources import copied, run, tree_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytest.importorskip("aiohttp", reason="fsspec needs it for http://; it comes with the extra s3")

NAMES = ("CT_small.dcm", "emri_small.dcm", "MR_small_RLE.dcm")


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return copied(tmp_path / "in" / "scans", *NAMES)


@pytest.fixture
def expected(source: Path, tmp_path: Path) -> dict[str, bytes]:
    assert run(source, "-o", tmp_path / "local").exit_code == 0
    return tree_of(tmp_path / "local")


@pytest.fixture
def listing_server(source: Path) -> Iterator[str]:
    """Python's own: it lists folders, and knows no ranges."""
    handler = partial(Quiet, directory=str(source.parent))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join(timeout=10)
    server.server_close()


def test_a_folder_without_ranges(
    listing_server: str, expected: dict[str, bytes], tmp_path: Path
) -> None:
    result = run(f"{listing_server}/scans/", "-o", tmp_path / "out", "-j1")
    assert result.exit_code == 0, result.output
    assert tree_of(tmp_path / "out") == expected


def test_files_with_ranges(source: Path, expected: dict[str, bytes], tmp_path: Path) -> None:
    with Server(create_app(source, None), host="127.0.0.1", port=0) as server:
        urls = [f"{server.url}/data/{name}" for name in sorted(NAMES)]
        result = run(*urls, "-o", tmp_path / "out", "-j1")
    assert result.exit_code == 0, result.output
    assert tree_of(tmp_path / "out").keys() == expected.keys()
    frames = {path: data for path, data in expected.items() if path.endswith(".mht")}
    assert frames.items() <= tree_of(tmp_path / "out").items()


def test_what_is_not_there(listing_server: str, source: Path, tmp_path: Path) -> None:
    """One line for one URL; the rest is done."""
    urls = (f"{listing_server}/scans/gone.dcm", f"{listing_server}/scans/CT_small.dcm")
    result = run(*urls, "-o", tmp_path / "out", "-j1")
    assert result.exit_code == 1
    assert "gone.dcm" in result.stderr
    assert "Traceback" not in result.output
