"""The nginx recipe makes a real nginx fit, and the manual shows that very recipe."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from firstlight.check.nginx import NGINX_RECIPE
from firstlight.check.run import Asker, check
from support.patience import WAIT_S
from unit.prepare_sources import copied, run

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")

CONFIGURATION = """\
{user}daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/temp;
    proxy_temp_path {folder}/temp;
    fastcgi_temp_path {folder}/temp;
    uwsgi_temp_path {folder}/temp;
    scgi_temp_path {folder}/temp;
    gzip on;
    gzip_types *;
    server {{
        listen 127.0.0.1:{port};
{server}
    }}
}}
"""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


@contextmanager
def nginx(folder: Path, server: str) -> Iterator[str]:
    """A real nginx in the foreground, until the block ends."""
    port = free_port()
    configuration = folder / "nginx.conf"
    # The workers of an nginx that root starts are another user, who may not read the folder.
    user = "user root;\n" if os.geteuid() == 0 else ""
    configuration.write_text(
        CONFIGURATION.format(folder=folder, port=port, server=server, user=user)
    )
    command = [NGINX, "-p", folder, "-e", folder / "error.log", "-c", configuration]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    transport = httpx.HTTPTransport(retries=8)  # until it listens
    try:
        with httpx.Client(transport=transport, timeout=WAIT_S) as client:
            client.get(f"http://127.0.0.1:{port}/")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.communicate(timeout=WAIT_S)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    if NGINX is None:
        pytest.skip("nginx is not installed")
    folder = tmp_path_factory.mktemp("nginx")
    source = copied(folder / "in", "CT_small.dcm", "MR_small.dcm")
    images = folder / "srv" / "images"
    assert run(source, "-o", images, "--layout", "jphuri", "-q", "-j", 1).exit_code == 0
    return folder


def test_the_recipe_makes_nginx_fit(folder: Path) -> None:
    recipe = NGINX_RECIPE.replace("/srv", str(folder / "srv"))
    with nginx(folder, recipe) as url:
        for src in (f"{url}/images/firstlight.json", f"jphuri:{url}/images/image1.jph"):
            report = asyncio.run(check(src, Asker()))
            findings = [one for inquiry in report.inquiries for one in inquiry.findings]
            assert [finding for finding in findings if finding.grade != "ok"] == []
            assert len(report.inquiries) == 2
        compressed = httpx.get(f"{url}/images/firstlight.json")
        assert compressed.headers["content-encoding"] == "gzip"


def test_a_bare_nginx_is_told_what_it_lacks(folder: Path) -> None:
    with nginx(folder, f"location /images/ {{ root {folder}/srv; }}") as url:
        report = asyncio.run(check(f"{url}/images/image1.jph", Asker()))
    problems = {one.topic for one in report.inquiries[0].findings if one.grade == "problem"}
    assert {"CORS", "Compression"} == problems


def test_the_manual_shows_the_recipe() -> None:
    manual = (ROOT / "docs/server.md").read_text("utf-8")
    assert f"```nginx\n{NGINX_RECIPE}```" in manual
