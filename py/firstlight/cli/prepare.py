"""``firstlight prepare``: DICOM in; a tree that any static host can serve out."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict, replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from firstlight.cli.prepare_options import (
    Alternates,
    AsJson,
    Block,
    Cluster,
    ColourFormat,
    Decompositions,
    Force,
    Format,
    FormatName,
    Heads,
    Jobs,
    LayoutName,
    LayoutOption,
    Near,
    Out,
    Precinct,
    Progression,
    Psnr,
    Quiet,
    Ratios,
    Recompress,
    Rendered,
    Rewrite,
    SinglePart,
    Slides,
    Sources,
    Step,
    Thumbnails,
)

if TYPE_CHECKING:
    from firstlight.prepare.recipe import Recipe
    from firstlight.prepare.run import Summary

_CORES = os.cpu_count() or 1


def prepare_command(
    sources: Sources,
    out: Out,
    layout: LayoutOption = LayoutName.dicomweb,
    form: Format = FormatName.htj2k,
    colour_form: ColourFormat = None,
    recompress: Recompress = "all",
    rewrite: Rewrite = False,
    slides: Slides = False,
    near: Near = 2,
    step: Step = 1 / 1024,
    psnr: Psnr = None,
    ratios: Ratios = "40,20,10",
    progression: Progression = "RPCL",
    precinct: Precinct = 0,
    block: Block = 64,
    decompositions: Decompositions = None,
    alternates: Alternates = None,
    single_part: SinglePart = False,
    thumbnails: Thumbnails = True,
    rendered: Rendered = False,
    heads: Heads = True,
    jobs: Jobs = _CORES,
    cluster: Cluster = "",
    force: Force = False,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Turn DICOM into a tree that any static host can serve.

    Every frame becomes a lossless HTJ2K codestream in order of resolution, is decoded again by
    another decoder, and must be equal bit for bit. firstlight.json at the root of the tree lists
    all series in it. Run it again to go on after an interruption, or to add to a tree: only what
    is missing is done.

    Exit code 1: some files could not be prepared, and are listed; the others are.
    """
    from firstlight.prepare.recipe import Arrangement, Recipe, Representation

    arrangement = Arrangement(progression, precinct, block, decompositions)
    main = Representation(form.value, step, psnr, near, _numbers(ratios), arrangement)
    recipe = Recipe(
        layout.value,
        main,
        replace(main, format=colour_form.value) if colour_form else None,
        keep_slides=not slides,
        rewrite=rewrite,
        single_part=single_part,
        thumbnails=thumbnails,
        rendered=rendered,
    )
    recipe = _chosen(recipe, alternates or [], recompress, quiet=quiet)
    run = partial(_run, jobs=jobs, cluster=cluster, force=force, heads=heads, quiet=quiet)
    _report(run(sources, out, recipe), quiet=quiet, as_json=as_json)


def _chosen(recipe: Recipe, alternates: list[str], recompress: str, *, quiet: bool) -> Recipe:
    """The recipe with what is said in words, checked; says what its user should know."""
    from firstlight.prepare.choices import (
        SOURCE_FAMILIES,
        BadChoice,
        checked,
        kept_syntaxes,
        parse_alternate,
    )

    try:
        keep = kept_syntaxes(recompress)
        if recipe.rewrite:
            keep |= {*SOURCE_FAMILIES["jpeg2000"], *SOURCE_FAMILIES["htj2k"]}
        parsed = tuple(parse_alternate(text, recipe.main) for text in alternates)
        chosen = checked(replace(recipe, keep=keep, alternates=parsed))
    except BadChoice as error:
        raise typer.BadParameter(error.message) from None
    for warning in () if quiet else chosen.warnings:
        typer.echo(f"firstlight prepare: {warning}", err=True)
    return chosen.recipe


def _run(
    sources: list[str],
    out: str,
    recipe: Recipe,
    *,
    jobs: int,
    cluster: str,
    force: bool,
    heads: bool,
    quiet: bool,
) -> Summary:
    from firstlight.cli.progress import FrameBar, NoBar
    from firstlight.errors import FirstlightError
    from firstlight.prepare.run import prepare

    for source in sources:
        if "://" not in source and not Path(source).exists():
            raise typer.BadParameter(f"{source} does not exist", param_hint="SRC...")
    bar = NoBar() if quiet or not sys.stderr.isatty() else FrameBar()
    try:
        with bar:
            return prepare(
                sources,
                out,
                recipe,
                jobs=jobs,
                cluster=cluster,
                force=force,
                heads=heads,
                progress=bar,
            )
    except KeyboardInterrupt:
        typer.echo("firstlight prepare: interrupted; run it again to go on", err=True)
        raise typer.Exit(130) from None
    except (FirstlightError, OSError) as error:
        typer.echo(f"firstlight prepare: {error}", err=True)
        raise typer.Exit(1) from None


def _report(summary: Summary, *, quiet: bool, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(asdict(summary), indent=2))
    elif not quiet:
        _print_summary(summary)
    for failure in summary.failures:
        typer.echo(f"not prepared: {failure.path}: {failure.reason}", err=True)
    if not summary.files_found:
        typer.echo("firstlight prepare: no DICOM file found", err=True)
    if summary.failures or not summary.files_found:
        raise typer.Exit(1)


def _numbers(text: str) -> tuple[float, ...]:
    try:
        numbers = tuple(float(part) for part in text.split(","))
    except ValueError:
        numbers = ()
    if not numbers or any(b >= a for a, b in pairwise(numbers)):
        raise typer.BadParameter("falling numbers with commas between", param_hint="--ratios")
    return numbers


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
