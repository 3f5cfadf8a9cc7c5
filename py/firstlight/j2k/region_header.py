"""Headers of the small codestreams that the sub-bands of one resolution level are decoded from."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from firstlight.j2k.markers import COD, SOD, SOT, SOT_BYTES, split_segments
from firstlight.j2k.parameters import HIGH_THROUGHPUT, PROGRESSION_ORDERS

if TYPE_CHECKING:
    from firstlight.j2k.parameters import MainHeader, ProgressionOrder

SIZ, CAP, QCD, QCC, RGN = 0xFF51, 0xFF50, 0xFF5C, 0xFF5D, 0xFF5E
LEVEL_ORDERS = ("RPCL", "RLCP", "LRCP")
"""With one layer, all of these have the packets of a level together, by position."""

MAX_PRECINCT_EXPONENT = 12
"""Windows of larger precincts are hardly less than the whole level."""

_SIGNED_16_BITS = 0x8F
"""Ssiz. Signed samples have no level shift, and 16 bits are the most that the decoder hands out."""

_PRECINCT_WITHOUT_END = 0xFF
_EMPTY_PACKET = b"\0"
_LL_EXPONENT = 19
_GUARD_BITS = 1
_WIDE_BITS = 14
"""From this precision on the sum of detail may leave 16 bits."""

_OFFSET_PACKETS = {
    49152: "c0000980fe7f05877400",
    -49152: "c00009c0ff7ffe05877400",
    98304: "c00009c0feff7e06077400",
    -98304: "c00009c0ff7ffd06077400",
    147456: "c00009c0fe7ffc06877400",
    -147456: "c00009c0ff7ff806877400",
}
"""Packets of a sub-band of one sample with this value, where it has `_LL_EXPONENT`.

Encoded with ojph: one signed sample of 20 bits, without decomposition.
"""


def refusal(header: MainHeader) -> str | None:
    """Why no window of this codestream can be decoded by itself; None where it can."""
    siz, cod, scope = header.siz, header.cod, header.scope
    levels = header.decomposition_levels
    exponents = cod.coding.precinct_exponents
    reasons = (
        (cod.code_block_style != HIGH_THROUGHPUT, "code-blocks that are not all HT"),
        (not cod.reversible, "the irreversible wavelet"),
        (siz.tile_count > 1, "several tiles"),
        (any((siz.x_offset, siz.y_offset, siz.tile_x_offset, siz.tile_y_offset)), "an offset"),
        (any(c.subsampling_x * c.subsampling_y > 1 for c in siz.components), "subsampling"),
        (any(c != siz.components[0] for c in siz.components), "components that differ"),
        (siz.components[0].precision_bits > 16, "more than 16 bits a sample"),
        (any(coding != cod.coding for coding in scope.codings), "COC"),
        (RGN in header.markers, "RGN"),
        (cod.layers > 1, "several quality layers"),
        (cod.progression_order not in LEVEL_ORDERS, "a progression that is not by level"),
        (scope.changes_progression, "POC"),
        (scope.packs_packet_headers, "PPM or PPT"),
        (cod.may_use_sop or cod.uses_eph, "SOP or EPH"),
        (levels == 0, "no decomposition"),
        (not exponents, "precincts without end"),
        (any(max(pair) > MAX_PRECINCT_EXPONENT for pair in exponents[-1:]), "large precincts"),
    )
    return next((reason for applies, reason in reasons if applies), None)


@dataclass(frozen=True, slots=True)
class DetailHeader:
    """Everything before the packets of a level, for a codestream of these packets alone.

    Decoded, it is the inverse wavelet transform of the level's HL, LH and HH, and of an LL that is
    0 everywhere: ``plain``; or that is the same everywhere, which adds just this: ``wide``, by what
    is added. The latter are there where samples may leave 16 bits, in which the decoder clamps.
    """

    plain: bytes
    wide: tuple[tuple[int, bytes], ...]


@dataclass(frozen=True, slots=True)
class BaseHeader:
    """The main header of a codestream that ends with a level below the full image.

    With ``plain`` its samples come as the wavelet leaves them: no level shift, no colour transform.
    ``wide``, where samples may leave 16 bits, is for a picture of three components in RCT (G.2): an
    empty packet for Y0, and the packets of one component V for both Y1 and Y2, give
    G = -floor(V / 2) and R = V + G, so that V = R - G has a bit more.
    """

    plain: bytes
    wide: bytes | None


class HeaderWriter:
    """Writes the headers for windows of one codestream.

    Raises:
        ValueError: QCD or QCC do not hold an exponent for each sub-band.
    """

    def __init__(self, main: bytes, header: MainHeader) -> None:
        self._header = header
        self._count = len(header.siz.components)
        transform = header.cod.multiple_component_transform
        bits = header.siz.components[0].precision_bits + transform
        self.is_wide = bits >= _WIDE_BITS
        """Samples may leave 16 bits on their way."""
        self._capabilities = b""
        self._exponents: list[bytes] = []
        own: dict[int, bytes] = {}
        index_bytes = 1 if self._count < 257 else 2
        for marker, start, stop in split_segments(main[: header.header_stop + 2], 2, SOT):
            payload = main[start + 4 : stop]
            if marker == CAP:
                self._capabilities = main[start:stop]
            elif marker == QCD:
                self._exponents = [payload] * self._count
            elif marker == QCC:
                own[int.from_bytes(payload[:index_bytes], "big")] = payload[index_bytes:]
        self._exponents = [own.get(i, style) for i, style in enumerate(self._exponents)]
        least = 3 * header.decomposition_levels + 2
        if not self._exponents or any(
            len(style) < least or style[0] & 31 for style in self._exponents
        ):
            raise ValueError("QCD does not hold the exponents of a reversible wavelet")

    def detail(self, level: int, columns: int, rows: int, body_bytes: int) -> DetailHeader:
        """The headers for packets of ``columns`` by ``rows`` samples of a level above 0."""
        size = columns, rows
        plain = self._detail(level, size, 1, _EMPTY_PACKET, body_bytes)
        if not self.is_wide:
            return DetailHeader(plain, ())
        # Halved until one sample is left, which gives its value to all the others.
        depth = max((max(columns, rows) - 1).bit_length(), 1)
        return DetailHeader(
            plain,
            tuple(
                (offset, self._detail(level, size, depth, bytes.fromhex(packet), body_bytes))
                for offset, packet in _OFFSET_PACKETS.items()
            ),
        )

    def base(self, level: int, columns: int, rows: int) -> BaseHeader:
        """The headers for all packets up to those of ``level``, which has this size."""
        order = self._header.cod.progression_order
        plain = self._base(level, (columns, rows), self._exponents, order)
        # The packets of one component are to be told from those of another by counting them.
        is_alike = all(each == self._exponents[0] for each in self._exponents)
        if not self.is_wide or not is_alike or (order != "RPCL" and self._count > 1):
            return BaseHeader(plain, None)
        three = [self._exponents[0]] * 3
        return BaseHeader(plain, self._base(level, (columns, rows), three, "RPCL", transform=True))

    def _base(
        self,
        level: int,
        size: tuple[int, int],
        exponents: list[bytes],
        order: ProgressionOrder,
        *,
        transform: bool = False,
    ) -> bytes:
        pairs = [self._header.cod.coding.precinct_exponent(each) for each in range(level + 1)]
        precincts = [height << 4 | width for width, height in pairs]
        return b"".join(
            [
                self._siz(size, len(exponents)),
                self._cod(precincts, order, transform=transform),
                _quantization([style[: 3 * level + 2] for style in exponents]),
            ]
        )

    def _detail(
        self, level: int, size: tuple[int, int], depth: int, base: bytes, body_bytes: int
    ) -> bytes:
        """With ``depth`` levels, of which only the highest has more than a packet a component."""
        width, height = self._header.cod.coding.precinct_exponent(level)
        packets = base * self._count + _EMPTY_PACKET * self._count * (depth - 1)
        # Psot could be 0, "to the end", but that takes OpenJPH more than twice the time.
        length = SOT_BYTES + 2 + len(packets) + body_bytes
        return b"".join(
            [
                self._siz(size, self._count),
                self._cod(
                    [*[_PRECINCT_WITHOUT_END] * depth, height << 4 | width],
                    self._header.cod.progression_order,
                ),
                _quantization([_detail_exponents(each, level, depth) for each in self._exponents]),
                struct.pack(">HHHIBBH", SOT, SOT_BYTES - 2, 0, length, 0, 1, SOD),
                packets,
            ]
        )

    def _siz(self, size: tuple[int, int], components: int) -> bytes:
        """SOC, SIZ and CAP."""
        extent = (*size, 0, 0, *size, 0, 0)
        head = (SIZ, 38 + 3 * components, self._header.siz.rsiz, *extent, components)
        siz = struct.pack(">HHHIIIIIIIIH", *head) + bytes((_SIGNED_16_BITS, 1, 1)) * components
        return b"\xff\x4f" + siz + self._capabilities

    def _cod(
        self, precincts: list[int], order: ProgressionOrder, *, transform: bool = False
    ) -> bytes:
        coding = self._header.cod.coding
        depth, reversible = len(precincts) - 1, 1
        style = (1, PROGRESSION_ORDERS.index(order), 0, 1, transform)
        width, height = coding.code_block_width_exponent, coding.code_block_height_exponent
        blocks = (width - 2, height - 2, coding.code_block_style, reversible)
        payload = bytes((*style, depth, *blocks, *precincts))
        return struct.pack(">HH", COD, 2 + len(payload)) + payload


def _detail_exponents(style: bytes, level: int, depth: int) -> bytes:
    """Those of the level's sub-bands, above others that make LL as `_OFFSET_PACKETS` have it."""
    lowest = (_LL_EXPONENT + _GUARD_BITS - (style[0] >> 5)) << 3
    below = bytes([lowest]) * (1 + 3 * (depth - 1))
    return style[:1] + below + style[3 * level - 1 : 3 * level + 2]


def _quantization(styles: list[bytes]) -> bytes:
    """QCD for the first component, QCC for others that differ."""
    segments = [struct.pack(">HH", QCD, 2 + len(styles[0])) + styles[0]]
    for index, style in enumerate(styles):
        if style != styles[0]:
            number = index.to_bytes(1 if len(styles) < 257 else 2, "big")
            segments.append(struct.pack(">HH", QCC, 2 + len(number) + len(style)) + number + style)
    return b"".join(segments)
