"""Finds in a Part 10 file, by small ranges, its header and the place of every frame."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from firstlight.dicom import uids
from firstlight.dicom.codecs import coding_of
from firstlight.dicom.elements import (
    EXPLICIT_BIG,
    EXPLICIT_LITTLE,
    IMPLICIT_LITTLE,
    Encoding,
    is_vr,
    read_header,
    skip_undefined,
)
from firstlight.dicom.fragments import Tables, encapsulated_frames
from firstlight.dicom.frames import PixelShape, native_frames
from firstlight.dicom.window import Asking, ByteWindow, InflatingWindow
from firstlight.errors import LimitExceeded, NotDicom

if TYPE_CHECKING:
    from firstlight.dicom.elements import ElementHeader
    from firstlight.dicom.frames import FramePlace
    from firstlight.ranges import ByteRange

FIRST_READ_BYTES: Final = 1 << 14
"""Holds the header of nearly every image of one frame, and costs 4 ms at 30 Mbit/s."""

MAX_HEADER_BYTES: Final = 1 << 25
"""Functional groups of thousands of frames stay below it."""

MAX_VALUE_BYTES: Final = 1 << 22
"""Longer values before Pixel Data are left out of the header, and not fetched."""

PIXEL_DATA: Final = 0x7FE00010
FLOAT_BITS: Final = {0x7FE00008: 32, 0x7FE00009: 64}
"""Float and Double Float Pixel Data (PS3.3 C.7.6.24), and the bits of a value."""

_PIXEL_TAGS: Final = (*FLOAT_BITS, PIXEL_DATA)
_TABLE_TAGS: Final = (0x7FE00001, 0x7FE00002)
_NEVER_LEFT_OUT: Final = (0x52009229, 0x52009230)
_PREAMBLE_BYTES: Final = 128
_PREFIX_STOP: Final = 132
_TRANSFER_SYNTAX_UID: Final = 0x00020010

_SHAPE: Final = {
    0x00280002: "samples_per_pixel",
    0x00280010: "rows",
    0x00280011: "columns",
    0x00280100: "bits_allocated",
}
_IS_CHARACTERS: Final = 12
"""Longest Integer String (PS3.5 6.2)."""

_NUMBER_OF_FRAMES: Final = 0x00280008
_PHOTOMETRIC_INTERPRETATION: Final = 0x00280004


@dataclass(frozen=True, slots=True)
class Part10Index:
    """What a file holds and where.

    ``header`` is the file without Pixel Data, the offset tables and values longer than
    `MAX_VALUE_BYTES`: a Part 10 file in itself. ``pixel_tag`` is (7FE0,0010), or that of Float or
    Double Float Pixel Data. ``dataset_start`` is where the file meta information ends. Where
    ``deflated``, frames count from there in the inflated bytes; else from the file's start.
    """

    transfer_syntax_uid: str
    header: bytes
    frames: tuple[FramePlace, ...]
    pixel_tag: int
    dataset_start: int
    deflated: bool = False
    pixel_vr: str = ""


class Part10Reader:
    """Says which bytes it wants, is fed, and at the end has an `index`. It does no I/O.

    ``total_bytes`` is the file's size where known.
    """

    def __init__(self, total_bytes: int | None = None, *, resource: str | None = None) -> None:
        self.index: Part10Index | None = None
        self._resource = resource
        self._window = ByteWindow(total_bytes, resource=resource)
        self._header = bytearray()
        self._shape = PixelShape()
        self._values: dict[int, bytes] = {}
        self._reading = self._read()
        self._wanted: ByteRange | None = next(self._reading)

    @property
    def wanted(self) -> ByteRange | None:
        """The bytes to be fed next, None when all is known."""
        return self._wanted

    def feed(self, start: int, data: bytes) -> None:
        """Take the bytes wanted; none, or fewer where the size is unknown, tell where it ends.

        Raises:
            NotDicom: not a Part 10 file with pixels, or one that contradicts itself.
            UnsupportedTransferSyntax: a transfer syntax that has no decoder.
            LimitExceeded: a header, or a number of frames, beyond all sense.
        """
        self._window.feed(start, data)
        try:
            self._wanted = next(self._reading)
        except StopIteration:
            self._wanted = None

    # -- the parser -----------------------------------------------------------------------------

    def _read(self) -> Asking[None]:
        window = self._window
        meta_start = yield from self._meta_start()
        dataset_start = yield from self._read_meta(meta_start)
        meta = bytes(_PREAMBLE_BYTES) + b"DICM" + window.take(meta_start, dataset_start)
        uid = _text(self._values.get(_TRANSFER_SYNTAX_UID, b""))
        if not uid:
            raise self._error("Transfer Syntax UID is missing")
        coding = coding_of(uid, resource=self._resource)
        deflated = uid == uids.DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN
        if deflated:
            window = InflatingWindow(window, dataset_start, limit_bytes=MAX_HEADER_BYTES)
        else:
            self._header += meta
        at = 0 if deflated else dataset_start
        encoding = yield from self._encoding(window, at, uid)
        element, at = yield from self._read_dataset(window, at, encoding)
        value = at + element.header_bytes
        if not coding.encapsulated and element.length is not None:
            frames = native_frames(self._shape, value, element.length, resource=self._resource)
        elif coding.encapsulated and element.length is None:
            tables = Tables(*(self._values.get(tag, b"") for tag in _TABLE_TAGS))
            count = self._shape.frame_count
            frames = yield from encapsulated_frames(window, value, count, tables)
        else:
            raise self._error("the form of Pixel Data contradicts the transfer syntax")
        total = window.total_bytes
        if total is not None and all(place.start + place.length > total for place in frames):
            raise self._error(f"the file ends at byte {total}, inside its first frame")
        header = meta + _deflate(bytes(self._header)) if deflated else bytes(self._header)
        self.index = Part10Index(
            uid, header, frames, element.tag, dataset_start, deflated, element.vr.decode("ascii")
        )

    def _meta_start(self) -> Asking[int]:
        """Where the file meta information begins; some files lack the preamble before it."""
        window = self._window
        if (yield from window.reach(0, _PREFIX_STOP, FIRST_READ_BYTES)):
            if window.take(_PREAMBLE_BYTES, _PREFIX_STOP) == b"DICM":
                return _PREFIX_STOP
            if window.take(0, 2) == b"\x02\x00" and is_vr(window.take(4, 6)):
                return 0
        raise self._error("not a DICOM Part 10 file")

    def _read_meta(self, at: int) -> Asking[int]:
        """Read the file meta information (PS3.10 7.1); its end, whatever its length says."""
        while True:
            header = yield from read_header(self._window, at, EXPLICIT_LITTLE)
            if header is None or header.tag >> 16 != 2 or not header.vr:
                return at
            stop = at + header.header_bytes + (header.length or 0)
            if header.length is None or stop > MAX_VALUE_BYTES:
                raise self._error("file meta information without end")
            yield from self._window.need(0, stop, FIRST_READ_BYTES)
            self._values[header.tag] = self._window.take(at + header.header_bytes, stop)
            at = stop

    def _encoding(self, window: ByteWindow, at: int, uid: str) -> Asking[Encoding]:
        """That of the syntax; implicit or explicit VR by the first element, as readers do."""
        if uid == uids.EXPLICIT_VR_BIG_ENDIAN:
            return EXPLICIT_BIG
        if not (yield from window.reach(at, at + 8, FIRST_READ_BYTES)):
            raise self._error("nothing behind the file meta information")
        return EXPLICIT_LITTLE if is_vr(window.take(at + 4, at + 6)) else IMPLICIT_LITTLE

    def _read_dataset(
        self, window: ByteWindow, at: int, encoding: Encoding
    ) -> Asking[tuple[ElementHeader, int]]:
        """Read up to the pixels: the header of their element and its offset."""
        while True:
            header = yield from read_header(window, at, encoding)
            if header is None:
                raise self._error("no Pixel Data")
            if header.tag in _PIXEL_TAGS:
                return header, at
            value = at + header.header_bytes
            if header.length is None:
                window.forget(at)
                limit = at + MAX_HEADER_BYTES
                stop = yield from skip_undefined(window, value, header.vr, encoding, limit=limit)
            else:
                stop = value + header.length
                if not self._is_kept(header.tag, header.length):
                    at = stop
                    continue
                yield from window.need(at, stop, FIRST_READ_BYTES)
                self._note(header.tag, window.take(value, stop), encoding)
            if header.tag not in _TABLE_TAGS:
                self._keep(window.take(at, stop))
            at = stop

    def _is_kept(self, tag: int, length: int) -> bool:
        limit = MAX_HEADER_BYTES if tag in _NEVER_LEFT_OUT else MAX_VALUE_BYTES
        return length <= limit

    def _keep(self, data: bytes) -> None:
        if len(self._header) + len(data) > MAX_HEADER_BYTES:
            text = f"more than {MAX_HEADER_BYTES} bytes before Pixel Data"
            raise LimitExceeded(text, resource=self._resource)
        self._header += data

    def _note(self, tag: int, value: bytes, encoding: Encoding) -> None:
        """Remember what the place of frames depends on."""
        if tag in _SHAPE:
            setattr(self._shape, _SHAPE[tag], int.from_bytes(value[:2], encoding.order))
        elif tag == _PHOTOMETRIC_INTERPRETATION:
            self._shape.photometric_interpretation = _text(value)
        elif tag == _NUMBER_OF_FRAMES:
            number = _text(value).split("\\")[0].strip()
            is_number = number.isdecimal() and len(number) <= _IS_CHARACTERS
            self._shape.frame_count = max(1, int(number)) if is_number else 1
        elif tag in _TABLE_TAGS:
            self._values[tag] = value

    def _error(self, text: str) -> NotDicom:
        return NotDicom(text, resource=self._resource)


def _text(value: bytes) -> str:
    return value.decode("ascii", "replace").strip("\x00 ")


def _deflate(data: bytes) -> bytes:
    compressor = zlib.compressobj(level=1, wbits=-zlib.MAX_WBITS)
    return compressor.compress(data) + compressor.flush()
