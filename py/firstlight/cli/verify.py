"""``firstlight verify``: whether a prepared tree still is what was prepared."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict
from typing import Annotated

import typer

_CORES = os.cpu_count() or 1


def verify_command(
    tree: Annotated[str, typer.Argument(metavar="DIR", help="What prepare wrote; or its URL.")],
    jobs: Annotated[int, typer.Option("--jobs", "-j", min=1, help="Processes.")] = _CORES,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Complaints only.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Report as JSON.")] = False,
) -> None:
    """Check a tree that prepare wrote: pixels, offsets, indexes, heads, JSON.

    Every frame is read as a client would, decoded, and its pixels compared with the hash in
    firstlight.json. Exit code 1: something is not as it should be, and is listed.
    """
    from firstlight.cli.progress import FrameBar, NoBar
    from firstlight.errors import FirstlightError
    from firstlight.prepare.verify import verify

    bar = NoBar() if quiet or not sys.stderr.isatty() else FrameBar("verifying")
    try:
        with bar:
            report = verify(tree, jobs=jobs, progress=bar)
    except FileNotFoundError:
        typer.echo(f"firstlight verify: {tree} holds no firstlight.json", err=True)
        raise typer.Exit(1) from None
    except (FirstlightError, OSError) as error:
        typer.echo(f"firstlight verify: {error}", err=True)
        raise typer.Exit(1) from None
    if as_json:
        listed = [complaint._asdict() for complaint in report.complaints]
        typer.echo(json.dumps(asdict(report) | {"complaints": listed}, indent=2))
    elif not quiet:
        typer.echo(
            f"{report.series} series, {report.frames} frames, {report.frames_hashed} compared by "
            f"hash, {report.pixel_bytes / 1e6:.1f} MB of pixels, {report.seconds:.1f} s, "
            f"{len(report.complaints)} complaints"
        )
    for complaint in report.complaints:
        typer.echo(f"{complaint.path}: {complaint.reason}", err=True)
    if report.complaints:
        raise typer.Exit(1)
