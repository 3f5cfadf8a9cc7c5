"""``local:``: files that a person dropped or chose; nothing of them leaves the machine."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from firstlight.dicom.order import display_order
from firstlight.errors import FirstlightError, FormatError, NotDicom
from firstlight.sources.notices import listed
from firstlight.sources.part10 import Part10Source

if TYPE_CHECKING:
    from collections.abc import Iterable

    from firstlight.sources.base import Resources, Series

AT_ONCE: Final = 12
"""Files whose headers are read at once; more only wait for each other."""


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file of the page: its name, and the blob: address under which its bytes can be had."""

    name: str
    url: str


@dataclass(frozen=True, slots=True)
class LocalSource:
    """Files in any order, images among whatever else lies in a folder."""

    files: tuple[LocalFile, ...]

    async def open(self, resources: Resources) -> tuple[Series, ...]:
        """Read the header of each file, group by series, sort by position, else Instance Number.

        What is no image that can be shown is left out, and said.

        Raises:
            NotDicom: none of the files is an image that can be shown.
        """
        gate = asyncio.Semaphore(AT_ONCE)

        async def read(file: LocalFile) -> Series | FirstlightError:
            async with gate:
                try:
                    source = Part10Source(file.url, may_have_sidecar=False)
                    return (await source.open(resources))[0]
                except FirstlightError as error:
                    return error

        files = sorted(self.files, key=_name)
        found = await asyncio.gather(*(read(file) for file in files))
        series = [one for one in found if not isinstance(one, FirstlightError)]
        if not series:
            raise self._nothing(found)
        reasons = [
            f"{file.name}: {one.message}"
            for file, one in zip(files, found, strict=True)
            if isinstance(one, FirstlightError)
        ]
        if reasons:
            text = f"{len(reasons)} of {len(files)} files could not be read"
            resources.notice(f"{text}: {listed(reasons)}")
        return tuple(_sorted_by_position(group) for group in _grouped(series))

    def _nothing(self, found: Iterable[Series | FirstlightError]) -> FirstlightError:
        reasons = [one for one in found if isinstance(one, FirstlightError)]
        if len(reasons) == 1 and isinstance(reasons[0], FormatError):
            reasons[0].resource = self.files[0].name
            return reasons[0]
        return NotDicom(f"none of the {len(self.files)} files is a DICOM image", resource="local:")


def _name(file: LocalFile) -> str:
    return file.name


def _grouped(series: list[Series]) -> list[list[Series]]:
    """Files of one series together, in the order in which each first appears."""
    groups: dict[str, list[Series]] = {}
    for number, one in enumerate(series):
        # Files without a Series Instance UID are not known to belong together.
        uid = one.series_instance_uid or f"file {number}"
        groups.setdefault(uid, []).append(one)
    return list(groups.values())


def _sorted_by_position(group: list[Series]) -> Series:
    frames = [frame for one in group for frame in one.frames]
    numbers = [(frame.instance_number, "", index) for index, frame in enumerate(frames)]
    order = display_order([frame.image for frame in frames], numbers)
    return replace(group[0], frames=tuple(frames[index] for index in order))
