"""Finds the frames of encapsulated Pixel Data (PS3.5 A.4) by walking item headers."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

from firstlight.dicom.elements import ITEM, SEQUENCE_DELIMITER, UNDEFINED_LENGTH
from firstlight.dicom.frames import (
    ITEM_HEADER_BYTES,
    FramePlace,
    check_count,
    frames_of_basic_table,
    frames_of_extended_table,
    grows_from_zero,
    offsets_from,
)
from firstlight.dicom.window import ByteWindow
from firstlight.errors import LimitExceeded, NotDicom
from firstlight.ranges import ByteRange

if TYPE_CHECKING:
    from collections.abc import Sequence

    from firstlight.dicom.window import Asking

MAX_FRAGMENTS_PER_FRAME: Final = 4096
MAX_TABLE_BYTES: Final = 1 << 22

_SMALL_FRAGMENT_BYTES: Final = 1 << 13
_SMALL_READ_BYTES: Final = 1 << 15
"""Behind a small fragment several headers come with one read; behind a large one only its own."""

_EDGE_BYTES: Final = 4
_STARTS: Final = (b"\xff\xd8\xff", b"\xff\x4f\xff\x51", b"\x00\x00\x00\x0c")
"""SOI and a marker, SOC and SIZ, the signature box of a JP2 file."""

_END: Final = b"\xff\xd9"
"""EOI of JPEG and JPEG-LS, EOC of JPEG 2000: nothing else in entropy-coded data looks like it."""


class Tables(NamedTuple):
    """The Extended Offset Table (7FE0,0001) and its Lengths (7FE0,0002), empty where absent."""

    offsets: bytes = b""
    lengths: bytes = b""


class Fragment(NamedTuple):
    """One item's value, and whether it begins and ends like a whole stream."""

    start: int
    stop: int
    begins_stream: bool
    ends_stream: bool


def encapsulated_frames(
    window: ByteWindow, at: int, frame_count: int, tables: Tables
) -> Asking[tuple[FramePlace, ...]]:
    """Places of all frames; ``at`` is where the Basic Offset Table's item begins.

    An Extended Offset Table is believed. A Basic one is believed as to where frames begin; whether
    each is one fragment is checked for the first and the last, and by a full walk if one of the
    two is not. Without a table every item header is visited.

    Raises:
        NotDicom: the items contradict each other, Number of Frames, or the end of the file.
        LimitExceeded: too many frames or fragments.
    """
    check_count(frame_count, resource=window.resource)
    tag, length = yield from _item(window, at, _SMALL_READ_BYTES)
    if tag != ITEM or length > MAX_TABLE_BYTES:
        raise NotDicom("Pixel Data without a Basic Offset Table item", resource=window.resource)
    first_item = at + ITEM_HEADER_BYTES + length
    extended = offsets_from(tables.offsets, 8), offsets_from(tables.lengths, 8)
    if _is_sound(extended[0], frame_count) and len(extended[1]) == frame_count:
        places = frames_of_extended_table(first_item, *extended)
        if _fits(window, places):
            return places
    if length >= 4 and frame_count > 1:
        yield from window.need(at, first_item + ITEM_HEADER_BYTES, ITEM_HEADER_BYTES)
        offsets = offsets_from(window.take(at + ITEM_HEADER_BYTES, first_item), 4)
        if _is_sound(offsets, frame_count):
            found = yield from _by_basic_table(window, first_item, offsets)
            if found is not None:
                return found
    fragments = yield from _walk(window, first_item, frame_count * MAX_FRAGMENTS_PER_FRAME)
    return _group(fragments, frame_count, resource=window.resource)


def _is_sound(offsets: Sequence[int], frame_count: int) -> bool:
    return len(offsets) == frame_count and grows_from_zero(offsets)


def _fits(window: ByteWindow, places: tuple[FramePlace, ...]) -> bool:
    """Whether frames do not run into each other, nor out of the file's beginning or end."""
    total = window.total_bytes
    pairs = pairwise(places)
    return all(a.start + a.length + ITEM_HEADER_BYTES <= b.start for a, b in pairs) and (
        total is None or places[-1].start + places[-1].length <= total
    )


def _by_basic_table(
    window: ByteWindow, first_item: int, offsets: Sequence[int]
) -> Asking[tuple[FramePlace, ...] | None]:
    """Frames by the table, None where it is wrong or frames have several fragments."""
    tag, length = yield from _item(window, first_item, 0)
    if tag != ITEM or length + ITEM_HEADER_BYTES != offsets[1]:
        return None
    last_item = first_item + offsets[-1]
    if not (yield from window.reach(last_item, last_item + ITEM_HEADER_BYTES)):
        return None
    fragments = yield from _walk(window, last_item, MAX_FRAGMENTS_PER_FRAME)
    if not fragments:
        return None
    last = _joined(fragments)
    places = frames_of_basic_table(first_item, offsets, last)
    first = FramePlace(places[0].start, places[0].length)
    return (first, *places[1:])


class FragmentReader:
    """Finds the fragments of one frame that an offset table gives and that has several.

    It is what remains to do where `frames.check_item` is False: it says which bytes it wants, is
    fed, and at the end has a ``place`` that is certain. It does no I/O.
    """

    def __init__(self, place: FramePlace, *, resource: str | None = None) -> None:
        self.place = place
        self._window = ByteWindow(None, resource=resource)
        self._reading = self._read()
        self._wanted: ByteRange | None = next(self._reading)

    @property
    def wanted(self) -> ByteRange | None:
        """The bytes to be fed next, None when all is known."""
        return self._wanted

    def feed(self, start: int, data: bytes) -> None:
        """Take the bytes wanted.

        Raises:
            NotDicom: the items do not end where the frame does.
        """
        self._window.feed(start, data)
        try:
            self._wanted = next(self._reading)
        except StopIteration:
            self._wanted = None

    def _read(self) -> Asking[None]:
        first = self.place.start - ITEM_HEADER_BYTES
        stop = self.place.start + self.place.length
        fragments = yield from _walk(self._window, first, MAX_FRAGMENTS_PER_FRAME, stop)
        if not fragments or fragments[-1].stop != stop:
            text = "the fragments of a frame do not end where the next one begins"
            raise NotDicom(text, resource=self._window.resource)
        self.place = _joined(fragments)


def _walk(
    window: ByteWindow, at: int, most: int, stop: int | None = None
) -> Asking[list[Fragment]]:
    """All fragments from the item at ``at`` to the delimiter, or up to ``stop``."""
    fragments: list[Fragment] = []
    read_bytes = 0
    while stop is None or at < stop:
        if fragments and window.total_bytes == at + ITEM_HEADER_BYTES:
            break  # room for nothing but the delimiter
        before = min(_EDGE_BYTES, at - window.start) if fragments else 0
        window.forget(at - before)
        if not (yield from window.reach(at - before, at + ITEM_HEADER_BYTES, read_bytes)):
            # Some writers leave the delimiter out, some files are cut: what is there counts.
            if fragments:
                break
            raise NotDicom(f"no item header at byte {at}", resource=window.resource)
        fragments[-1:] = [_ended(window, fragment) for fragment in fragments[-1:]]
        tag, length = yield from _item(window, at, read_bytes)
        if tag == SEQUENCE_DELIMITER:
            break
        if tag != ITEM or length == UNDEFINED_LENGTH:
            raise NotDicom(f"no item of Pixel Data at byte {at}", resource=window.resource)
        if len(fragments) >= most:
            raise LimitExceeded(f"more than {most} fragments", resource=window.resource)
        fragment = yield from _begun(window, at + ITEM_HEADER_BYTES, length)
        fragments.append(fragment)
        read_bytes = _SMALL_READ_BYTES if length <= _SMALL_FRAGMENT_BYTES else 0
        at = fragment.stop
    return fragments


def _item(window: ByteWindow, at: int, read_bytes: int) -> Asking[tuple[int, int]]:
    """Tag and length of an item header."""
    yield from window.need(at, at + ITEM_HEADER_BYTES, read_bytes)
    data = window.take(at, at + ITEM_HEADER_BYTES)
    tag = int.from_bytes(data[0:2], "little") << 16 | int.from_bytes(data[2:4], "little")
    return tag, int.from_bytes(data[4:8], "little")


def _begun(window: ByteWindow, start: int, length: int) -> Asking[Fragment]:
    yield from window.reach(start, start + min(length, _EDGE_BYTES))
    head = window.take(start, start + min(length, _EDGE_BYTES))
    return Fragment(start, start + length, head.startswith(_STARTS), ends_stream=False)


def _ended(window: ByteWindow, fragment: Fragment) -> Fragment:
    """The fragment with what its last bytes say, which came with the next item's header."""
    first = max(fragment.start, fragment.stop - _EDGE_BYTES, window.start)
    tail = window.take(first, fragment.stop).rstrip(b"\x00")
    return fragment._replace(ends_stream=tail.endswith(_END))


def _group(
    fragments: list[Fragment], frame_count: int, *, resource: str | None
) -> tuple[FramePlace, ...]:
    """Fragments to frames, where no table tells.

    Certain are one fragment a frame, and all fragments of the only frame. Else a frame ends where
    one fragment ends with EOI or EOC and the next begins with SOI or SOC; that is believed if it
    gives the number of frames announced.
    """
    if frame_count == 1 and fragments:
        return (_joined(fragments),)
    if len(fragments) == frame_count:
        return tuple(_joined([fragment]) for fragment in fragments)
    frames: list[list[Fragment]] = []
    for fragment in fragments:
        if not frames or (frames[-1][-1].ends_stream and fragment.begins_stream):
            frames.append([])
        frames[-1].append(fragment)
    if len(frames) != frame_count:
        text = f"{len(fragments)} fragments for {frame_count} frames, and no offset table"
        raise NotDicom(text, resource=resource)
    return tuple(_joined(frame) for frame in frames)


def _joined(fragments: Sequence[Fragment]) -> FramePlace:
    """One frame of one or more fragments; empty ones do not count."""
    held = [ByteRange(f.start, f.stop) for f in fragments if f.stop > f.start]
    if len(held) <= 1:
        start = held[0].start if held else fragments[0].start
        return FramePlace(start, (held[0].length or 0) if held else 0)
    return FramePlace(held[0].start, sum(f.length or 0 for f in held), fragments=tuple(held))
