"""Stored pixel values to one frame's codestream, proved by decoding it again."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

import imagecodecs
import numpy as np

from firstlight.errors import DecodeError
from firstlight.j2k.index import read_index
from firstlight.prepare.htj2k import encode_htj2k
from firstlight.prepare.jpeg2000 import encode_jpeg2000
from firstlight.prepare.jpegls import decode_jpegls, encode_jpegls
from firstlight.prepare.recipe import Representation
from firstlight.prepare.stored import stored_sha256

if TYPE_CHECKING:
    from collections.abc import Callable

    from firstlight.prepare.formats import Format
    from firstlight.prepare.stored import Pixels

_DEFAULT: Final = Representation()
Proof = Literal["sampled", "independent"]
"""How a JPEG 2000 frame is proved.

``sampled`` decodes each HTJ2K frame with OpenJPH, which wrote it, and the small ones and one in
`_SAMPLE` with OpenJPEG too; ``independent`` decodes every one with OpenJPEG.
"""

_SAMPLE: Final = 16
_SMALL_PIXELS: Final = 1 << 14
_NARROW_PX: Final = 16
_STEPS_TO_TARGET: Final = 7
"""Bisections of the quantisation step: within 2 % of the one that meets the target."""


@dataclass(frozen=True, slots=True)
class EncodedFrame:
    """One frame's codestream.

    ``level_ends`` are the bytes after which resolution level 0, 1, ... can be decoded;
    ``bits_stored`` is wide enough for every value. ``sha256`` is of the stored values as every
    decoder returns them; empty for irreversible wavelets, which decoders may round differently:
    then ``encoded_sha256`` is of the codestream. ``max_error`` is the largest difference from the
    source, 0 if lossless. ``source_sha256``, where there is one, stands for the stored values of a
    source that was not encoded anew.
    """

    codestream: bytes | memoryview
    level_ends: tuple[int, ...]
    bits_stored: int
    sha256: str
    form: Format
    encoded_sha256: str = ""
    max_error: int = 0
    pixel_bytes: int = 0
    source_sha256: str = ""


def encode_frame(
    values: Pixels,
    *,
    bits_stored: int,
    colour_transform: bool,
    representation: Representation = _DEFAULT,
    proof: Proof = "sampled",
) -> EncodedFrame:
    """Encode one frame and decode it again.

    ``values`` is (rows, columns) or (rows, columns, 3). ``colour_transform`` applies RCT, or ICT
    where lossy (ISO/IEC 15444-1 Annex G), which the decoder undoes by itself; JPEG-LS and
    uncompressed frames have none.

    Raises:
        DecodeError: lossless, and the decoder did not return exactly ``values``; or lossy, and
            what came back is further away than was allowed.
    """
    bits, form = bits_needed(values, bits_stored), representation.form
    another = proof == "independent" and representation.exact
    codestream, decoded = _encode(values, bits, colour_transform, representation, another)
    max_error = _proved(decoded, values, representation)
    reproducible = representation.exact or form.family == "jpegls"
    sha256 = stored_sha256(decoded) if reproducible else ""
    if (
        form.family == "htj2k"
        and representation.exact
        and not another
        and _is_sampled(sha256, values)
    ):
        _proved(_by_openjpeg(codestream), values, representation)
    return EncodedFrame(
        codestream=codestream,
        level_ends=level_ends_of(codestream, form),
        bits_stored=bits,
        sha256=sha256,
        form=form,
        encoded_sha256="" if reproducible else hashlib.sha256(codestream).hexdigest(),
        max_error=max_error,
        pixel_bytes=values.nbytes,
    )


def level_ends_of(codestream: bytes | memoryview, form: Format) -> tuple[int, ...]:
    """The ends of all levels; of a format without levels the end of the frame."""
    if form.family in ("htj2k", "jpeg2000") and bytes(codestream[:2]) == b"\xff\x4f":
        return tuple(read_index(bytes(codestream)).level_ends)
    return (len(codestream),)


def bits_needed(values: Pixels, bits_stored: int) -> int:
    """Bits Stored, or the whole container where a (lossy) source overshoots it."""
    container = 8 * values.dtype.itemsize
    if bits_stored == container:
        return bits_stored
    half = 1 << bits_stored - 1
    low, high = (-half, half - 1) if values.dtype.kind == "i" else (0, 2 * half - 1)
    inside = values.max() <= high and (low == 0 or values.min() >= low)
    return bits_stored if inside else container


def _encode(
    values: Pixels, bits: int, colour_transform: bool, choice: Representation, another: bool
) -> tuple[bytes, Pixels]:
    """The codestream, and what a decoder makes of it; of HTJ2K ``another`` than the encoder's."""
    match choice.form.family:
        case "htj2k":

            def once(step: float) -> bytes:
                return encode_htj2k(
                    values, bits, choice, step=step, colour_transform=colour_transform
                )

            if another:
                codestream = once(choice.step)
                return codestream, _by_openjpeg(codestream)
            if choice.exact or choice.psnr_db is None:
                return _and_back(once(choice.step))
            return _to_target(once, values, bits, choice.psnr_db)
        case "jpeg2000":
            encoded = encode_jpeg2000(values, bits, choice, colour_transform=colour_transform)
            return encoded, _by_openjpeg(encoded)
        case "jpegls":
            near = 0 if choice.exact else choice.near
            encoded = encode_jpegls(values, bits, near=near)
            return encoded, decode_jpegls(encoded, values.dtype, bits)
        case _:
            native = np.ascontiguousarray(values)
            return native.tobytes(), native


def _and_back(codestream: bytes) -> tuple[bytes, Pixels]:
    """With what the library's own decoder makes of it."""
    try:
        return codestream, imagecodecs.htj2k_decode(codestream, planar=False)
    except RuntimeError as error:
        raise DecodeError(f"read back: {error}") from error


def _by_openjpeg(codestream: bytes) -> Pixels:
    try:
        return imagecodecs.jpeg2k_decode(codestream)
    except RuntimeError as error:
        raise DecodeError(f"read back: {error}") from error


def _is_sampled(sha256: str, values: Pixels) -> bool:
    """Whether OpenJPEG is asked too; the sample follows from the pixels, so it is the same again.

    What goes wrong systematically shows in a sample, and in images of few rows or columns.
    """
    return (
        values.size <= _SMALL_PIXELS
        or min(values.shape[:2]) <= _NARROW_PX
        or int(sha256[:8], 16) % _SAMPLE == 0
    )


def _to_target(
    once: Callable[[float], bytes], values: Pixels, bits: int, psnr_db: float
) -> tuple[bytes, Pixels]:
    """The coarsest quantisation step of which the result has at least the PSNR asked for."""
    fine, coarse, best = 2.0 ** -(bits + 2), 0.25, None
    for _ in range(_STEPS_TO_TARGET):
        step = (fine * coarse) ** 0.5
        found = _and_back(once(step))
        if psnr(found[1], values, bits) >= psnr_db:
            fine, best = step, found
        else:
            coarse = step
    return best or _and_back(once(fine))


def psnr(decoded: Pixels, values: Pixels, bits: int) -> float:
    """Peak signal to noise ratio in dB, the peak being the range of Bits Stored."""
    difference = decoded.reshape(values.shape).astype(np.float64) - values
    mean_square = float(np.mean(difference * difference))
    if mean_square == 0:
        return float("inf")
    return float(10 * np.log10(((1 << bits) - 1) ** 2 / mean_square))


def _same_bytes(one: Pixels, other: Pixels) -> bool:
    """Whether two arrays of one type are equal, by eight bytes: less memory, and thereby time."""
    first, second = (np.ascontiguousarray(a).reshape(-1).view(np.uint8) for a in (one, other))
    words = first.size - first.size % 8
    return np.array_equal(first[words:], second[words:]) and np.array_equal(
        first[:words].view(np.uint64), second[:words].view(np.uint64)
    )


def _proved(decoded: Pixels, values: Pixels, choice: Representation) -> int:
    """The largest error, which is zero for a lossless format and bounded by a near-lossless."""
    decoded = decoded.reshape(values.shape) if decoded.size == values.size else decoded
    if decoded.shape != values.shape or decoded.dtype != values.dtype:
        raise DecodeError("read back: other pixels than were written")
    if _same_bytes(decoded, values):
        return 0
    error: Any = np.abs(decoded.astype(np.int32) - values).max()
    allowed = choice.near if choice.form.family == "jpegls" else None
    if choice.exact or (allowed is not None and error > allowed):
        raise DecodeError("read back: other pixels than were written")
    return int(error)
