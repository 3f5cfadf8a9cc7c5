"""The options of ``firstlight prepare``, each with its help."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer


class LayoutName(StrEnum):
    """The words after ``--layout``."""

    dicomweb = "dicomweb"
    jphuri = "jphuri"
    part10 = "part10"
    jp2 = "jp2"


class FormatName(StrEnum):
    """The words after ``--format``."""

    htj2k = "htj2k"
    htj2k_lossless = "htj2k-lossless"
    htj2k_lossy = "htj2k-lossy"
    jpegls = "jpegls"
    jpegls_near = "jpegls-near"
    jpeg2000 = "jpeg2000"
    jpeg2000_lossy = "jpeg2000-lossy"
    uncompressed = "uncompressed"


class ProofName(StrEnum):
    """The words after ``--proof``."""

    sampled = "sampled"
    independent = "independent"


_LOSS = "How much a lossy format may lose"
_ARRANGEMENT = "How HTJ2K is arranged"
_BESIDE = "What is written beside the frames"
_WHERE = "Where the work is done"

Sources = Annotated[
    list[str],
    typer.Argument(metavar="SRC...", help="DICOM files, folders to search, or URLs of them."),
]
Out = Annotated[str, typer.Option("--out", "-o", help="Folder or URL to write to.")]
LayoutOption = Annotated[
    LayoutName,
    typer.Option(
        help="dicomweb: a WADO-RS tree of static files. "
        "jphuri: pairs image1.jph and image1.metadata.dcm. "
        "part10: DICOM files with offset tables and an index beside each. "
        "jp2: JP2 and JPH files."
    ),
]
Format = Annotated[
    FormatName,
    typer.Option("--format", "-f", help="How frames are written; htj2k is HTJ2K RPCL."),
]
ColourFormat = Annotated[
    FormatName | None, typer.Option("--colour-format", help="Another format for colour.")
]
Recompress = Annotated[
    str,
    typer.Option(
        help="Which sources to recompress: all, none, or a list of uncompressed, rle, jpeg, "
        "jpeg-lossless, jpegls, jpeg2000, htj2k. The others keep their frames."
    ),
]
Rewrite = Annotated[
    bool,
    typer.Option(
        "--rewrite",
        help="Keep JPEG 2000 and HTJ2K packets, but give them PLT, TLM and tile-parts, "
        "and the --progression asked for.",
    ),
]
Slides = Annotated[
    bool,
    typer.Option("--recompress-slides", help="Whole slide images too; else they are kept."),
]
Near = Annotated[
    int, typer.Option(min=0, max=255, help="jpegls-near: largest error.", rich_help_panel=_LOSS)
]
Step = Annotated[
    float,
    typer.Option(help="htj2k-lossy: quantisation step.", rich_help_panel=_LOSS),
]
Psnr = Annotated[
    float | None,
    typer.Option(help="htj2k-lossy: reach this many dB instead.", rich_help_panel=_LOSS),
]
Ratios = Annotated[
    str,
    typer.Option(
        help="jpeg2000-lossy: ratio of each quality layer, falling.", rich_help_panel=_LOSS
    ),
]
NoDecode = Annotated[
    bool,
    typer.Option(
        "--no-decode",
        help="Do not decode kept and rewritten frames; their hash is that of the codestream.",
    ),
]
IndexBoxes = Annotated[
    bool,
    typer.Option(
        "--index-boxes",
        help="jp2: with the index boxes that JPIP servers read.",
        rich_help_panel=_BESIDE,
    ),
]
Progression = Annotated[
    str | None,
    typer.Option(
        help="LRCP, RLCP, RPCL (the default), PCRL or CPRL; with --rewrite as it is if not given.",
        rich_help_panel=_ARRANGEMENT,
    ),
]
Precinct = Annotated[
    int | None,
    typer.Option(
        min=0,
        help="Side of the precincts in pixels, 128 by default; 0: as large as possible.",
        rich_help_panel=_ARRANGEMENT,
    ),
]
Block = Annotated[int, typer.Option(help="Side of the code-blocks.", rich_help_panel=_ARRANGEMENT)]
Decompositions = Annotated[
    int | None,
    typer.Option(
        min=1,
        max=32,
        help="Decomposition levels; by default until 64 pixels.",
        rich_help_panel=_ARRANGEMENT,
    ),
]
Alternates = Annotated[
    list[str] | None,
    typer.Option(
        "--alternate",
        metavar="NAME[=FORMAT[:near=N][:step=X][:psnr=DB][:reduction=N][:path=P]]",
        help="One more representation; jls, jlsThumbnail, lossy, htj2kThumbnail need no more.",
        rich_help_panel=_BESIDE,
    ),
]
SinglePart = Annotated[
    bool,
    typer.Option(
        "--single-part", help="Bare frames instead of multipart.", rich_help_panel=_BESIDE
    ),
]
Thumbnails = Annotated[bool, typer.Option(help="JPEG thumbnails.", rich_help_panel=_BESIDE)]
Rendered = Annotated[
    bool, typer.Option("--rendered", help="JPEG in full size.", rich_help_panel=_BESIDE)
]
Proof = Annotated[
    ProofName,
    typer.Option(
        help="How lossless frames are proved. sampled: each is decoded by the encoder's own "
        "library, one in 16 and small ones by another too; independent: each by another.",
        rich_help_panel=_WHERE,
    ),
]
Heads = Annotated[
    bool,
    typer.Option(
        help="A file a series with the first levels of all frames.", rich_help_panel=_BESIDE
    ),
]
Jobs = Annotated[
    int,
    typer.Option(
        "--jobs", "-j", min=1, help="Processes; all cores by default.", rich_help_panel=_WHERE
    ),
]
Cluster = Annotated[
    str,
    typer.Option(
        metavar="ADDRESS",
        help="Dask scheduler, tcp://host:8786, or local.",
        rich_help_panel=_WHERE,
    ),
]
Force = Annotated[bool, typer.Option("--force", help="Replace what is there with other content.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no summary.")]
AsJson = Annotated[bool, typer.Option("--json", help="Summary as JSON.")]
