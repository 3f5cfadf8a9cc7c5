"""Packet headers: how many bytes each packet has (ISO/IEC 15444-1 B.10, 15444-15 Annex B).

Only lengths are wanted here, so code-block bytes are never looked at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from firstlight.j2k.budget import TooComplex
from firstlight.j2k.parameters import (
    BYPASS,
    HIGH_THROUGHPUT,
    HIGH_THROUGHPUT_MIXED,
    TERMINATE_EACH_PASS,
)
from firstlight.j2k.tagtree import BadPacket, HeaderBits, TagTree, tag_tree_paths

if TYPE_CHECKING:
    from firstlight.j2k.budget import Budget
    from firstlight.j2k.parameters import Cod
    from firstlight.j2k.progression import PacketPlace

SOP = b"\xff\x91\x00\x04"
SOP_BYTES = 6
EPH = b"\xff\x92"
FIRST_LENGTH_BITS = 3
MAX_LENGTH_BITS = 32
MAX_EXPECTED_BYTES = 1 << 16


class _Block:
    """What earlier layers told of a code-block that they included."""

    __slots__ = ("is_ht", "is_placeholder", "length_bits", "passes")

    def __init__(self, style: int) -> None:
        self.passes = 0
        self.length_bits = FIRST_LENGTH_BITS
        self.is_ht = bool(style & HIGH_THROUGHPUT)
        self.is_placeholder = self.is_ht
        """Every pass so far was one of the empty ones that may precede the first HT clean-up."""

    def copy(self) -> _Block:
        twin = _Block(0)
        twin.passes, twin.length_bits = self.passes, self.length_bits
        twin.is_ht, twin.is_placeholder = self.is_ht, self.is_placeholder
        return twin


class _Band:
    """The code-blocks of one precinct in one sub-band."""

    __slots__ = ("blocks", "inclusion", "zero_planes")

    def __init__(self, inclusion: TagTree, zero_planes: TagTree, blocks: dict[int, _Block]) -> None:
        self.inclusion = inclusion
        self.zero_planes = zero_planes
        self.blocks = blocks

    def copy(self) -> _Band:
        blocks = {leaf: block.copy() for leaf, block in self.blocks.items()}
        return _Band(self.inclusion.copy(), self.zero_planes.copy(), blocks)


class PacketReader:
    """Reads the packet headers of one tile in the order of its progression."""

    def __init__(self, cod: Cod, budget: Budget) -> None:
        self._cod = cod
        self._budget = budget
        self._bands: dict[tuple[int, int, int], list[_Band]] = {}
        self._paths: dict[tuple[int, int], tuple[tuple[tuple[int, ...], ...], int]] = {}

    def read(self, data: bytes, start: int, place: PacketPlace) -> int:
        """Where the packet that starts at ``start`` ends, which may be beyond ``data``.

        When this raises, nothing is remembered of the packet.

        Raises:
            HeaderCut: ``data`` ends inside the header.
            BadPacket: the header cannot be.
            TooComplex: more code-blocks than are worth looking at.
        """
        header_stop, body_bytes = self._header(data, start, place)
        return header_stop + body_bytes

    def header_stop(self, data: bytes, start: int, place: PacketPlace) -> int:
        """Where the header of the packet that starts at ``start`` ends; raises as `read`."""
        return self._header(data, start, place)[0]

    def _header(self, data: bytes, start: int, place: PacketPlace) -> tuple[int, int]:
        """Where a packet's header ends, and how many bytes its body has."""
        cod = self._cod
        if cod.may_use_sop and data[start : start + len(SOP)] == SOP:
            start += SOP_BYTES
        bits = HeaderBits(data, start)
        body_bytes = 0
        if bits.number(1):
            resolution, precinct_index, layer = place
            key = (resolution.component_index, resolution.resolution_level, precinct_index)
            bands = self._precinct(place, key)
            style = resolution.coding.code_block_style
            for band in bands:
                body_bytes += self._read_band(band, layer, style, bits)
            if layer + 1 < cod.layers:
                self._bands[key] = bands
            else:
                self._bands.pop(key, None)
        header_stop = bits.stop()
        if cod.uses_eph and data[header_stop : header_stop + len(EPH)] == EPH:
            header_stop += len(EPH)
        return header_stop, body_bytes

    def expected_header_bytes(self, place: PacketPlace) -> int:
        """About how many bytes a packet header has: a guess for reading ahead."""
        grids = place.resolution.block_grids(place.precinct_index)
        return min(16 + 4 * sum(across * down for across, down in grids), MAX_EXPECTED_BYTES)

    def _precinct(self, place: PacketPlace, key: tuple[int, int, int]) -> list[_Band]:
        """The state of a precinct to read on with: a copy, as the header may prove to be cut."""
        held = self._bands.get(key)
        if held is not None:
            return [band.copy() for band in held]
        bands = []
        for across, down in place.resolution.block_grids(place.precinct_index):
            if across and down:
                shape = self._paths.get((across, down))
                if shape is None:
                    self._budget.spend(across * down)
                    shape = self._paths[across, down] = tag_tree_paths(across, down)
                bands.append(_Band(TagTree(*shape), TagTree(*shape), {}))
        return bands

    def _read_band(self, band: _Band, layer: int, style: int, bits: HeaderBits) -> int:
        """Read one sub-band's part of a header and return the bytes it announces."""
        inclusion, blocks = band.inclusion, band.blocks
        count = len(inclusion.paths)
        self._budget.spend(count)
        body_bytes = 0
        plain = style == HIGH_THROUGHPUT
        for leaf in range(count):
            block = blocks.get(leaf)
            if block is not None:
                if not bits.number(1):
                    continue
            elif inclusion.reaches(leaf, layer + 1, bits):
                continue
            else:
                band.zero_planes.value(leaf, bits)
                block = blocks[leaf] = _Block(style)
            new_passes = _pass_count(bits)
            block.length_bits += bits.run("0")
            if block.length_bits > MAX_LENGTH_BITS:
                raise BadPacket("a code-block length of more than 32 bits")
            if plain and new_passes == 1 and block.passes == 0:
                length = bits.number(block.length_bits)
                block.is_placeholder = not length
                block.passes = 1
                body_bytes += length
            else:
                body_bytes += _contribution(block, new_passes, style, bits)
        return body_bytes


def _pass_count(bits: HeaderBits) -> int:
    """The number of coding passes that a code-block contributes (Table B.4)."""
    if not bits.number(1):
        return 1
    if not bits.number(1):
        return 2
    few = bits.number(2)
    if few < 3:
        return 3 + few
    some = bits.number(5)
    if some < 31:
        return 6 + some
    return 37 + bits.number(7)


def _contribution(block: _Block, new_passes: int, style: int, bits: HeaderBits) -> int:
    """Bytes of one code-block's contribution: the sum of its segments (B.10.7)."""
    total = 0
    if block.is_placeholder:
        total, new_passes = _leading_ht_segment(block, new_passes, style, bits)
    while new_passes:
        room = _segment_room(block, style)
        passes = min(new_passes, room) if room else new_passes
        total += bits.number(block.length_bits + passes.bit_length() - 1)
        block.passes += passes
        new_passes -= passes
    return total


def _segment_room(block: _Block, style: int) -> int:
    """How many passes the codeword segment that comes next can still take; 0 for any number."""
    done = block.passes
    if block.is_ht:
        # A clean-up pass stands alone; the two refinements share a segment.
        return 3 - done % 3 if done % 3 else 1
    if style & TERMINATE_EACH_PASS:
        return 1
    if style & BYPASS:
        if done < 10:
            return 10 - done
        # Then a raw segment of two passes and an arithmetic one of one pass take turns.
        phase = (done - 10) % 3
        return 2 - phase if phase < 2 else 1
    return 0


def _leading_ht_segment(
    block: _Block, new_passes: int, style: int, bits: HeaderBits
) -> tuple[int, int]:
    """Read the first length of a contribution while no HT clean-up pass has come yet.

    Empty placeholder passes, in threes, may precede the first clean-up and share its length
    field. As long as there are only those, the field is as wide as a Part 1 block's would be and
    holds 0. In mixed streams anything else in it means that this is a Part 1 block after all.

    Returns:
        Bytes announced, and how many of the new passes still have no length.
    """
    mixed = bool(style & HIGH_THROUGHPUT_MIXED)
    if mixed and style & (BYPASS | TERMINATE_EACH_PASS):
        raise TooComplex("mixed code-blocks with several segments")
    refinements = (block.passes + new_passes - 1) % 3
    leading = new_passes - refinements
    width = block.length_bits + max(leading, 1).bit_length() - 1
    full_width = block.length_bits + new_passes.bit_length() - 1
    length = 0
    if leading > 0:
        length = bits.number(width)
        starts_ht = length > 1 and (
            not mixed or (block.length_bits > FIRST_LENGTH_BITS and not length >> (width - 1))
        )
        if starts_ht:
            block.is_placeholder = False
            block.passes += leading
            return length, new_passes - leading
        if length == 1 and not mixed:
            raise BadPacket("an HT clean-up segment of one byte")
    else:
        width = 0
    rest = full_width - width
    length = length << rest | bits.number(rest)
    if length:
        if not mixed:
            raise BadPacket("placeholder passes with bytes")
        block.is_ht = block.is_placeholder = False
    block.passes += new_passes
    return length, 0
