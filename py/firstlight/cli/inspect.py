"""``firstlight inspect SRC``: what a file or URL holds, and the byte at which each level ends."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from firstlight.check.facts import CodestreamFacts
    from firstlight.check.inspect import Inspection
    from firstlight.sources.base import Series

_LONG = 100
_WINDOWS = "a window of a level can be loaded by itself, with PLT"


def inspect_command(
    src: Annotated[
        str,
        typer.Argument(
            metavar="SRC",
            help="A file, a URL, or a src: jphuri:..., wadouri:..., dicomweb:...",
        ),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="All facts as JSON.")] = False,
) -> None:
    """Say what a file or URL holds.

    Attributes, the facts of the first frame's codestream, and the byte at which each of its
    resolution levels ends, with the size of the picture there. Reads DICOM Part 10 files,
    firstlight.json, DICOMweb, pairs of .jph and .metadata.dcm, and bare codestreams; of all of
    them only the ranges that tell it.
    """
    from firstlight.check.inspect import inspect
    from firstlight.errors import FirstlightError

    try:
        found = asyncio.run(inspect(src))
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    except FirstlightError as error:
        typer.echo(f"firstlight inspect: {error}", err=True)
        raise typer.Exit(1) from None
    if as_json:
        typer.echo(json.dumps(found.to_json(), indent=2))
    else:
        for line in lines_of(found):
            typer.echo(line)


def lines_of(found: Inspection) -> list[str]:
    """The facts as text."""
    lines = [f"{found.src}: {found.kind}"]
    if found.transfer_syntax_uid:
        names = map(_named, found.transfer_syntax_uid.split(", "))
        lines.append(f"transfer syntax {'; '.join(names)}")
    for number, series in enumerate(found.series, 1):
        lines.append(f"series {number} of {len(found.series)}: {_series_line(series)}")
    if found.attributes is not None:
        lines += ["attributes of the first frame", *_attribute_lines(found.attributes)]
    if found.codestream is not None:
        extent = found.series[0].frames[0].extent if found.series else None
        start = "" if extent is None else f", from byte {extent.start} of {extent.url}"
        lines += [f"codestream of the first frame{start}", *_codestream_lines(found.codestream)]
    if found.trouble:
        lines.append(found.trouble)
    return [*lines, *found.notices]


def _series_line(series: Series) -> str:
    words = [series.modality, f'"{series.description}"' if series.description else ""]
    words.append(f"number {series.number}" if series.number is not None else "")
    lengths = [frame.extent.length for frame in series.frames]
    count = len(lengths)
    total = f", {_count(sum(filter(None, lengths)))} bytes" if None not in lengths else ""
    codecs = dict.fromkeys(frame.coding.codec for frame in series.frames)
    frames = f"{_plural(count, 'frame')} for {', '.join(codecs)}{total}"
    return ", ".join([*filter(None, words), frames])


def _attribute_lines(attributes: Any) -> list[str]:  # noqa: ANN401 - JSON
    return [f"  {name}: {_short(value)}" for name, value in attributes.items()]


def _short(value: Any) -> str:  # noqa: ANN401 - JSON
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= _LONG else f"{text[:_LONG]}... ({len(text)} characters)"


def _codestream_lines(facts: CodestreamFacts) -> list[str]:
    family = "HTJ2K" if facts.high_throughput else "JPEG 2000 Part 1"
    sign = "signed" if facts.signed else "unsigned"
    precincts = ", ".join(f"{x} x {y}" for x, y in facts.precincts) or "as large as can be"
    lines = [
        f"{family}{' in a file of boxes' if facts.boxed else ''}, {facts.wavelet}, as of "
        f"{_named(facts.transfer_syntax_uid)}",
        f"{facts.columns} x {facts.rows}, {_plural(facts.components, 'component')} of "
        f"{facts.precision_bits} bits {sign}"
        f"{', subsampled' if facts.subsampled else ''}"
        f"{', colour transform' if facts.colour_transform else ''}",
        f"progression {facts.progression_order}, "
        f"{_plural(facts.decomposition_levels, 'decomposition level')}, "
        f"{_plural(facts.layers, 'layer')}, {_plural(facts.tiles, 'tile')}",
        f"code-blocks {facts.code_block_columns} x {facts.code_block_rows}, precincts {precincts}",
        f"markers {' '.join(facts.markers)}",
        f"level ends from {facts.method}, told by {facts.reading}",
        f"no windows of a level: {facts.no_windows}" if facts.no_windows else _WINDOWS,
        *_level_lines(facts),
    ]
    if facts.flaw:
        lines.append(f"flaw: {facts.flaw}")
    return [f"  {line}" for line in lines]


def _level_lines(facts: CodestreamFacts) -> list[str]:
    full = facts.levels[-1].stop_byte
    lines = ["level        pixels   bytes needed"]
    for level in facts.levels:
        stop = level.stop_byte
        needed = "unknown" if stop is None else _count(stop)
        share = f"{100 * stop / full:6.1f} %" if stop and full else ""
        size = f"{level.columns} x {level.rows}"
        lines.append(f"{level.resolution_level:5} {size:>13} {needed:>14} {share}".rstrip())
    return lines


def _named(transfer_syntax_uid: str) -> str:
    """A UID with the name that PS3.6 gives it."""
    from pydicom.uid import UID

    name = UID(transfer_syntax_uid).name
    return transfer_syntax_uid if name == transfer_syntax_uid else f"{transfer_syntax_uid}, {name}"


def _plural(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _count(number: int) -> str:
    return f"{number:,}"
