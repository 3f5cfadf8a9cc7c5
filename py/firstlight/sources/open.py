"""From a ``src`` to its source."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from firstlight.errors import MalformedDescriptor

if TYPE_CHECKING:
    from firstlight.sources.base import Source


def source_for(src: str) -> Source:
    """The source that reads a ``src``, by its prefix, else by the suffix of its path.

    Only that source's module is imported: the page waits for what is imported at its start.

    Raises:
        MalformedDescriptor: no source reads it.
    """
    kind, _, address = src.partition(":")
    if kind == "jphuri":
        from firstlight.sources.jphuri import JphuriSource

        return JphuriSource(address)
    if kind == "wadouri":
        from firstlight.sources.part10 import Part10Source, split_frame

        return Part10Source(*split_frame(address))
    if kind == "dicomweb":
        from firstlight.sources.dicomweb import DicomwebSource

        return DicomwebSource(address)
    if urlsplit(src).path.endswith(".json"):
        from firstlight.sources.manifest import ManifestSource

        return ManifestSource(src)
    raise MalformedDescriptor(
        "neither jphuri:, wadouri: nor dicomweb:, nor the address of a firstlight.json",
        resource=src,
    )
