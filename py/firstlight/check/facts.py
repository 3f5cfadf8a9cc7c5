"""What a codestream is and where its resolution levels end, as facts to print."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from firstlight.dicom import uids
from firstlight.errors import MalformedCodestream
from firstlight.j2k.boxes import codestream_start
from firstlight.j2k.index import FIRST_READ_BYTES, IndexReader
from firstlight.j2k.parameters import HIGH_THROUGHPUT_MIXED, NeedMore
from firstlight.j2k.region_header import refusal
from firstlight.ranges import ByteRange

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from firstlight.j2k.index import CodestreamIndex
    from firstlight.j2k.parameters import MainHeader

MAX_READS: Final = 64
"""Of one codestream: one for each level where only packet headers tell, and some to spare."""

MAX_BOX_BYTES: Final = 1 << 16
"""Boxes before the codestream of a JP2 or JPH file."""

_MARKERS: Final = {
    0xFF4F: "SOC", 0xFF50: "CAP", 0xFF51: "SIZ", 0xFF52: "COD", 0xFF53: "COC", 0xFF55: "TLM",
    0xFF56: "PRF", 0xFF57: "PLM", 0xFF58: "PLT", 0xFF59: "CPF", 0xFF5C: "QCD", 0xFF5D: "QCC",
    0xFF5E: "RGN", 0xFF5F: "POC", 0xFF60: "PPM", 0xFF63: "CRG", 0xFF64: "COM",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Level:
    """One resolution level: its size, and the byte of the frame after which it decodes."""

    resolution_level: int
    columns: int
    rows: int
    stop_byte: int | None


@dataclass(frozen=True, slots=True)
class CodestreamFacts:
    """ISO/IEC 15444-1 and -15 in the order in which people ask.

    ``method`` is `CodestreamIndex.method`. ``bytes_read`` is how much was read to know the ends
    of all levels, ``read_stop`` the end of the last piece. ``flaw`` is what is wrong with the
    codestream behind its main header, empty for nothing. ``no_windows`` is what in the main header
    prevents that a window of a level is loaded by itself, empty for nothing; it takes PLT, too.
    """

    transfer_syntax_uid: str
    high_throughput: bool
    columns: int
    rows: int
    components: int
    precision_bits: int
    signed: bool
    subsampled: bool
    decomposition_levels: int
    progression_order: str
    layers: int
    reversible: bool
    colour_transform: bool
    code_block_columns: int
    code_block_rows: int
    precincts: tuple[tuple[int, int], ...]
    tiles: int
    markers: tuple[str, ...]
    tlm: bool
    method: str
    levels: tuple[Level, ...]
    bytes_read: int
    read_stop: int
    boxed: bool = False
    flaw: str = ""
    no_windows: str = ""

    @property
    def level_ends_known(self) -> bool:
        """Whether the end of every level could be told, and not only that of the codestream."""
        known = all(level.stop_byte is not None for level in self.levels)
        return known and self.method != "growing"

    @property
    def reading(self) -> str:
        """How much had to be read to know the ends of the levels."""
        if self.bytes_read >= self.read_stop:
            return f"the first {self.read_stop:,} bytes"
        return f"{self.bytes_read:,} bytes, up to byte {self.read_stop:,}"

    @property
    def wavelet(self) -> str:
        """Name of the transform."""
        return "5/3 reversible" if self.reversible else "9/7 irreversible"

    def to_json(self) -> dict[str, Any]:
        """As JSON values."""
        return {**asdict(self), "wavelet": self.wavelet, "level_ends_known": self.level_ends_known}


class CodestreamLook:
    """Reads the index of one codestream through ``read``, which gives bytes of the frame.

    ``length`` is the frame's, None while unknown; ``head`` its first bytes, if they are here.
    """

    def __init__(
        self,
        read: Callable[[ByteRange], Awaitable[bytes]],
        length: int | None,
        *,
        resource: str,
        head: bytes = b"",
    ) -> None:
        self._head = head
        self._read = read
        self._length = length
        self._resource = resource
        self._bytes_read = len(head)
        self._read_stop = len(head)
        self._reads = 0

    async def facts(self) -> CodestreamFacts:
        """Read on until the end of every level is known.

        Raises:
            MalformedCodestream: there is no main header of a codestream.
            TransportError: as ``read``.
        """
        offset = await self._codestream_start()
        length = None if self._length is None else self._length - offset
        reader = IndexReader(length, resource=self._resource)
        flaw = ""
        while (wanted := reader.wanted) is not None and self._reads < MAX_READS:
            data = await self._get(wanted.shifted(offset))
            try:
                reader.feed(wanted.start, data)
            except MalformedCodestream as error:
                if reader.header is None:
                    raise
                flaw = error.message
        if reader.header is None or reader.index is None:
            text = "the codestream ends in its main header"
            raise MalformedCodestream(text, resource=self._resource)
        read = (self._bytes_read, self._read_stop)
        return _facts(reader.header, reader.index, offset, read, flaw)

    async def _codestream_start(self) -> int:
        self._head = self._head or await self._get(ByteRange(0, FIRST_READ_BYTES))
        while True:
            try:
                return codestream_start(self._head, resource=self._resource)
            except NeedMore as more:
                held = len(self._head)
                missing = ByteRange(held, more.stop + FIRST_READ_BYTES)
                data = await self._get(missing) if more.stop <= MAX_BOX_BYTES else b""
                if not data:
                    text = "no codestream among the first boxes"
                    raise MalformedCodestream(text, resource=self._resource) from None
                self._head += data

    async def _get(self, extent: ByteRange) -> bytes:
        data = self._head[extent.start : extent.stop]
        if not data:
            data = await self._read(extent)
            self._reads += 1
            self._bytes_read += len(data)
            self._read_stop = max(self._read_stop, extent.start + len(data))
        return data


def _facts(
    header: MainHeader,
    index: CodestreamIndex,
    offset: int,
    read: tuple[int, int],
    flaw: str,
) -> CodestreamFacts:
    siz, cod, coding = header.siz, header.cod, header.cod.coding
    first = siz.components[0]
    return CodestreamFacts(
        transfer_syntax_uid=guessed_syntax(header),
        high_throughput=header.is_high_throughput,
        columns=siz.width,
        rows=siz.height,
        components=len(siz.components),
        precision_bits=first.precision_bits,
        signed=first.is_signed,
        subsampled=any(c.subsampling_x * c.subsampling_y != 1 for c in siz.components),
        decomposition_levels=header.decomposition_levels,
        progression_order=cod.progression_order,
        layers=cod.layers,
        reversible=cod.reversible,
        colour_transform=cod.multiple_component_transform,
        code_block_columns=1 << coding.code_block_width_exponent,
        code_block_rows=1 << coding.code_block_height_exponent,
        precincts=tuple((1 << x, 1 << y) for x, y in coding.precinct_exponents),
        tiles=siz.tile_count,
        markers=tuple(_MARKERS.get(code, f"{code:04X}") for code in header.markers),
        tlm=bool(header.tile_part_lengths),
        method=index.method,
        levels=_levels(header, index, offset),
        bytes_read=read[0],
        read_stop=read[1],
        boxed=offset > 0,
        flaw=flaw,
        no_windows=refusal(header) or "",
    )


def _levels(header: MainHeader, index: CodestreamIndex, offset: int) -> tuple[Level, ...]:
    siz, levels = header.siz, header.decomposition_levels
    found = []
    for level in range(levels + 1):
        step = 1 << (levels - level)
        stop = index.level_ends[level] + offset if level < len(index.level_ends) else None
        found.append(
            Level(
                level,
                columns=_size(siz.x_offset, siz.width, step),
                rows=_size(siz.y_offset, siz.height, step),
                stop_byte=stop,
            )
        )
    return tuple(found)


def _size(offset: int, size: int, step: int) -> int:
    """One side of a resolution level (ISO/IEC 15444-1 B.5)."""
    return -(-(offset + size) // step) - -(-offset // step)


def guessed_syntax(header: MainHeader) -> str:
    """The transfer syntax that a codestream could be stored under."""
    if not header.is_high_throughput:
        return uids.JPEG_2000_LOSSLESS if header.cod.reversible else uids.JPEG_2000
    mixed = header.cod.code_block_style & HIGH_THROUGHPUT_MIXED
    if not header.cod.reversible or mixed:
        return uids.HTJ2K
    rpcl = header.cod.progression_order == "RPCL" and bool(header.tile_part_lengths)
    return uids.HTJ2K_LOSSLESS_RPCL if rpcl else uids.HTJ2K_LOSSLESS
