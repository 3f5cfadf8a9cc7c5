"""The index of a Part 10 file: where its frames are, and where in them each level ends."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from firstlight.dicom.codecs import coding_of
from firstlight.dicom.fragments import FragmentReader
from firstlight.dicom.frames import ITEM_HEADER_BYTES, FramePlace, check_item
from firstlight.dicom.part10 import Part10Reader
from firstlight.errors import MalformedCodestream, UnsupportedTransferSyntax
from firstlight.j2k.index import read_index
from firstlight.ranges import ByteRange
from firstlight.sources.part10 import series_of
from firstlight.sources.sidecar import HEAD_BYTES, SUFFIX, Sidecar, head_sha256, write_sidecar

if TYPE_CHECKING:
    from pathlib import Path
    from typing import BinaryIO

    from firstlight.sources.base import Frame, FrameExtent


def index_file(path: Path) -> Sidecar:
    """Read a local file's header, offset tables and the headers in each frame.

    Raises:
        OSError: it cannot be read.
        NotDicom, LimitExceeded: it is not a Part 10 file with an image, or beyond all sense.
        UnsupportedTransferSyntax: there is no decoder for it, or no frame of it can be ranged into.
    """
    total = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
        reader = Part10Reader(total, resource=str(path))
        while (wanted := reader.wanted) is not None:
            reader.feed(wanted.start, _read(file, wanted))
        index = reader.index
        assert index is not None
        if index.deflated:
            text = "a deflated file can only be read from its beginning: no index helps"
            raise UnsupportedTransferSyntax(text, resource=str(path))
        series = series_of(index, path.resolve().as_uri(), total)
        scalable = coding_of(index.transfer_syntax_uid).scalable
        frames = tuple(_measured(file, frame, scalable=scalable) for frame in series.frames)
    return Sidecar(
        series=replace(series, frames=frames),
        transfer_syntax_uid=index.transfer_syntax_uid,
        file_bytes=total,
        head_sha256=head_sha256(head),
    )


def write_index(path: Path) -> tuple[Path, Sidecar]:
    """Write the index of a file beside it, whole or not at all; returns where, and the index.

    Raises:
        OSError, FirstlightError: as `index_file`.
    """
    sidecar = index_file(path)
    target = path.with_name(path.name + SUFFIX)
    partial = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        partial.write_text(write_sidecar(sidecar), "utf-8")
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    return target, sidecar


def _measured(file: BinaryIO, frame: Frame, *, scalable: bool) -> Frame:
    """A frame whose place is certain, with the ends of its levels where they can be told."""
    extent = _certain(file, frame.extent)
    if scalable:
        data = b"".join(_read(file, piece) for piece in extent.pieces(ByteRange(0)))
        extent = replace(extent, level_ends=_level_ends(data, extent.url))
    return replace(frame, extent=extent)


def _certain(file: BinaryIO, extent: FrameExtent) -> FrameExtent:
    """The place of a frame that an offset table gives, after a look at its items."""
    if extent.item_checked or extent.length is None:
        return extent
    place = FramePlace(extent.start, extent.length, item_checked=False)
    header = _read(file, ByteRange(extent.start - ITEM_HEADER_BYTES, extent.start))
    if check_item(place, header, resource=extent.url):
        return replace(extent, item_checked=True)
    reader = FragmentReader(place, resource=extent.url)
    while (wanted := reader.wanted) is not None:
        reader.feed(wanted.start, _read(file, wanted))
    found = reader.place
    return replace(
        extent,
        start=found.start,
        length=found.length,
        fragments=found.fragments,
        item_checked=True,
    )


def _level_ends(codestream: bytes, resource: str) -> tuple[int, ...]:
    """All of them or none: the viewer reads from a broken one what there is."""
    try:
        index = read_index(codestream, resource=resource)
    except MalformedCodestream:
        return ()
    return index.level_ends if index.complete and index.method != "growing" else ()


def _read(file: BinaryIO, extent: ByteRange) -> bytes:
    file.seek(extent.start)
    return file.read(-1 if extent.length is None else extent.length)
