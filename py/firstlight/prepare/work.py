"""One source file, from reading to its receipt; runs in a worker process."""

from __future__ import annotations

import logging
import time
import warnings
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from pydicom.config import disable_value_validation

from firstlight.dicom.metadata import all_frame_attributes, frame_count
from firstlight.errors import FirstlightError
from firstlight.prepare.dicomweb import DicomwebLayout
from firstlight.prepare.frames import alternate_of, frames_of, plan_frames
from firstlight.prepare.header import complete_uids, lossy_uid, refer_to_source, written_header
from firstlight.prepare.jp2 import Jp2Layout
from firstlight.prepare.jphuri import JphuriLayout
from firstlight.prepare.kept import coded_hashes
from firstlight.prepare.layout import InstanceFiles, InstanceName
from firstlight.prepare.opened import opened
from firstlight.prepare.part10 import Part10Layout
from firstlight.prepare.query import query_attributes
from firstlight.prepare.receipts import Receipt, save_receipt
from firstlight.prepare.remote import open_local_or_url
from firstlight.prepare.stored import stored_frames, stored_sha256
from firstlight.prepare.tree import open_tree
from firstlight.sources.descriptor import Alternate, AlternateEntry, FrameEntry, SeriesEntry

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pydicom.dataset import Dataset

    from firstlight.dicom.attributes import ImageAttributes
    from firstlight.prepare.encode import EncodedFrame, Proof
    from firstlight.prepare.find import Source
    from firstlight.prepare.frames import FramePlan
    from firstlight.prepare.layout import FramePlace, InstanceWriter, Layout
    from firstlight.prepare.recipe import AlternateChoice, Recipe
    from firstlight.prepare.stored import Pixels

LAYOUTS: Final[dict[str, Layout]] = {
    layout.name: layout
    for layout in (DicomwebLayout(), JphuriLayout(), Part10Layout(), Jp2Layout())
}


@dataclass(frozen=True, slots=True)
class Job:
    """What a worker is told. ``location`` is the tree's; ``replace``: files there are ours.

    ``proof`` decides no byte, so a tree may be gone on with under another one.
    """

    source: Source
    location: str
    recipe: Recipe
    image_number: int
    frame_count: int
    replace: bool
    proof: Proof = "sampled"


@dataclass(frozen=True, slots=True)
class Outcome:
    """A source that was prepared, what it was coded in, and how long its worker took."""

    receipt: Receipt
    transfer_syntax_uid: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Failure:
    """A source that could not be prepared; ``reason`` holds nothing read from the file."""

    path: str
    type: str
    reason: str


@dataclass(frozen=True, slots=True)
class _WrittenFrame:
    """A frame that was handed over to be written; its codestream is no longer held."""

    length: int
    level_ends: tuple[int, ...]
    bits_stored: int
    sha256: str
    encoded_sha256: str
    pixel_bytes: int
    stored_sha256: str
    alternates: tuple[AlternateEntry, ...]


def failure_of(path: str, error: Exception) -> Failure:
    """Say why in one line; messages of other libraries may quote patient data and stay out."""
    if isinstance(error, FirstlightError):
        reason = error.message
    elif isinstance(error, OSError):
        reason = error.strerror or type(error).__name__
    else:
        reason = f"unexpected {type(error).__name__}"
    return Failure(path=path, type=type(error).__name__, reason=reason)


def prepare_source(job: Job) -> Outcome:
    """Encode, prove and write every frame of a source, then what belongs to the instance.

    Raises:
        FormatError: the source is not an image that can be represented.
        DecodeError: it cannot be decoded, or was not read back as written.
        TreeConflict: a file of the tree holds something else.
        OSError: it cannot be read, or the tree cannot be written.
    """
    tree, recipe, source = open_tree(job.location), job.recipe, job.source
    started = time.perf_counter()
    files = InstanceFiles(tree, replace=job.replace)
    with quiet_pydicom(), open_local_or_url(source.path) as stream:
        with opened(stream, resource=source.path) as dataset:
            complete_uids(dataset, source.sha256, resource=source.path)
            plan = plan_frames(dataset, recipe)
            syntax = str(dataset.file_meta.TransferSyntaxUID)
            source_uid = str(dataset.SOPInstanceUID)
            lossy = not plan.kept and not plan.choice.exact
            if lossy:
                dataset.SOPInstanceUID = lossy_uid(source_uid, recipe.digest)
            instance = _name(dataset, job.image_number)
            writer = LAYOUTS[recipe.layout].writer(files, instance, recipe)
            frames = [
                _hand_over(writer, recipe, dataset, plan, number, frame, values)
                for number, (frame, values) in enumerate(
                    frames_of(dataset, plan, recipe, resource=source.path, proof=job.proof), start=1
                )
            ]
            header = written_header(
                dataset,
                form=plan.form,
                bits_stored=max(frame.bits_stored for frame in frames),
                kept=plan.kept,
                lossy=lossy,
                ratio=sum(f.pixel_bytes for f in frames) / sum(f.length for f in frames),
            )
        if lossy:
            refer_to_source(header, source_uid)
        images = all_frame_attributes(header, len(frames))
        places = writer.finish(header, images)
        receipt = Receipt(
            source_sha256=source.sha256,
            source_bytes=source.size_bytes,
            source_uid=source_uid,
            layout=recipe.layout,
            image_number=job.image_number,
            sop_instance_uid=instance.sop_instance_uid,
            instance_number=_number(header, "InstanceNumber") or 0,
            series=_series(instance, header, images, plan.form.uid, recipe, frames, places),
            files=files.sizes,
            query=query_attributes(header),
            stored=[frame.stored_sha256 for frame in frames],
            recipe=recipe.digest,
        )
    save_receipt(tree, receipt)
    return Outcome(receipt, syntax, time.perf_counter() - started)


@dataclass(frozen=True, slots=True)
class HashTask:
    """A source whose frames are to be hashed; ``coded``: as they are, not their stored values."""

    source: Source
    coded: bool


def hash_source(task: HashTask) -> tuple[str, ...]:
    """Hashes of each frame, to compare with those in a receipt.

    Raises:
        FormatError, DecodeError, OSError: as `prepare_source`.
    """
    with (
        quiet_pydicom(),
        open_local_or_url(task.source.path) as stream,
        opened(stream, resource=task.source.path) as dataset,
    ):
        if task.coded:
            return coded_hashes(dataset, resource=task.source.path)
        frames = stored_frames(dataset, resource=task.source.path)
        return tuple(stored_sha256(values) for values in frames)


@contextmanager
def quiet_pydicom() -> Iterator[None]:
    """Keep pydicom's warnings away: they quote values, and values may be a patient's."""
    logger = logging.getLogger("pydicom")
    before = logger.disabled
    logger.disabled = True
    try:
        with warnings.catch_warnings(), disable_value_validation():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.disabled = before


def _hand_over(
    writer: InstanceWriter,
    recipe: Recipe,
    dataset: Dataset,
    plan: FramePlan,
    frame_number: int,
    frame: EncodedFrame,
    values: Pixels | None,
) -> _WrittenFrame:
    """Give a frame and its alternates to the layout."""
    writer.add(frame_number, frame, values)
    alternates = []
    for choice in recipe.alternates:
        with alternate_of(dataset, values, choice, plan, frame_number - 1) as alternate:
            place = writer.add_alternate(frame_number, alternate)
            ends = alternate.frame.level_ends
            alternates.append(
                AlternateEntry(
                    name=choice.name,
                    url=place.path,
                    start=place.start,
                    length=len(alternate.frame.codestream),
                    rows=alternate.rows,
                    columns=alternate.columns,
                    level_ends=ends if len(ends) > 1 else (),
                )
            )
    return _WrittenFrame(
        length=len(frame.codestream),
        level_ends=frame.level_ends,
        bits_stored=frame.bits_stored,
        sha256=frame.sha256,
        encoded_sha256=frame.encoded_sha256,
        pixel_bytes=frame.pixel_bytes,
        stored_sha256=frame.source_sha256
        or (frame.sha256 if plan.choice.exact else stored_sha256(values)),
        alternates=tuple(alternates),
    )


def _name(dataset: Dataset, image_number: int) -> InstanceName:
    return InstanceName(
        study_instance_uid=str(dataset.StudyInstanceUID),
        series_instance_uid=str(dataset.SeriesInstanceUID),
        sop_instance_uid=str(dataset.SOPInstanceUID),
        image_number=image_number,
        frame_count=frame_count(dataset),
    )


def _series(
    instance: InstanceName,
    header: Dataset,
    images: Sequence[ImageAttributes],
    transfer_syntax_uid: str,
    recipe: Recipe,
    frames: list[_WrittenFrame],
    places: Sequence[FramePlace],
) -> SeriesEntry:
    named = frames[0].alternates
    return SeriesEntry(
        study_instance_uid=instance.study_instance_uid,
        series_instance_uid=instance.series_instance_uid,
        modality=str(header.get("Modality", None) or ""),
        series_number=_number(header, "SeriesNumber"),
        series_description=str(header.get("SeriesDescription", None) or ""),
        transfer_syntax_uid=transfer_syntax_uid,
        alternates=tuple(_announced(choice) for choice in recipe.alternates if named),
        frames=tuple(
            FrameEntry(
                url=place.path,
                start=place.start,
                length=frame.length,
                level_ends=frame.level_ends,
                sop_instance_uid=instance.sop_instance_uid,
                frame_number=number,
                sha256=frame.sha256,
                encoded_sha256=frame.encoded_sha256,
                alternates=frame.alternates,
                # the depth is that of its own codestream
                image=replace(image, bits_stored=frame.bits_stored, high_bit=frame.bits_stored - 1),
            )
            for number, (frame, place, image) in enumerate(
                zip(frames, places, images, strict=True), start=1
            )
        ),
    )


def _announced(choice: AlternateChoice) -> Alternate:
    form = choice.representation.form
    return Alternate(choice.name, form.uid, form.exact and choice.reduction == 1)


def _number(header: Dataset, keyword: str) -> int | None:
    value: Any = header.get(keyword, None)
    try:
        return None if value is None or value == "" else int(value)
    except (ValueError, TypeError, OverflowError):
        return None
