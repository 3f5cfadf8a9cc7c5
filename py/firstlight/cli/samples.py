"""``firstlight samples``: DICOM files to try things with."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - typer evaluates the annotations
from typing import Annotated

import typer


def samples_command(
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder to write to.", file_okay=False)],
    bench: Annotated[
        bool, typer.Option("--bench", help="Only the generated series that benches use.")
    ] = False,
) -> None:
    """Write sample DICOM files: a generated radiograph and CT, and real images where installed.

    Generated files are the same on every machine. Real ones come from the packages pydicom and
    pydicom-data. Files that are there already stay as they are.
    """
    from firstlight.prepare.samples import write_samples

    try:
        written, kept = write_samples(out, bench=bench)
    except OSError as error:
        typer.echo(f"firstlight samples: {error}", err=True)
        raise typer.Exit(1) from None
    typer.echo(f"{written} files written, {kept} there already, in {out}")
