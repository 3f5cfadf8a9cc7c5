"""How a reader without I/O says what it wants to see, and how it is shown."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import NamedTuple, TypeVar


class Want(NamedTuple):
    """Bytes from ``start``: ``least`` of them to go on, ``advised`` to fetch at once.

    What one reader wants never starts before what it wanted earlier.
    """

    start: int
    least: int
    advised: int


@dataclass(frozen=True, slots=True)
class Window:
    """Bytes held from offset ``start`` on; ``at_end`` when the codestream has no more."""

    start: int
    data: bytes
    at_end: bool

    @property
    def stop(self) -> int:
        """Offset after the last byte held."""
        return self.start + len(self.data)

    def read(self, start: int, count: int) -> bytes:
        """At most ``count`` of the bytes from ``start``, which is not before the window."""
        offset = start - self.start
        return self.data[offset : offset + count]


_Result = TypeVar("_Result")

Reading = Generator[Want, Window, _Result]
"""Yields what it wants, is sent a window with at least that (or all there is), and returns."""


def read_all(reading: Reading[_Result], data: bytes) -> _Result:
    """Let a reader read the whole of what it reads about."""
    window = Window(0, data, at_end=True)
    try:
        next(reading)
        while True:
            reading.send(window)
    except StopIteration as done:
        result: _Result = done.value
        return result
