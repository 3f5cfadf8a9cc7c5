"""What the outside world must satisfy: Protocols, and the plain records that cross them.

Everything here is scalars. Compressed bytes stay with the transport, pixels with the page; Python
names them by handle. The one exception is `Transport.read`, a bounded look at a header.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from firstlight.dicom.attributes import ImageAttributes
    from firstlight.errors import FirstlightError
    from firstlight.ranges import ByteRange

MAX_READ_BYTES = 1 << 20
"""Upper bound of one `Transport.read`: headers and packet headers, never pixels."""


@dataclass(frozen=True, slots=True)
class FetchOrder:
    """One HTTP exchange.

    ``segment`` is the handle, chosen by the caller and never reused, under which the transport
    keeps what arrives. ``milestones`` are offsets in the resource; the sink is told as soon as
    every byte before one of them is held. ``version`` is what an earlier `Opened` reported: an
    answer of another version fails with ResourceChanged. ``priority`` is the browser's hint,
    ``accept`` the Accept header, empty for the default. ``whole``: a text that is read as a whole,
    without a Range header, so that the answer may be compressed.
    """

    segment: int
    url: str
    extent: ByteRange
    milestones: tuple[int, ...] = ()
    version: str | None = None
    priority: Literal["high", "auto", "low"] = "auto"
    accept: str = ""
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Opened:
    """The answer's head arrived.

    ``extent`` is what will really be held: the range asked for, cut at the end of the resource.
    ``total_bytes`` is the size of the whole resource, None where the server hides it.
    ``version`` is the ETag, else Last-Modified, else the empty string.
    ``ranges`` tells whether the server honoured the range (206) or sent everything (200).
    """

    segment: int
    extent: ByteRange
    total_bytes: int | None
    version: str
    ranges: bool


@dataclass(frozen=True, slots=True)
class Milestone:
    """Every byte of the segment before ``stop`` (an offset in the resource) is held."""

    segment: int
    stop: int


@dataclass(frozen=True, slots=True)
class Closed:
    """The exchange is over, by itself or because it was cancelled; bytes up to ``stop`` stay."""

    segment: int
    stop: int
    cancelled: bool


@dataclass(frozen=True, slots=True)
class Failed:
    """The exchange failed; bytes up to ``stop`` stay held and usable."""

    segment: int
    stop: int
    error: FirstlightError


TransportEvent = Opened | Milestone | Closed | Failed


class Transport(Protocol):
    """Performs HTTP exchanges and keeps the bytes; reports to one sink, in order per segment.

    For every order the sink gets at most one `Opened`, then milestones in growing order, then
    exactly one of `Closed` and `Failed`. A server that ignores the range is not an error: the
    bytes before the range are dropped as they come, `Opened.ranges` is False.
    """

    def listen(self, sink: Callable[[TransportEvent], None]) -> None:
        """Name the one receiver of events."""

    def fetch(self, order: FetchOrder) -> None:
        """Start an exchange; returns at once."""

    def watch(self, segment: int, milestones: tuple[int, ...]) -> None:
        """Add milestones to an order; those already passed are reported at once."""

    def cancel(self, segment: int) -> None:
        """Abort an exchange; `Closed` follows unless it was over already."""

    async def read(self, segment: int, extent: ByteRange) -> bytes:
        """Copy held bytes of at most `MAX_READ_BYTES`; ``extent`` counts in the resource.

        Raises:
            LookupError: those bytes are not held.
        """

    def release(self, segment: int) -> None:
        """Forget a segment and its bytes; aborts it if it still runs."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Part of a frame's compressed prefix: bytes ``extent`` (in the resource) of a segment."""

    segment: int
    extent: ByteRange


@dataclass(frozen=True, slots=True)
class DecodeOrder:
    """One decode: the concatenated pieces, to be reconstructed at one resolution level.

    ``image`` describes the full image; the codec checks the codestream against it before it takes
    memory and returns ``ceil(rows / 2**(D - resolution_level))`` rows. ``inflated``: the pieces are
    a raw deflate stream (RFC 1951), the frame is that range of what comes out. ``first_bit``: bits
    to skip in the first byte of a frame of single bits. ``has_own_size``: the pieces are another
    representation of the frame (a thumbnail), whose size is its own; ``image`` says the most it may
    be. ``truncated``: the pieces end before the level does, and what is there is to be shown; HTJ2K
    may end anywhere, JPEG 2000 at the end of a lower level, other codings not at all.
    ``representation`` (0: the frame itself) and ``quality`` (a name of `retrieve.status.Quality`)
    say for the page what the picture counts as. ``region``: a window of that level only, and how
    the pieces make it (`j2k.region.RegionPlan.message`); what comes of it is no picture of the
    frame, but lies over it.
    """

    job: int
    series_index: int
    frame_index: int
    codec: str
    pieces: tuple[Piece, ...]
    resolution_level: int
    decomposition_levels: int
    image: ImageAttributes
    inflated: ByteRange | None = None
    first_bit: int = 0
    has_own_size: bool = False
    truncated: bool = False
    representation: int = 0
    quality: str = ""
    region: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True)
class Decoded:
    """A job is done; its pixels are with the page, which holds ``stored_bytes`` for them."""

    job: int
    stored_bytes: int
    elapsed_ms: float


@dataclass(frozen=True, slots=True)
class DecodeFailed:
    """A job failed."""

    job: int
    error: FirstlightError


DecodeEvent = Decoded | DecodeFailed


class DecoderPool(Protocol):
    """Runs decode jobs in the order given on ``capacity`` workers; reports to one sink.

    The caller keeps the queue: it hands over no more jobs than `capacity`, or a few very small ones
    in the place of each, so that the order can still be changed for all others.
    """

    @property
    def capacity(self) -> int:
        """How many jobs may be handed over before one is reported."""

    def listen(self, sink: Callable[[DecodeEvent], None]) -> None:
        """Name the one receiver of events."""

    def decode(self, order: DecodeOrder) -> None:
        """Hand over one job; returns at once."""


class Page(Protocol):
    """The page's side: it is told facts to show, and holds the decoded arrays."""

    def evict(self, frame_index: int) -> None:
        """Drop the decoded array of a frame."""

    def publish(self, kind: str, record: object) -> None:
        """Tell the page something (JSON values): the series, a frame's state, an error."""


class Clock(Protocol):
    """A monotonic time in milliseconds."""

    def now_ms(self) -> float:
        """Milliseconds since an arbitrary start; never goes back."""
