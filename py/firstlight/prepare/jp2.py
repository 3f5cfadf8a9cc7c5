"""Layout ``jp2``: JP2 and JPH files (ISO/IEC 15444-1 Annex I, 15444-15 D) for JPIP servers."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from firstlight.errors import FormatError
from firstlight.j2k.boxes import SIGNATURE
from firstlight.j2k.markers import read_main_header
from firstlight.prepare.jphuri import part10_bytes
from firstlight.prepare.jpip_index import BOX_HEADER_BYTES, IPTR_BYTES, box, iptr
from firstlight.prepare.jpip_index import index_boxes as make_index_boxes
from firstlight.prepare.layout import FramePlace

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pydicom.dataset import Dataset

    from firstlight.dicom.attributes import ImageAttributes
    from firstlight.prepare.encode import EncodedFrame
    from firstlight.prepare.layout import AlternateFrame, InstanceFiles, InstanceName, NamedBytes
    from firstlight.prepare.receipts import Receipt
    from firstlight.prepare.recipe import Recipe
    from firstlight.prepare.stored import Pixels
    from firstlight.prepare.tree import Tree
    from firstlight.sources.descriptor import SeriesEntry

_SRGB: Final = 16
_GREYSCALE: Final = 17
_MAX_BOX_BYTES: Final = 0xFFFFFFFF


class Jp2Layout:
    """``<study>/<series>/<sop>.jp2`` or ``.jph``, ``<sop>-<n>`` for one of several frames."""

    name = "jp2"
    takes_alternates = False

    def writer(self, files: InstanceFiles, instance: InstanceName, recipe: Recipe) -> Jp2Writer:
        """Begin an instance."""
        return Jp2Writer(files, instance, index_boxes=recipe.index_boxes)

    def index_files(self, tree: Tree, receipts: Sequence[Receipt]) -> Iterator[NamedBytes]:
        """None: a file stands alone."""
        yield from ()

    def heads_folder(self, series: SeriesEntry) -> str:
        """Beside the files."""
        return f"{series.study_instance_uid}/{series.series_instance_uid}/"


class Jp2Writer:
    """One file a frame, and the DICOM header without pixels beside them."""

    def __init__(self, files: InstanceFiles, instance: InstanceName, *, index_boxes: bool) -> None:
        self._files, self._instance, self._index_boxes = files, instance, index_boxes
        folder = f"{instance.study_instance_uid}/{instance.series_instance_uid}"
        self._stem = f"{folder}/{instance.sop_instance_uid}"
        self._places: list[FramePlace] = []

    def add(self, frame_number: int, frame: EncodedFrame, values: Pixels | None) -> None:
        """Put the codestream into boxes.

        Raises:
            FormatError: it is not JPEG 2000, or was kept with boxes of its own.
        """
        if bytes(frame.codestream[:2]) != b"\xff\x4f":
            raise FormatError("only JPEG 2000 and HTJ2K codestreams fit the layout jp2")
        suffix = ".jph" if frame.form.family == "htj2k" else ".jp2"
        name = self._stem if self._instance.frame_count == 1 else f"{self._stem}-{frame_number}"
        head, tail = _around(frame, index_boxes=self._index_boxes)
        self._files.write(name + suffix, head, frame.codestream, tail)
        self._places.append(FramePlace(name + suffix, start=len(head)))

    def add_alternate(self, frame_number: int, alternate: AlternateFrame) -> FramePlace:
        """Not here."""
        raise FormatError("the layout jp2 has no alternates")

    def finish(self, header: Dataset, images: Sequence[ImageAttributes]) -> Sequence[FramePlace]:
        """Write the DICOM header."""
        self._files.write(f"{self._stem}.metadata.dcm", part10_bytes(header))
        return self._places


def _around(frame: EncodedFrame, *, index_boxes: bool) -> tuple[bytes, bytes]:
    """Everything before the codestream: signature, file type, header, and jp2c's own head.

    And what follows it, the index boxes of JPIP where they are wanted.
    """
    siz = read_main_header(bytes(frame.codestream[: frame.level_ends[0]])).siz
    depths = {(component.precision_bits, component.is_signed) for component in siz.components}
    if len(depths) != 1:
        raise FormatError("components of different depths do not fit the layout jp2")
    precision, signed = depths.pop()
    bits = precision - 1 | 0x80 * signed
    brand = b"jph " if frame.form.family == "htj2k" else b"jp2 "
    samples = len(siz.components)
    header = box(
        b"jp2h",
        box(
            b"ihdr",
            struct.pack(">IIHBBBB", siz.height, siz.width, samples, bits, 7, 0, 0),
        ),
        box(b"colr", struct.pack(">BBBI", 1, 0, 0, _SRGB if samples == 3 else _GREYSCALE)),
    )
    length = BOX_HEADER_BYTES + len(frame.codestream)
    if length > _MAX_BOX_BYTES:
        raise FormatError("a codestream of 4 GiB does not fit a box")
    file_type = box(b"ftyp", brand, bytes(4), brand, b"jpip" * index_boxes)
    before = SIGNATURE + file_type + header
    own = struct.pack(">I4s", length, b"jp2c")
    if not index_boxes:
        return before + own, b""
    at = len(before) + IPTR_BYTES
    codestream_index, file_index = make_index_boxes(bytes(frame.codestream), at)
    pointer = iptr(at + length + len(codestream_index), len(file_index))
    return before + pointer + own, codestream_index + file_index
