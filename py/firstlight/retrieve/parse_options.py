"""Reads the options of requests, in any of the spellings."""

from __future__ import annotations

import re
from typing import Final

from firstlight.errors import ConfigurationError
from firstlight.retrieve.configuration import (
    DEFAULT_TYPE,
    FINAL_RANGE,
    OptionsOfType,
    RetrieveOptions,
)
from firstlight.retrieve.fields import (
    Field,
    as_object,
    flag,
    member,
    number,
    read,
    text,
    under,
    whole,
    wrong,
)
from firstlight.retrieve.status import Quality

MAX_DECODE_LEVEL: Final = 32
"""No codestream has more decomposition levels (ISO/IEC 15444-1 A.6.1)."""

OLDER_RANGE_COUNT: Final = 2
"""`totalRangesToFetch` where the older spelling leaves it out."""

_UID = re.compile(r"\d+(\.\d+)+")


def parse_options(written: object, path: str) -> RetrieveOptions:
    """Options of one request, in any of the spellings.

    Raises:
        ConfigurationError: with the path of the field that is wrong, below ``path``.
    """
    found = read(written, path, OPTION_FIELDS)
    if found.pop("older_streaming", False):
        found["streaming"] = True
    lossy = found.pop("older_lossy", False)
    if lossy and found.setdefault("image_quality_status", Quality.LOSSY) > Quality.LOSSY:
        raise ConfigurationError(f"{under(path, 'isLossy')}: contradicts imageQualityStatus")
    ranges = found.pop("older_range_count", OLDER_RANGE_COUNT)
    if "older_range" in found:
        index = found.pop("older_range")
        if "range_index" in found:
            raise ConfigurationError(f"{under(path, 'range')}: the same as rangeIndex, give one")
        # Ranges were counted, and the last of them was the rest.
        found["range_index"] = index if index < ranges - 1 else FINAL_RANGE
    return RetrieveOptions(**found)


def retrieve_options(value: object, path: str) -> dict[str, OptionsOfType]:
    """The options of every retrieve type.

    Raises:
        ConfigurationError: with the path of the field that is wrong, below ``path``.
    """
    found: dict[str, OptionsOfType] = {}
    for name, written in as_object(value, path).items():
        below = under(path, str(name))
        if not isinstance(name, str) or _UID.fullmatch(name):
            text_ = f"{below}: must be a retrieve type; a transfer syntax goes inside one"
            raise ConfigurationError(text_)
        if written is not None:
            found[name] = _options_of_type(written, below)
    return found


def _options_of_type(value: object, path: str) -> OptionsOfType:
    value = as_object(value, path)
    if not any(key == DEFAULT_TYPE or _UID.fullmatch(str(key)) for key in value):
        return parse_options(value, path)
    found: dict[str, RetrieveOptions] = {}
    for key, written in value.items():
        below = under(path, str(key))
        if key != DEFAULT_TYPE and not _UID.fullmatch(str(key)):
            raise ConfigurationError(f"{below}: must be a Transfer Syntax UID, or 'default'")
        if written is not None:
            found[key] = parse_options(written, below)
    return found


def _url_arguments(value: object, path: str) -> str:
    written = text(value, path)
    if re.search(r"[\s#]", written):
        raise wrong(path, "arguments as in a URL's query", value)
    return written.lstrip("?&")


def _frames_path(value: object, path: str) -> str:
    written = text(value, path)
    if not written.startswith("/") or re.search(r"[\s#\\]|/\.\.?(/|$)", written):
        raise wrong(path, "a piece of a path, as /jls/", value)
    return written


OPTION_FIELDS: Final = (
    Field("url_arguments", ("urlArguments",), _url_arguments),
    Field("frames_path", ("framesPath",), _frames_path),
    Field("decode_level", ("decodeLevel",), whole(0, MAX_DECODE_LEVEL)),
    Field("image_quality_status", ("imageQualityStatus", "status"), member(Quality)),
    Field("streaming", ("streaming",), flag),
    Field("min_chunk_size_bytes", ("minChunkSize",), whole(1)),
    Field("range_index", ("rangeIndex",), whole(FINAL_RANGE)),
    Field("chunk_size_bytes", ("chunkSize", "initialBytes", "initialBytesToFetch"), whole(1)),
    Field("initial_chunk_size_bytes", ("initialChunkSize",), whole(1)),
    Field("decode_interval_ms", ("msBetweenDecode",), number),
    Field("older_range", ("range",), whole(0)),
    Field("older_range_count", ("totalRangesToFetch",), whole(1)),
    Field("older_lossy", ("isLossy",), flag),
    Field("older_streaming", ("streamingDecode",), flag),
)
