"""``firstlight fetch SRC``: one frame through the loader, written as PNG, NPY or DICOM."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from firstlight.adapters.load import LoadedFrame

_SUFFIXES = (".png", ".npy", ".dcm")


Src = Annotated[
    str,
    typer.Argument(
        metavar="SRC",
        help="A file, a URL (https:, s3:, gs: ...), or a src: jphuri:..., wadouri:..., "
        "dicomweb:...",
    ),
]
FrameNumber = Annotated[
    int, typer.Option("--frame", min=1, help="Which frame, in the order of display.")
]
Level = Annotated[
    int | None,
    typer.Option("--level", min=0, help="Resolution level, 0 the smallest; all by default."),
]
SeriesNumber = Annotated[int, typer.Option("--series", min=1, help="Which series.")]
Out = Annotated[
    Path | None,
    typer.Option("--out", "-o", help="FILE.png, .npy or .dcm.", dir_okay=False),
]
Raw = Annotated[
    bool, typer.Option("--raw", help="PNG of the stored values, 8 or 16 bits, not windowed.")
]
MaxSamples = Annotated[
    int | None,
    typer.Option("--max-samples", min=1, help="Refuse images of more samples."),
]
Configuration = Annotated[
    str | None,
    typer.Option(
        "--configuration",
        metavar="NAME|FILE",
        help="How it is retrieved: a stock configuration, or a JSON (docs/configuration.md).",
    ),
]
TimeoutSeconds = Annotated[
    float, typer.Option("--timeout", min=1, help="Seconds after which to give up.")
]
AsJson = Annotated[bool, typer.Option("--json", help="What was loaded, as JSON.")]


def fetch_command(
    src: Src,
    frame: FrameNumber = 1,
    level: Level = None,
    series: SeriesNumber = 1,
    out: Out = None,
    raw: Raw = False,
    max_samples: MaxSamples = None,
    configuration: Configuration = None,
    timeout: TimeoutSeconds = 300,
    as_json: AsJson = False,
) -> None:
    """Load one frame, and write it to a file.

    Runs the loader of the viewer. Only the bytes that the level needs are fetched; their number is
    told. A PNG is shown through the first window of the image, with --raw it has the stored
    values (signed ones moved up to begin at 0). An NPY array has the stored values. A DICOM file
    is a Secondary Capture, of the full image only.

    With --configuration the frame is loaded as that says, the smaller or lossy pictures it asks for
    included, and the best of them is written.
    """
    if out is not None and out.suffix.lower() not in _SUFFIXES:
        raise typer.BadParameter(f"a name that ends in {', '.join(_SUFFIXES)}", param_hint="--out")
    if out is not None and out.suffix.lower() == ".dcm" and level is not None:
        raise typer.BadParameter("a DICOM file takes the full image", param_hint="--level")
    if configuration is not None and level is not None:
        raise typer.BadParameter("a configuration chooses the levels", param_hint="--level")

    from firstlight.errors import FirstlightError

    started_s = time.perf_counter()
    try:
        written = None if configuration is None else _configuration(configuration)
        loaded = asyncio.run(
            _load(src, frame - 1, series - 1, level, timeout, max_samples, written)
        )
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
    written: str,
    frame_index: int,
    series_index: int,
    level: int | None,
    timeout_s: float,
    max_samples: int | None,
    configuration: str | None,
) -> LoadedFrame:
    from firstlight.adapters.load import load_frame
    from firstlight.check.address import as_url

    async with asyncio.timeout(timeout_s):
        return await load_frame(
            as_url(written),
            frame_index,
            level,
            series_index=series_index,
            max_samples=max_samples,
            configuration=configuration,
        )


def _configuration(written: str) -> str:
    """The text of a file, else what was written: a name, an address, or JSON."""
    is_json = written.lstrip().startswith("{")
    if is_json or not Path(written).is_file():
        return written
    text = Path(written).read_text("utf-8-sig")
    if not text.lstrip().startswith("{"):
        raise typer.BadParameter(f"not a JSON object, {written}", param_hint="--configuration")
    return text


def _write(out: Path, loaded: LoadedFrame, *, raw: bool) -> None:
    from firstlight.cli import pictures
    from firstlight.retrieve.status import Quality

    match out.suffix.lower():
        case ".png":
            pictures.write_png(out, loaded, raw=raw)
        case ".npy":
            pictures.write_npy(out, loaded)
        case _:
            quality = loaded.picture.quality
            if quality is not Quality.FULL_RESOLUTION:
                raise LookupError(f"a DICOM file takes the full image, this is {quality.name}")
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
            "quality": picture.quality.name,
            "rows": rows,
            "columns": columns,
            "dtype": str(picture.values.dtype),
            "fetched_bytes": loaded.fetched_bytes,
            "requests": loaded.requests,
            "notices": loaded.series["notices"],
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
