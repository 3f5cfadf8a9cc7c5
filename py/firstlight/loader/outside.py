"""What a loader is given: its ports, and what the page has begun before it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from firstlight.ports import Clock, DecoderPool, Page, Transport, TransportEvent

FIRST_SEGMENT = 1000
"""Smaller numbers are the page's prelude's."""


@dataclass(frozen=True, slots=True)
class Adoption:
    """What the page's prelude started: a segment for ``url`` from byte ``start`` to ``stop``.

    ``heard`` is what the transport has told of it; after the adoption it tells that again.
    ``shown_level`` is the finest level of that frame already decoded (-1: none); of a heads file,
    ``shown`` lists [frame_index, level, stored_bytes] of every frame decoded from it.
    """

    segment: int
    url: str
    start: int
    stop: int | None
    heard: tuple[TransportEvent, ...] = ()
    shown_level: int = -1
    stored_bytes: int = 0
    shown: tuple[tuple[int, int, int], ...] = ()


def _adopt_nothing(_segment: int, _url: str) -> None:
    """Of nobody."""


async def _nothing_begun() -> tuple[Adoption, ...]:
    return ()


@dataclass(frozen=True, slots=True)
class Outside:
    """Everything the loader reaches beyond itself.

    ``adopt`` makes a segment of the page, of some URL, the loader's. ``take_over`` makes the page
    stop loading by itself, and tells what it has begun. Without a page that loads by itself they
    have nothing to do.
    """

    transport: Transport
    pool: DecoderPool
    page: Page
    clock: Clock
    need: Callable[[str], Awaitable[None]]
    adopt: Callable[[int, str], None] = _adopt_nothing
    take_over: Callable[[], Awaitable[tuple[Adoption, ...]]] = _nothing_begun
