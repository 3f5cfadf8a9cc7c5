"""``https://host/firstlight.json``: the descriptor that ``firstlight prepare`` wrote."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from firstlight.dicom.codecs import coding_of
from firstlight.dicom.order import display_order
from firstlight.errors import MalformedDescriptor, UnsupportedTransferSyntax
from firstlight.sources.address import resolve
from firstlight.sources.base import Frame, FrameExtent, Representation, Series
from firstlight.sources.descriptor import read_descriptor

if TYPE_CHECKING:
    from firstlight.dicom.attributes import ImageAttributes
    from firstlight.dicom.codecs import Coding
    from firstlight.sources.base import Resources
    from firstlight.sources.descriptor import AlternateEntry, FrameEntry, SeriesEntry

    Alternates = dict[str, tuple[Coding, bool]]

DESCRIPTOR_LIMIT_BYTES: Final = 64 << 20
"""A descriptor of 200,000 frames; anything larger is not one."""


@dataclass(frozen=True, slots=True)
class ManifestSource:
    """A ``firstlight.json`` and the frames it names, relative to its own URL."""

    url: str

    async def open(self, resources: Resources) -> tuple[Series, ...]:
        """Read the descriptor; nothing else is needed.

        Entries of the same study and series, in several transfer syntaxes, are one series.

        Raises:
            MalformedDescriptor: it breaks its specification or holds no frame.
            UnsupportedTransferSyntax: all series are in a syntax that has no decoder.
        """
        text = await resources.whole(self.url, limit_bytes=DESCRIPTOR_LIMIT_BYTES)
        descriptor = read_descriptor(text, resource=self.url)
        found: dict[object, list[Series]] = {}
        failure: UnsupportedTransferSyntax | None = None
        for number, entry in enumerate(descriptor.series):
            uids = (entry.study_instance_uid, entry.series_instance_uid)
            try:
                if entry.frames:
                    # Entries without a UID are not known to belong together.
                    key = uids if entry.series_instance_uid else number
                    series = self._series(entry)
                    found.setdefault(key, []).append(series)
            except UnsupportedTransferSyntax as error:
                failure = error
                resources.notice(f"series {entry.series_number or number + 1}: {error.message}")
        if not found:
            raise failure or MalformedDescriptor("no frame in it", resource=self.url)
        return tuple(map(_joined, found.values()))

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
            heads_url=resolve(self.url, entry.heads.url) if entry.heads else "",
        )

    def _frame(self, entry: FrameEntry, coding: Coding, alternates: Alternates) -> Frame:
        url = resolve(self.url, entry.url)
        extent = FrameExtent(url, entry.start, entry.length, entry.level_ends)
        others = tuple(self._other(entry.image, other, alternates) for other in entry.alternates)
        return Frame(entry.image, extent, coding, entry.heads, others)

    def _other(
        self, image: ImageAttributes, entry: AlternateEntry, alternates: Alternates
    ) -> Representation:
        coding, exact = alternates[entry.name]
        length = entry.length
        ends = entry.level_ends or (() if coding.scalable else (length,))
        extent = FrameExtent(resolve(self.url, entry.url), entry.start, length, ends)
        image = replace(image, rows=entry.rows, columns=entry.columns)
        return Representation(entry.name, image, extent, coding, exact)


def _joined(parts: list[Series]) -> Series:
    """One series of those that share its UIDs; of several heads files, the largest part's."""
    if len(parts) == 1:
        return parts[0]
    with_heads = [part for part in parts if part.heads_url]
    leader = max(with_heads or parts, key=lambda part: len(part.frames))
    frames = [
        frame if part is leader else replace(frame, heads=())
        for part in parts
        for frame in part.frames
    ]
    numbers = [(0, "", index) for index in range(len(frames))]
    order = display_order([frame.image for frame in frames], numbers)
    return replace(parts[0], frames=tuple(frames[i] for i in order), heads_url=leader.heads_url)
