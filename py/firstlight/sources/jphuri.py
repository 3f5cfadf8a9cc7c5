"""``jphuri:https://host/x.jph``: a codestream, its attributes in ``x.metadata.dcm`` beside it."""

from __future__ import annotations

from asyncio import gather
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit, urlunsplit

from firstlight.dicom.codecs import HTJ2K_CODING
from firstlight.errors import MalformedDescriptor
from firstlight.ranges import ByteRange
from firstlight.sources.base import Frame, FrameExtent, Series

if TYPE_CHECKING:
    from firstlight.sources.base import Limit, Resources

METADATA_LIMIT_BYTES: Final = 16 << 20
"""A Part 10 header without pixels; functional groups of thousands of frames stay below it."""

FIRST_BYTES: Final = 1 << 14
"""Asked for together with the metadata where not all of the file is wanted."""


def metadata_url(pixel_url: str) -> str:
    """The metadata's place: the path's last ``.jph`` becomes ``.metadata.dcm``, the query stays.

    Raises:
        MalformedDescriptor: the path does not end in ``.jph``.
    """
    parts = urlsplit(pixel_url)
    if not parts.path.lower().endswith(".jph"):
        raise MalformedDescriptor("a jphuri: address ends in .jph", resource=pixel_url)
    path = parts.path[: -len(".jph")] + ".metadata.dcm"
    return urlunsplit(parts._replace(path=path))


@dataclass(frozen=True, slots=True)
class JphuriSource:
    """One image as a pair of files; ``url`` is that of the ``.jph``, ``limit`` how much of it."""

    url: str
    limit: Limit | None = None

    async def open(self, resources: Resources) -> tuple[Series, ...]:
        """Read the attributes while the codestream is already coming.

        Raises:
            NotDicom: the metadata is not a Part 10 file that describes an image.
        """
        beside = metadata_url(self.url)
        data = resources.whole(beside, limit_bytes=METADATA_LIMIT_BYTES)
        if self.limit is None:
            resources.head_start(self.url)
            header = await data
        else:
            stop = min(FIRST_BYTES, self.limit.stop or FIRST_BYTES)
            header, _ = await gather(data, resources.part(self.url, ByteRange(0, stop)))
        await resources.need("pydicom")
        from firstlight.dicom import metadata

        dataset = metadata.read_part10_header(header, resource=beside)
        image = metadata.image_attributes(dataset)
        return (
            Series(
                frames=(Frame(image, FrameExtent(self.url)),),
                series_instance_uid=str(dataset.get("SeriesInstanceUID", "")),
                modality=str(dataset.get("Modality", "")),
                description=str(dataset.get("SeriesDescription", "")),
                number=metadata.integer(dataset, "SeriesNumber"),
                transfer_syntax_uid=HTJ2K_CODING.transfer_syntax_uid,
                limit=self.limit,
            ),
        )
