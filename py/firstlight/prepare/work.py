"""One source file, from reading to its receipt; runs in a worker process."""

from __future__ import annotations

import logging
import warnings
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from pydicom.config import disable_value_validation

from firstlight.dicom.metadata import frame_attributes, frame_count, read_part10
from firstlight.errors import FirstlightError
from firstlight.prepare.dicomweb import DicomwebLayout
from firstlight.prepare.encode import encode_frame
from firstlight.prepare.header import (
    bits_stored_of,
    complete_uids,
    uses_colour_transform,
    written_header,
)
from firstlight.prepare.jphuri import JphuriLayout
from firstlight.prepare.layout import InstanceName
from firstlight.prepare.query import query_attributes
from firstlight.prepare.receipts import Receipt, save_receipt
from firstlight.prepare.stored import stored_frames, stored_sha256
from firstlight.prepare.tree import Tree
from firstlight.sources.descriptor import FrameEntry, SeriesEntry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pydicom.dataset import Dataset

    from firstlight.prepare.find import Source
    from firstlight.prepare.layout import Layout

LAYOUTS: Final[dict[str, Layout]] = {
    layout.name: layout for layout in (DicomwebLayout(), JphuriLayout())
}


@dataclass(frozen=True, slots=True)
class Job:
    """What a worker is told."""

    source: Source
    root: Path
    layout: str
    image_number: int
    frame_count: int


@dataclass(frozen=True, slots=True)
class Failure:
    """A source that could not be prepared; ``reason`` holds nothing read from the file."""

    path: str
    type: str
    reason: str


@dataclass(frozen=True, slots=True)
class _WrittenFrame:
    """A frame that is in the tree; its codestream is no longer held."""

    path: str
    file_bytes: int
    start: int
    length: int
    level_ends: tuple[int, ...]
    bits_stored: int
    sha256: str


def failure_of(path: Path, error: Exception) -> Failure:
    """Say why in one line; messages of other libraries may quote patient data and stay out."""
    if isinstance(error, FirstlightError):
        reason = error.message
    elif isinstance(error, OSError):
        reason = error.strerror or type(error).__name__
    else:
        reason = f"unexpected {type(error).__name__}"
    return Failure(path=str(path), type=type(error).__name__, reason=reason)


def prepare_source(job: Job) -> Receipt:
    """Encode, prove and write every frame of a source, then what belongs to the instance.

    Raises:
        FormatError: the source is not an image that can be represented.
        DecodeError: it cannot be decoded, or was not read back as written.
        OSError: it cannot be read, or the tree cannot be written.
    """
    tree, layout = Tree(job.root), LAYOUTS[job.layout]
    resource = str(job.source.path)
    with quiet_pydicom():
        dataset = _read(job.source)
        complete_uids(dataset, job.source.sha256, resource=resource)
        instance = _name(dataset, job.image_number)
        frames = list(_write_frames(tree, layout, instance, dataset, resource))
        header = written_header(dataset, bits_stored=max(frame.bits_stored for frame in frames))
        del dataset
        files = {frame.path: frame.file_bytes for frame in frames}
        for path, data in layout.instance_files(instance, header):
            tree.write(path, data)
            files[path] = len(data)
        receipt = Receipt(
            source_sha256=job.source.sha256,
            source_bytes=job.source.size_bytes,
            layout=layout.name,
            image_number=job.image_number,
            sop_instance_uid=instance.sop_instance_uid,
            instance_number=_number(header, "InstanceNumber") or 0,
            series=_series(instance, header, frames),
            files=files,
            query=query_attributes(header),
        )
    save_receipt(tree, receipt)
    return receipt


def hash_source(source: Source) -> tuple[str, ...]:
    """Hashes of the stored values of each frame, to compare with those in a descriptor.

    Raises:
        FormatError, DecodeError, OSError: as `prepare_source`.
    """
    with quiet_pydicom():
        frames = stored_frames(_read(source), resource=str(source.path))
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


def _read(source: Source) -> Dataset:
    with source.path.open("rb") as stream:
        return read_part10(stream, resource=str(source.path), pixels=True)


def _write_frames(
    tree: Tree, layout: Layout, instance: InstanceName, dataset: Dataset, resource: str
) -> Iterator[_WrittenFrame]:
    bits_stored = bits_stored_of(dataset)
    colour_transform = uses_colour_transform(dataset)
    for number, values in enumerate(stored_frames(dataset, resource=resource), start=1):
        encoded = encode_frame(values, bits_stored=bits_stored, colour_transform=colour_transform)
        file = layout.frame_file(instance, number, encoded.codestream)
        tree.write(file.path, file.data)
        yield _WrittenFrame(
            path=file.path,
            file_bytes=len(file.data),
            start=file.start,
            length=len(encoded.codestream),
            level_ends=encoded.level_ends,
            bits_stored=encoded.bits_stored,
            sha256=encoded.sha256,
        )


def _name(dataset: Dataset, image_number: int) -> InstanceName:
    return InstanceName(
        study_instance_uid=str(dataset.StudyInstanceUID),
        series_instance_uid=str(dataset.SeriesInstanceUID),
        sop_instance_uid=str(dataset.SOPInstanceUID),
        image_number=image_number,
        frame_count=frame_count(dataset),
    )


def _series(instance: InstanceName, header: Dataset, frames: list[_WrittenFrame]) -> SeriesEntry:
    return SeriesEntry(
        study_instance_uid=instance.study_instance_uid,
        series_instance_uid=instance.series_instance_uid,
        modality=str(header.get("Modality", None) or ""),
        series_number=_number(header, "SeriesNumber"),
        series_description=str(header.get("SeriesDescription", None) or ""),
        frames=tuple(
            FrameEntry(
                url=frame.path,
                start=frame.start,
                length=frame.length,
                level_ends=frame.level_ends,
                sop_instance_uid=instance.sop_instance_uid,
                frame_number=number,
                sha256=frame.sha256,
                image=replace(
                    frame_attributes(header, number - 1),
                    bits_stored=frame.bits_stored,
                    high_bit=frame.bits_stored - 1,
                ),
            )
            for number, frame in enumerate(frames, start=1)
        ),
    )


def _number(header: Dataset, keyword: str) -> int | None:
    value: Any = header.get(keyword, None)
    try:
        return None if value is None or value == "" else int(value)
    except (ValueError, TypeError, OverflowError):
        return None
