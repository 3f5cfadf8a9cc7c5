"""JPEG 2000 frames (ISO/IEC 15444-1): lossless by levels, or lossy in quality layers."""

from __future__ import annotations

import contextlib
import logging
from typing import TYPE_CHECKING, Final

import numpy as np
from openjpeg.utils import encode_array

from firstlight.j2k.rewrite import rewrite

if TYPE_CHECKING:
    from collections.abc import Iterator

    from firstlight.prepare.recipe import Representation
    from firstlight.prepare.stored import Pixels

_GRAY: Final = 2
_RGB: Final = 1
_YBR: Final = 3
"""How the encoder calls colour spaces; in a bare codestream only RGB with RCT or ICT matters."""


def encode_jpeg2000(
    values: Pixels, bits: int, choice: Representation, *, colour_transform: bool
) -> bytes:
    """One codestream with TLM and PLT; a lossless one has a tile-part for each level.

    Raises:
        RuntimeError: the encoder refused, as images of less than 32 pixels a side.
    """
    space = _GRAY if values.ndim == 2 else _RGB if colour_transform else _YBR
    lossy = not choice.exact
    with _quiet():
        encoded = encode_array(
            np.ascontiguousarray(values),
            bits_stored=bits,
            photometric_interpretation=space,
            use_mct=colour_transform,
            compression_ratios=list(choice.ratios) if lossy else None,
        )
    # layers come level by level, one layer after the other: no level ends before the last
    return rewrite(bytes(encoded), tile_parts_by_resolution=not lossy)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    logger = logging.getLogger("openjpeg")
    before = logger.disabled
    logger.disabled = True
    try:
        yield
    finally:
        logger.disabled = before
