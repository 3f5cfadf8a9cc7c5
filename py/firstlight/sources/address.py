"""What an address says beside where a file is."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urljoin, urlsplit, urlunsplit

from firstlight.errors import MalformedDescriptor
from firstlight.sources.base import Limit

MAX_DIGITS: Final = 15
"""Of a number in an address; beyond any file's size."""

MAX_LEVELS: Final = 32
"""No codestream has more decomposition levels (ISO/IEC 15444-1 A.6.1)."""

_BYTE_RANGE: Final = re.compile(r"(?:bytes=)?0-(\d*)", re.ASCII)
_WEB: Final = frozenset(("http", "https", "file"))
"""Schemes whose relative addresses `urljoin` resolves."""


def split_frame(url: str) -> tuple[str, int | None]:
    """The file's URL without ``frame=N``, and that number, which counts from 1.

    Raises:
        MalformedDescriptor: ``frame`` is not a number from 1 on.
    """
    parts = urlsplit(url)
    kept: list[str] = []
    number: int | None = None
    for item in parts.query.split("&") if parts.query else ():
        name, _, value = item.partition("=")
        if name != "frame":
            kept.append(item)
        elif value.isdecimal() and len(value) <= 9 and int(value) > 0:
            number = int(value)
        else:
            raise MalformedDescriptor("frame= takes a number from 1 on", resource=url)
    return urlunsplit(parts._replace(query="&".join(kept))), number


def split_limit(url: str) -> tuple[str, Limit | None]:
    """The URL without its fragment, and the limit that ``#byteRange=0-20000&decodeLevel=2`` means.

    A fragment is never sent to a server. ``byteRange`` is written as in HTTP, both ends
    included, with or without ``bytes=``; ``decodeLevel`` counts down from the full image, 0.

    Raises:
        MalformedDescriptor: one of them is not of that form.
    """
    parts = urlsplit(url)
    words = dict(item.partition("=")[::2] for item in parts.fragment.split("&"))
    limit = limit_of(words.get("byteRange"), words.get("decodeLevel"), resource=url)
    return urlunsplit(parts._replace(fragment="")), None if limit == Limit() else limit


def limit_of(
    byte_range: str | None, decode_level: str | None, *, resource: str | None = None
) -> Limit:
    """The limit that ``byteRange`` and ``decodeLevel`` mean, None for one that is not given.

    Raises:
        MalformedDescriptor: one of them is not of the form that `split_limit` describes.
    """
    stop = None if byte_range is None else _stop(byte_range, resource)
    return Limit(stop, 0 if decode_level is None else _levels_below(decode_level, resource))


def _stop(byte_range: str, url: str | None) -> int | None:
    found = _BYTE_RANGE.fullmatch(byte_range)
    if found is None or len(found[1]) > MAX_DIGITS:
        raise MalformedDescriptor("byteRange= takes a range from 0 on: 0-20000", resource=url)
    return int(found[1]) + 1 if found[1] else None


def _levels_below(value: str, url: str | None) -> int:
    if not (value.isascii() and value.isdigit() and len(value) <= 2 and int(value) <= MAX_LEVELS):
        text = f"decodeLevel= takes a number from 0 to {MAX_LEVELS}"
        raise MalformedDescriptor(text, resource=url)
    return int(value)


def resolve(base: str, relative: str) -> str:
    """An address relative to another, whatever the scheme: also in an object store (``s3:``)."""
    scheme = urlsplit(base).scheme
    if scheme in _WEB or urlsplit(relative).scheme:
        return urljoin(base, relative)
    rest = base[len(scheme) :]
    return scheme + urljoin("http" + rest, relative).removeprefix("http")
