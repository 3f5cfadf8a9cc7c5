"""A retriever that somebody else wrote, and what happens when it fails."""

from __future__ import annotations

from typing import TYPE_CHECKING

from firstlight.errors import ConfigurationError
from firstlight.retrieve.configuration import RetrieveOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from firstlight.errors import FirstlightError
    from firstlight.retrieve.configuration import Listener, Retriever
    from firstlight.retrieve.status import Quality


class GuardedRetriever:
    """Passes everything on to a `Retriever`; what that raises goes to ``tell``.

    One that cannot even start is done without: every frame is retrieved plainly.
    """

    def __init__(self, retriever: Retriever, tell: Callable[[ConfigurationError], None]) -> None:
        self._retriever: Retriever | None = retriever
        self._tell = tell

    def start(self, frames: Sequence[int], listener: Listener) -> None:
        """As `Retriever.start`."""
        try:
            if self._retriever is not None:
                self._retriever.start(frames, listener)
        except Exception as error:
            self._retriever = None
            self._tell(retriever_failed(error))
            retrieve_plainly(frames, listener)

    def retrieved(self, frame_index: int, quality: Quality) -> None:
        """As `Retriever.retrieved`."""
        try:
            if self._retriever is not None:
                self._retriever.retrieved(frame_index, quality)
        except Exception as error:
            self._tell(retriever_failed(error))

    def failed(self, frame_index: int, error: FirstlightError) -> None:
        """As `Retriever.failed`."""
        try:
            if self._retriever is not None:
                self._retriever.failed(frame_index, error)
        except Exception as other:
            self._tell(retriever_failed(other))


def retrieve_plainly(frames: Sequence[int], listener: Listener) -> None:
    """Ask for every frame whole, so that nothing stays blank where nobody decides any more."""
    for frame_index in frames:
        listener.request(frame_index, RetrieveOptions())
    listener.done()


def retriever_failed(cause: Exception | str) -> ConfigurationError:
    """What is told when a retriever raised something."""
    text = cause if isinstance(cause, str) else f"{type(cause).__name__}: {cause}"
    return ConfigurationError(f"create: the retriever failed, {text}")
