"""From a ``src`` to its source."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from firstlight.sources.address import split_frame, split_limit

if TYPE_CHECKING:
    from firstlight.sources.base import Source


def source_for(src: str, files: tuple[tuple[str, str], ...] = ()) -> Source:
    """The source that reads a ``src``, by its prefix, else by the suffix of its path.

    Only that source's module is imported: the page waits for what is imported at its start.
    ``files`` are names and addresses of the files that ``local:`` means.
    """
    kind, _, address = src.partition(":")
    if kind == "jphuri":
        from firstlight.sources.jphuri import JphuriSource

        address, limit = split_limit(address)
        # The number is that of the frame in the file it was made from: there is one in this.
        return JphuriSource(split_frame(address)[0], limit)
    if kind == "wadouri":
        from firstlight.sources.part10 import Part10Source

        return Part10Source(*split_frame(address))
    if kind == "dicomweb":
        from firstlight.sources.dicomweb import DicomwebSource

        return DicomwebSource(address)
    if kind == "local":
        from firstlight.sources.local import LocalFile, LocalSource

        return LocalSource(tuple(LocalFile(name, url) for name, url in files))
    if urlsplit(src).path.endswith(".json"):
        from firstlight.sources.manifest import ManifestSource

        return ManifestSource(src)
    from firstlight.sources.plain import PlainSource

    return PlainSource(src)
