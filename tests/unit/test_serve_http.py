"""The development server over real HTTP: ranges, caching, coding, types, CORS, traversal."""

from __future__ import annotations

import gzip
import json
import os
import socket
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import brotli
import httpx
import pytest

from firstlight.serve.app import create_app
from firstlight.serve.run import Server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CONTENT = bytes(range(256)) * 1000
SCRIPT = b"export const answer = 42;\n" * 50
PAGE = b"<!doctype html><title>viewer</title>"
MODIFIED_S = 784111777
MODIFIED = "Sun, 06 Nov 1994 08:49:37 GMT"
SERIES = "studies/1.2/series/1.2.3"
METADATA = json.dumps([{"00080018": {"vr": "UI", "Value": ["1.2.3.4"]}}]).encode()
LONG_JSON = json.dumps(list(range(5000))).encode()
MULTIPART = (
    b"--BOUNDARY_1\r\nContent-Type: image/jphc;transfer-syntax=1.2.840.10008.1.2.4.202\r\n\r\n"
    b"pixels\r\n--BOUNDARY_1--"
)


def write(root: Path, path: str, content: bytes) -> None:
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    os.utime(file, (MODIFIED_S, MODIFIED_S))


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    root = tmp_path_factory.mktemp("serve")
    data, viewer = root / "data", root / "dist"
    write(root, "secret.txt", b"secret")
    for path, content in {
        "image 1.jph": CONTENT,
        "image1.metadata.dcm": b"DICM",
        "empty.bin": b"",
        "firstlight.json": b"{}",
        "both.json": b"[1]",
        "long.json": LONG_JSON,
        "both.json.gz": gzip.compress(b"[1]"),
        "studies/index.json.gz": gzip.compress(b"[]"),
        "studies/1.2/index.json": b"[2]",
        f"{SERIES}/metadata.gz": gzip.compress(METADATA),
        f"{SERIES}/instances/1.2.3.4/frames/1.mht": MULTIPART,
        f"{SERIES}/instances/1.2.3.4/frames/2.mht.gz": gzip.compress(MULTIPART),
        f"{SERIES}/instances/1.2.3.4/frames/3.mht": b"no multipart at all",
    }.items():
        write(data, path, content)
    (data / "leads-out.txt").symlink_to(root / "secret.txt")
    (data / "leads-in.jph").symlink_to(data / "image 1.jph")
    for path, content in {
        "index.html": PAGE,
        "assets/main-1a2b.js": SCRIPT,
        "assets/main-1a2b.js.br": brotli.compress(SCRIPT),
        "assets/main-1a2b.js.gz": gzip.compress(SCRIPT),
        "assets/codec.wasm": b"\0asm",
        "assets/codec.wasm.gz": gzip.compress(b"\0asm"),
        "py-314.0.7-ab/pyodide.mjs": b"export {};",
        "py-314.0.7-ab/lib.zip": b"PK",
        "assets/boot.data": b"snapshot",
        "docs/index.html": b"docs",
    }.items():
        write(viewer, path, content)
    with Server(create_app(data, viewer)) as server, httpx.Client(base_url=server.url) as client:
        yield client


IMAGE = "/data/image 1.jph"
TOTAL = len(CONTENT)


@pytest.mark.parametrize(
    ("value", "start", "stop"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=100-199", 100, 200),
        (f"bytes={TOTAL - 10}-", TOTAL - 10, TOTAL),
        (f"bytes=70000-{TOTAL + 9}", 70000, TOTAL),
        ("bytes=-5", TOTAL - 5, TOTAL),
        (f"bytes=-{TOTAL + 5}", 0, TOTAL),
    ],
)
def test_partial_content(client, value, start, stop):
    response = client.get(IMAGE, headers={"Range": value})
    assert response.status_code == 206
    assert response.content == CONTENT[start:stop]
    assert response.headers["content-range"] == f"bytes {start}-{stop - 1}/{TOTAL}"
    assert response.headers["content-length"] == str(stop - start)
    assert response.headers["etag"] == client.get(IMAGE).headers["etag"]


@pytest.mark.parametrize("value", ["bytes=0-1,4-5", "items=0-1", "bytes=5-2"])
def test_the_whole_for_ranges_that_are_not_served(client, value):
    response = client.get(IMAGE, headers={"Range": value})
    assert (response.status_code, response.content) == (200, CONTENT)
    assert "content-range" not in response.headers


@pytest.mark.parametrize("value", [f"bytes={TOTAL}-", f"bytes={TOTAL}-{TOTAL + 5}", "bytes=-0"])
def test_range_not_satisfiable(client, value):
    response = client.get(IMAGE, headers={"Range": value})
    assert response.status_code == 416
    assert response.headers["content-range"] == f"bytes */{TOTAL}"
    assert response.headers["access-control-allow-origin"] == "*"


def test_an_empty_file(client):
    assert client.get("/data/empty.bin").content == b""
    response = client.get("/data/empty.bin", headers={"Range": "bytes=0-"})
    assert (response.status_code, response.headers["content-range"]) == (416, "bytes */0")


def test_whole_file_and_its_validators(client):
    response = client.get(IMAGE)
    assert (response.status_code, response.content) == (200, CONTENT)
    assert response.headers["content-length"] == str(TOTAL)
    assert response.headers["accept-ranges"] == "bytes"
    assert response.headers["last-modified"] == MODIFIED
    assert response.headers["cache-control"] == "no-cache"
    assert response.headers["etag"].startswith('"')


def test_if_range(client):
    tag = client.get(IMAGE).headers["etag"]
    part = {"Range": "bytes=0-9"}
    assert client.get(IMAGE, headers=part | {"If-Range": tag}).status_code == 206
    assert client.get(IMAGE, headers=part | {"If-Range": MODIFIED}).status_code == 206
    for outdated in ('"other"', f"W/{tag}", "Sun, 06 Nov 1994 08:49:36 GMT"):
        response = client.get(IMAGE, headers=part | {"If-Range": outdated})
        assert (response.status_code, response.content) == (200, CONTENT)


def test_not_modified(client):
    tag = client.get(IMAGE).headers["etag"]
    for headers in (
        {"If-None-Match": tag},
        {"If-None-Match": f"W/{tag}", "Range": "bytes=0-9"},
        {"If-Modified-Since": MODIFIED},
    ):
        response = client.get(IMAGE, headers=headers)
        assert (response.status_code, response.content) == (304, b"")
        assert response.headers["etag"] == tag
        assert response.headers["cache-control"] == "no-cache"
        assert response.headers["access-control-allow-origin"] == "*"
    assert client.get(IMAGE, headers={"If-None-Match": '"other"'}).status_code == 200
    assert client.get(IMAGE, headers={"If-Match": '"other"'}).status_code == 412


def test_another_content_of_the_same_length_has_another_etag(tmp_path):
    write(tmp_path, "a.bin", b"old")
    with Server(create_app(tmp_path, None)) as server:
        before = httpx.get(f"{server.url}/data/a.bin").headers
        (tmp_path / "a.bin").write_bytes(b"new")
        os.utime(tmp_path / "a.bin", ns=(0, MODIFIED_S * 10**9 + 1))
        after = httpx.get(f"{server.url}/data/a.bin", headers={"If-None-Match": before["etag"]})
    assert (after.status_code, after.content) == (200, b"new")
    assert after.headers["last-modified"] == before["last-modified"]


def test_head(client):
    whole = client.get(IMAGE)
    response = client.head(IMAGE, headers={"Range": "bytes=0-9"})
    assert (response.status_code, response.content) == (200, b"")
    for name in ("content-length", "content-type", "etag", "accept-ranges", "last-modified"):
        assert response.headers[name] == whole.headers[name]
    assert client.head("/data/none.jph").status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "/data/../secret.txt",
        "/data/%2e%2e/secret.txt",
        "/data/..%2fsecret.txt",
        "/data/..%5csecret.txt",
        "/data/studies/../../secret.txt",
        "/data//secret.txt",
        "/data/%00",
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/assets/%2e%2e/%2e%2e/secret.txt",
        "/data/leads-out.txt",
    ],
)
def test_nothing_outside_is_served(client, path):
    # A raw socket, because clients tidy such paths up before they send them.
    with socket.create_connection((client.base_url.host, client.base_url.port or 80)) as raw:
        raw.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        answer = b"".join(iter(lambda: raw.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 404 ")
    assert b"\r\n\r\nsecret" not in answer


def test_links_inside_the_tree_are_followed(client):
    assert client.get("/data/leads-in.jph").content == CONTENT


@pytest.mark.parametrize(
    ("accept", "coding"),
    [
        ("gzip, deflate, br", "br"),
        ("gzip", "gzip"),
        ("br;q=0, gzip;q=0.5", "gzip"),
        ("*", "br"),
        ("identity", None),
        ("br;q=oops", None),
    ],
)
def test_precompressed_assets(client, accept, coding):
    response = client.get("/assets/main-1a2b.js", headers={"Accept-Encoding": accept})
    assert response.headers.get("content-encoding") == coding
    assert response.headers["vary"] == "Accept-Encoding"
    assert response.headers["content-type"] == "text/javascript; charset=utf-8"
    assert response.content == SCRIPT
    assert (int(response.headers["content-length"]) < len(SCRIPT)) == (coding is not None)


def test_every_coding_has_its_own_etag(client):
    tags = {
        client.get("/assets/main-1a2b.js", headers={"Accept-Encoding": coding}).headers["etag"]
        for coding in ("br", "gzip", "identity")
    }
    assert len(tags) == 3


def test_a_range_of_an_asset_comes_uncoded(client):
    headers = {"Accept-Encoding": "br, gzip", "Range": "bytes=0-9"}
    response = client.get("/assets/main-1a2b.js", headers=headers)
    assert (response.status_code, response.content) == (206, SCRIPT[:10])
    assert "content-encoding" not in response.headers


def test_data_that_exists_uncoded_is_never_coded(client):
    response = client.get("/data/both.json", headers={"Accept-Encoding": "gzip"})
    assert response.content == b"[1]"
    assert "content-encoding" not in response.headers
    assert "vary" not in response.headers


def test_long_json_is_compressed_for_whoever_takes_it_whole(client):
    coded = client.get("/data/long.json", headers={"Accept-Encoding": "gzip, br"})
    assert coded.headers["content-encoding"] == "gzip"
    assert coded.headers["vary"] == "Accept-Encoding"
    assert int(coded.headers["content-length"]) < len(LONG_JSON) / 2
    assert coded.content == LONG_JSON
    plain = client.get("/data/long.json", headers={"Accept-Encoding": "identity"})
    part = client.get("/data/long.json", headers={"Range": "bytes=0-99", "Accept-Encoding": "gzip"})
    assert (plain.content, part.content) == (LONG_JSON, LONG_JSON[:100])
    assert "content-encoding" not in plain.headers
    assert "content-encoding" not in part.headers
    assert plain.headers["etag"] != coded.headers["etag"]
    known = {"If-None-Match": coded.headers["etag"], "Accept-Encoding": "gzip"}
    assert client.get("/data/long.json", headers=known).status_code == 304


@pytest.mark.parametrize(
    ("path", "content_type"),
    [
        (IMAGE, "image/j2c"),
        ("/data/image1.metadata.dcm", "application/dicom"),
        ("/data/firstlight.json", "application/json"),
        ("/data/empty.bin", "application/octet-stream"),
        ("/", "text/html; charset=utf-8"),
        ("/assets/codec.wasm", "application/wasm"),
        ("/assets/boot.data", "application/octet-stream"),
        ("/py-314.0.7-ab/pyodide.mjs", "text/javascript; charset=utf-8"),
        ("/py-314.0.7-ab/lib.zip", "application/zip"),
    ],
)
def test_content_types(client, path, content_type):
    assert client.get(path).headers["content-type"] == content_type


@pytest.mark.parametrize(
    ("path", "cache_control"),
    [
        ("/", "no-cache"),
        ("/index.html", "no-cache"),
        ("/assets/main-1a2b.js", "public, max-age=31536000, immutable"),
        ("/py-314.0.7-ab/lib.zip", "public, max-age=31536000, immutable"),
        (IMAGE, "no-cache"),
    ],
)
def test_cache_control(client, path, cache_control):
    assert client.get(path).headers["cache-control"] == cache_control


def test_index_pages(client):
    assert client.get("/").content == PAGE
    assert client.get("/?src=jphuri:x").content == PAGE
    assert client.get("/docs/").content == b"docs"
    assert client.get("/docs").status_code == 404


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("studies", b"[]"),
        ("studies/", b"[]"),
        ("studies/1.2", b"[2]"),
        (f"{SERIES}/metadata", METADATA),
    ],
)
def test_dicomweb_documents(client, path, content):
    response = client.get(f"/data/{path}")
    assert response.content == content
    assert response.headers["content-type"] == "application/dicom+json"


def test_a_coded_document_is_sent_coded_and_whole(client):
    headers = {"Range": "bytes=0-4", "Accept-Encoding": "identity"}
    response = client.get(f"/data/{SERIES}/metadata", headers=headers)
    assert (response.status_code, response.content) == (200, METADATA)
    assert response.headers["content-encoding"] == "gzip"
    assert response.headers["accept-ranges"] == "none"


def test_dicomweb_frames(client):
    frames = f"/data/{SERIES}/instances/1.2.3.4/frames"
    response = client.get(f"{frames}/1", headers={"Range": "bytes=2-9"})
    assert (response.status_code, response.content) == (206, MULTIPART[2:10])
    multipart = 'multipart/related; type="image/jphc"; boundary="BOUNDARY_1"'
    assert response.headers["content-type"] == multipart
    assert client.get(f"{frames}/1.mht").headers["content-type"] == multipart
    assert client.get(f"{frames}/2").content == MULTIPART
    assert client.get(f"{frames}/3").headers["content-type"] == "multipart/related"
    assert client.get(f"{frames}/4").status_code == 404


@pytest.mark.parametrize("path", ["/", IMAGE, "/data/none", "/none", "/__probe?bytes=5"])
def test_any_origin_may_read_every_answer(client, path):
    headers = client.get(path).headers
    assert headers["access-control-allow-origin"] == "*"
    assert headers["timing-allow-origin"] == "*"
    exposed = {name.strip() for name in headers["access-control-expose-headers"].split(",")}
    assert exposed >= {"Content-Range", "Content-Length", "ETag", "Accept-Ranges"}
    assert exposed >= {"Last-Modified", "Content-Encoding"}


def test_preflight(client):
    asked = "authorization,if-range,range"
    headers = {
        "Origin": "https://elsewhere.example",
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": asked,
    }
    response = client.options(IMAGE, headers=headers)
    assert response.status_code == 204
    allowed = response.headers["access-control-allow-headers"].lower().split(", ")
    assert set(asked.split(",")) <= set(allowed)
    assert "GET" in response.headers["access-control-allow-methods"]
    assert response.headers["access-control-allow-origin"] == "*"


def test_other_methods_are_refused(client):
    assert client.post(IMAGE, content=b"x").status_code == 405
    assert client.delete(IMAGE).status_code == 405


def test_probe(client):
    assert client.get("/__probe?bytes=100000").content == bytes(100_000)
    assert client.get("/__probe?bytes=-1").status_code == 400
    assert client.get("/__probe?bytes=many").status_code == 400


def test_without_a_viewer_it_says_so(tmp_path):
    with Server(create_app(tmp_path, None)) as server:
        response = httpx.get(server.url)
    assert response.status_code == 404
    assert "npm run build" in response.text


def test_a_port_in_use_is_an_os_error(tmp_path):
    with Server(create_app(tmp_path, None)) as server:
        port = urlsplit(server.url).port
        assert port is not None
        with pytest.raises(OSError, match="in use"), Server(create_app(tmp_path, None), port=port):
            pytest.fail("two servers on one port")


def test_stops_although_a_client_does_not_read(tmp_path):
    write(tmp_path, "big.bin", bytes(20_000_000))
    with socket.socket() as raw:
        with Server(create_app(tmp_path, None)) as server:
            raw.connect(("127.0.0.1", urlsplit(server.url).port))
            raw.sendall(b"GET /data/big.bin HTTP/1.1\r\nHost: x\r\n\r\n")
            assert raw.recv(12) == b"HTTP/1.1 200"
        received = 0
        with pytest.raises(ConnectionResetError):
            while chunk := raw.recv(65536):
                received += len(chunk)
            raise ConnectionResetError
    assert received < 20_000_000
