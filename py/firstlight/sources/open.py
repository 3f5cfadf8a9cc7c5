"""From a ``src`` to its source."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from firstlight.errors import MalformedDescriptor
from firstlight.sources.jphuri import PREFIX, JphuriSource
from firstlight.sources.manifest import ManifestSource

if TYPE_CHECKING:
    from firstlight.sources.base import Source


def source_for(src: str) -> Source:
    """The source that reads a ``src``, by its prefix, else by the suffix of its path.

    Raises:
        MalformedDescriptor: no source reads it.
    """
    if src.startswith(PREFIX):
        return JphuriSource(src.removeprefix(PREFIX))
    if urlsplit(src).path.endswith(".json"):
        return ManifestSource(src)
    raise MalformedDescriptor("neither jphuri: nor the address of a firstlight.json", resource=src)
