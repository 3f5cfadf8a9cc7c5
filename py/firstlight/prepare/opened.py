"""A source file, open: its header in memory, its pixels read when they are wanted."""

from __future__ import annotations

import io
import struct
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, BinaryIO, Final

from pydicom.dataelem import DataElement
from pydicom.tag import Tag
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from firstlight.dicom.metadata import read_part10
from firstlight.errors import NotDicom
from firstlight.prepare.stored import UnsupportedPixels

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydicom.dataset import Dataset

_PIXEL_DATA: Final = Tag("PixelData")
_FLOATS: Final = ((0x7FE0, 0x0008), (0x7FE0, 0x0009))
_NATIVE: Final = frozenset({ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian})
_UNDEFINED: Final = 0xFFFFFFFF


class Section(io.RawIOBase):
    """A part of an open file as a file of its own; not closed with it."""

    def __init__(self, stream: BinaryIO, start: int, length: int) -> None:
        super().__init__()
        self._stream, self._start, self._length, self._at = stream, start, length, 0

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move within the part."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._length}[whence]
        self._at = max(0, base + offset)
        return self._at

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Read up to the end of the part."""
        count = max(0, min(len(buffer), self._length - self._at))
        self._stream.seek(self._start + self._at)
        if isinstance(self._stream, io.BufferedReader):
            held = self._stream.readinto(memoryview(buffer)[:count])
        else:
            data = self._stream.read(count)
            held = len(data)
            buffer[:held] = data
        self._at += held
        return held


@contextmanager
def opened(stream: BinaryIO, *, resource: str) -> Iterator[Dataset]:
    """Read a Part 10 file whose Pixel Data, a reader, stay in the file for the ``with`` block.

    A deflated file is inflated in memory.

    Raises:
        NotDicom: it is not Part 10, unreadable, or without the attributes of an image.
        UnsupportedPixels: they are Float or Double Float Pixel Data.
    """
    dataset = read_part10(stream, resource=resource, pixels=False)
    with ExitStack() as readers:
        if dataset.file_meta.get("TransferSyntaxUID", None) == DeflatedExplicitVRLittleEndian:
            stream.seek(0)
            yield read_part10(stream, resource=resource, pixels=True)
            return
        found = _pixel_data(stream, dataset, resource=resource)
        if found is not None:
            vr, start, length = found
            reader = readers.enter_context(io.BufferedReader(Section(stream, start, length)))
            dataset[_PIXEL_DATA] = DataElement(_PIXEL_DATA, vr, reader)
        yield dataset


def _pixel_data(
    stream: BinaryIO, dataset: Dataset, *, resource: str
) -> tuple[str, int, int] | None:
    """VR of Pixel Data, where its value begins, and its length; None where there is none."""
    implicit, little = dataset.original_encoding
    order = "<" if little else ">"
    head = stream.read(8)
    tag = struct.unpack(f"{order}HH", head[:4]) if len(head) == 8 else ()
    if tag in _FLOATS:
        raise UnsupportedPixels("floating point pixels do not fit HTJ2K", resource=resource)
    if tag != (_PIXEL_DATA.group, _PIXEL_DATA.element):
        return None
    vr = "OB" if head[4:6] == b"OB" and not implicit else "OW"
    if implicit:
        (length,) = struct.unpack(f"{order}I", head[4:])
    else:
        (length,) = struct.unpack(f"{order}I", stream.read(4))
    start = stream.tell()
    if length == _UNDEFINED and dataset.file_meta.get("TransferSyntaxUID", None) in _NATIVE:
        raise NotDicom("Pixel Data in fragments, of a syntax that has none", resource=resource)
    held = stream.seek(0, io.SEEK_END) - start
    return vr, start, held if length == _UNDEFINED else min(length, held)
