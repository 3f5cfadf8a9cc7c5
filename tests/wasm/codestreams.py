"""Small codestreams made for a test, what DICOM would say of them, and where their levels end."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import imagecodecs
import numpy as np

HAS_BITS_PER_SAMPLE = tuple(map(int, imagecodecs.__version__.split(".")[:2])) >= (2026, 10)

Image = dict[str, int]


@dataclass(frozen=True, slots=True)
class Encoded:
    """A codestream with the image that went in."""

    codestream: bytes
    source: np.ndarray
    bits_stored: int

    @property
    def levels(self) -> int:
        """Decomposition levels as COD has them."""
        return self.codestream[self.codestream.index(b"\xff\x52") + 9]

    @property
    def image(self) -> Image:
        return image_of(self.source, self.bits_stored)


def image_of(array: np.ndarray, bits_stored: int) -> Image:
    """The shape in the words of ``wasm/codec.js``; samples are interleaved."""
    return {
        "rows": array.shape[0],
        "columns": array.shape[1],
        "samplesPerPixel": array.shape[2] if array.ndim == 3 else 1,
        "bitsAllocated": 8 * array.dtype.itemsize,
        "bitsStored": bits_stored,
        "pixelRepresentation": int(array.dtype.kind == "i"),
    }


def picture(
    rows: int, columns: int, bits: int, *, signed: bool = False, samples: int = 1
) -> np.ndarray:
    """Waves, a hard edge and noise over the whole range of ``bits``: wavelets overshoot on it."""
    noise = np.random.default_rng(rows * columns + bits)
    y, x = np.mgrid[0:rows, 0:columns]
    planes = [
        0.5
        + 0.4 * np.sin(x / (7 + k) + k) * np.cos(y / 11)
        + 0.3 * (np.hypot(x - columns / 2, y - rows / 2) < min(rows, columns) / 3)
        + noise.normal(0, 0.03, (rows, columns))
        for k in range(samples)
    ]
    unit = planes[0] if samples == 1 else np.stack(planes, axis=-1)
    values = np.clip(np.round(unit * (2**bits - 1)), 0, 2**bits - 1)
    kind = ("i" if signed else "u") + ("1" if bits <= 8 else "2")
    return (values - 2 ** (bits - 1) * signed).astype(kind)


def encode(source: np.ndarray, bits: int, levels: int = 5, **options: object) -> Encoded:
    """Lossless HTJ2K as ``firstlight prepare`` writes it: RPCL, TLM, one tile-part per level."""
    settings: dict[str, object] = {
        "reversible": True,
        "resolutions": levels,
        "prog_order": "RPCL",
        "tlm": True,
        "tilepart": "RESOLUTIONS",
        **options,
    }
    if HAS_BITS_PER_SAMPLE:
        settings["bitspersample"] = bits
    return Encoded(bytes(imagecodecs.htj2k_encode(source, **settings)), source, bits)


def tile_part_ends(codestream: bytes) -> list[int]:
    """Offset after each tile-part, by the chain of Psot (ISO/IEC 15444-1 A.4.2)."""
    at = codestream.index(b"\xff\x90\x00\x0a")
    ends = []
    while codestream[at : at + 2] == b"\xff\x90":
        (length,) = struct.unpack_from(">I", codestream, at + 6)
        at += length
        ends.append(at)
    return ends


def level_ends(codestream: bytes, levels: int) -> list[int]:
    """Bytes needed for each level: all of them unless each level is a tile-part of its own."""
    ends = tile_part_ends(codestream)
    if len(ends) == levels + 1:
        return ends
    return [len(codestream)] * (levels + 1)


def sample_range(codestream: bytes) -> tuple[int, int]:
    """Least and greatest sample that SIZ allows (Ssiz of the first component)."""
    ssiz = codestream[codestream.index(b"\xff\x51") + 40]
    precision = (ssiz & 0x7F) + 1
    low = -(2 ** (precision - 1)) if ssiz & 0x80 else 0
    return low, low + 2**precision - 1


def boxed(codestream: bytes, *, long_box: bool = False) -> bytes:
    """A JPH file around a codestream: signature, file type and codestream boxes."""
    head = b"\0\0\0\x0cjP  \r\n\x87\n" + b"\0\0\0\x14ftypjph \0\0\0\0jph "
    if long_box:
        return head + b"\0\0\0\x01jp2c" + struct.pack(">Q", 16 + len(codestream)) + codestream
    return head + b"\0\0\0\0jp2c" + codestream
