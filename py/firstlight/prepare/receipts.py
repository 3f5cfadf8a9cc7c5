"""What has been prepared already: one small file for each source, written when all else is."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from firstlight.errors import MalformedDescriptor
from firstlight.prepare.tree import RECORDS
from firstlight.sources.descriptor import (
    Descriptor,
    SeriesEntry,
    read_descriptor,
    write_descriptor,
)

if TYPE_CHECKING:
    from firstlight.prepare.tree import Tree

_FOLDER: Final = f"{RECORDS}/receipts"


@dataclass(frozen=True, slots=True)
class Receipt:
    """One source file, prepared completely.

    ``series`` holds the frames of this file only. ``files`` are the paths written for it, with
    their sizes. ``query`` is the DICOM JSON (PS3.18 F) that indexes are made from. ``source_uid``
    is the SOP Instance UID of the source, which a lossy image does not keep, ``stored`` the hash
    of each frame's stored values in the source. ``recipe`` is the digest of
    the choices it was prepared with.
    """

    source_sha256: str
    source_bytes: int
    layout: str
    image_number: int
    sop_instance_uid: str
    instance_number: int
    series: SeriesEntry
    files: dict[str, int]
    query: dict[str, Any]
    source_uid: str
    stored: list[str]
    recipe: str

    @property
    def pixel_bytes(self) -> int:
        """Size of the stored values, uncompressed."""
        images = [frame.image for frame in self.series.frames]
        return sum(
            image.rows * image.columns * image.samples_per_pixel * (image.bits_allocated // 8)
            for image in images
        )

    @property
    def codestream_bytes(self) -> int:
        """Size of all its codestreams."""
        return sum(frame.length for frame in self.series.frames)


def save_receipt(tree: Tree, receipt: Receipt) -> None:
    """Note that a source is done; the last thing written for it."""
    record = {name: value for name, value in _fields(receipt).items() if name != "series"}
    descriptor = write_descriptor(Descriptor(series=(receipt.series,)))
    text = json.dumps(record, ensure_ascii=False, separators=(",", ":"))
    whole = f'{text[:-1]},"descriptor":{descriptor}}}'
    tree.write(f"{_FOLDER}/{receipt.source_sha256}.json", whole.encode())


def load_receipts(tree: Tree) -> dict[str, Receipt]:
    """All receipts of a tree by the hash of their source.

    Raises:
        MalformedDescriptor: one was changed by hand.
    """
    found = (_read(tree.read(path), path) for path in tree.names(_FOLDER))
    return {receipt.source_sha256: receipt for receipt in found}


def files_are_there(tree: Tree, receipt: Receipt) -> bool:
    """Whether everything that a receipt names is there, in its size."""
    return all(tree.size_bytes(path) == size for path, size in receipt.files.items())


def _fields(receipt: Receipt) -> dict[str, Any]:
    return {name: getattr(receipt, name) for name in Receipt.__slots__}


def _read(text: bytes, path: str) -> Receipt:
    try:
        record = json.loads(text)
        names = set(record) - {"descriptor"} | {"series"}
    except (ValueError, TypeError) as error:
        raise MalformedDescriptor("not a receipt", resource=path) from error
    if names != set(Receipt.__slots__):
        raise MalformedDescriptor("a receipt of another version", resource=path)
    descriptor = read_descriptor(json.dumps(record.pop("descriptor")), resource=path)
    return Receipt(series=descriptor.series[0], **record)
