"""``x.dcm.firstlight.json``: what ``firstlight index`` found in a Part 10 file (README.md)."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit, urlunsplit

from firstlight.dicom.attributes import ImageAttributes
from firstlight.dicom.codecs import coding_of
from firstlight.errors import MalformedDescriptor
from firstlight.ranges import ByteRange
from firstlight.sources.base import Frame, FrameExtent, Series

if TYPE_CHECKING:
    from firstlight.sources.base import Part

FORMAT_VERSION: Final = 1
SUFFIX: Final = ".firstlight.json"
HEAD_BYTES: Final = 1 << 12
"""Start of the file whose hash is compared: it holds the SOP Instance UID."""


@dataclass(frozen=True, slots=True)
class Sidecar:
    """One file's index, and how to tell that the file is still the one that was indexed.

    ``head_sha256`` is that of the first `HEAD_BYTES`, or of the whole file if it is shorter.
    ``etag`` and ``last_modified`` are those that a server gave, empty for a local file.
    """

    series: Series
    transfer_syntax_uid: str
    file_bytes: int
    head_sha256: str
    etag: str = ""
    last_modified: str = ""

    def describes(self, first: Part) -> bool:
        """Whether the file whose beginning came is the one that was indexed.

        ``first`` begins at byte 0 and holds at least `HEAD_BYTES`, or the whole file. A size that
        the server hides is a size that cannot be trusted.
        """
        known = self.etag if first.version.startswith(('"', 'W/"')) else self.last_modified
        return (
            first.total_bytes == self.file_bytes
            and (not known or not first.version or known == first.version)
            and head_sha256(first.data) == self.head_sha256
        )


def head_sha256(data: bytes) -> str:
    """Hash of a file's first bytes, of which ``data`` holds at least `HEAD_BYTES` or all."""
    return hashlib.sha256(data[:HEAD_BYTES]).hexdigest()


def sidecar_url(url: str) -> str:
    """Where the index of a file lies: beside it, the query kept."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=parts.path + SUFFIX))


def write_sidecar(sidecar: Sidecar) -> str:
    """The JSON text of an index."""
    series = sidecar.series
    images = [frame.image.to_json() for frame in series.frames]
    first = images[0] if images else {}
    shared = {
        name: value
        for name, value in first.items()
        if all(name in image and image[name] == value for image in images)
    }
    record = {
        "firstlight_index": FORMAT_VERSION,
        "file_bytes": sidecar.file_bytes,
        "head_sha256": sidecar.head_sha256,
        "etag": sidecar.etag,
        "last_modified": sidecar.last_modified,
        "transfer_syntax_uid": sidecar.transfer_syntax_uid,
        "series_instance_uid": series.series_instance_uid,
        "modality": series.modality,
        "series_number": series.number,
        "series_description": series.description,
        "image": shared,
        "frames": [
            _frame_to_json(frame.extent, {k: v for k, v in image.items() if k not in shared})
            for frame, image in zip(series.frames, images, strict=True)
        ],
    }
    return json.dumps(record, ensure_ascii=False, separators=(",", ":"))


def read_sidecar(text: str | bytes, url: str) -> Sidecar:
    """Read the index of the file at ``url``.

    Raises:
        MalformedDescriptor: not JSON, another version, or a value that breaks the specification.
        UnsupportedTransferSyntax: the file is in one that has no decoder.
    """
    try:
        record = json.loads(text)
    except ValueError as error:
        raise MalformedDescriptor(f"not JSON: {error}", resource=url) from error
    if not isinstance(record, dict) or record.get("firstlight_index") != FORMAT_VERSION:
        raise MalformedDescriptor(f"not an index of version {FORMAT_VERSION}", resource=url)
    try:
        return _sidecar_from_json(record, url)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise MalformedDescriptor(f"{type(error).__name__}: {error}", resource=url) from error


def _frame_to_json(extent: FrameExtent, own: dict[str, Any]) -> dict[str, Any]:
    record: dict[str, Any] = {"start": extent.start, "length": extent.length}
    if extent.level_ends:
        record["level_ends"] = list(extent.level_ends)
    if extent.fragments:
        record["fragments"] = [[run.start, run.stop] for run in extent.fragments]
    if extent.first_bit:
        record["first_bit"] = extent.first_bit
    if own:
        record["image"] = own
    return record


def _sidecar_from_json(record: dict[str, Any], url: str) -> Sidecar:
    uid = str(record["transfer_syntax_uid"])
    coding = coding_of(uid, resource=url)
    shared, number = record["image"], record.get("series_number")
    file_bytes = int(record["file_bytes"])
    frames = tuple(
        Frame(
            ImageAttributes.from_json({**shared, **frame.get("image", {})}),
            _extent_from_json(frame, url, file_bytes),
            coding,
        )
        for frame in record["frames"]
    )
    if not frames:
        raise ValueError("no frames")
    return Sidecar(
        series=Series(
            frames=frames,
            series_instance_uid=str(record.get("series_instance_uid", "")),
            modality=str(record.get("modality", "")),
            description=str(record.get("series_description", "")),
            number=None if number is None else int(number),
            transfer_syntax_uid=uid,
        ),
        transfer_syntax_uid=uid,
        file_bytes=file_bytes,
        head_sha256=str(record["head_sha256"]),
        etag=str(record.get("etag", "")),
        last_modified=str(record.get("last_modified", "")),
    )


def _extent_from_json(frame: dict[str, Any], url: str, file_bytes: int) -> FrameExtent:
    extent = FrameExtent(
        url,
        start=int(frame["start"]),
        length=int(frame["length"]),
        level_ends=tuple(int(end) for end in frame.get("level_ends", ())),
        fragments=tuple(ByteRange(int(a), int(b)) for a, b in frame.get("fragments", ())),
        first_bit=int(frame.get("first_bit", 0)),
    )
    length = extent.length or 0
    ends = (0, *extent.level_ends, length + 1)
    ends = (0, *extent.level_ends, length + 1)
    if any(b <= a for a, b in pairwise(ends)):
        raise ValueError("level_ends must grow, up to length")
    if extent.fragments and sum(run.length or 0 for run in extent.fragments) != length:
        raise ValueError("fragments do not add up to length")
    if extent.start < 0 or extent.resource_range(ByteRange(0)).stop not in range(file_bytes + 1):
        raise ValueError("a frame beyond the end of the file")
    return extent
