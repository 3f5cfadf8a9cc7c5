"""``https://host/firstlight.json``: the descriptor that ``firstlight prepare`` wrote."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from firstlight.dicom.codecs import coding_of
from firstlight.errors import MalformedDescriptor
from firstlight.sources.base import Frame, FrameExtent, Representation, Series
from firstlight.sources.descriptor import read_descriptor

if TYPE_CHECKING:
    from firstlight.dicom.attributes import ImageAttributes
    from firstlight.dicom.codecs import Coding
    from firstlight.sources.base import Resources
    from firstlight.sources.descriptor import AlternateEntry, FrameEntry, SeriesEntry

    Alternates = dict[str, tuple[Coding, bool]]

DESCRIPTOR_LIMIT_BYTES = 64 << 20
"""A descriptor of 200,000 frames; anything larger is not one."""


@dataclass(frozen=True, slots=True)
class ManifestSource:
    """A ``firstlight.json`` and the frames it names, relative to its own URL."""

    url: str

    async def open(self, resources: Resources) -> tuple[Series, ...]:
        """Read the descriptor; nothing else is needed.

        Raises:
            MalformedDescriptor: it breaks its specification or holds no frame.
            UnsupportedTransferSyntax: a series is in a syntax that has no decoder.
        """
        text = await resources.whole(self.url, limit_bytes=DESCRIPTOR_LIMIT_BYTES)
        descriptor = read_descriptor(text, resource=self.url)
        series = tuple(self._series(entry) for entry in descriptor.series if entry.frames)
        if not series:
            raise MalformedDescriptor("no frame in it", resource=self.url)
        return series

    def _series(self, entry: SeriesEntry) -> Series:
        coding = coding_of(entry.transfer_syntax_uid, resource=self.url)
        alternates = {
            one.name: (coding_of(one.transfer_syntax_uid, resource=self.url), one.exact)
            for one in entry.alternates
        }
        return Series(
            frames=tuple(self._frame(frame, coding, alternates) for frame in entry.frames),
            series_instance_uid=entry.series_instance_uid,
            modality=entry.modality,
            description=entry.series_description,
            number=entry.series_number,
            transfer_syntax_uid=entry.transfer_syntax_uid,
            heads_url=urljoin(self.url, entry.heads.url) if entry.heads else "",
        )

    def _frame(self, entry: FrameEntry, coding: Coding, alternates: Alternates) -> Frame:
        url = urljoin(self.url, entry.url)
        extent = FrameExtent(url, entry.start, entry.length, entry.level_ends)
        others = tuple(self._other(entry.image, other, alternates) for other in entry.alternates)
        return Frame(entry.image, extent, coding, entry.heads, others)

    def _other(
        self, image: ImageAttributes, entry: AlternateEntry, alternates: Alternates
    ) -> Representation:
        coding, exact = alternates[entry.name]
        length = entry.length
        ends = entry.level_ends or (() if coding.scalable else (length,))
        extent = FrameExtent(urljoin(self.url, entry.url), entry.start, length, ends)
        image = replace(image, rows=entry.rows, columns=entry.columns)
        return Representation(entry.name, image, extent, coding, exact)
