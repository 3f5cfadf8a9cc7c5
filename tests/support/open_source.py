"""Opens a ``src`` with the real transport of CPython, and reads what its extents name."""

from __future__ import annotations

import asyncio
import itertools
from typing import TYPE_CHECKING, TypeVar

from firstlight.adapters.http import HttpTransport
from firstlight.loader.resources import HeldResources
from firstlight.ranges import ByteRange
from firstlight.sources.open import source_for

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from firstlight.sources.base import FrameExtent, Series, Source

T = TypeVar("T")


async def _available(package: str) -> None:
    """Every optional package is installed here."""


def with_resources(use: Callable[[HeldResources], Awaitable[T]]) -> T:
    """Run something over the transport."""

    async def run() -> T:
        async with HttpTransport() as transport:
            resources = HeldResources(transport, itertools.count(1000), _available)
            transport.listen(resources.deliver)
            return await use(resources)

    return asyncio.run(run())


def open_source(src: str) -> tuple[Series, ...]:
    """The series behind a ``src``."""
    return with_resources(lambda resources: source_for(src).open(resources))


def open_with_notices(source: Source) -> tuple[tuple[Series, ...], list[str]]:
    """The series of a source, and what it says is left out of it."""

    async def use(resources: HeldResources) -> tuple[tuple[Series, ...], list[str]]:
        return await source.open(resources), resources.notices

    return with_resources(use)


def frame_bytes(data: bytes, extent: FrameExtent) -> bytes:
    """The frame that an extent names, cut out of the whole resource."""
    return b"".join(data[piece.start : piece.stop] for piece in extent.pieces(ByteRange(0)))
