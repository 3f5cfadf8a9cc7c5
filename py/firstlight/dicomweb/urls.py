"""URLs of DICOMweb resources (PS3.18 10.1, Table 10.4.1-1)."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from firstlight.errors import MalformedDescriptor

_PLACE: Final = re.compile(
    r"(?P<root>.*?)/studies/(?P<study>[^/]+)"
    r"(?:/series/(?P<series>[^/]+)(?:/instances/(?P<instance>[^/]+))?)?/?"
)
_UID: Final = re.compile(r"[0-9][0-9.]{0,63}")


@dataclass(frozen=True, slots=True)
class Place:
    """A study, series or instance below the ``root`` of a service (an absolute URL).

    ``series`` and ``instance`` are empty where the place is that of something larger. ``query`` is
    added to every URL: some hosts carry a token there.
    """

    root: str
    study: str
    series: str = ""
    instance: str = ""
    query: str = ""

    @property
    def path(self) -> str:
        """The path below the root, without leading slash."""
        path = f"studies/{self.study}"
        if self.series:
            path += f"/series/{self.series}"
        if self.instance:
            path += f"/instances/{self.instance}"
        return path

    def url(self, *below: str) -> str:
        """The URL of something below this place, ``metadata`` for example, or of the place."""
        parts = urlsplit("/".join((self.root, self.path, *below)))
        return urlunsplit(parts._replace(query=self.query))

    def frame_url(self, frame_number: int, *, frames_path: str = "frames") -> str:
        """The URL of one frame, counted from 1, of an instance.

        ``frames_path`` replaces ``frames`` where a tree holds another rendition beside it.
        """
        return self.url(frames_path, str(frame_number))

    def with_series(self, series: str) -> Place:
        """The same study's series."""
        return replace(self, series=series, instance="")

    def with_instance(self, instance: str) -> Place:
        """The same series' instance."""
        return replace(self, instance=instance)


def parse_place(url: str) -> Place:
    """The place that ``https://host/dicom-web/studies/1.2[/series/3.4[/instances/5.6]]`` names.

    Raises:
        MalformedDescriptor: it names none.
    """
    parts = urlsplit(url)
    found = _PLACE.fullmatch(parts.path)
    uids = [] if found is None else [uid for uid in found.group(2, 3, 4) if uid is not None]
    if found is None or not all(_UID.fullmatch(uid) for uid in uids):
        raise MalformedDescriptor("not the address of a study, series or instance", resource=url)
    root = urlunsplit(parts._replace(path=found["root"], query="", fragment=""))
    return Place(
        root, found["study"], found["series"] or "", found["instance"] or "", query=parts.query
    )


def alternate_frame_url(url: str, frames_path: str = "", url_arguments: str = "") -> str:
    """The URL of a frame's other rendition, made from that of the frame itself.

    ``frames_path`` stands in the place of the path's last ``/frames/``: ``/jls/``, or ``jls``
    alike, or a path with a query of its own, which goes before the one that is there
    (``/jpip?target=``).
    ``url_arguments`` are added to the query. A URL without ``/frames/`` keeps its path.
    """
    parts = urlsplit(url)
    path, query = parts.path, parts.query
    head, found, tail = path.rpartition("/frames/")
    if frames_path and found:
        own_path, asks, own_query = frames_path.strip("/").partition("?")
        path = f"{head}/{own_path}"
        if asks:
            query = _joined(f"{own_query}{tail}", query)
        else:
            path += f"/{tail}"
    return urlunsplit(parts._replace(path=path, query=_joined(query, url_arguments.lstrip("?&"))))


def _joined(*queries: str) -> str:
    return "&".join(query for query in queries if query)
