"""Finds out what a frame is from its first bytes: where it begins, and where its levels end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from firstlight.dicom.codecs import coding_of
from firstlight.dicom.fragments import FragmentReader
from firstlight.dicom.frames import ITEM_HEADER_BYTES, FramePlace, check_item
from firstlight.dicom.sniff import sniffed_syntax
from firstlight.dicomweb.multipart import TAIL_BYTES, is_multipart, payload_stop, read_part_head
from firstlight.errors import MalformedCodestream, UnsupportedTransferSyntax
from firstlight.j2k.index import IndexReader
from firstlight.j2k.markers import NeedMore, codestream_start
from firstlight.ranges import ByteRange
from firstlight.schedule.events import Described

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from firstlight.loader.frame_bytes import FrameBytes
    from firstlight.ports import Piece

HEAD_BYTES: Final = 4096
"""A multipart head, or the boxes before a codestream: both are a few hundred bytes."""


class Describer:
    """Reads one frame's structure as its bytes come; offsets it reports count in the stream.

    ``key`` is frame index and representation. ``read`` copies held bytes: headers, packet headers,
    never pixels. Of a frame whose coding is scalable a prefix decodes to a smaller image; others
    have one level.
    """

    def __init__(
        self,
        key: tuple[int, int],
        frame: FrameBytes,
        read: Callable[[tuple[Piece, ...]], Awaitable[bytes]],
    ) -> None:
        self._frame_index, self._representation = key
        self._frame = frame
        self._read = read
        self._begun = not frame.is_wrapped
        self._is_part = frame.extent.framing == "multipart"
        self._reader: IndexReader | None = None
        self.described: Described | None = None

    async def advance(self, held_stop: int, *, length: int | None, ended: bool) -> None:
        """Read on as far as ``held_stop`` bytes of the stream allow; ``ended``: there are no more.

        ``length`` is that of the whole stream, where known.

        Raises:
            FormatError: this is no such frame, it contradicts itself, or it is cut. `described`
                keeps what was known before.
        """
        if not self._begun:
            self._begun = await self._unwrap(held_stop, ended)
        if not self._begun:
            return
        if self._is_scalable:
            await self._read_index(held_stop, length, ended)
        else:
            self._one_level(length)

    @property
    def _is_scalable(self) -> bool:
        return self._frame.coding is not None and self._frame.coding.scalable

    # -- where the frame begins -----------------------------------------------------------------

    async def _unwrap(self, held_stop: int, ended: bool) -> bool:
        if self._frame.coding is None and not await self._recognise(held_stop, ended):
            return False
        if self._is_part:
            return await self._open_part(held_stop, ended)
        if self._frame.extent.item_checked:
            return True
        return await self._check_item(held_stop, ended)

    async def _recognise(self, held_stop: int, ended: bool) -> bool:
        """Nobody has said what this resource is: its first bytes do."""
        url = self._frame.extent.url
        data = await self._stream(0, min(held_stop, HEAD_BYTES))
        if len(data) < HEAD_BYTES and not ended:
            return False
        uid = ""
        self._is_part = is_multipart(data)
        if self._is_part:
            head = read_part_head(data, resource=url)
            assert head is not None
            uid, data = head.transfer_syntax_uid, data[head.payload_start :]
        uid = uid or sniffed_syntax(data)
        if not uid:
            raise UnsupportedTransferSyntax("nothing tells how it is coded", resource=url)
        self._frame.coding = coding_of(uid, resource=url)
        return True

    async def _open_part(self, held_stop: int, ended: bool) -> bool:
        url = self._frame.extent.url
        data = await self._stream(0, min(held_stop, HEAD_BYTES))
        head = read_part_head(data, resource=url)
        if head is None:
            if ended:
                raise MalformedCodestream(
                    "the body ends within its first part's head", resource=url
                )
            return False
        length = head.length
        if length is None and ended:
            tail = await self._stream(max(0, held_stop - TAIL_BYTES), held_stop)
            length = payload_stop(head, tail, held_stop) - head.payload_start
        if length is None and not self._is_scalable:
            return False
        self._frame.unwrap(head.payload_start, length)
        return True

    async def _check_item(self, held_stop: int, ended: bool) -> bool:
        """The offset table said where the frame lies, its item header says if in one piece."""
        extent = self._frame.extent
        if held_stop < ITEM_HEADER_BYTES:
            return False
        place = FramePlace(extent.start, extent.length or 0)
        if check_item(place, await self._stream(0, ITEM_HEADER_BYTES), resource=extent.url):
            return True
        if not ended:
            return False
        reader = FragmentReader(place, resource=extent.url)
        while (wanted := reader.wanted) is not None:
            start = self._frame.stream_offset(wanted.start)
            stop = self._frame.stream_offset(wanted.stop or wanted.start)
            reader.feed(wanted.start, await self._stream(start, min(stop, held_stop)))
        self._frame.join(reader.place.fragments, reader.place.length)
        return True

    # -- where its levels end -------------------------------------------------------------------

    def _one_level(self, length: int | None) -> None:
        stop = self._frame.length or length
        if stop is not None:
            self.described = Described(
                self._frame_index, (stop,), 1, complete=True, representation=self._representation
            )

    async def _read_index(self, held_stop: int, length: int | None, ended: bool) -> None:
        frame = self._frame
        held = frame.frame_stop(held_stop)
        if self._reader is None:
            if not await self._skip_boxes(held, ended):
                return
            held = frame.frame_stop(held_stop)
            size = frame.payload.length
            if size is None and length is not None:
                size = frame.frame_stop(length)
            self._reader = IndexReader(size, resource=frame.extent.url)
        try:
            await self._feed(self._reader, held, ended)
        finally:
            self._note(self._reader)

    async def _skip_boxes(self, held: int, ended: bool) -> bool:
        """A JP2 or JPH file: its codestream begins behind the boxes."""
        if self._frame.payload.fragments:
            return True
        url = self._frame.extent.url
        try:
            start = codestream_start(await self._of_frame(0, min(held, HEAD_BYTES)), resource=url)
        except NeedMore:
            if ended:
                raise MalformedCodestream("no codestream in it", resource=url) from None
            return False
        if start:
            length = self._frame.payload.length
            begin = self._frame.stream_stop(start)
            self._frame.unwrap(begin, None if length is None else length - start)
        return True

    async def _feed(self, reader: IndexReader, held: int, ended: bool) -> None:
        while (wanted := reader.wanted) is not None:
            stop = min(wanted.stop or held, held)
            if wanted.stop != stop and not ended:
                return
            present = stop > wanted.start
            reader.feed(wanted.start, await self._of_frame(wanted.start, stop) if present else b"")

    def _note(self, reader: IndexReader) -> None:
        index, wanted = reader.index, reader.wanted
        if index is None:
            return
        wanted_stop = None if wanted is None or wanted.stop is None else wanted.stop
        self.described = Described(
            self._frame_index,
            tuple(self._frame.stream_stop(level_end) for level_end in index.level_ends),
            index.decomposition_levels + 1,
            index.complete,
            None if wanted_stop is None else self._frame.stream_stop(wanted_stop),
            self._representation,
        )

    # -- reading --------------------------------------------------------------------------------

    async def _stream(self, start: int, stop: int) -> bytes:
        return await self._read(self._frame.stream_pieces(ByteRange(start, stop)))

    async def _of_frame(self, start: int, stop: int) -> bytes:
        return await self._read(self._frame.frame_pieces(ByteRange(start, stop)))
