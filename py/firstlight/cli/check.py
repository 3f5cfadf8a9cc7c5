"""``firstlight check URL``: is this server fit for progressive loading."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer

if TYPE_CHECKING:
    from firstlight.check.findings import Finding, Report

_PREFIXES = ("jphuri:", "wadouri:", "dicomweb:")
_COLOURS = {"ok": "green", "warning": "yellow", "problem": "red"}


def check_command(
    url: Annotated[
        str,
        typer.Argument(
            metavar="URL",
            help="An image, a firstlight.json, or a src: jphuri:..., wadouri:..., dicomweb:...",
        ),
    ],
    origin: Annotated[
        str,
        typer.Option(
            help="Origin of the page that will show the images; by default another site's."
        ),
    ] = "https://viewer.example",
    header: Annotated[
        list[str] | None,
        typer.Option("--header", "-H", help="'Name: value' to send along, e.g. Authorization."),
    ] = None,
    timeout: Annotated[
        float, typer.Option("--timeout", min=0.1, help="Seconds to wait for a silent server.")
    ] = 10,
    nginx: Annotated[
        bool, typer.Option("--nginx", help="Print an nginx configuration that is fit.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Findings as JSON.")] = False,
) -> None:
    """Say whether a server is fit for progressive loading, and what to change.

    Sends some 15 to 60 small requests: byte ranges, versions, CORS, compression, types, HTTP
    version, and what the URL holds. Of a firstlight.json the first frame is checked too. Findings
    are ok, warning (it works, but costs time or comfort) or problem.

    Exit code 0: fit. 1: there is a problem.
    """
    _require_address(url)
    headers = _headers(header or [])

    from firstlight.check.nginx import NGINX_RECIPE
    from firstlight.check.run import Asker, check
    from firstlight.errors import FirstlightError

    try:
        report = asyncio.run(check(url, Asker(origin.rstrip("/"), headers, timeout)))
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    except FirstlightError as error:
        typer.echo(f"firstlight check: {error}", err=True)
        raise typer.Exit(2) from None
    if as_json:
        recipe = {"nginx": NGINX_RECIPE} if nginx else {}
        typer.echo(json.dumps({**report.to_json(), **recipe}, indent=2))
    else:
        _print(report)
        if nginx:
            typer.echo(f"\n{NGINX_RECIPE}", nl=False)
    if not report.fit:
        raise typer.Exit(1)


def _require_address(src: str) -> None:
    address = src
    for prefix in _PREFIXES:
        address = address.removeprefix(prefix)
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise typer.BadParameter("an http: or https: address is needed", param_hint="URL")


def _headers(given: list[str]) -> dict[str, str]:
    headers = {}
    for item in given:
        name, colon, value = item.partition(":")
        if not colon or not name.strip() or not item.isascii() or "\n" in item:
            raise typer.BadParameter("'Name: value' is needed", param_hint="--header")
        headers[name.strip()] = value.strip()
    return headers


def _print(report: Report) -> None:
    for inquiry in report.inquiries:
        typer.echo(f"{inquiry.url} ({inquiry.requests} requests)")
        for finding in inquiry.findings:
            _print_finding(finding)
    problems, warnings = report.count("problem"), report.count("warning")
    verdict = "fit for progressive loading" if report.fit else "not fit"
    typer.echo(f"{verdict}: {problems} problems, {warnings} warnings")


def _print_finding(finding: Finding) -> None:
    grade = typer.style(f"{finding.grade:8}", fg=_COLOURS[finding.grade])
    change = f" -> {finding.change}" if finding.change else ""
    typer.echo(f"  {grade} {finding.topic}: {finding.text}{change}")
