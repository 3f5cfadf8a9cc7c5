"""Sources and targets in Google Cloud Storage, as users name them, against an emulator."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

import pytest

from unit.prepare_sources import copied, run, summary_of, tree_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# else it asks the store's gRPC side what kind of bucket it is, which the emulator does not have
os.environ.setdefault("GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT", "false")
gcsfs = pytest.importorskip("gcsfs", reason="gcsfs is not installed")
emulator = pytest.importorskip(
    "gcp_storage_emulator.server", reason="gcp-storage-emulator is not installed"
)

NAMES = ("CT_small.dcm", "SC_rgb_small_odd.dcm")


@pytest.fixture(scope="module")
def store() -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = emulator.create_server("127.0.0.1", port, in_memory=True, default_bucket="archive")
    server.start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.stop()


@pytest.fixture
def files(store: str, monkeypatch: pytest.MonkeyPatch) -> gcsfs.GCSFileSystem:
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", store)
    gcsfs.GCSFileSystem.clear_instance_cache()
    return gcsfs.GCSFileSystem(token="anon", endpoint_url=store, use_listings_cache=False)


def test_from_store_to_store(files: gcsfs.GCSFileSystem, tmp_path: Path) -> None:
    """The same bytes as from folder to folder, and nothing more the second time."""
    source = copied(tmp_path / "source", *NAMES)
    for path in source.iterdir():
        files.pipe_file(f"archive/study/{path.name}", path.read_bytes())
    command = ("gs://archive/study", "--out", "gs://archive/tree", "--json", "-j1")
    result = run(*command)
    assert result.exit_code == 0, result.output
    assert run(source, "--out", tmp_path / "out").exit_code == 0
    found = {
        name.removeprefix("archive/tree/"): files.cat_file(name)
        for name in files.find("archive/tree")
    }
    assert found == tree_of(tmp_path / "out")
    again = summary_of(run(*command))
    assert (again["files_prepared"], again["files_already_there"]) == (0, len(NAMES))
