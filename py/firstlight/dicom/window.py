"""Bytes of a resource as a parser without I/O sees them: it says what it wants and is fed."""

from __future__ import annotations

import zlib
from collections.abc import Generator
from typing import Final, TypeVar

from firstlight.errors import LimitExceeded, NotDicom
from firstlight.ranges import ByteRange

Result = TypeVar("Result")
Asking = Generator[ByteRange, None, Result]
"""A parser: yields the range that it wants fed to its window, returns what it found."""

LEAST_READ_BYTES: Final = 512
"""A smaller request costs as much time as this one."""

INFLATE_STEP_BYTES: Final = 1 << 16


class ByteWindow:
    """One contiguous run of bytes, from ``start`` to ``stop``; offsets count in the resource."""

    def __init__(self, total_bytes: int | None, *, resource: str | None) -> None:
        self.total_bytes = total_bytes
        self.resource = resource
        self.start = 0
        self._held = bytearray()
        self._asked: ByteRange | None = None

    @property
    def stop(self) -> int:
        """Where the held bytes end."""
        return self.start + len(self._held)

    def feed(self, start: int, data: bytes) -> None:
        """Take bytes; none, or fewer than asked for of an unknown size, tell where it ends.

        Raises:
            ValueError: they do not continue what is held.
        """
        if start != self.stop:
            raise ValueError(f"bytes from {self.stop} on are wanted, not from {start}")
        self._held += data
        asked = self._asked
        short = asked is not None and asked.stop is not None and self.stop < asked.stop
        if short and (not data or self.total_bytes is None):
            self.total_bytes = self.stop

    def take(self, start: int, stop: int) -> bytes:
        """Copy held bytes."""
        return bytes(self._held[start - self.start : stop - self.start])

    def forget(self, before: int) -> None:
        """Drop what lies before an offset."""
        del self._held[: max(0, before - self.start)]
        self.start = max(self.start, before)

    def reach(self, start: int, stop: int, advised_bytes: int = 0) -> Asking[bool]:
        """Hold ``[start, stop)``, reading ``advised_bytes`` ahead; False where the resource ends.

        What is held stays if ``start`` lies in it or at its end.
        """
        while not (self.start <= start and stop <= self.stop):
            if self.total_bytes is not None and stop > self.total_bytes:
                return False
            if not self.start <= start <= self.stop:
                self._held = bytearray()
                self.start = start
            end = max(stop, self.stop + max(advised_bytes, LEAST_READ_BYTES))
            self._asked = ByteRange(self.stop, min(end, self.total_bytes or end))
            yield self._asked
        return True

    def need(self, start: int, stop: int, advised_bytes: int = 0) -> Asking[None]:
        """Hold ``[start, stop)``.

        Raises:
            NotDicom: the resource ends before it.
        """
        if not (yield from self.reach(start, stop, advised_bytes)):
            text = f"the file ends at byte {self.total_bytes}, before {stop}"
            raise NotDicom(text, resource=self.resource)


class InflatingWindow(ByteWindow):
    """The inflated bytes of a raw deflate stream (RFC 1951) that another window holds.

    Offsets count from the first inflated byte. Only what is asked for is inflated, and nothing
    beyond ``limit_bytes``.
    """

    def __init__(self, deflated: ByteWindow, start: int, *, limit_bytes: int) -> None:
        super().__init__(None, resource=deflated.resource)
        self._deflated = deflated
        self._at = start
        self._inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        self._limit_bytes = limit_bytes

    def reach(self, start: int, stop: int, advised_bytes: int = 0) -> Asking[bool]:
        """As `ByteWindow.reach`; skipped bytes are inflated on the way, and stay held.

        Raises:
            NotDicom: not a deflate stream.
            LimitExceeded: it goes on beyond the limit.
        """
        while stop > self.stop:
            if stop > self._limit_bytes:
                text = f"more than {self._limit_bytes} bytes inflated before Pixel Data"
                raise LimitExceeded(text, resource=self.resource)
            if self._inflater.eof:
                self.total_bytes = self.stop
                return False
            if self._inflate(self._inflater.unconsumed_tail):
                continue
            deflated = yield from self._more(advised_bytes)
            if not deflated:
                self.total_bytes = self.stop
                return False
            self._inflate(deflated)
        return True

    def _inflate(self, deflated: bytes) -> bool:
        """Inflate one step; False when nothing came of it, which says that more is needed."""
        try:
            data = self._inflater.decompress(deflated, INFLATE_STEP_BYTES)
        except zlib.error as error:
            raise NotDicom(f"cannot be inflated: {error}", resource=self.resource) from error
        self._held += data
        return bool(data)

    def _more(self, advised_bytes: int) -> Asking[bytes]:
        source = self._deflated
        if not (yield from source.reach(self._at, self._at + 1, advised_bytes)):
            return b""
        data = source.take(self._at, source.stop)
        self._at = source.stop
        return data
