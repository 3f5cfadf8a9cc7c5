"""Preconditions and ranges of RFC 9110, on plain values: headers in, decision out."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.utils import formatdate, parsedate_to_datetime
from typing import TYPE_CHECKING

from firstlight.ranges import ByteRange

if TYPE_CHECKING:
    from collections.abc import Mapping

_RANGE_SPEC = re.compile(r"([0-9]{0,18})-([0-9]{0,18})")
_ENTITY_TAG = re.compile(r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"')


class RangeNotSatisfiable(Exception):
    """No byte of the resource lies in the range asked for (RFC 9110 15.5.17)."""


@dataclass(frozen=True, slots=True)
class Validators:
    """What tells one version of a representation from another.

    ``etag`` is strong and quoted; ``modified_s`` counts whole seconds since 1970.
    """

    etag: str
    modified_s: int

    @property
    def last_modified(self) -> str:
        """The value of ``Last-Modified``."""
        return formatdate(self.modified_s, usegmt=True)


def precondition_status(headers: Mapping[str, str], validators: Validators) -> int | None:
    """412 or 304 where a precondition decides the answer, else None (RFC 9110 13.2.2)."""
    since_s = _seconds(headers.get("if-unmodified-since"))
    if (expected := headers.get("if-match")) is not None:
        # If-Match compares strongly, so a weak tag never matches.
        if expected.strip() != "*" and validators.etag not in _ENTITY_TAG.findall(expected):
            return 412
    elif since_s is not None and validators.modified_s > since_s:
        return 412
    if (known := headers.get("if-none-match")) is not None:
        tags = {tag.removeprefix("W/") for tag in _ENTITY_TAG.findall(known)}
        return 304 if known.strip() == "*" or validators.etag in tags else None
    if (since_s := _seconds(headers.get("if-modified-since"))) is not None:
        return 304 if validators.modified_s <= since_s else None
    return None


def requested_range(
    headers: Mapping[str, str], validators: Validators, size_bytes: int
) -> ByteRange | None:
    """The one range to answer with 206, None for the whole representation with 200.

    A header that is malformed, in another unit, or out of date by ``If-Range`` counts as absent
    (RFC 9110 14.2). So do several ranges: the standard lets a server answer them with the whole.

    Raises:
        RangeNotSatisfiable: to be answered with 416.
    """
    value = headers.get("range")
    if value is None or not _if_range_holds(headers.get("if-range"), validators):
        return None
    unit, _, specs = value.partition("=")
    if unit.strip().lower() != "bytes":
        return None
    satisfiable: list[ByteRange] = []
    wanted = [spec.strip() for spec in specs.split(",") if spec.strip()]
    for spec in wanted:
        match = _RANGE_SPEC.fullmatch(spec)
        if match is None or spec == "-":
            return None
        first, last = match.groups()
        if first and last and int(last) < int(first):
            return None
        if (extent := _within(first, last, size_bytes)) is not None:
            satisfiable.append(extent)
    if wanted and not satisfiable:
        raise RangeNotSatisfiable
    return satisfiable[0] if len(satisfiable) == 1 and satisfiable[0].length else None


def _within(first: str, last: str, size_bytes: int) -> ByteRange | None:
    """A range spec as bytes of the representation, None where there are none such."""
    if not first:
        suffix_bytes = int(last)
        return ByteRange(max(0, size_bytes - suffix_bytes), size_bytes) if suffix_bytes else None
    if int(first) >= size_bytes:
        return None
    return ByteRange(int(first), min(int(last) + 1, size_bytes) if last else size_bytes)


def _if_range_holds(value: str | None, validators: Validators) -> bool:
    """Whether ``If-Range`` names the current version, by the strong comparison."""
    return value is None or value.strip() in (validators.etag, validators.last_modified)


def _seconds(value: str | None) -> int | None:
    """An HTTP date in seconds since 1970, None for no date or one that cannot be read."""
    if value is None:
        return None
    try:
        return int(parsedate_to_datetime(value).timestamp())
    except (ValueError, OverflowError):
        return None
