"""What a layout of the written tree decides: names and framing, never the codestream."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

from firstlight.errors import FirstlightError
from firstlight.prepare.tree import holds

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pydicom.dataset import Dataset

    from firstlight.dicom.attributes import ImageAttributes
    from firstlight.prepare.encode import EncodedFrame
    from firstlight.prepare.receipts import Receipt
    from firstlight.prepare.recipe import AlternateChoice, Recipe
    from firstlight.prepare.stored import Pixels
    from firstlight.prepare.tree import Chunk, Tree
    from firstlight.sources.descriptor import SeriesEntry


class TreeConflict(FirstlightError):
    """The target holds something that this run would damage."""


class NamedBytes(NamedTuple):
    """One file: its path below the root, with ``/`` between folders, and its content."""

    path: str
    data: bytes


@dataclass(frozen=True, slots=True)
class InstanceName:
    """What names are made from: the UIDs, or ``image_number``, counted from 1 in a tree."""

    study_instance_uid: str
    series_instance_uid: str
    sop_instance_uid: str
    image_number: int
    frame_count: int


@dataclass(frozen=True, slots=True)
class FramePlace:
    """Where one codestream lies: from byte ``start`` of the file at ``path``."""

    path: str
    start: int = 0


@dataclass(frozen=True, slots=True)
class AlternateFrame:
    """One frame in an alternate representation."""

    choice: AlternateChoice
    frame: EncodedFrame
    rows: int
    columns: int


class InstanceFiles:
    """The files of one instance as they are written, with their sizes.

    A file that is there with the same content stays; one with other content is replaced only if
    ``replace`` says that it is ours.
    """

    def __init__(self, tree: Tree, *, replace: bool) -> None:
        self.sizes: dict[str, int] = {}
        self._tree, self._replace = tree, replace

    def write(self, path: str, *chunks: Chunk) -> None:
        """Write one file.

        Raises:
            TreeConflict: the path holds something else.
            OSError: it cannot be written.
        """
        if self._tree.size_bytes(path) is None:
            self._tree.write(path, *chunks)
        elif not holds(self._tree, path, *chunks):
            if not self._replace:
                raise TreeConflict(f"{path} holds something else; --force replaces it")
            self._tree.write(path, *chunks)
        self.sizes[path] = sum(len(chunk) for chunk in chunks)


class InstanceWriter(Protocol):
    """Writes one instance, its frames first and in their order."""

    def add(self, frame_number: int, frame: EncodedFrame, values: Pixels | None) -> None:
        """Take a frame; ``values`` are stored values to be shown, fewer of a large frame."""

    def add_alternate(self, frame_number: int, alternate: AlternateFrame) -> FramePlace:
        """Write a frame in another representation."""

    def finish(self, header: Dataset, images: Sequence[ImageAttributes]) -> Sequence[FramePlace]:
        """Write what else there is; ``header`` describes the frames. Returns their places.

        ``images`` are what it says of each frame.
        """


class Layout(Protocol):
    """One layout; holds no state."""

    @property
    def name(self) -> str:
        """The word after ``--layout``."""

    @property
    def takes_alternates(self) -> bool:
        """Whether it has a place for alternate representations."""

    def writer(
        self, files: InstanceFiles, instance: InstanceName, recipe: Recipe
    ) -> InstanceWriter:
        """Begin an instance."""

    def index_files(self, tree: Tree, receipts: Sequence[Receipt]) -> Iterator[NamedBytes]:
        """What is written when all instances are there; ``receipts`` in the order of display."""

    def heads_folder(self, series: SeriesEntry) -> str:
        """Where the heads file of a series lies, with a ``/`` at the end, or empty."""
