"""Lookup tables as DICOM files have them, junk and all, made uniform; pure."""

from __future__ import annotations

import base64
import sys
from array import array
from itertools import islice
from typing import TYPE_CHECKING, Final, NamedTuple

from firstlight.dicom.attributes import LookupTable, PaletteColor

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MAX_ENTRIES: Final = 1 << 16
MAX_SEGMENTS: Final = 1 << 16
"""Of a segmented table, copied ones counted each time: a few bytes could else ask for 2^31."""

_DISCRETE, _LINEAR, _INDIRECT = 0, 1, 2


class RawTable(NamedTuple):
    """A table as it is written: its descriptor, and data as bytes or as integers.

    ``big_endian`` is the order of the bytes; ``segmented`` says that PS3.3 C.7.9.2 applies.
    """

    descriptor: tuple[int, ...]
    data: bytes | tuple[int, ...]
    big_endian: bool = False
    segmented: bool = False


def lookup_table(raw: RawTable, *, signed: bool, explanation: str = "") -> LookupTable | None:
    """A Modality or VOI LUT; None where descriptor or data are unusable.

    ``signed`` says whether its input can be negative: the first value may then have been written
    as unsigned.
    """
    entries = _entries(raw)
    if not entries:
        return None
    largest = max(entries)
    bits = raw.descriptor[2]
    if not 1 <= bits <= 16 or largest >= 1 << bits:
        bits = max(8, largest.bit_length())
    data = bytes(entries) if bits <= 8 else _little_endian(entries)
    text = base64.b64encode(data).decode("ascii")
    return LookupTable(_first_value(raw.descriptor, signed=signed), bits, text, explanation)


def palette_color(raws: Sequence[RawTable], *, signed: bool) -> PaletteColor | None:
    """The tables for red, green and blue as one; None where one of them is unusable.

    Of entries of 16 bits the high byte is kept, unless all of them fit the low one: writers that
    meant 8 bits are common.
    """
    channels = [_entries(raw) for raw in raws]
    if len(channels) != 3 or not all(channels):
        return None
    shift = 8 if max(max(channel) for channel in channels) > 0xFF else 0
    count = max(len(channel) for channel in channels)
    data = bytearray(3 * count)
    for colour, channel in enumerate(channels):
        whole = [*channel, *[channel[-1]] * (count - len(channel))]
        data[colour::3] = bytes(value >> shift for value in whole)
    text = base64.b64encode(data).decode("ascii")
    return PaletteColor(_first_value(raws[0].descriptor, signed=signed), text)


def _first_value(descriptor: tuple[int, ...], *, signed: bool) -> int:
    first = descriptor[1]
    return first - (1 << 16) if signed and 1 << 15 <= first < 1 << 16 else first


def _entries(raw: RawTable) -> list[int]:
    """At most as many entries as the descriptor says (0 stands for 65536), none if it is junk."""
    if len(raw.descriptor) < 3:
        return []
    count = raw.descriptor[0] & 0xFFFF or MAX_ENTRIES
    narrow = raw.descriptor[2] <= 8
    if raw.segmented:
        return _expanded(_bytes(raw) if narrow else _words(raw), count, narrow=narrow)
    is_bytes = isinstance(raw.data, bytes)
    held_bytes = len(raw.data) * (1 if is_bytes else 2)
    # whatever the descriptor says of bits, the length tells how the entries are kept
    by_byte = held_bytes < 2 * count if narrow else is_bytes and held_bytes <= count + 1
    return (_bytes(raw) if by_byte else _words(raw))[:count]


def _words(raw: RawTable) -> list[int]:
    if not isinstance(raw.data, bytes):
        return [value & 0xFFFF for value in raw.data[:MAX_ENTRIES]]
    words = array("H", raw.data[: min(len(raw.data) & ~1, 2 * MAX_ENTRIES)])
    if raw.big_endian != (sys.byteorder == "big"):
        words.byteswap()
    return words.tolist()


def _bytes(raw: RawTable) -> list[int]:
    """Two in each word, the low one first, whatever the order of the word's bytes."""
    if isinstance(raw.data, bytes) and not raw.big_endian:
        return list(raw.data[: 2 * MAX_ENTRIES])
    return list(_little_endian(_words(raw)))


def _little_endian(words: Sequence[int]) -> bytes:
    data = array("H", words)
    if sys.byteorder == "big":
        data.byteswap()
    return data.tobytes()


class _Segment(NamedTuple):
    """``values``: entries, the last one of a line, or where in the data the copied ones begin."""

    opcode: int
    length: int
    values: list[int]


def _segments(data: list[int], at: int, *, narrow: bool) -> Iterator[_Segment]:
    """The segments from an index of ``data`` on; a broken one ends them."""
    while at + 2 < len(data):
        opcode, length = data[at : at + 2]
        size = {_DISCRETE: length, _LINEAR: 1, _INDIRECT: 4 if narrow else 2}.get(opcode)
        if size is None or at + 2 + size > len(data):
            return
        values = data[at + 2 : at + 2 + size]
        if opcode == _INDIRECT:
            values = [_place(values, narrow=narrow)]
        at += 2 + size
        yield _Segment(opcode, length, values)


def _place(values: list[int], *, narrow: bool) -> int:
    """Index of the entry at a byte offset, which is written low part first (PS3.3 C.7.9.2.3)."""
    if narrow:
        return int.from_bytes(bytes(values), "little")
    return (values[0] | values[1] << 16) // 2


def _flattened(data: list[int], *, narrow: bool) -> Iterator[_Segment]:
    """All segments, in the place of an indirect one those that it points to."""
    budget = MAX_SEGMENTS
    for segment in _segments(data, 0, narrow=narrow):
        if segment.opcode != _INDIRECT:
            yield segment
        else:
            inner = _segments(data, segment.values[0], narrow=narrow)
            yield from islice(inner, min(segment.length, budget))
            budget -= segment.length
        budget -= 1
        if budget <= 0:
            return


def _expanded(data: list[int], count: int, *, narrow: bool) -> list[int]:
    """Segments (PS3.3 C.7.9.2) as the entries they stand for."""
    entries: list[int] = []
    for segment in _flattened(data, narrow=narrow):
        if segment.opcode == _DISCRETE:
            entries += segment.values
        elif segment.opcode == _LINEAR and entries and segment.length:
            start, end, steps = entries[-1], segment.values[0], segment.length
            entries += [round(start + (end - start) * n / steps) for n in range(1, steps + 1)]
        if len(entries) >= count:
            break
    return entries[:count]
