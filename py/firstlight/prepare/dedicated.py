"""Settings of a process that does nothing but prepare: a fifth of its time, for small files."""

from __future__ import annotations

import ctypes
import gc
import os
from typing import Final

_M_TRIM_THRESHOLD: Final = -1
_M_MMAP_THRESHOLD: Final = -3
"""Parameters of mallopt, in glibc's malloc.h."""

_KEPT_BYTES: Final = 128 << 20
"""Free memory that is not given back: the frames of a file have the size of those before."""

_REUSED_BYTES: Final = 32 << 20
"""Larger arrays get memory of their own; the most that glibc takes."""


def dedicate_process() -> None:
    """Let memory be used again for the next frame, and garbage be sought only in what is new.

    Fresh pages, each mapped and cleared by the kernel, cost as much as encoding a small frame.
    Other C libraries than glibc are left as they are.
    """
    gc.freeze()
    try:
        is_glibc = bool(os.confstr("CS_GNU_LIBC_VERSION"))
    except (AttributeError, ValueError, OSError):
        is_glibc = False
    if is_glibc:
        libc = ctypes.CDLL(None)
        libc.mallopt(_M_MMAP_THRESHOLD, _REUSED_BYTES)
        libc.mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES)
