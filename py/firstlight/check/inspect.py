"""What a ``src`` holds: series, attributes, codestream, and the byte at which each level ends."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from firstlight.adapters.load import SRC_KINDS, address_of, open_resources
from firstlight.check.address import as_url
from firstlight.check.facts import CodestreamFacts, CodestreamLook
from firstlight.check.kinds import SOC_SIZ, recognise
from firstlight.dicom.part10 import FIRST_READ_BYTES
from firstlight.dicomweb.multipart import read_part_head
from firstlight.errors import (
    FirstlightError,
    HttpStatus,
    MalformedDescriptor,
    NotDicom,
    RangeIgnored,
)
from firstlight.j2k.boxes import SIGNATURE
from firstlight.ports import MAX_READ_BYTES
from firstlight.ranges import ByteRange
from firstlight.sources.address import split_frame
from firstlight.sources.base import FrameExtent
from firstlight.sources.manifest import ManifestSource
from firstlight.sources.open import source_for
from firstlight.sources.part10 import Supply, read_index, series_of
from firstlight.sources.plain import PlainSource

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from firstlight.dicom.attributes import ImageAttributes
    from firstlight.loader.resources import HeldResources
    from firstlight.sources.base import Resources, Series

_ALWAYS: Final = (
    "rows",
    "columns",
    "samples_per_pixel",
    "photometric_interpretation",
    "bits_allocated",
    "bits_stored",
    "pixel_representation",
)

LOOK_BYTES: Final = 4096
METADATA_LIMIT_BYTES: Final = 16 << 20


@dataclass(frozen=True, slots=True)
class Inspection:
    """``codestream`` is that of the first frame, None where it is none; ``attributes`` its image.

    ``trouble`` says why the codestream could not be looked at, empty where it was. Several
    transfer syntaxes are listed, separated by commas. ``notices`` say what is left out.
    """

    src: str
    kind: str
    transfer_syntax_uid: str = ""
    series: tuple[Series, ...] = ()
    attributes: Mapping[str, Any] | None = None
    codestream: CodestreamFacts | None = None
    trouble: str = ""
    notices: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As JSON values; of frames their places."""
        return {
            "src": self.src,
            "kind": self.kind,
            "transfer_syntax_uid": self.transfer_syntax_uid,
            "series": [_series_to_json(one) for one in self.series],
            "attributes": self.attributes,
            "codestream": None if self.codestream is None else self.codestream.to_json(),
            "trouble": self.trouble,
            "notices": list(self.notices),
        }


async def inspect(written: str, headers: Mapping[str, str] | None = None) -> Inspection:
    """Look at a path, a URL or a ``src``.

    Raises:
        FirstlightError: it did not come, or is nothing that can be looked at.
    """
    src = as_url(written)
    async with open_resources(address_of(src), headers) as resources:
        kind = src.partition(":")[0]
        if kind == "wadouri":
            url, frame_number = split_frame(address_of(src))
            return await _part10(resources, src, url, frame_number)
        if kind in SRC_KINDS:
            series = await source_for(src).open(resources)
            return await _of_series(resources, Inspection(src, kind, series=series))
        return await _by_first_bytes(resources, src)


async def _by_first_bytes(resources: HeldResources, url: str) -> Inspection:
    head = await resources.part(url, ByteRange(0, LOOK_BYTES))
    kind = recognise(head.data)
    match kind:
        case "part 10 file":
            return await _part10(resources, url, url, None)
        case "descriptor":
            series = await ManifestSource(url).open(resources)
            return await _of_series(resources, Inspection(url, kind, series=series))
        case "jpeg stream":
            series = await PlainSource(url).open(resources)
            return await _of_series(resources, Inspection(url, kind, series=series))
        case "codestream" | "jp2 file":
            extent = FrameExtent(url, length=head.total_bytes)
        case "multipart frame":
            extent = FrameExtent(url, framing="multipart")
        case _:
            text = f"neither an image nor a firstlight.json, but: {kind}"
            raise MalformedDescriptor(text, resource=url)
    return await _with_codestream(resources, Inspection(url, kind), extent)


async def _part10(
    resources: HeldResources, src: str, url: str, frame_number: int | None
) -> Inspection:
    first = await resources.part(url, ByteRange(0, FIRST_READ_BYTES))
    try:
        index = await read_index(Supply(resources, url, first))
    except NotDicom as error:
        return await _metadata(resources, src, url, error)
    series = series_of(index, url, first.total_bytes)
    if frame_number is not None:
        series = replace(series, frames=series.frames[frame_number - 1 : frame_number])
        if not series.frames:
            text = f"no frame {frame_number}, there are {len(index.frames)}"
            raise MalformedDescriptor(text, resource=url)
    found = Inspection(src, "part 10 file", index.transfer_syntax_uid, (series,))
    return await _of_series(resources, found)


async def _metadata(resources: Resources, src: str, url: str, error: NotDicom) -> Inspection:
    """A Part 10 file without pixels has attributes all the same."""
    from firstlight.dicom import metadata

    data = await resources.whole(url, limit_bytes=METADATA_LIMIT_BYTES)
    try:
        dataset = metadata.read_part10_header(data, resource=url)
        attributes = attributes_of(metadata.image_attributes(dataset))
    except NotDicom:
        raise error from None
    uid = str(dataset.file_meta.get("TransferSyntaxUID", ""))
    return Inspection(
        src, "metadata", uid, attributes=attributes, trouble=f"no frames: {error.message}"
    )


async def _of_series(resources: HeldResources, found: Inspection) -> Inspection:
    frame = found.series[0].frames[0]
    syntaxes = dict.fromkeys(
        one.coding.transfer_syntax_uid for series in found.series for one in series.frames
    )
    found = replace(
        found,
        attributes=attributes_of(frame.image),
        transfer_syntax_uid=found.transfer_syntax_uid or ", ".join(syntaxes),
        notices=(*resources.notices, *(text for one in found.series for text in one.notices)),
    )
    if not frame.coding.scalable:
        return found
    return await _with_codestream(resources, found, frame.extent)


async def _with_codestream(
    resources: Resources, found: Inspection, extent: FrameExtent
) -> Inspection:
    try:
        read, length = await frame_reader(resources, extent)
        head = await read(ByteRange(0, LOOK_BYTES))
        if not head.startswith((SOC_SIZ, SIGNATURE)):
            return replace(found, trouble="the frame is no JPEG 2000 codestream")
        look = CodestreamLook(read, length, resource=extent.url, head=head)
        return replace(found, codestream=await look.facts())
    except FirstlightError as error:
        if not found.series:
            raise
        return replace(found, trouble=str(error))


async def frame_reader(
    resources: Resources, extent: FrameExtent
) -> tuple[Callable[[ByteRange], Awaitable[bytes]], int | None]:
    """How to read ranges of a frame, and its length where that is known.

    What is read ends where the frame, or else its resource, does.

    Raises:
        TransportError: the head of a multipart body did not come.
        NotDicom: it is none.
    """
    if extent.framing == "multipart":
        body = await resources.part(extent.url, ByteRange(0, LOOK_BYTES), accept=extent.accept)
        part = read_part_head(body.data, resource=extent.url)
        if part is None:
            raise NotDicom("the multipart body has no part", resource=extent.url)
        extent = replace(extent, start=part.payload_start, length=part.length, framing="")

    async def read(wanted: ByteRange) -> bytes:
        stop = wanted.start + MAX_READ_BYTES
        stop = min(s for s in (stop, wanted.stop, extent.length) if s is not None)
        if wanted.start >= stop:
            return b""
        pieces = extent.pieces(ByteRange(wanted.start, stop))
        return b"".join([await _read(resources, extent, piece) for piece in pieces])

    return read, extent.length


async def _read(resources: Resources, extent: FrameExtent, piece: ByteRange) -> bytes:
    try:
        return (await resources.part(extent.url, piece, accept=extent.accept)).data
    except HttpStatus as error:
        if error.status != 416:
            raise
    except RangeIgnored:
        if extent.length is not None:
            raise
    return b""  # behind the end of a resource whose size nobody knew


def _series_to_json(series: Series) -> dict[str, Any]:
    return {
        "series_instance_uid": series.series_instance_uid,
        "modality": series.modality,
        "number": series.number,
        "description": series.description,
        "codec": series.frames[0].coding.codec,
        "reversible": series.reversible,
        "frame_count": len(series.frames),
        "frames": [
            {
                "frame_number": number,
                "url": frame.extent.url,
                "codec": frame.coding.codec,
                "start": frame.extent.start,
                "length": frame.extent.length,
                "level_ends": list(frame.extent.level_ends),
                "fragments": [list(asdict(run).values()) for run in frame.extent.fragments],
            }
            for number, frame in enumerate(series.frames, 1)
        ],
    }


def attributes_of(image: ImageAttributes) -> dict[str, Any]:
    """Those that shape the pixels, and of the others what differs from its default."""
    return {name: getattr(image, name) for name in _ALWAYS} | image.to_json()
