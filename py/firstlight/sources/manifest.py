"""``https://host/firstlight.json``: the descriptor that ``firstlight prepare`` wrote."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from firstlight.dicom.codecs import coding_of
from firstlight.errors import MalformedDescriptor
from firstlight.sources.base import Frame, FrameExtent, Series
from firstlight.sources.descriptor import read_descriptor

if TYPE_CHECKING:
    from firstlight.sources.base import Resources
    from firstlight.sources.descriptor import FrameEntry, SeriesEntry

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
        return Series(
            frames=tuple(self._frame(frame) for frame in entry.frames),
            series_instance_uid=entry.series_instance_uid,
            modality=entry.modality,
            description=entry.series_description,
            number=entry.series_number,
            codec=coding.codec,
            reversible=coding.reversible,
        )

    def _frame(self, entry: FrameEntry) -> Frame:
        url = urljoin(self.url, entry.url)
        extent = FrameExtent(url, entry.start, entry.length, entry.level_ends)
        return Frame(entry.image, extent)
