"""``firstlight prepare``: DICOM in; a tree that any static host can serve out."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict, replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Literal

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
    IndexBoxes,
    Jobs,
    LayoutName,
    LayoutOption,
    Near,
    NoDecode,
    Out,
    Precinct,
    Progression,
    Proof,
    ProofName,
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
from firstlight.cli.prepare_table import print_summary

if TYPE_CHECKING:
    from firstlight.prepare.recipe import Arrangement, Recipe
    from firstlight.prepare.summary import Summary

_CORES = os.cpu_count() or 1


def prepare_command(
    sources: Sources,
    out: Out,
    layout: LayoutOption = LayoutName.dicomweb,
    form: Format = FormatName.htj2k,
    colour_form: ColourFormat = None,
    recompress: Recompress = "all",
    rewrite: Rewrite = False,
    no_decode: NoDecode = False,
    slides: Slides = False,
    near: Near = 2,
    step: Step = 1 / 1024,
    psnr: Psnr = None,
    ratios: Ratios = "40,20,10",
    progression: Progression = None,
    precinct: Precinct = None,
    block: Block = 64,
    decompositions: Decompositions = None,
    alternates: Alternates = None,
    single_part: SinglePart = False,
    thumbnails: Thumbnails = True,
    rendered: Rendered = False,
    heads: Heads = True,
    index_boxes: IndexBoxes = False,
    proof: Proof = ProofName.sampled,
    jobs: Jobs = _CORES,
    cluster: Cluster = "",
    force: Force = False,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Turn DICOM into a tree that any static host can serve.

    Every frame becomes a lossless HTJ2K codestream in order of resolution, is decoded again, and
    must be equal bit for bit. firstlight.json at the root of the tree lists all series in it. Run
    it again to go on after an interruption, or to add to a tree: only what is missing is done.

    Exit code 1: some files could not be prepared, and are listed; the others are.
    """
    from firstlight.prepare.recipe import Recipe, Representation

    encoded, order = ("RPCL", progression) if rewrite else (progression or "RPCL", None)
    arrangement = _arrangement(encoded, precinct, block, decompositions)
    main = Representation(form.value, step, psnr, near, _numbers(ratios), arrangement)
    recipe = Recipe(
        layout.value,
        main,
        replace(main, format=colour_form.value) if colour_form else None,
        keep_slides=not slides,
        rewrite=rewrite,
        decode_kept=not no_decode,
        index_boxes=index_boxes,
        single_part=single_part,
        thumbnails=thumbnails,
        rendered=rendered,
    )
    recipe = _chosen(recipe, alternates or [], recompress, order, quiet=quiet)
    run = partial(_run, jobs=jobs, cluster=cluster, force=force, heads=heads, quiet=quiet)
    _report(run(sources, out, recipe, proof.value), quiet=quiet, as_json=as_json)


def _arrangement(
    progression: str, precinct_px: int | None, block_px: int, decompositions: int | None
) -> Arrangement:
    from firstlight.prepare.choices import default_precinct_px
    from firstlight.prepare.recipe import Arrangement

    side_px = default_precinct_px() if precinct_px is None else precinct_px
    return Arrangement(progression, side_px, block_px, decompositions)


def _chosen(
    recipe: Recipe, alternates: list[str], recompress: str, order: str | None, *, quiet: bool
) -> Recipe:
    """The recipe with what is said in words, checked; says what its user should know."""
    from firstlight.prepare.choices import (
        SOURCE_FAMILIES,
        BadChoice,
        checked,
        kept_syntaxes,
        parse_alternate,
        progression_order,
    )

    try:
        keep = kept_syntaxes(recompress)
        if recipe.rewrite:
            keep |= {*SOURCE_FAMILIES["jpeg2000"], *SOURCE_FAMILIES["htj2k"]}
        parsed = tuple(parse_alternate(text, recipe.main) for text in alternates)
        chosen = checked(
            replace(recipe, keep=keep, alternates=parsed, rewrite_order=progression_order(order))
        )
    except BadChoice as error:
        raise typer.BadParameter(error.message) from None
    for warning in () if quiet else chosen.warnings:
        typer.echo(f"firstlight prepare: {warning}", err=True)
    return chosen.recipe


def _run(
    sources: list[str],
    out: str,
    recipe: Recipe,
    proof: Literal["sampled", "independent"],
    *,
    jobs: int,
    cluster: str,
    force: bool,
    heads: bool,
    quiet: bool,
) -> Summary:
    from firstlight.cli.progress import FrameBar, NoBar
    from firstlight.errors import FirstlightError
    from firstlight.prepare.dedicated import dedicate_process
    from firstlight.prepare.run import prepare

    for source in sources:
        if "://" not in source and not Path(source).exists():
            raise typer.BadParameter(f"{source} does not exist", param_hint="SRC...")
    dedicate_process()
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
                proof=proof,
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
        print_summary(summary)
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
