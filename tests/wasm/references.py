"""What a frame has to decode to: published hashes and pictures, and independent decoders."""

from __future__ import annotations

import hashlib
import zlib
from typing import TYPE_CHECKING, Any

import imagecodecs
import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    from wasm.codestreams import Image
    from wasm.frames import Frame


def packed(array: np.ndarray, bits: int) -> bytes:
    """As MANIFEST.md packs: one byte a sample for up to 8 bits, two for 16, four for 32."""
    size = 1 if bits <= 8 else 2 if bits <= 16 else 4
    return array.astype(f"<{array.dtype.kind}{size}", order="C", copy=False).tobytes()


def digest(array: np.ndarray, bits: int) -> str:
    return hashlib.sha256(packed(array, bits)).hexdigest()


def components(array: np.ndarray) -> list[np.ndarray]:
    return [array] if array.ndim == 2 else list(np.moveaxis(array, -1, 0))


def independent(frame: Frame) -> np.ndarray:
    """The picture that a native decoder makes of a frame, as stored values.

    Raises:
        Exception: whatever that decoder refuses with.
    """
    image = frame.image
    shape = (image["rows"], image["columns"], image["samplesPerPixel"])
    shape = shape if shape[2] > 1 else shape[:2]
    if frame.codec in ("openjph", "openjpeg"):
        start = frame.data.find(b"\xff\x4f\xff\x51")
        array = imagecodecs.jpeg2k_decode(frame.data[start:], planar=False)
    elif frame.codec == "charls":
        array = imagecodecs.jpegls_decode(frame.data)
    else:
        data = zlib.decompress(frame.data, -15) if frame.codec == "deflated-frame" else frame.data
        array = _little_endian(data, image)
    array = array.reshape(shape)
    return array.view(array.dtype.str.replace("u", "i")) if image["pixelRepresentation"] else array


def _little_endian(data: bytes, image: Image) -> np.ndarray:
    """Uncompressed unsigned samples, without the bits above Bits Stored."""
    count = image["rows"] * image["columns"] * image["samplesPerPixel"]
    if image["bitsAllocated"] == 1:
        return np.unpackbits(np.frombuffer(data, "u1"), bitorder="little")[:count]
    cells = np.frombuffer(data, f"<u{image['bitsAllocated'] // 8}")[:count]
    return cells & ((1 << image["bitsStored"]) - 1)


def read_pgx(path: Path) -> np.ndarray:
    """One component of a conformance reference (ISO/IEC 15444-4)."""
    header, _, body = path.read_bytes().partition(b"\n")
    _, order, *numbers = header.replace(b"+", b" ").replace(b"-", b" ").split()
    bits, columns, rows = map(int, numbers)
    order = ">" if order == b"ML" else "<"
    kind = "i" if b"-" in header else "u"
    size = 1 if bits <= 8 else 2 if bits <= 16 else 4
    return np.frombuffer(body, f"{order}{kind}{size}")[: rows * columns].reshape(rows, columns)


def outside_limits(array: np.ndarray, limits: list[dict[str, Any]], folder: Path) -> str | None:
    """Which component is further from its reference than allowed, if any."""
    for component, limit in zip(components(array), limits, strict=True):
        reference = read_pgx(folder / limit["ref"])
        if reference.shape != component.shape:
            return f"{component.shape} where the reference is {reference.shape}"
        error = component.astype(np.int64) - reference
        peak, mean = np.abs(error).max(), (error**2).mean()
        if peak > limit["pae"] or mean > limit["mse"]:
            return f"peak error {peak} of {limit['pae']}, mean squared {mean:.3f} of {limit['mse']}"
    return None
