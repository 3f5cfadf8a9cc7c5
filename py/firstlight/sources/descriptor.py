"""The format of ``firstlight.json`` (README.md beside this file), read and written."""

from __future__ import annotations

import base64
import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Final

from firstlight.dicom.attributes import ImageAttributes
from firstlight.dicom.uids import HTJ2K_LOSSLESS_RPCL
from firstlight.errors import MalformedDescriptor
from firstlight.sources.base import HeadPiece

if TYPE_CHECKING:
    from collections.abc import Callable

FORMAT_VERSION: Final = 1
FILE_NAME: Final = "firstlight.json"


@dataclass(frozen=True, slots=True)
class Heads:
    """A file that holds the leading levels of all frames of a series, one pass after the other."""

    url: str
    length: int


@dataclass(frozen=True, slots=True)
class Alternate:
    """Another representation of a series; ``exact`` if it has all its pixels, losslessly."""

    name: str
    transfer_syntax_uid: str
    exact: bool


@dataclass(frozen=True, slots=True)
class AlternateEntry:
    """One frame in an alternate representation."""

    name: str
    url: str
    length: int
    rows: int
    columns: int
    start: int = 0
    level_ends: tuple[int, ...] = ()


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
    encoded_sha256: str = ""
    heads: tuple[HeadPiece, ...] = ()
    alternates: tuple[AlternateEntry, ...] = ()

    def __post_init__(self) -> None:
        ends = self.level_ends
        if not ends or any(b <= a for a, b in zip((0, *ends), ends, strict=False)):
            raise MalformedDescriptor("level_ends must grow", resource=self.url)
        if ends[-1] > self.length:
            raise MalformedDescriptor("level_ends reach beyond length", resource=self.url)
        stops = [piece.stop for piece in self.heads]
        if any(stop not in ends for stop in stops) or stops != sorted(set(stops)):
            raise MalformedDescriptor("heads do not stop where levels end", resource=self.url)


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
    heads: Heads | None = None
    alternates: tuple[Alternate, ...] = ()

    def __post_init__(self) -> None:
        length = self.heads.length if self.heads else 0
        for frame in self.frames:
            before = 0
            for piece in frame.heads:
                if piece.start < 0 or piece.start + piece.stop - before > length:
                    raise MalformedDescriptor("a head beyond the end of the heads file")
                before = piece.stop
        names = {alternate.name for alternate in self.alternates}
        if any(other.name not in names for frame in self.frames for other in frame.alternates):
            raise MalformedDescriptor("a frame has an alternate that its series does not name")


@dataclass(frozen=True, slots=True)
class Descriptor:
    """A whole ``firstlight.json``.

    ``first_level``: the smallest resolution level of the first series' first frame, as bytes of its
    codestream; empty if it is not enclosed.
    """

    series: tuple[SeriesEntry, ...] = field(default=())
    generator: str = ""
    first_level: bytes = b""


def write_descriptor(
    descriptor: Descriptor, found: Callable[[SeriesEntry], dict[str, Any]] = lambda _series: {}
) -> str:
    """The JSON text of a descriptor; what is ``found`` out of a series is added to its record."""
    record: dict[str, Any] = {
        "firstlight": FORMAT_VERSION,
        "generator": descriptor.generator,
        "series": [{**_series_to_json(one), **found(one)} for one in descriptor.series],
    }
    if descriptor.first_level:
        record["first_level"] = base64.b64encode(descriptor.first_level).decode("ascii")
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
        first_level = base64.b64decode(record.get("first_level", ""), validate=True)
    except MalformedDescriptor as error:
        raise MalformedDescriptor(error.message, resource=error.resource or resource) from error
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise MalformedDescriptor(f"{type(error).__name__}: {error}", resource=resource) from error
    return Descriptor(series, str(record.get("generator", "")), first_level)


def _series_to_json(series: SeriesEntry) -> dict[str, Any]:
    images = [frame.image.to_json() for frame in series.frames]
    shared = {
        name: value
        for name, value in (images[0].items() if images else ())
        if all(image.get(name, _ABSENT) == value for image in images)
    }
    record: dict[str, Any] = {
        "study_instance_uid": series.study_instance_uid,
        "series_instance_uid": series.series_instance_uid,
        "modality": series.modality,
        "series_number": series.series_number,
        "series_description": series.series_description,
        "transfer_syntax_uid": series.transfer_syntax_uid,
    }
    if series.heads:
        record["heads"] = asdict(series.heads)
    if series.alternates:
        record["alternates"] = [asdict(alternate) for alternate in series.alternates]
    record["image"] = shared
    record["frames"] = [
        _frame_to_json(frame, {k: v for k, v in image.items() if k not in shared})
        for frame, image in zip(series.frames, images, strict=True)
    ]
    return record


def _frame_to_json(frame: FrameEntry, own: dict[str, Any]) -> dict[str, Any]:
    record: dict[str, Any] = {"url": frame.url, "start": frame.start}
    record["level_ends"] = list(frame.level_ends)
    record["length"] = frame.length
    if frame.heads:
        record["heads"] = [[piece.start, piece.stop] for piece in frame.heads]
    record["sop_instance_uid"] = frame.sop_instance_uid
    record["frame_number"] = frame.frame_number
    for name in ("sha256", "encoded_sha256"):
        if getattr(frame, name):
            record[name] = getattr(frame, name)
    if frame.alternates:
        record["alternates"] = [asdict(alternate) for alternate in frame.alternates]
    if own:
        record["image"] = own
    return record


def _series_from_json(record: dict[str, Any]) -> SeriesEntry:
    image_of = ImageAttributes.reader(record.get("image", {}))
    number, heads = record.get("series_number"), None
    if record.get("heads"):
        heads = Heads(str(record["heads"]["url"]), int(record["heads"]["length"]))
    return SeriesEntry(
        series_instance_uid=str(record["series_instance_uid"]),
        study_instance_uid=str(record.get("study_instance_uid", "")),
        modality=str(record.get("modality", "")),
        series_number=None if number is None else int(number),
        series_description=str(record.get("series_description", "")),
        transfer_syntax_uid=str(record.get("transfer_syntax_uid", HTJ2K_LOSSLESS_RPCL)),
        heads=heads,
        alternates=tuple(
            Alternate(str(item["name"]), str(item["transfer_syntax_uid"]), bool(item["exact"]))
            for item in record.get("alternates", ())
        ),
        frames=tuple(_frame_from_json(frame, image_of) for frame in record["frames"]),
    )


def _frame_from_json(
    frame: dict[str, Any], image_of: Callable[[dict[str, Any]], ImageAttributes]
) -> FrameEntry:
    return FrameEntry(
        url=str(frame["url"]),
        start=int(frame.get("start", 0)),
        length=int(frame["length"]),
        level_ends=tuple(int(end) for end in frame["level_ends"]),
        sop_instance_uid=str(frame.get("sop_instance_uid", "")),
        frame_number=int(frame.get("frame_number", 1)),
        sha256=str(frame.get("sha256", "")),
        encoded_sha256=str(frame.get("encoded_sha256", "")),
        heads=tuple(HeadPiece(int(start), int(stop)) for start, stop in frame.get("heads", ())),
        alternates=tuple(_alternate_from_json(item) for item in frame.get("alternates", ())),
        image=image_of(frame.get("image", {})),
    )


def _alternate_from_json(record: dict[str, Any]) -> AlternateEntry:
    return AlternateEntry(
        name=str(record["name"]),
        url=str(record["url"]),
        start=int(record.get("start", 0)),
        length=int(record["length"]),
        rows=int(record["rows"]),
        columns=int(record["columns"]),
        level_ends=tuple(int(end) for end in record.get("level_ends", ())),
    )


_ABSENT: Final = object()
