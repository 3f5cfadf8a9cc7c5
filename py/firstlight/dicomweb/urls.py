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
