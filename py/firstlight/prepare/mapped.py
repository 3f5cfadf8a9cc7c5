"""Files that are looked at without being held in memory."""

from __future__ import annotations

import mmap
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def mapped(stream: IO[bytes]) -> Iterator[mmap.mmap]:
    """An open file that is not empty, mapped for reading for the ``with`` block."""
    held = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
    try:
        yield held
    finally:
        with suppress(BufferError):  # an exception on its way holds a view; it closes with that
            held.close()
