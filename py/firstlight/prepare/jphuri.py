"""Layout ``jphuri``: pairs of a raw codestream and its metadata, ``image1.jph`` and so on."""

from __future__ import annotations

import copy
import io
from typing import TYPE_CHECKING

from pydicom.filewriter import dcmwrite

from firstlight.prepare.layout import FrameFile, NamedBytes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pydicom.dataset import Dataset

    from firstlight.prepare.layout import InstanceName
    from firstlight.prepare.receipts import Receipt
    from firstlight.prepare.tree import Tree


class JphuriLayout:
    """``image3.jph`` for the third image, ``image3-1.jph`` ... for one of several frames."""

    name = "jphuri"

    def frame_file(self, instance: InstanceName, frame_number: int, codestream: bytes) -> FrameFile:
        """The codestream as it is."""
        return FrameFile(f"{_stem(instance, frame_number)}.jph", codestream, start=0)

    def instance_files(self, instance: InstanceName, header: Dataset) -> Iterator[NamedBytes]:
        """A Part 10 file without pixels beside each codestream, describing that frame alone."""
        for frame_number in range(1, instance.frame_count + 1):
            path = f"{_stem(instance, frame_number)}.metadata.dcm"
            own = header if instance.frame_count == 1 else _of_one_frame(header, frame_number)
            yield NamedBytes(path, _part10(own))

    def index_files(self, tree: Tree, receipts: Sequence[Receipt]) -> Iterator[NamedBytes]:
        """None: a pair stands alone."""
        yield from ()


def _stem(instance: InstanceName, frame_number: int) -> str:
    stem = f"image{instance.image_number}"
    return stem if instance.frame_count == 1 else f"{stem}-{frame_number}"


def _of_one_frame(header: Dataset, frame_number: int) -> Dataset:
    """The attributes of a multi-frame image with only one frame's functional groups."""
    own = copy.copy(header)
    own.NumberOfFrames = 1
    groups = header.get("PerFrameFunctionalGroupsSequence", None)
    if groups and len(groups) >= frame_number:
        own.PerFrameFunctionalGroupsSequence = [groups[frame_number - 1]]
    return own


def _part10(header: Dataset) -> bytes:
    buffer = io.BytesIO()
    dcmwrite(buffer, header, enforce_file_format=True)
    return buffer.getvalue()
