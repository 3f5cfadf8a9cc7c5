"""``firstlight serve`` as a process: what it prints, how it ends, how it refuses."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager

import httpx
import pytest

from support.patience import WAIT_S

COMMAND = "import typer; from firstlight.cli.serve import serve_command; typer.run(serve_command)"


@pytest.fixture
def viewer(tmp_path):
    dist = tmp_path / "dist"
    dist.mkdir()
    (dist / "index.html").write_text("viewer")
    return dist


@pytest.fixture
def data(tmp_path):
    folder = tmp_path / "data [1]"
    folder.mkdir()
    (folder / "firstlight.json").write_text('{"firstlight": 1}')
    return folder


def start(*arguments):
    return subprocess.Popen(
        [sys.executable, "-W", "always::ResourceWarning", "-c", COMMAND, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@contextmanager
def running(*arguments):
    process = start(*arguments)
    try:
        yield process, process.stdout.readline()
    finally:
        process.kill()
        process.communicate()


def refused(*arguments):
    process = start(*arguments)
    stdout, stderr = process.communicate(timeout=WAIT_S)
    assert stdout == ""
    assert "Traceback" not in stderr
    return process.returncode, stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("network", ["none", "4g"])
def test_serves_until_a_signal(data, viewer, network, number):
    with running(data, "--port", 0, "--viewer", viewer, "--network", network, "--json") as (
        process,
        line,
    ):
        urls = json.loads(line)
        assert urls["data_url"] == urls["url"] + "/data/"
        assert httpx.get(urls["url"]).text == "viewer"
        assert httpx.get(urls["data_url"] + "firstlight.json").json() == {"firstlight": 1}
        process.send_signal(number)
        stdout, stderr = process.communicate(timeout=WAIT_S)
    assert (process.returncode, stdout, stderr) == (0, "", "")


def test_ends_although_a_download_is_running(data, viewer):
    (data / "big.bin").write_bytes(bytes(20_000_000))
    with (
        running(data, "--port", 0, "--viewer", viewer, "--network", "4g", "--json") as (
            process,
            line,
        ),
        httpx.stream("GET", json.loads(line)["data_url"] + "big.bin") as response,
    ):
        next(response.iter_raw())
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=WAIT_S)
    assert (process.returncode, stderr) == (0, "")


def test_prints_one_line_with_a_page_that_shows_the_data(data, viewer):
    with running(data, "--port", 0, "--viewer", viewer) as (process, line):
        process.send_signal(signal.SIGTERM)
        stdout, _ = process.communicate(timeout=WAIT_S)
    assert stdout == ""
    assert str(data) in line
    origin = next(word for word in line.split() if word.startswith("http://")).split("/?")[0]
    assert f"{origin}/?src={origin}/data/firstlight.json" in line


def test_a_port_in_use(data, viewer):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, message = refused(data, "--port", port, "--viewer", viewer)
    assert code == 1
    assert len(message.splitlines()) == 1
    assert f"127.0.0.1:{port}" in message


@pytest.mark.parametrize(
    "arguments",
    [["/nowhere"], ["--network", "5g"], ["--viewer", "/nowhere"], ["--port", "70000"]],
)
def test_bad_usage(data, arguments):
    code, message = refused(*arguments, *([] if arguments == ["/nowhere"] else [data]))
    assert code == 2
    assert message
