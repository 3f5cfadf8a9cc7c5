"""The recording server tells what was asked for and what really went out."""

from __future__ import annotations

import httpx
import pytest

from firstlight.serve.link import PROFILES
from support.recording_server import RecordingServer

CONTENT = bytes(range(256)) * 40_000


@pytest.fixture
def server(tmp_path):
    (tmp_path / "a.jph").write_bytes(CONTENT)
    with RecordingServer(tmp_path) as server:
        yield server


def test_records_requests_in_order(server):
    with httpx.Client(base_url=server.data_url) as client:
        client.get("a.jph", headers={"Range": "bytes=0-99"})
        client.head("a.jph")
        client.get("b.jph")
        client.get("a.jph", headers={"Range": "bytes=100-"})
    server.requests.wait_until_idle()
    assert [(r.method, r.path, r.range, r.status) for r in server.requests()] == [
        ("GET", "/data/a.jph", "bytes=0-99", 206),
        ("HEAD", "/data/a.jph", None, 200),
        ("GET", "/data/b.jph", None, 404),
        ("GET", "/data/a.jph", "bytes=100-", 206),
    ]
    assert [r.body_bytes for r in server.requests("/data/a.jph")] == [100, 0, len(CONTENT) - 100]
    assert server.requests.body_bytes("/data/a.jph") == len(CONTENT)
    assert all(r.finished and not r.aborted for r in server.requests())
    server.requests.clear()
    assert server.requests() == []


def test_records_an_abort(server):
    with httpx.stream("GET", f"{server.data_url}a.jph") as response:
        received = len(next(response.iter_raw()))
    server.requests.wait_until(lambda requests: any(r.aborted for r in requests))
    (request,) = server.requests()
    assert not request.finished
    assert received - 2 * 65536 <= request.body_bytes < len(CONTENT)


def test_an_abort_reaches_the_server_through_the_shaped_link(tmp_path):
    (tmp_path / "a.jph").write_bytes(CONTENT)
    with RecordingServer(tmp_path, network=PROFILES["4g"]) as server:
        with httpx.stream("GET", f"{server.data_url}a.jph") as response:
            next(response.iter_raw())
        server.requests.wait_until(lambda requests: any(r.aborted for r in requests))
        assert server.shaper is not None
        assert server.shaper.bytes_down < len(CONTENT)
        assert server.requests()[0].body_bytes < len(CONTENT)
