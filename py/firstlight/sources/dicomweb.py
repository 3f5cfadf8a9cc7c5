"""``dicomweb:https://host/dicom-web/studies/1.2[/series/3.4[/instances/5.6]]``."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Final, NamedTuple

from firstlight.dicom.frames import check_count
from firstlight.dicom.order import display_order
from firstlight.dicomweb import metadata as dicom_json
from firstlight.dicomweb.accept import METADATA
from firstlight.dicomweb.urls import Place, parse_place
from firstlight.errors import FirstlightError, FormatError, HttpStatus, NotDicom, TransportError
from firstlight.sources.base import Frame, Series
from firstlight.sources.bulkdata import with_bulk_data
from firstlight.sources.dicomweb_frames import BulkForm, Form, Shown, find_form
from firstlight.sources.notices import listed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from firstlight.dicomweb.metadata import Record
    from firstlight.sources.base import Resources

METADATA_LIMIT_BYTES: Final = 256 << 20
"""JSON of a few thousand instances, inflated."""

SERIES_AT_ONCE: Final = 4


class _Named(NamedTuple):
    """A series of a study, and what the reader knows it by."""

    place: Place
    name: str


class _NoImage(NotDicom):
    """A series without images is nothing that a reader misses."""


@dataclass(frozen=True, slots=True)
class DicomwebSource:
    """A study, a series or an instance of a DICOMweb service, or of a tree of its answers."""

    url: str

    async def open(self, resources: Resources) -> tuple[Series, ...]:
        """Read the metadata, and the first bytes of a frame of each series and transfer syntax.

        Of several series those that hold no image are left out. Those that the server does not
        give or that cannot be decoded are left out too, and said.

        Raises:
            MalformedDescriptor: the address names no study.
            TransportError: metadata or a frame did not come.
            NotDicom: no image in any series; or the last error of those that were left out.
        """
        place = parse_place(self.url)
        named = [_Named(place, "")] if place.series else await _series_of(resources, place)
        gate = asyncio.Semaphore(SERIES_AT_ONCE)

        async def open_one(one: _Named) -> Series | FirstlightError:
            async with gate:
                try:
                    return await _open_series(resources, one.place)
                except (FormatError, HttpStatus) as error:
                    return error

        found = await asyncio.gather(*(open_one(one) for one in named))
        series = [one for one in found if isinstance(one, Series)]
        pairs = list(zip(named, found, strict=True))
        bad = [(one, e) for one, e in pairs if isinstance(e, FirstlightError)]
        missed = [(one, e) for one, e in bad if not isinstance(e, _NoImage)]
        if not series:
            raise (missed or bad)[-1][1] if bad else NotDicom("no image in it", resource=self.url)
        if missed:
            reasons = [f"{one.name}: {error.message}" for one, error in missed]
            resources.notice(f"{len(missed)} of {len(named)} series left out: {listed(reasons)}")
        return tuple(series)


async def _series_of(resources: Resources, study: Place) -> list[_Named]:
    """All series of a study, by Series Number."""
    candidates = [
        study.url("series"),
        study.url("series", "index.json"),
        study.url("series", "index.json.gz"),
    ]
    records = await _records(resources, candidates)
    records.sort(key=lambda record: dicom_json.integer(record, dicom_json.SERIES_NUMBER) or 0)
    found: dict[str, _Named] = {}
    for record in records:
        uid = dicom_json.text(record, dicom_json.SERIES_INSTANCE_UID)
        words = (
            f"series {dicom_json.text(record, dicom_json.SERIES_NUMBER)}".rstrip(),
            dicom_json.text(record, dicom_json.MODALITY),
            dicom_json.text(record, dicom_json.SERIES_DESCRIPTION),
        )
        if uid:
            found.setdefault(uid, _Named(study.with_series(uid), " ".join(filter(None, words))))
    return list(found.values())


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


async def _open_series(resources: Resources, place: Place) -> Series:
    """The series at a place, its instances in whatever transfer syntaxes.

    Raises:
        NotDicom: there is no image in it.
        TransportError, FormatError: no frame of it can be had.
    """
    candidates = [place.url("metadata"), place.url("metadata.gz")]
    if place.instance:
        candidates.append(place.url("metadata", "index.json.gz"))
    records = [one for one in await _records(resources, candidates) if dicom_json.is_image(one)]
    if not records:
        raise _NoImage("no image in it", resource=place.url())
    records.sort(key=dicom_json.transfer_syntax_uid)
    located = [(record, _instance(place, record)) for record in records]
    complete, forms = await asyncio.gather(
        with_bulk_data(resources, located), _forms(resources, located)
    )
    frames: list[Frame] = []
    reasons: list[str] = []
    for shown in _in_display_order(_frames(complete)):
        form = forms[dicom_json.transfer_syntax_uid(shown.record)]
        try:
            if isinstance(form, FirstlightError):
                raise form
            frames.append(form.frame(shown))
        except FirstlightError as error:
            reasons.append(error.message)
            failure = error
    if not frames:
        raise failure
    first = records[0]
    notices = [f"{reasons.count(one)} frames left out: {one}" for one in dict.fromkeys(reasons)]
    return Series(
        frames=tuple(frames),
        series_instance_uid=dicom_json.text(first, dicom_json.SERIES_INSTANCE_UID),
        modality=dicom_json.text(first, dicom_json.MODALITY),
        description=dicom_json.text(first, dicom_json.SERIES_DESCRIPTION),
        number=dicom_json.integer(first, dicom_json.SERIES_NUMBER),
        transfer_syntax_uid=frames[0].coding.transfer_syntax_uid,
        notices=tuple(notices),
    )


def _instance(place: Place, record: Record) -> Place:
    uid = place.instance or dicom_json.text(record, dicom_json.SOP_INSTANCE_UID)
    return place.with_instance(uid)


async def _forms(
    resources: Resources, located: Sequence[tuple[Record, Place]]
) -> dict[str, Form | BulkForm | FirstlightError]:
    """How to get frames of each transfer syntax told by the metadata, or why they cannot be had.

    Raises:
        TransportError, FormatError: none of them can be had.
    """

    async def of_group(record: Record, place: Place) -> Form | BulkForm | FirstlightError:
        try:
            return await find_form(resources, next(iter(_frames([(record, place)], most=1))))
        except FirstlightError as error:
            return error

    groups = groupby(located, key=lambda one: dicom_json.transfer_syntax_uid(one[0]))
    leaders = {uid: next(group) for uid, group in groups}
    forms = await asyncio.gather(*(of_group(*one) for one in leaders.values()))
    return dict(zip(leaders, forms, strict=True))


def _frames(located: Iterable[tuple[Record, Place]], *, most: int | None = None) -> Iterator[Shown]:
    """All frames of some instances, or the first few of each."""
    for record, place in located:
        resource = place.url("metadata")
        count = dicom_json.frame_count(record)
        check_count(count, resource=resource)
        count = count if most is None else min(most, count)
        images = dicom_json.all_frame_attributes(record, count, resource=resource)
        for number, image in enumerate(images, 1):
            yield Shown(record, number, image, place)


def _in_display_order(found: Iterable[Shown]) -> list[Shown]:
    frames = list(found)
    numbers = [
        (
            dicom_json.integer(one.record, dicom_json.INSTANCE_NUMBER) or 0,
            one.place.instance,
            one.frame_number,
        )
        for one in frames
    ]
    return [frames[index] for index in display_order([one.image for one in frames], numbers)]
