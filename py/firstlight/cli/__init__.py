"""The command line: one verb a file; what a verb needs is imported when it runs."""

from __future__ import annotations

import typer

from firstlight.cli.check import check_command
from firstlight.cli.fetch import fetch_command
from firstlight.cli.index import index_command
from firstlight.cli.inspect import inspect_command
from firstlight.cli.prepare import prepare_command
from firstlight.cli.samples import samples_command
from firstlight.cli.serve import serve_command
from firstlight.cli.verify import verify_command

app = typer.Typer(
    name="firstlight",
    help="Medical images in the browser the moment enough bytes have arrived.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("check", no_args_is_help=True)(check_command)
app.command("fetch", no_args_is_help=True)(fetch_command)
app.command("index", no_args_is_help=True)(index_command)
app.command("inspect", no_args_is_help=True)(inspect_command)
app.command("prepare", no_args_is_help=True)(prepare_command)
app.command("samples")(samples_command)
app.command("serve")(serve_command)
app.command("verify", no_args_is_help=True)(verify_command)


def main() -> None:
    """Entry point of ``firstlight``."""
    app()
