"""A plain address: what it is, is told by its first bytes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from firstlight.dicom.attributes import ImageAttributes
from firstlight.dicom.codecs import coding_of
from firstlight.dicom.sniff import sniffed_syntax
from firstlight.errors import NotDicom, UnsupportedTransferSyntax
from firstlight.j2k.markers import NeedMore, codestream_start, read_main_header
from firstlight.ranges import ByteRange
from firstlight.sources.base import Frame, FrameExtent, Series

if TYPE_CHECKING:
    from firstlight.j2k.parameters import MainHeader
    from firstlight.sources.base import Resources

FIRST_BYTES: Final = 16 * 1024
"""A Part 10 preamble, the head of a JSON file, the boxes and main header of a codestream."""

_PREAMBLE_BYTES: Final = 128


@dataclass(frozen=True, slots=True)
class PlainSource:
    """A descriptor, a Part 10 file, or a codestream without attributes."""

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
        syntax = sniffed_syntax(head)
        if not syntax:
            text = "neither DICOM, nor a codestream, nor a firstlight.json"
            raise NotDicom(text, resource=self.url)
        coding = coding_of(syntax, resource=self.url)
        if not coding.scalable:
            text = "a bare JPEG or JPEG-LS stream: there are no attributes to show it by"
            raise UnsupportedTransferSyntax(text, resource=self.url)
        image, reversible = _from_codestream(head, self.url)
        coding = replace(coding, reversible=reversible)
        return (Series(frames=(Frame(image, FrameExtent(self.url), coding),)),)


def _from_codestream(head: bytes, url: str) -> tuple[ImageAttributes, bool]:
    """What SIZ and COD say of the image; all that there is where no DICOM goes with it."""
    try:
        header = read_main_header(head[codestream_start(head, resource=url) :], resource=url)
    except NeedMore:
        text = f"no main header of a codestream in the first {FIRST_BYTES} bytes"
        raise NotDicom(text, resource=url) from None
    return _attributes(header), header.cod.reversible


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
