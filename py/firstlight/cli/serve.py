"""``firstlight serve DIR``: the viewer and a directory of images on localhost."""

from __future__ import annotations

import json
import signal
import threading
from contextlib import ExitStack
from enum import StrEnum
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

import typer
from rich.console import Console
from rich.markup import escape

import firstlight


class Network(StrEnum):
    """The links that ``--network`` knows."""

    NONE = "none"
    FOUR_G = "4g"
    SLOW_FOUR_G = "slow4g"
    FAT = "fat"


def serve_command(
    directory: Annotated[
        Path,
        typer.Argument(
            metavar="DIR", exists=True, file_okay=False, help="What to serve at /data/."
        ),
    ],
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 picks a free port.")] = 8080,
    network: Annotated[
        Network, typer.Option(help="Shape all traffic: 4g is 30/5 Mbit/s with 10 ms.")
    ] = Network.NONE,
    viewer: Annotated[
        Path | None,
        typer.Option(metavar="DIST", help="The built viewer; by default this checkout's dist/."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the URLs as one JSON line.")
    ] = False,
) -> None:
    """Serve the viewer at / and DIR at /data/ until Ctrl-C."""
    # Other verbs must not wait for the web server's modules.
    from firstlight.serve.app import create_app
    from firstlight.serve.link import PROFILES
    from firstlight.serve.run import Server

    errors = Console(stderr=True, highlight=False, soft_wrap=True)
    if viewer is not None and not (viewer / "index.html").is_file():
        raise typer.BadParameter(f"{viewer} holds no index.html", param_hint="--viewer")
    dist = viewer or find_viewer_build()
    if dist is None:
        errors.print("The viewer is not built (npm run build makes it); serving /data/ only.")
    server = Server(
        create_app(directory, dist), host=host, port=port, network=PROFILES.get(network.value)
    )
    stopped = _stop_signals()
    with ExitStack() as running:
        try:
            running.enter_context(server)
        except OSError as error:
            errors.print(f"Cannot listen on {host}:{port}: {error.strerror}. Another --port?")
            raise typer.Exit(1) from error
        print_urls(server.url, directory, viewer_built=dist is not None, as_json=as_json)
        stopped.wait()


def find_viewer_build() -> Path | None:
    """The ``dist/`` of the checkout that the package or the working directory lies in, or None."""
    package, here = Path(firstlight.__file__).resolve(), Path.cwd()
    for folder in (*package.parents, here, *here.parents):
        if (folder / "package.json").is_file() and (folder / "dist/index.html").is_file():
            return folder / "dist"
    return None


def print_urls(url: str, directory: Path, *, viewer_built: bool, as_json: bool) -> None:
    """One line: a page that already shows an image where there is one, as JSON the bare URLs."""
    data_url = f"{url}/data/"
    if as_json:
        print(json.dumps({"url": url, "data_url": data_url}), flush=True)
        return
    page = url if viewer_built else data_url
    if viewer_built and (directory / "firstlight.json").is_file():
        page = f"{url}/?src={quote(data_url + 'firstlight.json', safe=':/')}"
    console = Console(highlight=False, soft_wrap=True)
    console.print(f"Serving {escape(str(directory))} at [bold link={page}]{page}[/] (Ctrl-C ends)")


def _stop_signals() -> threading.Event:
    """An event that Ctrl-C and SIGTERM set."""
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    return stopped
