"""Reads the headers of a codestream (ISO/IEC 15444-1 Annex A)."""

from __future__ import annotations

import struct
from functools import lru_cache
from typing import TYPE_CHECKING

from firstlight.errors import MalformedCodestream
from firstlight.j2k.boxes import codestream_start
from firstlight.j2k.parameters import (
    PROGRESSION_ORDERS,
    Cod,
    CodingScope,
    Component,
    ComponentCoding,
    MainHeader,
    NeedMore,
    Siz,
    TilePartHeader,
    TilePartLength,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = [
    "MainHeader",
    "NeedMore",
    "TilePartHeader",
    "codestream_start",
    "read_main_header",
    "read_tile_part_header",
]

SOC, SOT, SOD, EOC = 0xFF4F, 0xFF90, 0xFF93, 0xFFD9
SIZ, CAP, COD, COC, POC = 0xFF51, 0xFF50, 0xFF52, 0xFF53, 0xFF5F
TLM, PLM, PLT, PPM, PPT = 0xFF55, 0xFF57, 0xFF58, 0xFF60, 0xFF61
SOP, EPH = 0xFF91, 0xFF92

SOT_BYTES = 12
MAX_DECOMPOSITION_LEVELS = 32
MAX_TILES = 65535
MAX_COMPONENTS = 16384

Segments = dict[int, list[bytes]]
"""Payloads of marker segments by marker code, in the order found."""


def read_main_header(data: bytes, *, resource: str | None = None) -> MainHeader:
    """Read the main header from a prefix of a codestream that begins with SOC.

    Raises:
        NeedMore: the prefix ends inside the main header.
        MalformedCodestream: no codestream, or one that contradicts itself.
    """
    if len(data) < 2:
        raise NeedMore(4)
    if data[:2] != b"\xff\x4f":
        raise MalformedCodestream("a codestream starts with SOC, FF4F", resource=resource)
    try:
        segments, markers, stop = _segments(data, 2, SOT)
        if markers[:1] != (SIZ,):
            raise ValueError("SIZ must follow SOC")
        siz = _siz(_single(segments, SIZ))
        scope = _scope(segments, len(siz.components), None)
        return MainHeader(
            siz=siz,
            scope=scope,
            tile_part_lengths=tuple(_tile_part_lengths(segments.get(TLM, []))),
            markers=(SOC, *markers),
            header_stop=stop,
        )
    except (ValueError, IndexError, struct.error) as error:
        raise MalformedCodestream(f"main header: {error}", resource=resource) from error


def read_tile_part_header(
    data: bytes, start: int, header: MainHeader, *, resource: str | None = None
) -> TilePartHeader:
    """Read a tile-part header from ``data``, whose first byte is the SOT at offset ``start``.

    Parameters that only an earlier tile-part of the same tile carries are not known here: the
    scope returned is that of the main header changed by this header alone.

    Raises:
        NeedMore: more bytes are needed; its ``stop`` counts from the codestream start.
        MalformedCodestream: not a tile-part header, or one that contradicts the main header.
    """
    if len(data) < SOT_BYTES:
        raise NeedMore(start + SOT_BYTES)
    marker, size, tile, length, index, count = struct.unpack_from(">HHHIBB", data)
    try:
        if marker != SOT or size != SOT_BYTES - 2:
            raise ValueError("SOT expected")
        if tile >= header.siz.tile_count:
            raise ValueError(f"tile {tile} of {header.siz.tile_count}")
        try:
            segments, _, stop = _segments(data, SOT_BYTES, SOD)
        except NeedMore as more:
            raise NeedMore(start + more.stop) from None
        body_start = start + stop + 2
        if length and start + length < body_start:
            raise ValueError(f"Psot {length} ends before SOD")
        return TilePartHeader(
            tile_index=tile,
            tile_part_index=index,
            tile_part_count=count,
            start=start,
            body_start=body_start,
            stop=start + length if length else None,
            scope=_scope(segments, len(header.siz.components), header.scope),
            packet_lengths=_packet_lengths(segments[PLT]) if PLT in segments else None,
        )
    except (ValueError, IndexError, struct.error) as error:
        message = f"tile-part header at {start}: {error}"
        raise MalformedCodestream(message, resource=resource) from error


def split_segments(data: bytes, offset: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Marker segments from ``offset`` up to the marker ``end``: code, start and stop of each.

    The last is ``end`` itself, whose two bytes alone are counted.

    Raises:
        NeedMore: the data end before that.
        ValueError: something else than a marker segment.
    """
    while True:
        if offset + 2 > len(data):
            raise NeedMore(offset + 4)
        marker = int.from_bytes(data[offset : offset + 2], "big")
        if marker == end:
            yield marker, offset, offset + 2
            return
        if marker < 0xFF01 or marker in (SOC, SOT, SOD, EOC):
            raise ValueError(f"{marker:04X} at {offset} is not a marker that can stand there")
        stop = offset + 2
        if not 0xFF30 <= marker <= 0xFF3F:
            if offset + 4 > len(data):
                raise NeedMore(offset + 4)
            stop += int.from_bytes(data[offset + 2 : offset + 4], "big")
            if stop < offset + 4:
                raise ValueError(f"segment {marker:04X} at {offset} is too short")
            if stop > len(data):
                raise NeedMore(stop + 2)
        yield marker, offset, stop
        offset = stop


def _segments(data: bytes, offset: int, end: int) -> tuple[Segments, tuple[int, ...], int]:
    """Collect marker segments up to the marker ``end``, and where that stands."""
    segments: Segments = {}
    markers: list[int] = []
    for marker, start, stop in split_segments(data, offset, end):
        if marker == end:
            return segments, tuple(markers), start
        markers.append(marker)
        segments.setdefault(marker, []).append(bytes(data[start + 4 : stop]))
    raise AssertionError("split_segments ends with its end marker")


def _single(segments: Segments, marker: int) -> bytes:
    found = segments.get(marker, [])
    if len(found) != 1:
        raise ValueError(f"{len(found)} segments {marker:04X} where one must be")
    return found[0]


@lru_cache(64)
def _siz(payload: bytes) -> Siz:
    rsiz, x1, y1, x0, y0, tile_width, tile_height, tile_x, tile_y, count = struct.unpack_from(
        ">HIIIIIIIIH", payload
    )
    if not (0 < count <= MAX_COMPONENTS and len(payload) == 36 + 3 * count):
        raise ValueError(f"SIZ with {count} components in {len(payload)} bytes")
    if x1 <= x0 or y1 <= y0:
        raise ValueError("SIZ describes an empty image")
    if not (tile_width and tile_height):
        raise ValueError("SIZ describes empty tiles")
    if not (tile_x <= x0 < tile_x + tile_width and tile_y <= y0 < tile_y + tile_height):
        raise ValueError("the first tile does not hold the image's first sample")
    components = tuple(
        Component((depth & 0x7F) + 1, bool(depth & 0x80), dx, dy)
        for depth, dx, dy in struct.iter_unpack(">BBB", payload[36:])
    )
    if any(not (item.subsampling_x and item.subsampling_y) for item in components):
        raise ValueError("SIZ has a component without samples")
    siz = Siz(rsiz, x1 - x0, y1 - y0, x0, y0, tile_width, tile_height, tile_x, tile_y, components)
    if siz.tile_count > MAX_TILES:
        raise ValueError(f"{siz.tile_count} tiles, where {MAX_TILES} can be numbered")
    return siz


def _scope(segments: Segments, component_count: int, outer: CodingScope | None) -> CodingScope:
    """What the segments of one header change in the ``outer`` scope."""
    if COD in segments or outer is None:
        cod = _cod(_single(segments, COD))
        # A tile's COD overrides the main header's COC (A.6.1), so those are not taken over.
        codings = [cod.coding] * component_count
    else:
        cod = outer.cod
        codings = list(outer.codings)
    for payload in segments.get(COC, []):
        index, coding = _coc(payload, component_count)
        codings[index] = coding
    return CodingScope(
        cod=cod,
        codings=tuple(codings),
        changes_progression=POC in segments or (outer is not None and outer.changes_progression),
        packs_packet_headers=PPM in segments
        or PPT in segments
        or (outer is not None and outer.packs_packet_headers),
    )


@lru_cache(64)
def _cod(payload: bytes) -> Cod:
    style, order, layers, transform = struct.unpack_from(">BBHB", payload)
    if order >= len(PROGRESSION_ORDERS):
        raise ValueError(f"COD names progression order {order}")
    if not layers:
        raise ValueError("COD has no layers")
    return Cod(
        progression_order=PROGRESSION_ORDERS[order],
        layers=layers,
        multiple_component_transform=bool(transform),
        may_use_sop=bool(style & 2),
        uses_eph=bool(style & 4),
        coding=_component_coding(payload[5:], bool(style & 1)),
    )


def _coc(payload: bytes, component_count: int) -> tuple[int, ComponentCoding]:
    index_bytes = 1 if component_count < 257 else 2
    index = int.from_bytes(payload[:index_bytes], "big")
    if index >= component_count:
        raise ValueError(f"COC for component {index} of {component_count}")
    return index, _component_coding(payload[index_bytes + 1 :], bool(payload[index_bytes] & 1))


def _component_coding(payload: bytes, has_precincts: bool) -> ComponentCoding:
    levels, width, height, style, wavelet = struct.unpack_from(">BBBBB", payload)
    if levels > MAX_DECOMPOSITION_LEVELS:
        raise ValueError(f"{levels} decomposition levels, where 32 is the most")
    width, height = (width & 15) + 2, (height & 15) + 2
    if width > 10 or height > 10 or width + height > 12:
        raise ValueError(f"code-blocks of 2^{width} by 2^{height}")
    sizes = payload[5 : 6 + levels] if has_precincts else b""
    if has_precincts and len(sizes) != levels + 1:
        raise ValueError("precinct sizes are missing")
    exponents = tuple((size & 15, size >> 4) for size in sizes)
    if any(0 in pair for pair in exponents[1:]):
        raise ValueError("precincts of one sample above resolution level 0")
    return ComponentCoding(levels, width, height, style, wavelet == 1, exponents)


def _tile_part_lengths(payloads: Iterable[bytes]) -> Iterator[TilePartLength]:
    """Entries of all TLM segments in the order of their Ztlm (A.7.1)."""
    next_tile = 0
    for payload in sorted(payloads, key=lambda item: item[0]):
        kind = payload[1]
        tile_bytes, length_bytes = (kind >> 4) & 3, 4 if kind & 0x40 else 2
        if tile_bytes == 3 or (len(payload) - 2) % (tile_bytes + length_bytes):
            raise ValueError("TLM whose entries do not fit its length")
        for offset in range(2, len(payload), tile_bytes + length_bytes):
            split = offset + tile_bytes
            # Without tile numbers, each tile has one tile-part and they come in order.
            tile = int.from_bytes(payload[offset:split], "big") if tile_bytes else next_tile
            next_tile += 1
            length = int.from_bytes(payload[split : split + length_bytes], "big")
            yield TilePartLength(tile, length)


def _packet_lengths(payloads: Iterable[bytes]) -> tuple[int, ...]:
    """Packet lengths of all PLT segments in the order of their Zplt (A.7.3)."""
    lengths: list[int] = []
    value = 0
    for payload in sorted(payloads, key=lambda item: item[0]):
        for byte in payload[1:]:
            value = value << 7 | byte & 0x7F
            if byte < 0x80:
                lengths.append(value)
                value = 0
            elif value > 0xFFFFFFFF:
                raise ValueError("PLT with a packet length beyond 32 bits")
    if value:
        raise ValueError("PLT ends inside a packet length")
    return tuple(lengths)
