"""Fetches the values that metadata only point to and that decide how an image is shown."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from firstlight.dicomweb.accept import BULK_DATA
from firstlight.dicomweb.bulkdata import Spot, spots, unwrapped, uris_to_show, with_values
from firstlight.errors import FirstlightError
from firstlight.sources.notices import listed

if TYPE_CHECKING:
    from firstlight.dicomweb.metadata import Record
    from firstlight.dicomweb.urls import Place
    from firstlight.sources.base import Resources

MAX_VALUE_BYTES: Final = 1 << 24
"""Larger than the largest overlay that is shown (`dicom.presentation.MAX_OVERLAY_BYTES`)."""

MAX_VALUES: Final = 512
"""Of a series; each is a request before its first picture is final."""

AT_ONCE: Final = 6


async def with_bulk_data(
    resources: Resources, records: list[tuple[Record, Place]]
) -> list[tuple[Record, Place]]:
    """The same datasets with their palettes, tables and overlays; what does not come is said."""
    wanted: dict[str, tuple[str, Place]] = {}
    for record, place in records:
        for uri in filter(None, uris_to_show(record)):
            wanted.setdefault(_key(uri, place), (uri, place))
    if not wanted:
        return records
    left_out = len(wanted) - MAX_VALUES
    values = _Values(resources)
    await asyncio.gather(
        *(values.fetch(key, *one) for key, one in list(wanted.items())[:MAX_VALUES])
    )
    reasons = list(values.reasons)
    if left_out > 0:
        reasons.append(f"{left_out} more than the {MAX_VALUES} that are read")
    if reasons:
        resources.notice(f"Tables or overlays are missing: {listed(reasons)}")
    return [(with_values(record, values.of(record, place)), place) for record, place in records]


def _key(uri: str, place: Place) -> str:
    """What tells values apart: in trees, instances that share a value have the same URI."""
    return uri if "/" in uri else f"{place.instance} {uri}"


@dataclass(slots=True)
class _Values:
    """What has come; ``known`` is the spot that was right before, and is tried first."""

    resources: Resources
    found: dict[str, bytes] = field(default_factory=dict)
    reasons: list[str] = field(default_factory=list)
    known: Spot | None = None
    gate: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))

    async def fetch(self, key: str, uri: str, place: Place) -> None:
        failure: FirstlightError | None = None
        async with self.gate:
            for spot in sorted(spots(uri), key=lambda spot: spot != self.known):
                url = spot.url(uri, place)
                try:
                    body = await self.resources.whole(
                        url, limit_bytes=MAX_VALUE_BYTES, accept=BULK_DATA
                    )
                    self.found[key] = unwrapped(body, url, limit_bytes=MAX_VALUE_BYTES)
                except FirstlightError as error:
                    failure = failure or error
                else:
                    self.known = spot
                    return
        self.reasons.append(str(failure))

    def of(self, record: Record, place: Place) -> dict[str, bytes]:
        """Those of one dataset, by URI."""
        uris = filter(None, uris_to_show(record))
        keys = ((uri, _key(uri, place)) for uri in uris)
        return {uri: self.found[key] for uri, key in keys if key in self.found}
