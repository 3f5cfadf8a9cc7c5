"""The faulty server misbehaves on the wire as told, and otherwise behaves."""

from __future__ import annotations

import gzip
import socket
import time

import httpx
import pytest

from support.faulty_server import Fault, FaultyServer
from support.patience import WAIT_S

CONTENT = bytes(range(256)) * 400
PATH = "/a.jph"
FIRST_HUNDRED = {"Range": "bytes=0-99"}
IMPATIENT = httpx.Timeout(WAIT_S, read=0.1)


def serving(fault: Fault) -> FaultyServer:
    return FaultyServer({PATH: CONTENT}, {PATH: fault})


def get(server: FaultyServer, headers: dict[str, str] | None = None) -> httpx.Response:
    return httpx.get(server.url(PATH), headers=headers, timeout=WAIT_S)


def test_without_a_fault_it_is_a_good_server():
    with FaultyServer({PATH: CONTENT}) as server:
        with httpx.Client(base_url=server.url()) as client:
            whole = client.get(PATH)
            part = client.get(PATH, headers={"Range": "bytes=100-"})
            missing = client.get("/b.jph")
            beyond = client.get(PATH, headers={"Range": f"bytes={len(CONTENT)}-"})
        assert (whole.status_code, whole.content) == (200, CONTENT)
        assert (part.status_code, part.content) == (206, CONTENT[100:])
        assert part.headers["content-range"] == f"bytes 100-{len(CONTENT) - 1}/{len(CONTENT)}"
        assert part.headers["etag"] == whole.headers["etag"]
        assert "Content-Range" in part.headers["access-control-expose-headers"]
        assert part.headers["access-control-allow-origin"] == "*"
        assert missing.status_code == 404
        assert beyond.status_code == 416
        assert [r.range for r in server.requests(PATH)] == [
            None,
            "bytes=100-",
            f"bytes={len(CONTENT)}-",
        ]
        assert server.requests.body_bytes() == 2 * len(CONTENT) - 100


@pytest.mark.parametrize("framing", ["length", "chunked", "close"])
def test_ignores_the_range(framing):
    with serving(Fault(ignore_range=True, framing=framing)) as server:
        response = get(server, FIRST_HUNDRED)
    assert (response.status_code, response.content) == (200, CONTENT)
    assert ("content-length" in response.headers) == (framing == "length")
    assert ("transfer-encoding" in response.headers) == (framing == "chunked")
    assert "content-range" not in response.headers


@pytest.mark.parametrize("status", [401, 403, 404, 416, 500, 503])
def test_answers_with_a_status(status):
    with serving(Fault(status=status)) as server:
        response = get(server, FIRST_HUNDRED)
    assert (response.status_code, response.content) == (status, b"")
    expected = f"bytes */{len(CONTENT)}" if status == 416 else None
    assert response.headers.get("content-range") == expected


@pytest.mark.parametrize("reset", [False, True])
@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_closes_early(framing, reset):
    fault = Fault(close_after_bytes=50_000, framing=framing, reset=reset)
    with serving(fault) as server:
        with (
            pytest.raises(httpx.TransportError),
            httpx.stream("GET", server.url(PATH)) as response,
        ):
            received = 0
            for chunk in response.iter_raw():
                received += len(chunk)
        if framing == "length":
            assert response.headers["content-length"] == str(len(CONTENT))
        assert received == 50_000 or reset
        server.requests.wait_until_idle()
        assert [(r.body_bytes, r.aborted) for r in server.requests()] == [(50_000, False)]


@pytest.mark.parametrize("changed_content", [None, b"another"])
def test_changes_after_requests(changed_content):
    fault = Fault(changes_after_requests=2, changed_content=changed_content)
    with serving(fault) as server:
        answers = [get(server) for _ in range(4)]
    tags = [answer.headers["etag"] for answer in answers]
    assert tags[0] == tags[1] != tags[2] == tags[3]
    assert answers[1].content == CONTENT
    assert answers[2].content == (changed_content or CONTENT)


def test_if_range_of_the_old_version_brings_the_whole_new_one():
    with serving(Fault(changes_after_requests=1, changed_content=b"another")) as server:
        tag = get(server).headers["etag"]
        response = get(server, FIRST_HUNDRED | {"If-Range": tag})
    assert (response.status_code, response.content) == (200, b"another")


def test_lies_about_the_range():
    with serving(Fault(content_range_shift_bytes=7, hide_total=True)) as server:
        response = get(server, FIRST_HUNDRED)
    assert response.headers["content-range"] == "bytes 7-106/*"
    assert response.content == CONTENT[:100]


def test_hides_headers():
    with serving(Fault(hide_etag=True, hide_exposed=True)) as server:
        headers = get(server).headers
        assert "etag" not in headers
        assert "last-modified" not in headers
        assert "access-control-expose-headers" not in headers
        assert headers["access-control-allow-origin"] == "*"
        server.faults[PATH] = Fault(hide_cors=True)
        assert "access-control-allow-origin" not in get(server).headers
        preflight = httpx.options(server.url(PATH))
        assert "access-control-allow-origin" not in preflight.headers
        server.faults.clear()
        preflight = httpx.options(server.url(PATH))
        assert "Range" in preflight.headers["access-control-allow-headers"]


def test_codes_ranges():
    with (
        serving(Fault(gzip_ranges=True)) as server,
        httpx.stream("GET", server.url(PATH), headers=FIRST_HUNDRED) as response,
    ):
        raw = b"".join(response.iter_raw())
    assert response.headers["content-encoding"] == "gzip"
    assert gzip.decompress(raw) == CONTENT[:100]


def test_only_the_first_requests_meet_the_fault():
    with serving(Fault(status=500, first_requests=2)) as server:
        assert [get(server).status_code for _ in range(3)] == [500, 500, 200]


def test_stalls_until_released():
    with (
        serving(Fault(stall_after_bytes=1000)) as server,
        httpx.stream("GET", server.url(PATH)) as response,
    ):
        chunks = response.iter_raw()
        received = next(chunks)
        while len(received) < 1000:
            received += next(chunks)
        assert received == CONTENT[:1000]
        assert not server.requests()[0].finished
        server.release(PATH)
        assert received + b"".join(chunks) == CONTENT


def test_sees_a_client_give_up_while_it_stalls():
    with serving(Fault(stall_after_bytes=1000)) as server:
        with httpx.stream("GET", server.url(PATH)) as response:
            next(response.iter_raw())
        server.requests.wait_until(lambda requests: any(r.aborted for r in requests))
        assert server.requests()[0].body_bytes == 1000
        assert not server.requests()[0].finished


def test_sees_a_client_give_up_while_it_sends():
    content = bytes(20_000_000)
    with FaultyServer({PATH: content}) as server:
        with httpx.stream("GET", server.url(PATH)) as response:
            next(response.iter_raw())
        server.requests.wait_until(lambda requests: any(r.aborted for r in requests))
        assert server.requests()[0].body_bytes < len(content)


def test_does_not_answer_until_released():
    with serving(Fault(no_answer=True)) as server:
        with pytest.raises(httpx.ReadTimeout):
            httpx.get(server.url(PATH), timeout=IMPATIENT)
        server.requests.wait_until(lambda requests: any(r.aborted for r in requests))
        server.release(PATH)
        assert get(server).content == CONTENT


def test_answers_after_a_delay():
    with serving(Fault(delay_ms=300)) as server:
        begun = time.monotonic()
        assert get(server).content == CONTENT
        assert time.monotonic() - begun >= 0.3


def test_stops_although_an_answer_stalls():
    with serving(Fault(stall_after_bytes=10)) as server:
        connection = socket.create_connection(("127.0.0.1", int(server.origin.rpartition(":")[2])))
        connection.sendall(f"GET {PATH} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        server.requests.wait_until(lambda requests: any(r.body_bytes == 10 for r in requests))
    with connection:
        connection.settimeout(20)
        while connection.recv(4096):
            pass
