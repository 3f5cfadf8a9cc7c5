"""Tile-parts and the marker segments with their lengths, as they are written."""

from __future__ import annotations

import struct
from itertools import chain
from typing import TYPE_CHECKING

from firstlight.j2k.markers import PLT, SOD, SOT, SOT_BYTES, TLM
from firstlight.j2k.packets import SOP, SOP_BYTES

if TYPE_CHECKING:
    import mmap
    from collections.abc import Iterable, Iterator, Sequence

    Codestream = bytes | mmap.mmap

MAX_SEGMENT_BYTES = 65535
MAX_SEGMENTS = 256
TLM_WITH_2_AND_4_BYTES = 0x60
"""Stlm: two bytes for the tile, four for the length of each tile-part."""

Span = tuple[int, int]
"""Where a packet starts and stops in the codestream that is taken apart."""

Chunk = bytes | memoryview
"""A piece of the codestream written: new, or a view of the one read."""

Part = tuple[int, int, int, list[Span]]
"""Isot, TPsot, TNsot and packets of a tile-part to be written."""


class SopNumbers:
    """Numbers the SOP segments of each tile anew, as they are written (A.8.1)."""

    def __init__(self) -> None:
        self._next: dict[int, int] = {}

    def numbered(self, tile_index: int, packet: Chunk) -> Iterable[Chunk]:
        """A packet with the number that is due, if it begins with SOP."""
        number = self._next.get(tile_index, 0)
        self._next[tile_index] = number + 1
        if packet[: len(SOP)] != SOP:
            return (packet,)
        return SOP, struct.pack(">H", number & 0xFFFF), packet[SOP_BYTES:]


def tile_part(
    codestream: Codestream, part: Part, segments: bytes, plt: bool, sop: SopNumbers | None
) -> tuple[int, list[Chunk]]:
    """A tile-part from SOT to its last packet, and its length."""
    tile_index, index, count, spans = part
    head = segments if index == 0 else b""
    if plt and spans:
        head += _plt(stop - start for start, stop in spans)
    length = SOT_BYTES + len(head) + 2 + sum(stop - start for start, stop in spans)
    sot = struct.pack(">HHHIBB", SOT, SOT_BYTES - 2, tile_index, length, index, count)
    view, body = memoryview(codestream), [sot + head + SOD.to_bytes(2, "big")]
    if sop is None:
        return length, [*body, *(view[start:stop] for start, stop in _joined(spans))]
    packets = (sop.numbered(tile_index, view[start:stop]) for start, stop in spans)
    return length, [*body, *chain.from_iterable(packets)]


def _joined(spans: Iterable[Span]) -> Iterator[Span]:
    """The same bytes in as few spans as can be."""
    begin = end = 0
    for start, stop in spans:
        if start != end:
            if end > begin:
                yield begin, end
            begin = start
        end = stop
    if end > begin:
        yield begin, end


def _plt(lengths: Iterable[int]) -> bytes:
    """The packet lengths of one tile-part; a length is not split between segments (A.7.3)."""
    payloads = [bytearray()]
    for length in lengths:
        rest = length
        entry = bytes([rest & 0x7F])
        while rest := rest >> 7:
            entry = bytes([rest & 0x7F | 0x80]) + entry
        if len(payloads[-1]) + len(entry) > MAX_SEGMENT_BYTES - 3:
            payloads.append(bytearray())
        payloads[-1] += entry
    return _numbered(PLT, payloads)


def tlm_segments(entries: list[tuple[int, int]]) -> bytes:
    """Tile index and length of each tile-part (A.7.1)."""
    most = (MAX_SEGMENT_BYTES - 4) // 6
    packed = [struct.pack(">HI", tile, length) for tile, length in entries]
    return _numbered(
        TLM,
        [
            # Stlm stands between the segment's number and its entries.
            bytes([TLM_WITH_2_AND_4_BYTES]) + b"".join(packed[start : start + most])
            for start in range(0, len(packed), most)
        ],
    )


def _numbered(marker: int, payloads: Sequence[bytes | bytearray]) -> bytes:
    """Marker segments that begin with their number."""
    if len(payloads) > MAX_SEGMENTS:
        raise ValueError(f"it would need more than {MAX_SEGMENTS} segments {marker:04X}")
    return b"".join(
        struct.pack(">HHB", marker, len(payload) + 3, number) + payload
        for number, payload in enumerate(payloads)
    )
