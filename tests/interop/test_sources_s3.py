"""What `prepare` wrote, read back from an S3-compatible store by ``s3://bucket/firstlight.json``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pydicom
import pytest
from typer.testing import CliRunner

from firstlight.cli import app
from unit.prepare_sources import copied, run, shipped

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytest.importorskip("s3fs", reason="the extra s3 is not installed")
moto_server = pytest.importorskip("moto.server", reason="moto is not installed")


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    import s3fs

    server = moto_server.ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    s3fs.S3FileSystem.clear_instance_cache()
    s3fs.S3FileSystem(use_listings_cache=False).mkdir("pictures")
    try:
        yield "s3://pictures"
    finally:
        server.stop()


def test_a_prepared_tree(bucket: str, tmp_path: Path) -> None:
    source = copied(tmp_path / "source", "CT_small.dcm")
    target = f"{bucket}/tree"
    assert run(source, "--out", target, "--layout", "dicomweb", "-q").exit_code == 0
    descriptor = f"{target}/firstlight.json"
    inspected = CliRunner().invoke(app, ["inspect", descriptor, "--json"])
    assert inspected.exit_code == 0, inspected.output
    (series,) = json.loads(inspected.output)["series"]
    assert series["frames"][0]["url"].startswith(f"{target}/")
    out = tmp_path / "a.npy"
    fetched = CliRunner().invoke(app, ["fetch", descriptor, "-o", str(out)])
    assert fetched.exit_code == 0, fetched.output
    expected = pydicom.dcmread(shipped("CT_small.dcm")).pixel_array
    assert np.array_equal(np.load(out), expected)
