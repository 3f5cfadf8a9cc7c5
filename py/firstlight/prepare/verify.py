"""``firstlight verify``: whether a tree holds what its descriptor says, to the last pixel."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from firstlight.errors import FirstlightError
from firstlight.prepare.beside import beside_complaints
from firstlight.prepare.proof import Complaint, frame_complaints
from firstlight.prepare.receipts import load_receipts
from firstlight.prepare.tree import RECORDS, open_tree
from firstlight.prepare.work import quiet_pydicom
from firstlight.prepare.workers import workers
from firstlight.sources.descriptor import FILE_NAME, read_descriptor

if TYPE_CHECKING:
    from collections.abc import Iterator

    from firstlight.prepare.run import Progress
    from firstlight.prepare.tree import Tree
    from firstlight.sources.descriptor import FrameEntry, SeriesEntry

_FRAMES_A_TASK: Final = 16


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """What was looked at, and what is wrong; ``frames_hashed`` were compared by their hash."""

    series: int
    frames: int
    frames_hashed: int
    pixel_bytes: int
    seconds: float
    complaints: tuple[Complaint, ...]


@dataclass(frozen=True, slots=True)
class _Task:
    location: str
    transfer_syntax_uid: str
    frames: tuple[FrameEntry, ...]


def verify(location: str, *, jobs: int, progress: Progress) -> VerifyReport:
    """Check every frame, the heads files, the indexes and the receipts of a tree.

    Raises:
        FileNotFoundError: there is no descriptor.
        MalformedDescriptor: it cannot be read.
    """
    started, tree = time.perf_counter(), open_tree(location)
    descriptor = read_descriptor(tree.read(FILE_NAME), resource=f"{location}/{FILE_NAME}")
    series = descriptor.series
    frames = [frame for entry in series for frame in entry.frames]
    tasks = [task for entry in series for task in _tasks(location, entry)]
    complaints: list[Complaint] = []
    progress.begin(len(frames))
    with workers(jobs if len(tasks) > 1 else 1) as pool:
        for task, found in pool.run(_check, tasks):
            if isinstance(found, Exception):
                failed = f"{type(found).__name__}: {found}"
                complaints += [Complaint(frame.url, failed) for frame in task.frames]
            else:
                complaints += found
            progress.advance(len(task.frames), sum(_pixel_bytes(frame) for frame in task.frames))
    with quiet_pydicom():
        complaints += beside_complaints(tree, descriptor)
    complaints += _receipt_complaints(tree)
    return VerifyReport(
        series=len(series),
        frames=len(frames),
        frames_hashed=sum(bool(frame.sha256 or frame.encoded_sha256) for frame in frames),
        pixel_bytes=sum(_pixel_bytes(frame) for frame in frames),
        seconds=round(time.perf_counter() - started, 3),
        complaints=tuple(sorted(set(complaints))),
    )


def _tasks(location: str, series: SeriesEntry) -> Iterator[_Task]:
    for start in range(0, len(series.frames), _FRAMES_A_TASK):
        some = series.frames[start : start + _FRAMES_A_TASK]
        yield _Task(location, series.transfer_syntax_uid, some)


def _check(task: _Task) -> list[Complaint]:
    tree = open_tree(task.location)
    with quiet_pydicom():
        return [
            complaint
            for frame in task.frames
            for complaint in frame_complaints(tree, frame, task.transfer_syntax_uid)
        ]


def _receipt_complaints(tree: Tree) -> Iterator[Complaint]:
    """A tree may have been uploaded without its receipts; those that are there must fit."""
    try:
        receipts = load_receipts(tree)
    except FirstlightError as error:
        yield Complaint(RECORDS, error.message)
        return
    for receipt in receipts.values():
        for path, size in receipt.files.items():
            found = tree.size_bytes(path)
            if found != size:
                yield Complaint(path, "is missing" if found is None else "is of another size")


def _pixel_bytes(frame: FrameEntry) -> int:
    image = frame.image
    return image.rows * image.columns * image.samples_per_pixel * -(-image.bits_allocated // 8)
