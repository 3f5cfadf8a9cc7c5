"""Layout ``jphuri``: pairs of a raw codestream and its metadata, ``image1.jph`` and so on."""

from __future__ import annotations

import copy
import io
from typing import TYPE_CHECKING

from pydicom.filewriter import dcmwrite

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


class JphuriLayout:
    """``image3.jph`` for the third image, ``image3-1.jph`` ... for one of several frames."""

    name = "jphuri"
    takes_alternates = True

    def writer(self, files: InstanceFiles, instance: InstanceName, recipe: Recipe) -> PairWriter:
        """Begin an instance."""
        return PairWriter(files, instance)

    def index_files(self, tree: Tree, receipts: Sequence[Receipt]) -> Iterator[NamedBytes]:
        """None: a pair stands alone."""
        yield from ()

    def heads_folder(self, series: SeriesEntry) -> str:
        """At the root, like everything."""
        return ""


class PairWriter:
    """Codestreams as they are, and a Part 10 file without pixels beside each."""

    def __init__(self, files: InstanceFiles, instance: InstanceName) -> None:
        self._files, self._instance = files, instance
        self._places: list[FramePlace] = []

    def add(self, frame_number: int, frame: EncodedFrame, values: Pixels | None) -> None:
        """Write the codestream as it is."""
        path = f"{_stem(self._instance, frame_number)}{_suffix(frame)}"
        self._files.write(path, frame.codestream)
        self._places.append(FramePlace(path))

    def add_alternate(self, frame_number: int, alternate: AlternateFrame) -> FramePlace:
        """Write it under the same name in a folder of its own."""
        stem, frame = _stem(self._instance, frame_number), alternate.frame
        path = f"{alternate.choice.path}/{stem}{_suffix(frame)}"
        self._files.write(path, frame.codestream)
        return FramePlace(path)

    def finish(self, header: Dataset, images: Sequence[ImageAttributes]) -> Sequence[FramePlace]:
        """Write the metadata of each frame, as if it were an image by itself."""
        frames = self._instance.frame_count
        for frame_number in range(1, frames + 1):
            path = f"{_stem(self._instance, frame_number)}.metadata.dcm"
            own = header if frames == 1 else _of_one_frame(header, frame_number)
            self._files.write(path, part10_bytes(own))
        return self._places


def part10_bytes(header: Dataset) -> bytes:
    """A Part 10 file of what a dataset holds."""
    buffer = io.BytesIO()
    dcmwrite(buffer, header, enforce_file_format=True)
    return buffer.getvalue()


def _suffix(frame: EncodedFrame) -> str:
    return ".jph" if frame.form.family == "htj2k" else frame.form.suffix


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
