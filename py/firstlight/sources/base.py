"""What every source gives: series of frames, and where the bytes of each frame lie."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from firstlight.dicom.codecs import HTJ2K_CODING
from firstlight.ranges import ByteRange

if TYPE_CHECKING:
    from collections.abc import Iterator

    from firstlight.dicom.attributes import ImageAttributes
    from firstlight.dicom.codecs import Coding


@dataclass(frozen=True, slots=True)
class FrameExtent:
    """Where one frame's bytes lie: from byte ``start`` of a resource.

    ``length`` is their number, None while unknown (then they reach to the end of the resource).
    ``level_ends`` count from the frame's first byte; empty where they have to be read first.
    ``fragments`` are ranges of the resource that make up the frame when joined, the first at
    ``start``; empty where the frame is one contiguous run.

    What has to be done with the bytes before they are a frame:
    ``framing`` ``multipart``: the resource is a body whose one part is the frame
    (`dicomweb.multipart`).
    ``item_checked`` False: the eight bytes before ``start`` tell whether ``length`` holds
    (`dicom.frames.check_item`). ``inflated``: the bytes are a raw deflate stream (RFC 1951), the
    frame is that range of what comes out. ``first_bit``: bits to skip in the first byte.
    ``accept`` is the Accept header to ask with, empty for none.
    """

    url: str
    start: int = 0
    length: int | None = None
    level_ends: tuple[int, ...] = ()
    fragments: tuple[ByteRange, ...] = ()
    framing: Literal["", "multipart"] = ""
    item_checked: bool = True
    inflated: ByteRange | None = None
    first_bit: int = 0
    accept: str = ""

    def resource_offset(self, frame_offset: int) -> int:
        """Where in the resource the byte at ``frame_offset`` lies; the end lies behind the last."""
        at = frame_offset
        for index, (start, size) in enumerate(self._runs()):
            if size is None or at < size or index == len(self.fragments) - 1:
                return start + at
            at -= size
        return self.start + frame_offset

    def frame_offset(self, resource_offset: int) -> int:
        """How many bytes of the frame lie before an offset of the resource."""
        before = 0
        for start, size in self._runs():
            held = max(0, resource_offset - start)
            before += held if size is None else min(held, size)
        return before

    def resource_range(self, extent: ByteRange) -> ByteRange:
        """The one range of the resource that brings ``extent`` of the frame.

        It includes the item headers between fragments. An open range stays open only where the
        frame's length is unknown.
        """
        start = self.resource_offset(extent.start)
        stop = self.length if extent.stop is None else extent.stop
        if stop is None:
            return ByteRange(start)
        if stop <= extent.start:
            return ByteRange(start, start)
        return ByteRange(start, self.resource_offset(stop - 1) + 1)

    def pieces(self, extent: ByteRange) -> tuple[ByteRange, ...]:
        """The ranges of the resource that are ``extent`` of the frame, without item headers."""
        whole = self.resource_range(extent)
        if not self.fragments or whole.stop is None:
            return (whole,)
        clipped = (
            (max(run.start, whole.start), min(run.stop or 0, whole.stop)) for run in self.fragments
        )
        return tuple(ByteRange(start, stop) for start, stop in clipped if start < stop)

    def _runs(self) -> Iterator[tuple[int, int | None]]:
        """Start and size of each contiguous run."""
        if not self.fragments:
            yield self.start, self.length
        for run in self.fragments:
            yield run.start, run.length


@dataclass(frozen=True, slots=True)
class HeadPiece:
    """Part of a frame that also lies in the heads file of its series, at byte ``start`` of it.

    It is the frame's bytes from where its previous piece ends (else from the first) to ``stop``.
    """

    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class Representation:
    """The same frame in another form: smaller, or lossy, under a name of its own.

    ``exact`` tells that it has all pixels, losslessly.
    """

    name: str
    image: ImageAttributes
    extent: FrameExtent
    coding: Coding
    exact: bool = False


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame: what it is, where it lies, how it is coded, and in which other forms it exists.

    ``instance_number`` is that of its instance, 0 where nothing tells it.
    """

    image: ImageAttributes
    extent: FrameExtent
    coding: Coding = HTJ2K_CODING
    heads: tuple[HeadPiece, ...] = ()
    representations: tuple[Representation, ...] = ()
    instance_number: int = 0


@dataclass(frozen=True, slots=True)
class Limit:
    """How much of every frame is wanted for now.

    ``stop``: no byte from this offset of the frame on, None for all. ``levels_below``: no level
    finer than so many below the full image.
    """

    stop: int | None = None
    levels_below: int = 0


@dataclass(frozen=True, slots=True)
class Series:
    """Frames in the order of display.

    ``heads_url`` is the heads file, empty if there is none. ``transfer_syntax_uid`` is that of the
    first frame; each frame's own is in its coding. ``limit`` is what the ``src`` asks for, None for
    everything. ``notices`` say in plain words what is missing or odd.
    """

    frames: tuple[Frame, ...]
    series_instance_uid: str = ""
    modality: str = ""
    description: str = ""
    number: int | None = None
    transfer_syntax_uid: str = ""
    heads_url: str = ""
    limit: Limit | None = None
    notices: tuple[str, ...] = ()

    @property
    def reversible(self) -> bool:
        """Whether the final pictures are lossless as far as their transfer syntaxes tell."""
        return all(frame.coding.reversible for frame in self.frames)


@dataclass(frozen=True, slots=True)
class Part:
    """A small piece of a resource, and what its answer told of the whole.

    ``data`` is shorter than asked for where the resource ends. ``total_bytes`` is None where the
    server hides it. ``version`` is the ETag, else Last-Modified, else empty. ``ranges`` False: this
    server sends whole resources.
    """

    data: bytes
    total_bytes: int | None
    version: str
    ranges: bool


class Resources(Protocol):
    """What a source may ask for while it opens: small resources, small ranges, head starts.

    ``accept`` is the Accept header to ask with, empty for none.
    """

    async def whole(self, url: str, *, limit_bytes: int, accept: str = "") -> bytes:
        """All bytes of a resource.

        Raises:
            TransportError: it did not come.
            LimitExceeded: it is larger than ``limit_bytes``.
        """

    async def part(
        self, url: str, extent: ByteRange, *, version: str | None = None, accept: str = ""
    ) -> Part:
        """A range of at most `ports.MAX_READ_BYTES`, of a known version if one is given.

        Raises:
            TransportError: it did not come; ResourceChanged: it is of another version.
        """

    def head_start(self, url: str) -> None:
        """Let the bytes of a frame's resource come while its metadata is still on the way."""

    async def need(self, package: str) -> None:
        """Make an optional Python package importable."""

    def notice(self, text: str) -> None:
        """Tell the reader, in plain words, what is left out of the whole ``src``."""


class Source(Protocol):
    """One kind of ``src``."""

    async def open(self, resources: Resources) -> tuple[Series, ...]:
        """Find the series behind a ``src``, at least one with at least one frame.

        Raises:
            TransportError, FormatError: what is needed to plan the load is missing or broken.
        """
