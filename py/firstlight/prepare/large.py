"""Images of gigabytes, a few rows at a time: never a whole one in memory."""

from __future__ import annotations

import hashlib
import mmap
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from firstlight.dicom.metadata import frame_count
from firstlight.errors import DecodeError
from firstlight.j2k.index import IndexReader
from firstlight.prepare.encode import EncodedFrame
from firstlight.prepare.header import bits_stored_of, uses_colour_transform
from firstlight.prepare.htj2k import decomposition_levels
from firstlight.prepare.lines import STRIP_ROWS, decode_strips, encode_lines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from pydicom.dataset import Dataset

    from firstlight.prepare.recipe import Representation
    from firstlight.prepare.stored import Pixels

LARGE_PIXEL_BYTES: Final = 1 << 28
"""Larger frames take several times their size while an array is encoded and proved."""


def is_large(dataset: Dataset, choice: Representation) -> bool:
    """Whether a source has to be, and can be, read by rows: native, interleaved, to HTJ2K."""
    samples = int(dataset.get("SamplesPerPixel", 1) or 1)
    allocated = int(dataset.get("BitsAllocated", 0) or 0)
    frame_bytes = int(dataset.Rows) * int(dataset.Columns) * samples * (allocated // 8)
    native = dataset.file_meta.TransferSyntaxUID in (ExplicitVRLittleEndian, ImplicitVRLittleEndian)
    interleaved = samples == 1 or not dataset.get("PlanarConfiguration", 0)
    halved = str(dataset.get("PhotometricInterpretation", None) or "").endswith("_422")
    return (
        frame_bytes > LARGE_PIXEL_BYTES
        and native
        and interleaved
        and not halved
        and samples in (1, 3)
        and allocated in (8, 16)
        and choice.form.family == "htj2k"
        and choice.form.exact
        and not isinstance(dataset.get("PixelData", b""), bytes)
    )


def encode_large(dataset: Dataset, choice: Representation) -> Iterator[EncodedFrame]:
    """Encode each frame line by line, then decode it line by line and compare.

    The decoder is the encoder's own library, the one that can; packet lengths (PLT) are left out,
    TLM and tile-parts tell the levels.

    Raises:
        DecodeError: pixels are missing, or did not come back equal.
        MissingPackage: ojph is not installed.
    """
    rows, columns = int(dataset.Rows), int(dataset.Columns)
    samples = int(dataset.get("SamplesPerPixel", 1) or 1)
    shape = (rows, columns) if samples == 1 else (rows, columns, samples)
    signed = bool(dataset.get("PixelRepresentation", 0))
    bits = bits_stored_of(dataset)
    arrangement = choice.arrangement
    for frame_index in range(frame_count(dataset)):

        def strips(index: int = frame_index) -> Iterator[Pixels]:
            return _strips(dataset, shape, index, signed=signed, bits=bits)

        with tempfile.TemporaryDirectory(prefix="firstlight-") as folder:
            path = Path(folder) / "frame.jhc"
            encode_lines(
                path,
                strips,
                shape,
                signed=signed,
                bits=bits,
                levels=arrangement.decompositions or decomposition_levels(rows, columns),
                arrangement=arrangement,
                colour_transform=uses_colour_transform(dataset, choice.form),
                step=None,
            )
            digest, pixel_bytes = _compare(path, strips(), shape)
            with (
                path.open("rb") as stream,
                mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as mapped,
            ):
                view = memoryview(mapped)
                yield EncodedFrame(
                    codestream=view,
                    level_ends=_level_ends(mapped),
                    bits_stored=bits,
                    sha256=digest,
                    form=choice.form,
                    pixel_bytes=pixel_bytes,
                )
                view.release()


def _strips(
    dataset: Dataset, shape: tuple[int, ...], frame_index: int, *, signed: bool, bits: int
) -> Iterator[Pixels]:
    """Rows of stored values, bits outside Bits Stored cleared or sign-extended."""
    item_bytes = 1 if dataset.BitsAllocated <= 8 else 2
    row_bytes = int(np.prod(shape[1:])) * item_bytes
    reader = dataset["PixelData"].value
    reader.seek(frame_index * shape[0] * row_bytes)
    target = np.dtype(f"<{'i' if signed else 'u'}{item_bytes}")
    for start in range(0, shape[0], STRIP_ROWS):
        rows = min(STRIP_ROWS, shape[0] - start)
        data = reader.read(rows * row_bytes)
        if len(data) < rows * row_bytes:
            raise DecodeError(f"frame {frame_index + 1}: pixels end at row {start}")
        values = np.frombuffer(data, target).reshape(rows, *shape[1:])
        yield _inside(values, bits)


def _inside(values: NDArray[Any], bits: int) -> Pixels:
    unused = 8 * values.dtype.itemsize - bits
    if not unused:
        return values
    return (values << unused) >> unused


def _compare(path: Path, strips: Iterator[Pixels], shape: tuple[int, ...]) -> tuple[str, int]:
    digest, pixel_bytes = hashlib.sha256(), 0
    for decoded, values in zip(decode_strips(path, shape), strips, strict=True):
        if not np.array_equal(decoded, values):
            raise DecodeError("read back: other pixels than were written")
        digest.update(np.ascontiguousarray(values).data)
        pixel_bytes += values.nbytes
    return digest.hexdigest(), pixel_bytes


def _level_ends(codestream: mmap.mmap) -> tuple[int, ...]:
    reader = IndexReader(len(codestream))
    while (wanted := reader.wanted) is not None:
        reader.feed(wanted.start, codestream[wanted.start : wanted.stop])
    if reader.index is None or not reader.index.complete:
        raise DecodeError("read back: no index")
    return tuple(reader.index.level_ends)
