"""What is known of one frame whose finest levels come by window, and how that is found out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from firstlight.errors import MalformedCodestream
from firstlight.j2k.region import RegionIndex
from firstlight.loader.region_bytes import RegionBytes

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from firstlight.dicom.attributes import ImageAttributes
    from firstlight.errors import FirstlightError
    from firstlight.j2k.region import RegionPlan
    from firstlight.loader.frame_bytes import FrameBytes
    from firstlight.loader.region_view import View
    from firstlight.ports import Piece, Transport
    from firstlight.ranges import ByteRange
    from firstlight.schedule.states import FrameLedger


@dataclass(slots=True)
class VastFrame:
    """A frame, and the stretches of its resource that windows of it brought.

    ``index`` is None before anything is known of its packets, ``is_known`` says that all is.
    ``error`` is why what is on screen is not sharper than it is, ``attempts`` how often a request
    has failed for it.
    """

    ledger: FrameLedger
    bytes: FrameBytes
    stretches: RegionBytes = field(default_factory=RegionBytes)
    index: RegionIndex | None = None
    is_known: bool = False
    error: FirstlightError | None = None
    attempts: int = 0

    @property
    def image(self) -> ImageAttributes:
        """What DICOM says of the full image."""
        return self.bytes.form.image

    @property
    def whole_level(self) -> int:
        """The largest level that is loaded whole."""
        return max(0, self.ledger.final_level - self.ledger.whole_below)

    @property
    def is_held(self) -> bool:
        """Whether all bytes of that level are here."""
        return self.ledger.fetched_level >= self.whole_level

    @property
    def is_ready(self) -> bool:
        """Whether windows of it can be had now."""
        return self.is_known and self.is_held and self.ledger.whole_below > 0

    @property
    def base_level(self) -> int:
        """The level that is decoded whole for every window; 0 before the header is read."""
        if self.index is None:
            return 0
        first = self.index.missing(0, 0)
        if first is not None and first.start == 0:
            return 0
        return min(self.index.base_level(), self.whole_level)

    def in_prefix(self, run: ByteRange) -> bool:
        """Whether a range of the frame is held with the levels that were loaded whole."""
        return run.stop is not None and run.stop <= self.bytes.frame_stop(self.ledger.held_stop)

    def beyond(self, plan: RegionPlan) -> tuple[ByteRange, ...]:
        """The ranges of the resource that a plan needs besides."""
        payload = self.bytes.payload
        return tuple(
            part
            for step in plan.steps
            for run in step.runs
            if not self.in_prefix(run)
            for part in payload.pieces(run)
        )

    def pieces(self, run: ByteRange) -> tuple[Piece, ...]:
        """The pieces that are a range of the frame.

        Raises:
            LookupError: not all of it is held.
        """
        if self.in_prefix(run):
            return self.bytes.frame_pieces(run)
        parts = self.bytes.payload.pieces(run)
        return tuple(piece for part in parts for piece in self.stretches.pieces(part))


@dataclass(slots=True)
class Goal:
    """A window to be had: the plans for its level and for those below, down to the whole one.

    ``plans`` and ``runs``, what each needs, are the lowest level's first. ``shown_level`` is the
    finest that the page has.
    """

    frame: VastFrame
    view: View
    plans: tuple[RegionPlan, ...]
    runs: tuple[tuple[ByteRange, ...], ...]
    shown_level: int = -1

    @property
    def all_runs(self) -> tuple[ByteRange, ...]:
        """Every range, in the order in which they are of use."""
        return self.runs[-1]

    def best_held(self) -> RegionPlan | None:
        """The plan for the finest level that can be decoded now."""
        found = None
        for plan, runs in zip(self.plans, self.runs, strict=True):
            if not all(map(self.frame.stretches.holds, runs)):
                break
            found = plan
        return found


async def study(
    frame: VastFrame, transport: Transport, fetch: Callable[[ByteRange], Awaitable[bytes]]
) -> bool:
    """Find out where its packets lie, as far as that can be; False: windows cannot be had.

    What the prefix does not tell is asked for when the whole level is here. ``fetch`` brings a
    range of the frame.

    Raises:
        TransportError: a range did not come.
        LookupError: the frame's first bytes are not held any more.
    """
    if not frame.ledger.described or len(frame.ledger.level_ends) != len(frame.ledger.levels):
        return not frame.is_held  # with all these bytes here it should have been told
    if frame.index is None:
        ends = tuple(map(frame.bytes.frame_stop, frame.ledger.level_ends))
        frame.index = RegionIndex(ends, resource=frame.bytes.extent.url)
    index = frame.index
    try:
        while (wanted := index.missing(frame.ledger.final_level, frame.base_level)) is not None:
            data = await _bytes(frame, wanted, transport, fetch)
            if data is None:
                return True
            index.feed(wanted.start, data)
            if index.refusal is not None:
                return False
    except MalformedCodestream:
        return False  # whether that is so of the picture too is for the decoder to say
    frame.is_known = True
    # another size than DICOM announces is for the decoder to refuse, as with any image
    return index.size(frame.ledger.final_level) == (frame.image.columns, frame.image.rows)


async def _bytes(
    frame: VastFrame,
    wanted: ByteRange,
    transport: Transport,
    fetch: Callable[[ByteRange], Awaitable[bytes]],
) -> bytes | None:
    """A range of the frame; None while it is better to wait for the whole level."""
    if frame.in_prefix(wanted):
        pieces = frame.bytes.frame_pieces(wanted)
        return b"".join([await transport.read(piece.segment, piece.extent) for piece in pieces])
    return await fetch(wanted) if frame.is_held else None
