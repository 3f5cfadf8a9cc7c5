"""The format of ``firstlight.json`` (README.md beside this file), read and written."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Final

from firstlight.dicom.attributes import ImageAttributes
from firstlight.dicom.uids import HTJ2K_LOSSLESS_RPCL
from firstlight.errors import MalformedDescriptor

FORMAT_VERSION: Final = 1
FILE_NAME: Final = "firstlight.json"


@dataclass(frozen=True, slots=True)
class FrameEntry:
    """One frame: its attributes and where its codestream lies."""

    url: str
    length: int
    level_ends: tuple[int, ...]
    image: ImageAttributes
    start: int = 0
    sop_instance_uid: str = ""
    frame_number: int = 1
    sha256: str = ""

    def __post_init__(self) -> None:
        ends = self.level_ends
        if not ends or any(b <= a for a, b in zip((0, *ends), ends, strict=False)):
            raise MalformedDescriptor("level_ends must grow", resource=self.url)
        if ends[-1] > self.length:
            raise MalformedDescriptor("level_ends reach beyond length", resource=self.url)


@dataclass(frozen=True, slots=True)
class SeriesEntry:
    """One series: frames in the order of display."""

    series_instance_uid: str
    frames: tuple[FrameEntry, ...]
    study_instance_uid: str = ""
    modality: str = ""
    series_number: int | None = None
    series_description: str = ""
    transfer_syntax_uid: str = HTJ2K_LOSSLESS_RPCL


@dataclass(frozen=True, slots=True)
class Descriptor:
    """A whole ``firstlight.json``."""

    series: tuple[SeriesEntry, ...] = field(default=())
    generator: str = ""


def write_descriptor(descriptor: Descriptor) -> str:
    """The JSON text of a descriptor."""
    record = {
        "firstlight": FORMAT_VERSION,
        "generator": descriptor.generator,
        "series": [_series_to_json(series) for series in descriptor.series],
    }
    return json.dumps(record, ensure_ascii=False, separators=(",", ":"))


def read_descriptor(text: str | bytes, *, resource: str = FILE_NAME) -> Descriptor:
    """Read the JSON text of a descriptor.

    Raises:
        MalformedDescriptor: not JSON, another version, or a value that breaks the specification.
    """
    try:
        record = json.loads(text)
    except ValueError as error:
        raise MalformedDescriptor(f"not JSON: {error}", resource=resource) from error
    if not isinstance(record, dict) or record.get("firstlight") != FORMAT_VERSION:
        raise MalformedDescriptor(
            f"not a firstlight.json of version {FORMAT_VERSION}", resource=resource
        )
    try:
        series = tuple(_series_from_json(entry) for entry in record["series"])
    except MalformedDescriptor as error:
        raise MalformedDescriptor(error.message, resource=error.resource or resource) from error
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise MalformedDescriptor(f"{type(error).__name__}: {error}", resource=resource) from error
    return Descriptor(series=series, generator=str(record.get("generator", "")))


def _series_to_json(series: SeriesEntry) -> dict[str, Any]:
    images = [frame.image.to_json() for frame in series.frames]
    shared = {
        name: value
        for name, value in (images[0].items() if images else ())
        if all(image.get(name, _ABSENT) == value for image in images)
    }
    return {
        "study_instance_uid": series.study_instance_uid,
        "series_instance_uid": series.series_instance_uid,
        "modality": series.modality,
        "series_number": series.series_number,
        "series_description": series.series_description,
        "transfer_syntax_uid": series.transfer_syntax_uid,
        "image": shared,
        "frames": [
            _frame_to_json(frame, {k: v for k, v in image.items() if k not in shared})
            for frame, image in zip(series.frames, images, strict=True)
        ],
    }


def _frame_to_json(frame: FrameEntry, own: dict[str, Any]) -> dict[str, Any]:
    record: dict[str, Any] = {"url": frame.url, "start": frame.start}
    record["level_ends"] = list(frame.level_ends)
    record["length"] = frame.length
    record["sop_instance_uid"] = frame.sop_instance_uid
    record["frame_number"] = frame.frame_number
    if frame.sha256:
        record["sha256"] = frame.sha256
    if own:
        record["image"] = own
    return record


def _series_from_json(record: dict[str, Any]) -> SeriesEntry:
    shared = record.get("image", {})
    frames = tuple(
        FrameEntry(
            url=str(frame["url"]),
            start=int(frame.get("start", 0)),
            length=int(frame["length"]),
            level_ends=tuple(int(end) for end in frame["level_ends"]),
            sop_instance_uid=str(frame.get("sop_instance_uid", "")),
            frame_number=int(frame.get("frame_number", 1)),
            sha256=str(frame.get("sha256", "")),
            image=ImageAttributes.from_json({**shared, **frame.get("image", {})}),
        )
        for frame in record["frames"]
    )
    number = record.get("series_number")
    return SeriesEntry(
        series_instance_uid=str(record["series_instance_uid"]),
        study_instance_uid=str(record.get("study_instance_uid", "")),
        modality=str(record.get("modality", "")),
        series_number=None if number is None else int(number),
        series_description=str(record.get("series_description", "")),
        transfer_syntax_uid=str(record.get("transfer_syntax_uid", HTJ2K_LOSSLESS_RPCL)),
        frames=frames,
    )


_ABSENT: Final = object()
