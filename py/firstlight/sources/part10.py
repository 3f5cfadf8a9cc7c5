"""``wadouri:https://host/x.dcm``: a Part 10 file, ranged into."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from firstlight.dicom.codecs import coding_of
from firstlight.dicom.order import display_order
from firstlight.dicom.part10 import FIRST_READ_BYTES, FLOAT_BITS, Part10Reader
from firstlight.dicom.uids import EXPLICIT_VR_BIG_ENDIAN
from firstlight.errors import (
    FirstlightError,
    HttpStatus,
    MalformedDescriptor,
    RangeIgnored,
)
from firstlight.ranges import ByteRange
from firstlight.sources.base import Frame, FrameExtent, Series
from firstlight.sources.sidecar import read_sidecar, sidecar_url

if TYPE_CHECKING:
    from firstlight.dicom.attributes import ImageAttributes
    from firstlight.dicom.codecs import Coding
    from firstlight.dicom.frames import FramePlace
    from firstlight.dicom.part10 import Part10Index
    from firstlight.sources.base import Part, Resources
    from firstlight.sources.sidecar import Sidecar

SIDECAR_LIMIT_BYTES: Final = 64 << 20

WHOLE_LIMIT_BYTES: Final = 64 << 20
"""Read whole from a server without ranges, where the first bytes do not tell enough."""

AHEAD: Final = 5
"""Item headers asked for ahead of time when fragments follow each other in equal steps."""


@dataclass(frozen=True, slots=True)
class Part10Source:
    """A file, or with ``frame_number`` that frame of it alone."""

    url: str
    frame_number: int | None = None
    may_have_sidecar: bool = True

    async def open(self, resources: Resources) -> tuple[Series, ...]:
        """Find the frames: by the index beside the file if it is of this very file, else by ranges.

        Raises:
            TransportError: the file did not come.
            NotDicom: it is not a Part 10 file with an image.
            UnsupportedTransferSyntax: there is no decoder for it.
            MalformedDescriptor: there is no such frame.
        """
        first, sidecar = await asyncio.gather(
            resources.part(self.url, ByteRange(0, FIRST_READ_BYTES)),
            _sidecar(resources, self.url) if self.may_have_sidecar else _nothing(),
        )
        if sidecar is not None and sidecar.describes(first):
            series = sidecar.series
        else:
            if sidecar is not None:
                resources.notice("The index beside the file is of another version of it: not used")
            supply = Supply(resources, self.url, first)
            index = await read_index(supply)
            await resources.need("pydicom")
            series = series_of(index, self.url, first.total_bytes)
        if self.frame_number is None:
            return (_in_display_order(series),)
        if self.frame_number > len(series.frames):
            text = f"no frame {self.frame_number}, there are {len(series.frames)}"
            raise MalformedDescriptor(text, resource=self.url)
        return (replace(series, frames=(series.frames[self.frame_number - 1],)),)


def _in_display_order(series: Series) -> Series:
    images = [frame.image for frame in series.frames]
    order = display_order(images, [(0, "", index) for index in range(len(images))])
    return replace(series, frames=tuple(series.frames[index] for index in order))


async def _sidecar(resources: Resources, url: str) -> Sidecar | None:
    """The index beside a file; None where there is none of any use."""
    try:
        text = await resources.whole(sidecar_url(url), limit_bytes=SIDECAR_LIMIT_BYTES)
        return read_sidecar(text, url)
    except FirstlightError:
        return None


async def _nothing() -> None:
    """No index, where there can be none."""


class Supply:
    """Gives a reader the ranges it wants, over as few round trips as its pattern allows."""

    def __init__(self, resources: Resources, url: str, first: Part) -> None:
        self.url = url
        self.first = first
        self._resources = resources
        self._whole: bytes | None = None
        self._ahead: dict[int, bytes] = {}
        self._starts: list[int] = []

    async def get(self, wanted: ByteRange) -> bytes:
        """Bytes of a range; fewer than asked for where the file ends.

        Raises:
            TransportError: they did not come.
            LimitExceeded: the server has no ranges and the file is too large to read whole.
        """
        start, stop = wanted.start, wanted.stop
        held = self.first.data
        if start < len(held) or start == self.first.total_bytes:
            return held[start:stop]
        if not self.first.ranges:
            if self._whole is None:
                limit = WHOLE_LIMIT_BYTES
                self._whole = await self._resources.whole(self.url, limit_bytes=limit)
            return self._whole[start:stop]
        if start not in self._ahead:
            await self._fetch(wanted)
        self._starts = [*self._starts[-1:], start]
        return self._ahead.pop(start)[: wanted.length]

    async def _fetch(self, wanted: ByteRange) -> None:
        """Fetch a range, and those after it that equal steps would lead to."""
        orders = [wanted]
        step = wanted.start - self._starts[-1] if self._starts else 0
        steady = len(self._starts) == 2 and step == self._starts[1] - self._starts[0]
        if steady and step >= (wanted.length or 0):
            total = self.first.total_bytes or 0
            ahead = (wanted.shifted(step * count) for count in range(1, AHEAD + 1))
            orders += [extent for extent in ahead if (extent.stop or 0) <= total]
        parts = (self._part(extent) for extent in orders)
        found = await asyncio.gather(*parts, return_exceptions=True)
        if isinstance(found[0], BaseException):
            raise found[0]
        # What failed of the guesses is asked for again, if it is wanted at all.
        pairs = zip(orders, found, strict=True)
        self._ahead = {extent.start: data for extent, data in pairs if isinstance(data, bytes)}

    async def _part(self, extent: ByteRange) -> bytes:
        version = self.first.version
        try:
            part = await self._resources.part(self.url, extent, version=version)
        except HttpStatus as error:
            if error.status == 416:
                return b""
            raise
        except RangeIgnored:
            if self.first.total_bytes is None:
                return b""
            raise
        return part.data


async def read_index(supply: Supply) -> Part10Index:
    """Run a `Part10Reader` over a file.

    Raises:
        TransportError, FormatError, LimitExceeded: as the reader and the supply.
    """
    reader = Part10Reader(supply.first.total_bytes, resource=supply.url)
    while (wanted := reader.wanted) is not None:
        reader.feed(wanted.start, await supply.get(wanted))
    assert reader.index is not None
    return reader.index


def series_of(index: Part10Index, url: str, total_bytes: int | None) -> Series:
    """The series that a file is, its frames in the order in which they are stored, as in a sidecar.

    Raises:
        NotDicom: the header does not describe an image.
    """
    from firstlight.dicom import metadata

    coding = coding_of(index.transfer_syntax_uid, resource=url)
    dataset = metadata.read_part10_header(index.header, resource=url)
    images = metadata.all_frame_attributes(dataset, len(index.frames))
    instance_number = metadata.integer(dataset, "InstanceNumber") or 0
    frames = tuple(
        Frame(
            _as_stored(image, index),
            _extent(place, index, coding, url, total_bytes),
            coding,
            instance_number=instance_number,
        )
        for image, place in zip(images, index.frames, strict=True)
    )
    return Series(
        frames=frames,
        series_instance_uid=str(dataset.get("SeriesInstanceUID", "")),
        modality=str(dataset.get("Modality", "")),
        description=str(dataset.get("SeriesDescription", "")),
        number=metadata.integer(dataset, "SeriesNumber"),
        transfer_syntax_uid=index.transfer_syntax_uid,
    )


def _as_stored(image: ImageAttributes, index: Part10Index) -> ImageAttributes:
    """What only the element that holds the pixels tells of them."""
    bits = FLOAT_BITS.get(index.pixel_tag)
    if bits is not None:
        return replace(
            image,
            is_float=True,
            bits_allocated=bits,
            bits_stored=bits,
            high_bit=bits - 1,
            pixel_representation=0,
        )
    return replace(image, value_representation="OW") if _is_swapped(index) else image


def _is_swapped(index: Part10Index) -> bool:
    return index.transfer_syntax_uid == EXPLICIT_VR_BIG_ENDIAN and index.pixel_vr == "OW"


def _extent(
    place: FramePlace, index: Part10Index, coding: Coding, url: str, total_bytes: int | None
) -> FrameExtent:
    start = place.start
    # Of words whose bytes are swapped, the last sample may lie in the second half.
    length: int | None = place.length + (place.length % 2 if _is_swapped(index) else 0)
    inflated = None
    if index.deflated:
        # A deflate stream can only be read from its beginning: the whole file is fetched.
        inflated = ByteRange(start, start + place.length)
        start = index.dataset_start
        length = None if total_bytes is None else total_bytes - start
    return FrameExtent(
        url,
        start=start,
        length=length,
        level_ends=() if coding.scalable or not length else (length,),
        fragments=place.fragments,
        item_checked=place.item_checked,
        inflated=inflated,
        first_bit=place.first_bit,
    )
