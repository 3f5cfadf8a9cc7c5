"""A real nginx on loopback, while a ``with`` block runs."""

from __future__ import annotations

import shutil
import subprocess
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx
import pytest

from support.orthanc import free_port
from support.patience import WAIT_S

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CONFIGURATION = """
daemon off;
worker_processes 1;
pid {folder}/pid;
error_log {folder}/error.log;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    types {{
        text/html html; text/javascript js mjs; application/wasm wasm;
        application/json json; application/zip zip whl; application/dicom dcm;
    }}
    default_type application/octet-stream;
    server {{
        listen 127.0.0.1:{port};
        location / {{ root {viewer}; index index.html; }}
        location /data/ {{ alias {data}/; }}
        {more}
    }}
}}
"""


@contextmanager
def running_nginx(folder: Path, *, viewer: Path, data: Path, more: str = "") -> Iterator[str]:
    """Its address: the viewer at ``/``, files at ``/data/``, and what ``more`` configures.

    Skips the test where nginx is not installed.
    """
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if program is None:
        pytest.skip("nginx (apt-get install nginx-light) is not here")
    port = free_port()
    text = CONFIGURATION.format(folder=folder, port=port, viewer=viewer, data=data, more=more)
    # As root, nginx's workers become another user, who may not read the test's folders.
    (folder / "nginx.conf").write_text("user root;\n" + text)
    with subprocess.Popen([program, "-c", str(folder / "nginx.conf"), "-p", str(folder)]) as server:
        try:
            _wait_for(f"http://127.0.0.1:{port}/", server)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait()


def _wait_for(url: str, server: subprocess.Popen) -> None:
    limit = time.monotonic() + WAIT_S
    while server.poll() is None and time.monotonic() < limit:
        try:
            httpx.get(url)
        except httpx.TransportError:
            continue
        return
    pytest.fail("nginx did not start")
