"""A progress bar in frames, with rates and the time left."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

if TYPE_CHECKING:
    from types import TracebackType


class NoBar:
    """Shows nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        return None

    def begin(self, frame_total: int) -> None:
        """Nothing."""

    def advance(self, frame_count: int, pixel_bytes: int) -> None:
        """Nothing."""


class FrameBar(NoBar):
    """Draws on standard error, from `begin` until the end of the ``with`` block."""

    def __init__(self, doing: str = "preparing") -> None:
        self._doing = doing
        self._progress = Progress(
            TextColumn(doing),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
        )
        self._task: TaskID | None = None
        self._frames = 0
        self._pixel_bytes = 0

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def begin(self, frame_total: int) -> None:
        """Start drawing."""
        if frame_total:
            self._task = self._progress.add_task(self._doing, total=frame_total, rate="")
            self._progress.start()

    def advance(self, frame_count: int, pixel_bytes: int) -> None:
        """Move on, and give the rates since `begin`."""
        if self._task is None:
            return
        self._frames += frame_count
        self._pixel_bytes += pixel_bytes
        seconds = max(self._progress.tasks[0].elapsed or 0.0, 1e-3)
        megabytes = self._pixel_bytes / 1e6
        rate = f"{self._frames / seconds:.1f} frames/s {megabytes / seconds:.0f} MB/s"
        self._progress.update(self._task, advance=frame_count, rate=rate)
