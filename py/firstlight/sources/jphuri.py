"""``jphuri:https://host/x.jph``: a codestream, its attributes in ``x.metadata.dcm`` beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from firstlight.errors import MalformedDescriptor
from firstlight.sources.base import Frame, FrameExtent, Series

if TYPE_CHECKING:
    from firstlight.sources.base import Resources

PREFIX = "jphuri:"
METADATA_LIMIT_BYTES = 16 << 20
"""A Part 10 header without pixels; functional groups of thousands of frames stay below it."""


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
    """One image as a pair of files; ``url`` is that of the ``.jph``."""

    url: str

    async def open(self, resources: Resources) -> tuple[Series, ...]:
        """Read the attributes while the codestream is already coming.

        Raises:
            NotDicom: the metadata is not a Part 10 file that describes an image.
        """
        beside = metadata_url(self.url)
        resources.head_start(self.url)
        data = await resources.whole(beside, limit_bytes=METADATA_LIMIT_BYTES)
        await resources.need("pydicom")
        from firstlight.dicom import metadata

        dataset = metadata.read_part10_header(data, resource=beside)
        image = metadata.image_attributes(dataset)
        number = dataset.get("SeriesNumber")
        return (
            Series(
                frames=(Frame(image, FrameExtent(self.url)),),
                series_instance_uid=str(dataset.get("SeriesInstanceUID", "")),
                modality=str(dataset.get("Modality", "")),
                description=str(dataset.get("SeriesDescription", "")),
                number=None if number is None else int(number),
            ),
        )
