"""Which segment holds what: the bytes of every frame's forms, and the heads file's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from firstlight.errors import FormatError
from firstlight.loader.forms import form_of, origin_of
from firstlight.loader.frame_bytes import FrameBytes
from firstlight.loader.region_view import REGION_CODEC, vast_levels_below
from firstlight.ranges import ByteRange
from firstlight.schedule.heads import HeadsPiece
from firstlight.schedule.ledgers import FrameFacts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from firstlight.sources.base import Series

Key = tuple[int, int]
"""Frame index and representation."""


@dataclass(slots=True)
class Exchange:
    """What a segment was asked for: by which request, for whom, up to where.

    ``asked_stop`` counts in the stream of a frame. ``pieces`` are those of the heads file that are
    still to come, for which ``key`` is None.
    """

    request: int
    key: Key | None
    asked_stop: int | None
    pieces: tuple[HeadsPiece, ...] = ()
    done: int = 0


class Streams:
    """The `FrameBytes` of every representation that was begun, and the segments under way.

    ``variants`` gives the frames paths and URL arguments by the number of their representation.
    Of frames of more than ``whole_samples`` the finest levels come by window, where they can be
    (`loader.region`); ``has_vast`` tells that there was one.
    """

    def __init__(
        self,
        series: Series,
        variants: Callable[[], Mapping[tuple[str, str], int]],
        whole_samples: int | None = None,
    ) -> None:
        self._series = series
        self._variants = variants
        self._bytes: dict[Key, FrameBytes] = {}
        self._exchanges: dict[int, Exchange] = {}
        self._segments: dict[int, int] = {}
        self.versions: dict[str, str] = {}
        self.heads_url = series.heads_url
        self._whole_samples = whole_samples
        self.has_vast = False

    def of(self, key: Key) -> FrameBytes:
        """The bytes of one representation of a frame.

        Raises:
            FormatError: the frame has no such representation.
        """
        found = self._bytes.get(key)
        if found is None:
            index, representation = key
            names = {number: name for name, number in self._variants().items()}
            form = form_of(self._series.frames[index], *names[representation])
            found = self._bytes[key] = FrameBytes(form)
        return found

    def url(self, key: Key) -> str:
        """The address of a representation, that of the frame itself where it has none."""
        try:
            return self.of(key).extent.url
        except FormatError:
            return self._series.frames[key[0]].extent.url

    def facts(self, index: int, representation: int) -> FrameFacts:
        """What the source tells of a representation."""
        try:
            frame = self.of((index, representation))
        except FormatError:
            return FrameFacts()  # its request will fail with that
        image, limit = frame.form.image, self._series.limit if representation == 0 else None
        ends = frame.known_ends
        whole_below = self._whole_below(frame) if representation == 0 else 0
        return FrameFacts(
            level_ends=ends,
            length=None if frame.extent.framing or ends else frame.length,
            side_px=max(image.rows, image.columns),
            scalable=frame.coding is None or frame.coding.scalable,
            origin=origin_of(frame.extent.url),
            limit_stop=None if limit is None else limit.stop,
            levels_below=0 if limit is None else limit.levels_below,
            whole_below=whole_below,
        )

    def _whole_below(self, frame: FrameBytes) -> int:
        """How many levels below the full image a frame is loaded whole; 0: all of it is."""
        by_window = frame.coding is not None and frame.coding.codec == REGION_CODEC
        if self._whole_samples is None or not by_window or frame.extent.inflated is not None:
            return 0
        below = vast_levels_below(frame.form.image, self._whole_samples)
        self.has_vast = self.has_vast or below > 0
        return below

    # -- segments -------------------------------------------------------------------------------

    def begin(self, segment: int, request: int, key: Key, stream: ByteRange) -> FrameBytes:
        """A request of a frame becomes a segment."""
        frame = self.of(key)
        self._exchanges[segment] = Exchange(request, key, stream.stop)
        self._segments[request] = segment
        frame.begin(segment, stream.start)
        return frame

    def begin_heads(self, segment: int, request: int, pieces: tuple[HeadsPiece, ...]) -> None:
        """A request of the heads file becomes a segment."""
        self._exchanges[segment] = Exchange(request, None, None, pieces)
        self._segments[request] = segment

    def exchange(self, segment: int) -> Exchange | None:
        """What a segment was asked for, None for one of somebody else."""
        return self._exchanges.get(segment)

    def segment(self, request: int) -> int:
        """The segment of a request."""
        return self._segments[request]

    def heads_arrived(self, segment: int, exchange: Exchange, stop: int) -> None:
        """The heads file is held up to ``stop``: its pieces are their frames' now."""
        pieces = exchange.pieces
        while exchange.done < len(pieces) and pieces[exchange.done].stop <= stop:
            piece = pieces[exchange.done]
            exchange.done += 1
            extent = ByteRange(piece.frame_start, piece.frame_stop)
            self.of((piece.frame_index, 0)).borrow(segment, piece.start, extent)

    def forget(self, key: Key, *, keep_heads: bool) -> list[int]:
        """A frame's bytes are dropped; the segments that may be released."""
        frame = self.of(key)
        segments = frame.forget(keep_borrowed=keep_heads)
        for segment in segments:
            exchange = self._exchanges.pop(segment)
            self._segments.pop(exchange.request, None)
        self.versions.pop(frame.extent.url, None)
        return segments

    def forget_all(self) -> Iterator[int]:
        """Nothing is held any more; the segments that did."""
        yield from self._exchanges
        self._exchanges.clear()
        self._segments.clear()


def heads_pieces(series: Series) -> list[HeadsPiece]:
    """What lies where in the heads file of a series."""
    if not series.heads_url:
        return []
    found = []
    for index, frame in enumerate(series.frames):
        before = 0
        for piece in frame.heads:
            found.append(HeadsPiece(piece.start, index, before, piece.stop))
            before = piece.stop
    return found
