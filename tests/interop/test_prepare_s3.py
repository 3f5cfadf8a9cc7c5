"""Sources and targets in an S3-compatible store, as users name them: ``s3://bucket/folder``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from unit.prepare_sources import copied, run, tree_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

s3fs = pytest.importorskip("s3fs", reason="the extra s3 is not installed")
moto_server = pytest.importorskip("moto.server", reason="moto is not installed")

NAMES = ("CT_small.dcm", "SC_rgb_small_odd.dcm")


@pytest.fixture(scope="module")
def store() -> Iterator[str]:
    server = moto_server.ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    try:
        yield f"http://{host}:{port}"
    finally:
        server.stop()


@pytest.fixture
def files(store: str, monkeypatch: pytest.MonkeyPatch) -> s3fs.S3FileSystem:
    monkeypatch.setenv("AWS_ENDPOINT_URL", store)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    s3fs.S3FileSystem.clear_instance_cache()
    found = s3fs.S3FileSystem(use_listings_cache=False)
    for bucket in ("archive", "target"):
        if found.exists(bucket):
            found.rm(bucket, recursive=True)
        found.mkdir(bucket)
    return found


def objects(files: s3fs.S3FileSystem, root: str) -> dict[str, bytes]:
    return {name.removeprefix(f"{root}/"): files.cat_file(name) for name in files.find(root)}


@pytest.mark.parametrize("layout", ["dicomweb", "part10"])
def test_from_store_to_store(files: s3fs.S3FileSystem, layout: str, tmp_path: Path) -> None:
    """The same bytes as from folder to folder, and nothing more the second time."""
    source = copied(tmp_path / "source", *NAMES)
    for path in source.iterdir():
        files.put_file(str(path), f"archive/study/{path.name}")
    command = ("s3://archive/study", "--out", "s3://target/tree", "--layout", layout)
    result = run(*command, "--json")
    assert result.exit_code == 0, result.output
    assert run(source, "--out", tmp_path / "out", "--layout", layout).exit_code == 0
    expected, found = tree_of(tmp_path / "out"), objects(files, "target/tree")
    assert found == expected
    again = json.loads(run(*command, "--json").stdout)
    assert (again["files_prepared"], again["files_already_there"]) == (0, len(NAMES))


def test_resumes_where_an_object_is_missing(files: s3fs.S3FileSystem, tmp_path: Path) -> None:
    source = copied(tmp_path / "source", *NAMES)
    assert run(source, "--out", "s3://target/tree").exit_code == 0
    whole = objects(files, "target/tree")
    lost = next(name for name in whole if name.endswith("/frames/1.mht"))
    files.rm_file(f"target/tree/{lost}")
    assert run(source, "--out", "s3://target/tree", "--jobs", "1").exit_code == 0
    assert objects(files, "target/tree") == whole


def test_verify_reads_the_store(files: s3fs.S3FileSystem, tmp_path: Path) -> None:
    from typer.testing import CliRunner

    from firstlight.cli import app

    assert run(copied(tmp_path / "source", *NAMES), "--out", "s3://target/tree").exit_code == 0
    assert CliRunner().invoke(app, ["verify", "s3://target/tree"]).exit_code == 0
    name = next(n for n in files.find("target/tree") if n.endswith("/frames/1.mht"))
    data = bytearray(files.cat_file(name))
    data[-200] ^= 1
    files.pipe_file(name, bytes(data))
    broken = CliRunner().invoke(app, ["verify", "s3://target/tree"])
    assert broken.exit_code == 1
    assert name.removeprefix("target/tree/") in broken.output


def test_no_such_bucket(files: s3fs.S3FileSystem, tmp_path: Path) -> None:
    result = run("s3://nowhere/study", "--out", tmp_path / "out")
    assert result.exit_code == 1
    assert "Traceback" not in result.output
    assert result.stderr.count("\n") == 1
