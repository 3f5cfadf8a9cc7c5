"""The table at the end of ``firstlight prepare``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from firstlight.prepare.summary import Summary, SyntaxSummary

_LEAST_COLUMNS = 100
"""Of a terminal that is none: a file or a pipe."""


def print_summary(summary: Summary) -> None:
    """Say what a run did: a line on files, a row for each syntax of the sources, and the total."""
    console = Console(highlight=False, soft_wrap=True)
    if not console.is_terminal:
        console.width = _LEAST_COLUMNS
    console.print(
        f"{summary.files_prepared} files prepared ({summary.frames} frames), "
        f"{summary.files_already_there} there already, {summary.files_duplicate} duplicates, "
        f"{len(summary.failures)} not prepared"
    )
    if summary.frames:
        console.print(_table(summary))


def _table(summary: Summary) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("source", overflow="fold")
    for name in ("files", "frames", "MB in", "MB pixels", "MB out", "ratio", "s", "MB/s"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in summary.by_syntax:
        table.add_row(row.name, *_numbers(row))
    table.add_section()
    table.add_row("all, by the clock", *_numbers(summary))
    table.caption = (
        f"{summary.frames / max(summary.seconds, 1e-3):.1f} frames/s; "
        f"{_megabytes(summary.bytes_written)} MB written with all that belongs to the frames; "
        "s of a source: of all processes together"
    )
    return table


def _numbers(row: Summary | SyntaxSummary) -> tuple[str, ...]:
    files = row.files if hasattr(row, "files") else row.files_prepared
    return (
        str(files),
        str(row.frames),
        _megabytes(row.bytes_in),
        _megabytes(row.pixel_bytes),
        _megabytes(row.bytes_out),
        f"{row.ratio:.2f}",
        f"{row.seconds:.1f}",
        f"{row.pixel_bytes / 1e6 / max(row.seconds, 1e-3):.1f}",
    )


def _megabytes(byte_count: int) -> str:
    return f"{byte_count / 1e6:.1f}"
