"""HTJ2K codestreams (ISO/IEC 15444-15), arranged for reading by ranges (PS3.5 10.18)."""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Any, Final

import imagecodecs
import numpy as np

from firstlight.j2k.rewrite import rewrite
from firstlight.prepare.lines import encode_in_memory, has_ojph

if TYPE_CHECKING:
    from firstlight.prepare.recipe import Arrangement, Representation
    from firstlight.prepare.stored import Pixels

BASE_SIDE_PX: Final = 64
"""PS3.5 10.18: enough decompositions for a base this small, which is a thumbnail by itself."""

SERIES_BASE_SIDE_PX: Final = 16
"""As far as `USUAL_LEVELS` go: of a series something of every slice is wanted at once."""

USUAL_LEVELS: Final = 5

_PLAIN_BLOCK_PX: Final = 64


def encode_htj2k(
    values: Pixels, bits: int, choice: Representation, *, step: float, colour_transform: bool
) -> bytes:
    """One codestream: TLM and PLT, and a tile-part for each level where the order allows it.

    Raises:
        MissingPackage: the arrangement needs the package ojph, which is not installed.
    """
    arrangement, reversible = choice.arrangement, choice.exact
    levels = arrangement.decompositions or decomposition_levels(*values.shape[:2])
    if has_ojph() or arrangement.precinct_px or not _arranges(arrangement):
        encoded = encode_in_memory(
            values,
            bits=bits,
            levels=levels,
            arrangement=arrangement,
            colour_transform=colour_transform,
            step=None if reversible else step,
        )
    else:
        encoded = _by_imagecodecs(
            values, bits, choice, levels=levels, step=step, colour_transform=colour_transform
        )
    # the rewrite gives TLM, PLT and a tile-part for each level, whatever the encoder can
    return rewrite(encoded, tile_parts_by_resolution=arrangement.level_by_level)


def decomposition_levels(rows: int, columns: int) -> int:
    """As many as bring both sides down to `BASE_SIDE_PX`; up to five for `SERIES_BASE_SIDE_PX`."""
    side_px = max(rows, columns)
    few, many = (_halvings(side_px, px) for px in (BASE_SIDE_PX, SERIES_BASE_SIDE_PX))
    return max(few, min(many, USUAL_LEVELS))


def _halvings(side_px: int, goal_px: int) -> int:
    """At least 1."""
    side, count = -(-side_px // 2), 1
    while side > goal_px:
        side, count = -(-side // 2), count + 1
    return count


def _by_imagecodecs(
    values: Pixels,
    bits: int,
    choice: Representation,
    *,
    levels: int,
    step: float,
    colour_transform: bool,
) -> bytes:
    options: dict[str, Any] = {}
    if _takes_bits_per_sample():
        options = {"bitspersample": bits, "prog_order": choice.arrangement.progression}
        block_px = choice.arrangement.block_px
        if block_px != _PLAIN_BLOCK_PX:
            options["block_size"] = (block_px, block_px)
    if values.ndim == 3:
        options["rgb"] = colour_transform
    if not choice.exact:
        options["level"] = step
    encoded = imagecodecs.htj2k_encode(
        np.ascontiguousarray(values),
        reversible=choice.exact,
        resolutions=levels,
        **options,
    )
    return bytes(encoded)


def _arranges(arrangement: Arrangement) -> bool:
    plain = arrangement.progression == "RPCL" and arrangement.block_px == _PLAIN_BLOCK_PX
    return plain or _takes_bits_per_sample()


@functools.cache
def _takes_bits_per_sample() -> bool:
    """Whether this imagecodecs writes Bits Stored.

    The last one for Python 3.11 writes a precision of 8 or 16 bits, always in the order RPCL: as
    lossless, and a decoder needs no more than the attributes say.
    """
    return "bitspersample" in inspect.signature(imagecodecs.htj2k_encode).parameters
