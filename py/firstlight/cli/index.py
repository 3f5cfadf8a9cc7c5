"""``firstlight index SRC...``: sidecar indices of Part 10 files."""

from __future__ import annotations

import json
from pathlib import Path  # noqa: TC003 - typer evaluates the annotations
from typing import Annotated

import typer


def index_command(
    sources: Annotated[
        list[Path],
        typer.Argument(metavar="SRC...", help="DICOM Part 10 files.", exists=True, dir_okay=False),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="What was written, as JSON.")] = False,
) -> None:
    """Write x.dcm.firstlight.json beside each x.dcm.

    It holds the place of every frame and the byte at which each of its resolution levels ends, so
    that a viewer ranges into the file without looking for them. Lay it on the server beside the
    file. A viewer that finds the file changed since does not trust it.

    Exit code 1: some files could not be indexed, and are listed; the others are.
    """
    from firstlight.check.index_file import write_index
    from firstlight.errors import FirstlightError

    written, failed = [], False
    for path in sources:
        try:
            target, sidecar = write_index(path)
        except (FirstlightError, OSError) as error:
            typer.echo(f"firstlight index: {error}", err=True)
            failed = True
            continue
        frames = sidecar.series.frames
        levels = sum(bool(frame.extent.level_ends) for frame in frames)
        record = {"file": str(path), "index": str(target), "frames": len(frames)}
        written.append({**record, "frames_with_level_ends": levels})
        if not as_json:
            typer.echo(f"{target}: {len(frames)} frames, level ends known of {levels}")
    if as_json:
        typer.echo(json.dumps(written, indent=2))
    if failed:
        raise typer.Exit(1)
