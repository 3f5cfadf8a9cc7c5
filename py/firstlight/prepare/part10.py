"""Layout ``part10``: DICOM files with an Extended Offset Table, and a sidecar index beside each."""

from __future__ import annotations

import io
import struct
import tempfile
from itertools import accumulate
from typing import TYPE_CHECKING, Final

from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import dcmwrite, write_dataset
from pydicom.tag import Tag

from firstlight.dicom.metadata import frame_attributes
from firstlight.errors import FormatError
from firstlight.prepare.layout import FramePlace
from firstlight.prepare.mapped import mapped
from firstlight.sources.base import Frame, FrameExtent, Series
from firstlight.sources.sidecar import HEAD_BYTES, SUFFIX, Sidecar, head_sha256, write_sidecar

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from firstlight.dicom.attributes import ImageAttributes
    from firstlight.prepare.encode import EncodedFrame
    from firstlight.prepare.layout import AlternateFrame, InstanceFiles, InstanceName, NamedBytes
    from firstlight.prepare.receipts import Receipt
    from firstlight.prepare.recipe import Recipe
    from firstlight.prepare.stored import Pixels
    from firstlight.prepare.tree import Chunk, Tree
    from firstlight.sources.descriptor import SeriesEntry

_PIXEL_DATA: Final = Tag("PixelData")
_TRAILING_PADDING: Final = Tag(0xFFFC, 0xFFFC)
_ITEM: Final = struct.Struct("<HHI")
_SEQUENCE_END: Final = _ITEM.pack(0xFFFE, 0xE0DD, 0)
_MAX_NATIVE_BYTES: Final = 0xFFFFFFFE


class Part10Layout:
    """``<study>/<series>/<sop>.dcm`` and ``<sop>.dcm.firstlight.json``."""

    name = "part10"
    takes_alternates = False

    def writer(self, files: InstanceFiles, instance: InstanceName, recipe: Recipe) -> Part10Writer:
        """Begin an instance."""
        return Part10Writer(files, instance)

    def index_files(self, tree: Tree, receipts: Sequence[Receipt]) -> Iterator[NamedBytes]:
        """None: a file tells everything itself."""
        yield from ()

    def heads_folder(self, series: SeriesEntry) -> str:
        """Beside the files."""
        return f"{series.study_instance_uid}/{series.series_instance_uid}/"


class Part10Writer:
    """Collects frames in a temporary file, since the header and the tables stand before them."""

    def __init__(self, files: InstanceFiles, instance: InstanceName) -> None:
        self._files, self._instance = files, instance
        self._spool = tempfile.TemporaryFile(prefix="firstlight-")  # noqa: SIM115 - until `finish`
        self._frames: list[tuple[int, tuple[int, ...]]] = []
        self._uid, self._native, self._held = "", False, 0

    def add(self, frame_number: int, frame: EncodedFrame, values: Pixels | None) -> None:
        """Put a frame behind the others, as an item unless it is native (PS3.5 A.4)."""
        length = len(frame.codestream)
        self._uid, self._native = frame.form.uid, frame.form.family == "native"
        if not self._native:
            self._spool.write(_ITEM.pack(0xFFFE, 0xE000, length + length % 2))
        self._spool.write(frame.codestream)
        if not self._native:
            self._spool.write(b"\0" * (length % 2))
        self._frames.append((length, frame.level_ends))

    def add_alternate(self, frame_number: int, alternate: AlternateFrame) -> FramePlace:
        """Not here: a file has one transfer syntax."""
        raise FormatError("the layout part10 has no alternates")

    def finish(self, header: Dataset, images: Sequence[ImageAttributes]) -> Sequence[FramePlace]:
        """Write the file and its sidecar."""
        held = self._spool.tell()
        padding = b"\0" * (held % 2) if self._native else b""
        if self._native and held > _MAX_NATIVE_BYTES:
            raise FormatError("native pixels of 4 GiB do not fit one element")
        before, after = _around_pixels(header)
        before += self._element_head(header, held + len(padding))
        tail = (padding if self._native else _SEQUENCE_END) + after
        path = f"{self._instance.study_instance_uid}/{self._instance.series_instance_uid}"
        path += f"/{self._instance.sop_instance_uid}.dcm"
        self._spool.flush()
        with mapped(self._spool) as held_bytes:
            view = memoryview(held_bytes)
            self._files.write(path, before, view, tail)
            first = before + bytes(view[:HEAD_BYTES]) + tail
            view.release()
        self._spool.close()
        starts = [len(before) + start for start in self._starts()]
        sidecar = self._sidecar(header, path, starts, len(before) + held + len(tail), first)
        self._files.write(path + SUFFIX, write_sidecar(sidecar).encode())
        return [FramePlace(path, start) for start in starts]

    def _starts(self) -> list[int]:
        """Where frames begin in the temporary file."""
        if self._native:
            lengths = [length for length, _ in self._frames]
            return list(accumulate(lengths[:-1], initial=0))
        sizes = [_ITEM.size + length + length % 2 for length, _ in self._frames]
        return [_ITEM.size + start for start in accumulate(sizes[:-1], initial=0)]

    def _element_head(self, header: Dataset, value_bytes: int) -> bytes:
        """Pixel Data up to the first frame's item; the Extended Offset Table before it."""
        vr = b"OB" if not self._native or header.BitsAllocated <= 8 else b"OW"
        tag = struct.pack("<HH2sH", 0x7FE0, 0x0010, vr, 0)
        if self._native:
            return tag + struct.pack("<I", value_bytes)
        offsets = [start - _ITEM.size for start in self._starts()]
        lengths = [length + length % 2 for length, _ in self._frames]
        tables = b"".join(
            struct.pack(f"<HH2sHI{len(entries)}Q", 0x7FE0, element, b"OV", 0, size, *entries)
            for element, entries in ((1, offsets), (2, lengths))
            if (size := 8 * len(entries))
        )
        return tables + tag + struct.pack("<I", 0xFFFFFFFF) + _ITEM.pack(0xFFFE, 0xE000, 0)

    def _sidecar(
        self, header: Dataset, path: str, starts: list[int], file_bytes: int, first: Chunk
    ) -> Sidecar:
        frames = tuple(
            Frame(
                frame_attributes(header, index),
                FrameExtent(path, start, length, ends if len(ends) > 1 else ()),
            )
            for index, (start, (length, ends)) in enumerate(zip(starts, self._frames, strict=True))
        )
        series = Series(
            frames=frames,
            series_instance_uid=self._instance.series_instance_uid,
            modality=str(header.get("Modality", None) or ""),
            description=str(header.get("SeriesDescription", None) or ""),
            number=_whole_number(header.get("SeriesNumber", None)),
        )
        return Sidecar(
            series=series,
            transfer_syntax_uid=self._uid,
            file_bytes=file_bytes,
            head_sha256=head_sha256(bytes(first)),
        )


def _around_pixels(header: Dataset) -> tuple[bytes, bytes]:
    """The file up to group 7FE0, and what follows Pixel Data but padding."""
    before, after = Dataset(), Dataset()
    for element in header:
        if element.tag < Tag(0x7FE0, 0x0001):
            before[element.tag] = element
        elif element.tag > _PIXEL_DATA and element.tag != _TRAILING_PADDING:
            after[element.tag] = element
    before.file_meta = header.file_meta
    buffer = io.BytesIO()
    dcmwrite(buffer, before, enforce_file_format=True)
    rest = DicomBytesIO()
    rest.is_little_endian, rest.is_implicit_VR = True, False
    write_dataset(rest, after)
    return buffer.getvalue(), rest.getvalue()


def _whole_number(value: object) -> int | None:
    try:
        return int(str(value))
    except ValueError:
        return None
