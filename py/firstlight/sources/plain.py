"""A plain address: what it is, is told by its first bytes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from firstlight.dicom.attributes import ImageAttributes
from firstlight.dicom.codecs import coding_of
from firstlight.dicom.jpeg import SOI, has_all_headers, read_jpeg
from firstlight.dicom.sniff import sniffed_syntax
from firstlight.errors import NotDicom
from firstlight.j2k.boxes import codestream_start
from firstlight.j2k.markers import read_main_header
from firstlight.j2k.parameters import NeedMore
from firstlight.ports import MAX_READ_BYTES
from firstlight.ranges import ByteRange
from firstlight.sources.base import Frame, FrameExtent, Series

if TYPE_CHECKING:
    from firstlight.j2k.parameters import MainHeader
    from firstlight.sources.base import Resources

FIRST_BYTES: Final = 16 * 1024
"""A Part 10 preamble, the head of a JSON file, the boxes and main header of a codestream."""

_PREAMBLE_BYTES: Final = 128

_SYCC: Final = 18
"""Enumerated colour space sYCC (15444-1 Table I.10)."""


@dataclass(frozen=True, slots=True)
class PlainSource:
    """A descriptor, a Part 10 file, or a bare codestream, JPEG or JPEG-LS stream."""

    url: str

    async def open(self, resources: Resources) -> tuple[Series, ...]:
        """Look at the first bytes and hand over to the source of that kind.

        Raises:
            NotDicom: it is none of them.
        """
        part = await resources.part(self.url, ByteRange(0, FIRST_BYTES))
        head = part.data
        if head[_PREAMBLE_BYTES : _PREAMBLE_BYTES + 4] == b"DICM":
            from firstlight.sources.part10 import Part10Source

            return await Part10Source(self.url).open(resources)
        if head.lstrip()[:1] == b"{":
            from firstlight.sources.manifest import ManifestSource

            return await ManifestSource(self.url).open(resources)
        if head.startswith(SOI):
            image, coding = read_jpeg(await self._headers(resources, head), resource=self.url)
            frame = Frame(image, FrameExtent(self.url), coding)
        elif sniffed_syntax(head):
            frame = await self._codestream(resources, head)
        else:
            text = "neither DICOM, nor a picture of its formats, nor a firstlight.json"
            raise NotDicom(text, resource=self.url)
        return (Series((frame,), transfer_syntax_uid=frame.coding.transfer_syntax_uid),)

    async def _headers(self, resources: Resources, head: bytes) -> bytes:
        """All headers of a JPEG stream: thumbnails and colour profiles may come first."""
        if has_all_headers(head) or len(head) < FIRST_BYTES:
            return head
        return (await resources.part(self.url, ByteRange(0, MAX_READ_BYTES))).data

    async def _codestream(self, resources: Resources, head: bytes) -> Frame:
        """What SIZ and COD say of the image; all that there is where no DICOM goes with it."""
        try:
            start, header = _main_header(head, self.url)
        except NeedMore:
            head = (await resources.part(self.url, ByteRange(0, MAX_READ_BYTES))).data
            try:
                start, header = _main_header(head, self.url)
            except NeedMore:
                text = f"no main header of a codestream in the first {MAX_READ_BYTES} bytes"
                raise NotDicom(text, resource=self.url) from None
        image = _attributes(header)
        if image.samples_per_pixel == 3 and _colour_space(head[:start]) == _SYCC:
            image = replace(image, photometric_interpretation="YBR_FULL")
        uid = sniffed_syntax(head[start:]) or sniffed_syntax(head)
        coding = replace(coding_of(uid, resource=self.url), reversible=header.cod.reversible)
        return Frame(image, FrameExtent(self.url, start, _box_length(head, start)), coding)


def _main_header(head: bytes, url: str) -> tuple[int, MainHeader]:
    start = codestream_start(head, resource=url)
    return start, read_main_header(head[start:], resource=url)


def _box_length(head: bytes, start: int) -> int | None:
    """Length of the codestream whose box ends its own header at ``start`` (15444-1 I.4)."""
    if head[start - 4 : start] == b"jp2c":
        length = int.from_bytes(head[start - 8 : start - 4], "big") - 8
    elif head[start - 12 : start - 8] == b"jp2c":
        length = int.from_bytes(head[start - 8 : start], "big") - 16
    else:
        return None
    return length if length > 0 else None


def _colour_space(boxes: bytes) -> int | None:
    """EnumCS of the Colour Specification box (15444-1 I.5.3.3), None where it has none."""
    at = boxes.find(b"colr")
    if at < 0 or boxes[at + 4 : at + 5] != b"\x01":
        return None
    return int.from_bytes(boxes[at + 7 : at + 11], "big")


def _attributes(header: MainHeader) -> ImageAttributes:
    siz = header.siz
    first = siz.components[0]
    bits_allocated = 8 if first.precision_bits <= 8 else 16
    return ImageAttributes(
        rows=siz.height,
        columns=siz.width,
        samples_per_pixel=len(siz.components),
        photometric_interpretation="RGB" if len(siz.components) == 3 else "MONOCHROME2",
        bits_allocated=bits_allocated,
        bits_stored=first.precision_bits,
        high_bit=first.precision_bits - 1,
        pixel_representation=int(first.is_signed),
    )
