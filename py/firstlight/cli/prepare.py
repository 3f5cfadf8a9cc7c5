"""``firstlight prepare``: DICOM in; a tree that any static host can serve out."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path  # noqa: TC003 - typer evaluates the annotations
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from firstlight.prepare.run import Summary


class LayoutName(StrEnum):
    """The words after ``--layout``."""

    dicomweb = "dicomweb"
    jphuri = "jphuri"


def prepare_command(
    sources: Annotated[
        list[Path],
        typer.Argument(metavar="SRC...", help="DICOM files, or folders to search.", exists=True),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder to write to.", file_okay=False)],
    layout: Annotated[
        LayoutName,
        typer.Option(
            help="dicomweb: a WADO-RS tree of static files. "
            "jphuri: pairs image1.jph and image1.metadata.dcm."
        ),
    ] = LayoutName.dicomweb,
    jobs: Annotated[
        int, typer.Option("--jobs", "-j", min=1, help="Processes; all cores by default.")
    ] = os.cpu_count() or 1,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no summary.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Summary as JSON.")] = False,
) -> None:
    """Turn DICOM into a tree that any static host can serve.

    Every frame becomes a lossless HTJ2K codestream in order of resolution, is decoded again by
    another decoder, and must be equal bit for bit. firstlight.json at the root of the tree lists
    all series in it. Run it again to go on after an interruption, or to add to a tree: only what
    is missing is done.

    Exit code 1: some files could not be prepared, and are listed; the others are.
    """
    from firstlight.cli.progress import FrameBar, NoBar
    from firstlight.errors import FirstlightError
    from firstlight.prepare.run import prepare

    bar = NoBar() if quiet or not sys.stderr.isatty() else FrameBar()
    try:
        with bar:
            summary = prepare(sources, out, layout=layout.value, jobs=jobs, progress=bar)
    except KeyboardInterrupt:
        typer.echo("firstlight prepare: interrupted; run it again to go on", err=True)
        raise typer.Exit(130) from None
    except (FirstlightError, OSError) as error:
        typer.echo(f"firstlight prepare: {error}", err=True)
        raise typer.Exit(1) from None
    if as_json:
        typer.echo(json.dumps(asdict(summary), indent=2))
    elif not quiet:
        _print_summary(summary)
    for failure in summary.failures:
        typer.echo(f"not prepared: {failure.path}: {failure.reason}", err=True)
    if summary.failures or not summary.files_found:
        if not summary.files_found:
            typer.echo("firstlight prepare: no DICOM file found", err=True)
        raise typer.Exit(1)


def _print_summary(summary: Summary) -> None:
    seconds = max(summary.seconds, 1e-3)
    typer.echo(
        f"{summary.files_prepared} files prepared ({summary.frames} frames), "
        f"{summary.files_already_there} there already, {summary.files_duplicate} duplicates, "
        f"{len(summary.failures)} not prepared"
    )
    if summary.frames:
        typer.echo(
            f"{_megabytes(summary.pixel_bytes)} of pixels in {_megabytes(summary.bytes_out)} "
            f"(ratio {summary.ratio:.2f}), {summary.seconds:.1f} s, "
            f"{summary.frames / seconds:.1f} frames/s, "
            f"{_megabytes(round(summary.pixel_bytes / seconds))}/s"
        )


def _megabytes(byte_count: int) -> str:
    return f"{byte_count / 1e6:.1f} MB"
