"""Values of the simplest form, from the bytes of an element.

Of a series most elements are the same, so what was read once is remembered; pydicom, which
converts, checks and keeps each, takes a hundred times as long.
"""

from __future__ import annotations

import re
import struct
from functools import lru_cache
from typing import Any, Final

MAX_BYTES: Final = 256
"""Longer values are not asked for."""

_TEXT: Final = re.compile(rb"[!-\[\]-}](?:[ -\[\]-}]*[!-\[\]-}])? ?")
"""One value in ASCII, with no padding but one space."""

_UID: Final = re.compile(rb"[0-9.]+\0?")
_INTEGER: Final = re.compile(rb"(?:0|-?[1-9][0-9]{0,8}) ?")
_DECIMALS: Final = re.compile(rb"-?[0-9]+(?:\.[0-9]+)?(?:\\-?[0-9]+(?:\.[0-9]+)?)* ?")
_TEXTS: Final = frozenset({"CS", "LO", "SH"})


@lru_cache(1 << 12)
def plain_values(vr: str, data: bytes) -> tuple[Any, ...] | None:
    """All values in ``data``, little-endian; None where they are not of the simplest form.

    Numbers are int and float, text is str. Written again, they would be the same bytes.
    """
    if len(data) % 2:
        return None
    if vr == "US":
        return struct.unpack(f"<{len(data) // 2}H", data) or None
    if vr in _TEXTS:
        return (data.decode("ascii").rstrip(" "),) if _TEXT.fullmatch(data) else None
    if vr == "UI":
        return (data.decode("ascii").rstrip("\0"),) if _UID.fullmatch(data) else None
    if vr == "DS":
        return tuple(map(float, data.split(b"\\"))) if _DECIMALS.fullmatch(data) else None
    if vr == "IS":
        return (int(data),) if _INTEGER.fullmatch(data) else None
    return None
