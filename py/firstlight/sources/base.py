"""What every source gives: series of frames, and where the bytes of each frame lie."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from firstlight.dicom.attributes import ImageAttributes


@dataclass(frozen=True, slots=True)
class FrameExtent:
    """Where one frame's codestream lies: from byte ``start`` of a resource.

    ``length`` is its size in bytes, None while unknown (then it reaches to the end of the
    resource). ``level_ends`` count from ``start``; empty where they have to be read first.
    """

    url: str
    start: int = 0
    length: int | None = None
    level_ends: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame: what it is and where it lies."""

    image: ImageAttributes
    extent: FrameExtent


@dataclass(frozen=True, slots=True)
class Series:
    """Frames in the order of display. ``codec`` is the decoder folder under ``wasm/``.

    ``reversible`` is False where the final picture is lossy by its transfer syntax.
    """

    frames: tuple[Frame, ...]
    series_instance_uid: str = ""
    modality: str = ""
    description: str = ""
    number: int | None = None
    codec: str = "openjph"
    reversible: bool = True


class Resources(Protocol):
    """What a source may ask for while it opens: small whole resources, and head starts."""

    async def whole(self, url: str, *, limit_bytes: int) -> bytes:
        """All bytes of a resource.

        Raises:
            TransportError: it did not come.
            LimitExceeded: it is larger than ``limit_bytes``.
        """

    def head_start(self, url: str) -> None:
        """Let the bytes of a frame's resource come while its metadata is still on the way."""

    async def need(self, package: str) -> None:
        """Make an optional Python package importable."""


class Source(Protocol):
    """One kind of ``src``."""

    async def open(self, resources: Resources) -> tuple[Series, ...]:
        """Find the series behind a ``src``, at least one with at least one frame.

        Raises:
            TransportError, FormatError: what is needed to plan the load is missing or broken.
        """
