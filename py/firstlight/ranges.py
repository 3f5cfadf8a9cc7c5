"""Half-open byte ranges and how to merge them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True, order=True)
class ByteRange:
    """Bytes ``start`` (included) to ``stop`` (excluded) of one resource.

    ``stop`` is None for "to the end, wherever that is". HTTP's inclusive form exists only inside
    a transport, through `http_value`.

    Raises:
        ValueError: ``start`` is negative, or ``stop`` lies before it.
    """

    start: int
    stop: int | None = None

    def __post_init__(self) -> None:
        if self.start < 0:
            raise ValueError(f"a range cannot start at {self.start}")
        if self.stop is not None and self.stop < self.start:
            raise ValueError(f"a range cannot stop at {self.stop}, before its start {self.start}")

    @property
    def length(self) -> int | None:
        """Number of bytes, None for an open range."""
        return None if self.stop is None else self.stop - self.start

    def shifted(self, offset_bytes: int) -> ByteRange:
        """The same bytes counted from a point ``offset_bytes`` earlier."""
        stop = None if self.stop is None else self.stop + offset_bytes
        return ByteRange(self.start + offset_bytes, stop)

    def http_value(self) -> str:
        """The value of a ``Range`` header (RFC 9110 14.1.2), whose last byte is included.

        Raises:
            ValueError: the range is empty, which HTTP cannot say.
        """
        if self.stop is None:
            return f"bytes={self.start}-"
        if self.stop == self.start:
            raise ValueError("HTTP has no empty range")
        return f"bytes={self.start}-{self.stop - 1}"

    def __str__(self) -> str:
        return f"[{self.start}, {'end' if self.stop is None else self.stop})"


def coalesce(ranges: Iterable[ByteRange], *, max_gap_bytes: int) -> tuple[ByteRange, ...]:
    """Merge ranges that overlap, touch, or lie at most ``max_gap_bytes`` apart.

    The result is sorted and disjoint; bytes in a bridged gap are fetched although nobody asked.
    """
    merged: list[ByteRange] = []
    for item in sorted(ranges, key=lambda r: r.start):
        if merged:
            last = merged[-1]
            if last.stop is None:
                break
            if item.start <= last.stop + max_gap_bytes:
                stop = None if item.stop is None else max(last.stop, item.stop)
                merged[-1] = ByteRange(last.start, stop)
                continue
        merged.append(item)
    return tuple(merged)
