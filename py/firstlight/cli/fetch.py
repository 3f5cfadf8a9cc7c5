"""``firstlight fetch SRC``: one frame through the loader, written as PNG, NPY or DICOM."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path  # noqa: TC003 - typer evaluates the annotations
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from firstlight.adapters.load import LoadedFrame

_SUFFIXES = (".png", ".npy", ".dcm")


def fetch_command(
    src: Annotated[
        str,
        typer.Argument(
            metavar="SRC",
            help="A file, a URL (https:, s3:, gs: ...), or a src: jphuri:..., wadouri:..., "
            "dicomweb:...",
        ),
    ],
    frame: Annotated[
        int, typer.Option("--frame", min=1, help="Which frame, in the order of display.")
    ] = 1,
    level: Annotated[
        int | None,
        typer.Option("--level", min=0, help="Resolution level, 0 the smallest; all by default."),
    ] = None,
    series: Annotated[int, typer.Option("--series", min=1, help="Which series.")] = 1,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="FILE.png, .npy or .dcm.", dir_okay=False),
    ] = None,
    raw: Annotated[
        bool, typer.Option("--raw", help="PNG of the stored values, 8 or 16 bits, not windowed.")
    ] = False,
    timeout: Annotated[
        float, typer.Option("--timeout", min=1, help="Seconds after which to give up.")
    ] = 300,
    as_json: Annotated[bool, typer.Option("--json", help="What was loaded, as JSON.")] = False,
) -> None:
    """Load one frame, and write it to a file.

    Runs the loader of the viewer. Only the bytes that the level needs are fetched; their number is
    told. A PNG is shown through the first window of the image, with --raw it has the stored
    values (signed ones moved up to begin at 0). An NPY array has the stored values. A DICOM file
    is a Secondary Capture, of the full image only.
    """
    if out is not None and out.suffix.lower() not in _SUFFIXES:
        raise typer.BadParameter(f"a name that ends in {', '.join(_SUFFIXES)}", param_hint="--out")
    if out is not None and out.suffix.lower() == ".dcm" and level is not None:
        raise typer.BadParameter("a DICOM file takes the full image", param_hint="--level")

    from firstlight.errors import FirstlightError

    started_s = time.perf_counter()
    try:
        loaded = asyncio.run(_load(src, frame - 1, series - 1, level, timeout))
        if out is not None:
            _write(out, loaded, raw=raw)
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    except TimeoutError:
        typer.echo(f"firstlight fetch: not there after {timeout:g} s, {src}", err=True)
        raise typer.Exit(1) from None
    except (FirstlightError, LookupError, OSError) as error:
        typer.echo(f"firstlight fetch: {error}", err=True)
        raise typer.Exit(1) from None
    _say(loaded, out, time.perf_counter() - started_s, as_json=as_json)


async def _load(
    written: str, frame_index: int, series_index: int, level: int | None, timeout_s: float
) -> LoadedFrame:
    from firstlight.adapters.load import load_frame
    from firstlight.check.address import as_url

    async with asyncio.timeout(timeout_s):
        return await load_frame(as_url(written), frame_index, level, series_index=series_index)


def _write(out: Path, loaded: LoadedFrame, *, raw: bool) -> None:
    from firstlight.cli import pictures

    match out.suffix.lower():
        case ".png":
            pictures.write_png(out, loaded, raw=raw)
        case ".npy":
            pictures.write_npy(out, loaded)
        case _:
            pictures.write_dicom(out, loaded)


def _say(loaded: LoadedFrame, out: Path | None, seconds: float, *, as_json: bool) -> None:
    picture = loaded.picture
    rows, columns = picture.values.shape[:2]
    if as_json:
        record = {
            "frame_number": loaded.frame_index + 1,
            "frame_count": len(loaded.series["frames"]),
            "resolution_level": picture.resolution_level,
            "decomposition_levels": picture.decomposition_levels,
            "rows": rows,
            "columns": columns,
            "dtype": str(picture.values.dtype),
            "fetched_bytes": loaded.fetched_bytes,
            "requests": loaded.requests,
            "out": None if out is None else str(out),
        }
        json.dump(record, sys.stdout, indent=2)
        typer.echo()
        return
    written = "" if out is None else f", written to {out}"
    typer.echo(
        f"frame {loaded.frame_index + 1} of {len(loaded.series['frames'])}, level "
        f"{picture.resolution_level} of {picture.decomposition_levels}: {columns} x {rows}, "
        f"{loaded.fetched_bytes:,} bytes in {loaded.requests} requests, "
        f"{seconds:.2f} s{written}"
    )
