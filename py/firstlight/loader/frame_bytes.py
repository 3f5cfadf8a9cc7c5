"""Where a frame's bytes are: the stretch of its resource that is fetched, and what in it is frame.

Two ways of counting meet here. The scheduler counts from the first byte *fetched* for a frame
(stream offsets). A codestream's index counts from the first byte *of the frame*. They differ where
something is wrapped around or between: a multipart head, a file format's boxes, item headers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from firstlight.dicom.frames import ITEM_HEADER_BYTES
from firstlight.ports import Piece
from firstlight.ranges import ByteRange

if TYPE_CHECKING:
    from firstlight.loader.forms import Form


@dataclass(slots=True)
class _Held:
    """What one segment holds, in offsets of the frame's resource.

    ``shift`` more is the offset in the segment's own resource, which may be another one.
    """

    segment: int
    start: int
    stop: int
    shift: int = 0
    is_borrowed: bool = False


class FrameBytes:
    """The bytes of one form of a frame.

    ``payload`` is what is known of where in them the frame lies, ``coding`` how it is coded, None
    while its first bytes have not told.
    """

    def __init__(self, form: Form) -> None:
        self.form = form
        self.extent = extent = form.extent
        self.payload = extent
        self.coding = form.coding
        self._base = extent.start - (0 if extent.item_checked else ITEM_HEADER_BYTES)
        self._held: list[_Held] = []

    @property
    def length(self) -> int | None:
        """How many bytes have to be fetched for all of the frame, None while unknown."""
        if self.payload.length is None:
            return None
        return self.stream_stop(self.payload.length)

    @property
    def is_wrapped(self) -> bool:
        """Whether the first bytes must be looked at to know where the frame begins."""
        unknown = self.form.coding is None
        return unknown or bool(self.extent.framing) or not self.extent.item_checked

    @property
    def known_ends(self) -> tuple[int, ...]:
        """Where the levels end, in the stream, as far as the source tells."""
        if self.is_wrapped:
            return ()
        if not self.extent.fragments:
            return self.extent.level_ends
        return tuple(map(self.stream_stop, self.extent.level_ends))

    # -- between the two ways of counting, and the resource's own --------------------------------

    def resource_range(self, stream: ByteRange) -> ByteRange:
        """A stretch of the stream in offsets of the resource."""
        return stream.shifted(self._base)

    def resource_offset(self, stream_offset: int) -> int:
        """A stream offset in the resource."""
        return stream_offset + self._base

    def stream_offset(self, resource_offset: int) -> int:
        """An offset of the resource in the stream."""
        return max(0, resource_offset - self._base)

    def stream_stop(self, frame_stop: int) -> int:
        """How much of the stream must be held for the first ``frame_stop`` bytes of the frame."""
        if frame_stop == 0:
            return 0
        return self.payload.resource_offset(frame_stop - 1) + 1 - self._base

    def frame_stop(self, stream_stop: int) -> int:
        """How many bytes of the frame are in the first ``stream_stop`` of the stream."""
        return self.payload.frame_offset(stream_stop + self._base)

    def unwrap(self, start: int, length: int | None) -> None:
        """The frame begins at stream offset ``start``, as one run."""
        self.payload = replace(
            self.payload, start=start + self._base, length=length, fragments=(), level_ends=()
        )

    def join(self, fragments: tuple[ByteRange, ...], length: int) -> None:
        """The frame is these ranges of the resource, joined."""
        self.payload = replace(
            self.payload, start=fragments[0].start, length=length, fragments=fragments
        )

    # -- segments -------------------------------------------------------------------------------

    def begin(self, segment: int, stream_start: int) -> None:
        """A new request continues the stream."""
        start = stream_start + self._base
        self._held.append(_Held(segment, start, start))

    def advance(self, segment: int, resource_stop: int) -> None:
        """A segment now holds bytes up to an offset of the resource."""
        for held in self._held:
            if held.segment == segment and not held.is_borrowed:
                held.stop = max(held.stop, resource_stop)

    def borrow(self, segment: int, start: int, frame: ByteRange) -> None:
        """A segment of the heads file holds a stretch of the frame, from its byte ``start`` on."""
        at = self.payload.start + frame.start
        stop = self.payload.start + (frame.stop or 0)
        self._held.append(_Held(segment, at, stop, start - at, is_borrowed=True))

    def forget(self, *, keep_borrowed: bool = False) -> list[int]:
        """Nothing is held any more; the segments of its own that did.

        ``keep_borrowed``: the heads stay, and so does what is known of the frame.
        """
        own = [held.segment for held in self._held if not held.is_borrowed]
        self._held = [held for held in self._held if keep_borrowed and held.is_borrowed]
        if not keep_borrowed:
            self.payload, self.coding = self.extent, self.form.coding
        return own

    def stream_pieces(self, stream: ByteRange) -> tuple[Piece, ...]:
        """The pieces of segments that are a stretch of the stream, wrapping included.

        Raises:
            LookupError: not all of it is held.
        """
        return tuple(self._cover(self.resource_range(stream)))

    def frame_pieces(self, frame: ByteRange) -> tuple[Piece, ...]:
        """The pieces of segments that are a stretch of the frame, without what lies between.

        Raises:
            LookupError: not all of it is held.
        """
        return tuple(piece for run in self.payload.pieces(frame) for piece in self._cover(run))

    def _cover(self, run: ByteRange) -> list[Piece]:
        at, stop = run.start, run.stop
        found: list[Piece] = []
        for held in sorted(self._held, key=lambda held: held.start):
            if stop is None or at >= stop:
                break
            if held.start <= at < held.stop:
                until = min(held.stop, stop)
                part = ByteRange(at, until).shifted(held.shift)
                found.append(Piece(held.segment, part))
                at = until
        if at != stop:
            raise LookupError(f"bytes {run} of the resource are not held from {at} on")
        return found
