"""How a DICOMweb server gives frames: found out by a look at one of each kind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from firstlight.dicom.codecs import coding_of
from firstlight.dicom.frames import PixelShape, native_frame
from firstlight.dicom.sniff import sniffed_syntax
from firstlight.dicom.uids import EXPLICIT_VR_LITTLE_ENDIAN
from firstlight.dicomweb import metadata as dicom_json
from firstlight.dicomweb.accept import BULK_DATA, FRAME_AS_STORED
from firstlight.dicomweb.bulkdata import Spot, bulk_uri, spots
from firstlight.dicomweb.multipart import is_multipart, read_part_head
from firstlight.errors import NotDicom, TransportError
from firstlight.ranges import ByteRange
from firstlight.sources.base import Frame, FrameExtent

if TYPE_CHECKING:
    from firstlight.dicom.attributes import ImageAttributes
    from firstlight.dicom.codecs import Coding
    from firstlight.dicomweb.metadata import Record
    from firstlight.dicomweb.urls import Place
    from firstlight.sources.base import Resources

PROBE_BYTES: Final = 1 << 11
"""Of one frame: the multipart framing, and a codestream's first markers."""

_WAYS_TO_ASK: Final = (("", FRAME_AS_STORED), ("", ""), (".mht", ""))
"""What frame URLs end in, and the Accept header: as stored; as the server likes, where it does not
know the stored syntax; the file of a tree on a host that maps no names."""

_MEDIA_SYNTAXES: Final = {
    "image/jphc": "1.2.840.10008.1.2.4.203",
    "image/jls": "1.2.840.10008.1.2.4.80",
    "image/x-jls": "1.2.840.10008.1.2.4.80",
    "image/jp2": "1.2.840.10008.1.2.4.90",
    "image/jll": "1.2.840.10008.1.2.4.70",
    "image/jpeg": "1.2.840.10008.1.2.4.50",
    "image/dicom-rle": "1.2.840.10008.1.2.5",
    "image/x-dicom-rle": "1.2.840.10008.1.2.5",
}
"""What servers mean that name a media type only (PS3.18 Table 8.7.3-2, and older names)."""


class Shown(NamedTuple):
    """One frame before its URL's form is known."""

    record: Record
    frame_number: int
    image: ImageAttributes
    place: Place


class Form(NamedTuple):
    """How this server gives frames of their own: how to ask, the framing, and the coding."""

    suffix: str
    accept: str
    multipart: bool
    coding: Coding

    def frame(self, shown: Shown) -> Frame:
        """A frame in this form."""
        length = None
        if not self.coding.encapsulated:
            length = native_frame(_shape(shown.image), 0, 0).length
        extent = FrameExtent(
            _frame_url(shown, self.suffix),
            length=length,
            level_ends=() if length is None else (length,),
            framing="multipart" if self.multipart else "",
            accept=self.accept,
        )
        return Frame(shown.image, extent, self.coding)


@dataclass(frozen=True, slots=True)
class BulkForm:
    """Pixel Data by its BulkDataURI: where that is, and where in the answer the frames begin."""

    spot: Spot
    start: int
    multipart: bool
    coding: Coding

    def frame(self, shown: Shown) -> Frame:
        """A frame in this form.

        Raises:
            NotDicom: compressed frames of one instance, which only their own resources tell apart.
        """
        url = self.spot.url(pixel_uri(shown.record), shown.place)
        if self.coding.encapsulated:
            if dicom_json.frame_count(shown.record) > 1:
                raise NotDicom("several compressed frames in one value", resource=url)
            extent = FrameExtent(
                url, framing="multipart" if self.multipart else "", accept=BULK_DATA
            )
            return Frame(shown.image, extent, self.coding)
        place = native_frame(_shape(shown.image), self.start, shown.frame_number - 1)
        extent = FrameExtent(
            url,
            start=place.start,
            length=place.length,
            level_ends=(place.length,),
            first_bit=place.first_bit,
            accept=BULK_DATA,
        )
        return Frame(shown.image, extent, self.coding)


async def find_form(resources: Resources, shown: Shown) -> Form | BulkForm:
    """Look at the first bytes of one frame: metadata do not always tell the truth of it.

    Raises:
        TransportError: it did not come, by whichever of its addresses.
        UnsupportedTransferSyntax: there is no decoder for it.
    """
    told = dicom_json.transfer_syntax_uid(shown.record)
    failure: TransportError | None = None
    for suffix, accept in _WAYS_TO_ASK:
        url = _frame_url(shown, suffix)
        try:
            part = await resources.part(url, ByteRange(0, PROBE_BYTES), accept=accept)
        except TransportError as error:
            failure = failure or error
            continue
        multipart = is_multipart(part.data)
        uid = _syntax(part.data, told, multipart=multipart)
        return Form(suffix, accept, multipart, coding_of(uid, resource=url))
    form = await _bulk_form(resources, shown, told)
    if form is None:
        assert failure is not None
        raise failure
    return form


def pixel_uri(record: Record) -> str:
    """The BulkDataURI of Pixel Data, empty where there is none or it names the frames resource."""
    tags = (dicom_json.PIXEL_DATA, *dicom_json.FLOAT_PIXEL_DATA)
    uri = next(filter(None, (bulk_uri(record, tag) for tag in tags)), "")
    return "" if uri.rstrip("/").endswith("/frames") or uri in ("frames", "./frames") else uri


async def _bulk_form(resources: Resources, shown: Shown, told: str) -> BulkForm | None:
    uri = pixel_uri(shown.record)
    for spot in spots(uri) if uri else ():
        if spot.suffix:
            continue  # a compressed file has no ranges that could be decoded
        url = spot.url(uri, shown.place)
        try:
            part = await resources.part(url, ByteRange(0, PROBE_BYTES), accept=BULK_DATA)
        except TransportError:
            continue
        multipart = is_multipart(part.data)
        coding = coding_of(_syntax(part.data, told, multipart=multipart), resource=url)
        head = read_part_head(part.data) if multipart else None
        return BulkForm(spot, 0 if head is None else head.payload_start, multipart, coding)
    return None


def _syntax(body: bytes, told: str, *, multipart: bool) -> str:
    """The transfer syntax of a frame: as its part says, as it looks, as the metadata say.

    A codestream is believed before a part that calls it uncompressed: servers that do not know a
    syntax send it under that name.
    """
    head = read_part_head(body) if multipart else None
    said = "" if head is None else head.transfer_syntax_uid.strip("*")
    seen = sniffed_syntax(body if head is None else body[head.payload_start :])
    if said and (not seen or coding_of(said).encapsulated):
        return said
    if seen:
        same_family = told and coding_of(told).codec == coding_of(seen).codec
        return told if same_family else seen
    media_type = "" if head is None else head.media_type
    return _MEDIA_SYNTAXES.get(media_type) or told or EXPLICIT_VR_LITTLE_ENDIAN


def _shape(image: ImageAttributes) -> PixelShape:
    return PixelShape(
        rows=image.rows,
        columns=image.columns,
        samples_per_pixel=image.samples_per_pixel,
        bits_allocated=image.bits_allocated,
        photometric_interpretation=image.photometric_interpretation,
    )


def _frame_url(shown: Shown, suffix: str) -> str:
    return shown.place.url("frames", f"{shown.frame_number}{suffix}")
