"""``dicomweb:https://host/dicom-web/studies/1.2[/series/3.4[/instances/5.6]]``."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Final, NamedTuple

from firstlight.dicom.codecs import coding_of
from firstlight.dicom.frames import PixelShape, check_count
from firstlight.dicom.order import display_order
from firstlight.dicom.sniff import sniffed_syntax
from firstlight.dicom.uids import EXPLICIT_VR_LITTLE_ENDIAN
from firstlight.dicomweb import metadata as dicom_json
from firstlight.dicomweb.accept import FRAME_AS_STORED, METADATA
from firstlight.dicomweb.multipart import is_multipart, read_part_head
from firstlight.dicomweb.urls import Place, parse_place
from firstlight.errors import (
    FirstlightError,
    FormatError,
    HttpStatus,
    NotDicom,
    TransportError,
)
from firstlight.ranges import ByteRange
from firstlight.sources.base import Frame, FrameExtent, Series

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from firstlight.dicom.attributes import ImageAttributes
    from firstlight.dicom.codecs import Coding
    from firstlight.dicomweb.metadata import Record
    from firstlight.sources.base import Resources

METADATA_LIMIT_BYTES: Final = 256 << 20
"""JSON of a few thousand instances, inflated."""

PROBE_BYTES: Final = 1 << 11
"""Of one frame: the multipart framing, and a codestream's first markers."""

SERIES_AT_ONCE: Final = 4

_WAYS_TO_ASK: Final = (("", FRAME_AS_STORED), ("", ""), (".mht", ""))
"""What frame URLs end in, and the Accept header: as stored; as the server likes, where it does not
know the stored syntax; the file of a tree on a host that maps no names."""

_MEDIA_SYNTAXES: Final = {
    "image/jphc": "1.2.840.10008.1.2.4.203",
    "image/jls": "1.2.840.10008.1.2.4.80",
    "image/x-jls": "1.2.840.10008.1.2.4.80",
    "image/jp2": "1.2.840.10008.1.2.4.90",
    "image/jll": "1.2.840.10008.1.2.4.70",
    "image/jpeg": "1.2.840.10008.1.2.4.50",
    "image/dicom-rle": "1.2.840.10008.1.2.5",
    "image/x-dicom-rle": "1.2.840.10008.1.2.5",
}
"""What servers mean that name a media type only (PS3.18 Table 8.7.3-2, and older names)."""


class _Shown(NamedTuple):
    """One frame before its URL's form is known."""

    record: Record
    frame_number: int
    image: ImageAttributes
    place: Place


class _Form(NamedTuple):
    """How this server gives frames: how to ask, the framing, and the coding."""

    suffix: str
    accept: str
    multipart: bool
    coding: Coding


@dataclass(frozen=True, slots=True)
class DicomwebSource:
    """A study, a series or an instance of a DICOMweb service, or of a tree of its answers."""

    url: str

    async def open(self, resources: Resources) -> tuple[Series, ...]:
        """Read the metadata, and the first bytes of one frame of each series.

        Of several series those that the server does not give, that hold no image, or none that can
        be decoded, are left out.

        Raises:
            MalformedDescriptor: the address names no study.
            TransportError: metadata or a frame did not come.
            NotDicom: no image in any series; or the last error of those that were left out.
        """
        place = parse_place(self.url)
        places = [place] if place.series else await _series_places(resources, place)
        gate = asyncio.Semaphore(SERIES_AT_ONCE)

        async def open_one(one: Place) -> list[Series] | FirstlightError:
            async with gate:
                try:
                    return await _open_series(resources, one)
                except (FormatError, HttpStatus) as error:
                    return error

        found = await asyncio.gather(*(open_one(one) for one in places))
        series = [one for group in found if isinstance(group, list) for one in group]
        if not series:
            errors = [one for one in found if isinstance(one, FirstlightError)]
            raise errors[-1] if errors else NotDicom("no image in it", resource=self.url)
        return tuple(series)


async def _series_places(resources: Resources, study: Place) -> list[Place]:
    """All series of a study, by Series Number."""
    candidates = [
        study.url("series"),
        study.url("series", "index.json"),
        study.url("series", "index.json.gz"),
    ]
    records = await _records(resources, candidates)
    records.sort(key=lambda record: dicom_json.integer(record, dicom_json.SERIES_NUMBER) or 0)
    uids = [dicom_json.text(record, dicom_json.SERIES_INSTANCE_UID) for record in records]
    return [study.with_series(uid) for uid in dict.fromkeys(uids) if uid]


async def _open_series(resources: Resources, place: Place) -> list[Series]:
    """The series at a place, one for each transfer syntax; empty where there is no image."""
    candidates = [place.url("metadata"), place.url("metadata.gz")]
    if place.instance:
        candidates.append(place.url("metadata", "index.json.gz"))
    records = [one for one in await _records(resources, candidates) if dicom_json.is_image(one)]
    records.sort(key=dicom_json.transfer_syntax_uid)
    groups = [list(group) for _, group in groupby(records, key=dicom_json.transfer_syntax_uid)]
    return [await _series(resources, place, group) for group in groups]


async def _records(resources: Resources, candidates: Sequence[str]) -> list[Record]:
    """The first candidate that is DICOM JSON.

    Raises:
        TransportError, FormatError: what the first candidate failed with.
    """
    failure: TransportError | FormatError | None = None
    for url in candidates:
        try:
            data = await resources.whole(url, limit_bytes=METADATA_LIMIT_BYTES, accept=METADATA)
            return dicom_json.read_records(data, limit_bytes=METADATA_LIMIT_BYTES, resource=url)
        except (TransportError, FormatError) as error:
            failure = failure or error
    assert failure is not None
    raise failure


async def _series(resources: Resources, place: Place, records: list[Record]) -> Series:
    """One series of instances that share a transfer syntax, in the order of display."""
    frames = _in_display_order(list(_frames(place, records)))
    form = await _form(resources, frames[0])
    first = records[0]
    return Series(
        frames=tuple(_frame(shown, form) for shown in frames),
        series_instance_uid=dicom_json.text(first, dicom_json.SERIES_INSTANCE_UID),
        modality=dicom_json.text(first, dicom_json.MODALITY),
        description=dicom_json.text(first, dicom_json.SERIES_DESCRIPTION),
        number=dicom_json.integer(first, dicom_json.SERIES_NUMBER),
    )


def _frames(place: Place, records: Iterable[Record]) -> Iterable[_Shown]:
    for record in records:
        uid = place.instance or dicom_json.text(record, dicom_json.SOP_INSTANCE_UID)
        instance = place.with_instance(uid)
        resource = instance.url("metadata")
        count = dicom_json.frame_count(record)
        check_count(count, resource=resource)
        for index in range(count):
            image = dicom_json.frame_attributes(record, index, resource=resource)
            yield _Shown(record, index + 1, image, instance)


def _in_display_order(frames: list[_Shown]) -> list[_Shown]:
    numbers = [
        (
            dicom_json.integer(one.record, dicom_json.INSTANCE_NUMBER) or 0,
            one.place.instance,
            one.frame_number,
        )
        for one in frames
    ]
    return [frames[index] for index in display_order([one.image for one in frames], numbers)]


async def _form(resources: Resources, shown: _Shown) -> _Form:
    """Look at the first bytes of one frame: metadata do not always tell the truth of it."""
    failure: TransportError | None = None
    for suffix, accept in _WAYS_TO_ASK:
        url = _frame_url(shown, suffix)
        try:
            part = await resources.part(url, ByteRange(0, PROBE_BYTES), accept=accept)
        except TransportError as error:
            failure = failure or error
            continue
        told = dicom_json.transfer_syntax_uid(shown.record)
        multipart = is_multipart(part.data)
        uid = _syntax(part.data, told, multipart=multipart)
        return _Form(suffix, accept, multipart, coding_of(uid, resource=url))
    assert failure is not None
    raise failure


def _syntax(body: bytes, told: str, *, multipart: bool) -> str:
    """The transfer syntax of a frame: as its part says, as it looks, as the metadata say.

    A codestream is believed before a part that calls it uncompressed: servers that do not know a
    syntax send it under that name.
    """
    head = read_part_head(body) if multipart else None
    said = "" if head is None else head.transfer_syntax_uid.strip("*")
    seen = sniffed_syntax(body if head is None else body[head.payload_start :])
    if said and (not seen or coding_of(said).encapsulated):
        return said
    if seen:
        same_family = told and coding_of(told).codec == coding_of(seen).codec
        return told if same_family else seen
    media_type = "" if head is None else head.media_type
    return _MEDIA_SYNTAXES.get(media_type) or told or EXPLICIT_VR_LITTLE_ENDIAN


def _frame(shown: _Shown, form: _Form) -> Frame:
    length = None if form.coding.encapsulated else _native_bytes(shown.image)
    extent = FrameExtent(
        _frame_url(shown, form.suffix),
        length=length,
        level_ends=() if length is None else (length,),
        framing="multipart" if form.multipart else "",
        accept=form.accept,
    )
    return Frame(shown.image, extent, form.coding)


def _native_bytes(image: ImageAttributes) -> int:
    shape = PixelShape(
        rows=image.rows,
        columns=image.columns,
        samples_per_pixel=image.samples_per_pixel,
        bits_allocated=image.bits_allocated,
        photometric_interpretation=image.photometric_interpretation,
    )
    return (shape.frame_bits + 7) // 8


def _frame_url(shown: _Shown, suffix: str) -> str:
    return shown.place.url("frames", f"{shown.frame_number}{suffix}")
