"""What a layout of the written tree decides: names and framing, never the codestream."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pydicom.dataset import Dataset

    from firstlight.prepare.receipts import Receipt
    from firstlight.prepare.tree import Tree


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
class FrameFile:
    """A file that holds one codestream, which begins at byte ``start`` of ``data``."""

    path: str
    data: bytes
    start: int


class Layout(Protocol):
    """One layout; holds no state."""

    @property
    def name(self) -> str:
        """The word after ``--layout``."""

    def frame_file(self, instance: InstanceName, frame_number: int, codestream: bytes) -> FrameFile:
        """Where and how one frame's codestream is written."""

    def instance_files(self, instance: InstanceName, header: Dataset) -> Iterator[NamedBytes]:
        """What else is written for one instance; ``header`` describes the written frames."""

    def index_files(self, tree: Tree, receipts: Sequence[Receipt]) -> Iterator[NamedBytes]:
        """What is written when all instances are there; ``receipts`` in the order of display."""
