"""Stored pixel values to an HTJ2K Lossless RPCL codestream, proved by a second decoder."""

from __future__ import annotations

import functools
import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import imagecodecs
import numpy as np

from firstlight.errors import DecodeError
from firstlight.j2k.index import read_index
from firstlight.j2k.rewrite import rewrite
from firstlight.prepare.stored import stored_sha256

if TYPE_CHECKING:
    from firstlight.prepare.stored import Pixels

BASE_SIDE_PX: Final = 64
"""PS3.5 10.18: enough decompositions for a base this small, which is a thumbnail by itself."""


@dataclass(frozen=True, slots=True)
class EncodedFrame:
    """One frame's codestream.

    ``level_ends`` are the bytes after which resolution level 0, 1, ... can be decoded;
    ``bits_stored`` is wide enough for every value; ``sha256`` is of the stored values.
    """

    codestream: bytes
    level_ends: tuple[int, ...]
    bits_stored: int
    sha256: str


def encode_frame(values: Pixels, *, bits_stored: int, colour_transform: bool) -> EncodedFrame:
    """Encode one frame losslessly and decode it again.

    ``values`` is (rows, columns) or (rows, columns, 3). ``colour_transform`` applies the
    reversible transform (RCT, ISO/IEC 15444-1 G.2), which the decoder undoes by itself.

    Raises:
        DecodeError: the second decoder (OpenJPEG) did not return exactly ``values``.
    """
    bits = _bits_needed(values, bits_stored)
    # the rewrite gives TLM, PLT and a tile-part for each level, whatever the encoder can
    codestream = rewrite(_encode(values, bits, colour_transform=colour_transform))
    _prove(codestream, values)
    return EncodedFrame(
        codestream=codestream,
        level_ends=tuple(read_index(codestream).level_ends),
        bits_stored=bits,
        sha256=stored_sha256(values),
    )


def decomposition_levels(rows: int, columns: int) -> int:
    """The smallest number, at least 1, that brings both sides down to `BASE_SIDE_PX`."""
    side, levels = -(-max(rows, columns) // 2), 1
    while side > BASE_SIDE_PX:
        side, levels = -(-side // 2), levels + 1
    return levels


def _encode(values: Pixels, bits: int, *, colour_transform: bool) -> bytes:
    options: dict[str, Any] = {}
    if _takes_bits_per_sample():
        options = {"bitspersample": bits, "prog_order": "RPCL"}
    if values.ndim == 3:
        options["rgb"] = colour_transform
    encoded = imagecodecs.htj2k_encode(
        np.ascontiguousarray(values),
        reversible=True,
        resolutions=decomposition_levels(*values.shape[:2]),
        **options,
    )
    return bytes(encoded)


@functools.cache
def _takes_bits_per_sample() -> bool:
    """Whether this imagecodecs writes Bits Stored.

    The last one for Python 3.11 writes a precision of 8 or 16 bits, always in the order RPCL: as
    lossless, and a decoder needs no more than the attributes say.
    """
    return "bitspersample" in inspect.signature(imagecodecs.htj2k_encode).parameters


def _bits_needed(values: Pixels, bits_stored: int) -> int:
    """Bits Stored, or the whole container where a (lossy) source overshoots it."""
    container = 8 * values.dtype.itemsize
    signed = values.dtype.kind == "i"
    low, high = (
        (-(1 << bits_stored - 1), (1 << bits_stored - 1) - 1)
        if signed
        else (
            0,
            (1 << bits_stored) - 1,
        )
    )
    inside = bits_stored == container or (values.min() >= low and values.max() <= high)
    return bits_stored if inside else container


def _prove(codestream: bytes, values: Pixels) -> None:
    try:
        decoded = imagecodecs.jpeg2k_decode(codestream)
    except RuntimeError as error:
        raise DecodeError(f"read back: {error}") from error
    same = decoded.dtype == values.dtype and np.array_equal(decoded.reshape(values.shape), values)
    if not same:
        raise DecodeError("read back: other pixels than were written")
