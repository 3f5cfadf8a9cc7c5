"""Images of gigabytes, a few rows at a time: never a whole one in memory."""

from __future__ import annotations

import hashlib
import math
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from firstlight.errors import DecodeError, FormatError
from firstlight.j2k.index import IndexReader
from firstlight.j2k.rewrite import rewritten_chunks
from firstlight.prepare.encode import EncodedFrame
from firstlight.prepare.header import bits_stored_of, uses_colour_transform
from firstlight.prepare.htj2k import decomposition_levels
from firstlight.prepare.lines import STRIP_ROWS, decode_strips, encode_lines
from firstlight.prepare.mapped import mapped

if TYPE_CHECKING:
    import mmap
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
        and choice.exact
        and not isinstance(dataset.get("PixelData", b""), bytes)
    )


@dataclass(frozen=True, slots=True)
class LargeFrame:
    """One frame of an open native source, of which any rows can be read."""

    dataset: Dataset
    frame_index: int

    @property
    def shape(self) -> tuple[int, ...]:
        """(rows, columns) or (rows, columns, 3)."""
        rows, columns = int(self.dataset.Rows), int(self.dataset.Columns)
        samples = int(self.dataset.get("SamplesPerPixel", 1) or 1)
        return (rows, columns) if samples == 1 else (rows, columns, samples)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of stored values."""
        kind = "i" if self.dataset.get("PixelRepresentation", 0) else "u"
        return np.dtype(f"<{kind}{1 if self.dataset.BitsAllocated <= 8 else 2}")

    def stays_large(self, reduction: int) -> bool:
        """Whether it has to be read by rows at this reduction too."""
        smaller_bytes = math.prod(self.shape) * self.dtype.itemsize // reduction**2
        return reduction == 1 or smaller_bytes > LARGE_PIXEL_BYTES

    def rows(self, start: int, stop: int) -> Pixels:
        """Rows of stored values, bits outside Bits Stored cleared or sign-extended.

        Raises:
            DecodeError: the pixels end before.
        """
        shape, dtype = self.shape, self.dtype
        row_bytes = math.prod(shape[1:]) * dtype.itemsize
        reader = self.dataset["PixelData"].value
        reader.seek((self.frame_index * shape[0] + start) * row_bytes)
        data = reader.read((stop - start) * row_bytes)
        if len(data) < (stop - start) * row_bytes:
            raise DecodeError(f"frame {self.frame_index + 1}: pixels end after row {start}")
        values = np.frombuffer(data, dtype).reshape(stop - start, *shape[1:])
        return _inside(values, bits_stored_of(self.dataset))

    def strips(self) -> Iterator[Pixels]:
        """All rows, `STRIP_ROWS` at a time."""
        for start in range(0, self.shape[0], STRIP_ROWS):
            yield self.rows(start, min(start + STRIP_ROWS, self.shape[0]))


def check_large_alternate(name: str, choice: Representation) -> None:
    """Check that a large frame can be had in full size in a representation.

    Raises:
        FormatError: it cannot; only HTJ2K is written and read by lines.
    """
    if choice.form.family != "htj2k" or (choice.psnr_db is not None and not choice.exact):
        raise FormatError(
            f"alternate {name}: a frame above 256 MB can only be HTJ2K by step, or reduced"
        )


@contextmanager
def encoded_large(frame: LargeFrame, choice: Representation) -> Iterator[EncodedFrame]:
    """Encode a frame line by line, then decode it line by line and compare.

    The decoder is the encoder's own library, the one that can. The codestream is a view of a
    mapped file, which is gone after the ``with`` block.

    Raises:
        DecodeError: pixels are missing, or did not come back equal.
        MissingPackage: ojph is not installed.
    """
    shape, bits, arrangement = frame.shape, bits_stored_of(frame.dataset), choice.arrangement
    exact = choice.exact
    with tempfile.TemporaryDirectory(prefix="firstlight-") as folder:
        plain, path = Path(folder) / "plain.jhc", Path(folder) / "frame.jhc"
        encode_lines(
            plain,
            frame.strips,
            shape,
            signed=frame.dtype.kind == "i",
            bits=bits,
            levels=arrangement.decompositions or decomposition_levels(*shape[:2]),
            arrangement=arrangement,
            colour_transform=uses_colour_transform(frame.dataset, choice.form),
            step=None if exact else choice.step,
        )
        _add_packet_lengths(plain, path, by_level=arrangement.level_by_level)
        plain.unlink()
        digest, max_error = _compare(path, frame, exact=exact)
        with path.open("rb") as stream, mapped(stream) as held:
            view = memoryview(held)
            try:
                yield EncodedFrame(
                    codestream=view,
                    level_ends=_level_ends(held),
                    bits_stored=bits,
                    sha256=digest if exact else "",
                    form=choice.form,
                    encoded_sha256="" if exact else hashlib.sha256(view).hexdigest(),
                    max_error=max_error,
                    pixel_bytes=math.prod(shape) * frame.dtype.itemsize,
                )
            finally:
                view.release()


def _add_packet_lengths(plain: Path, path: Path, *, by_level: bool) -> None:
    with plain.open("rb") as stream, mapped(stream) as held, path.open("wb") as out:
        chunks = rewritten_chunks(held, tile_parts_by_resolution=by_level)
        for chunk in chunks:
            out.write(chunk)


def _inside(values: NDArray[Any], bits: int) -> Pixels:
    unused = 8 * values.dtype.itemsize - bits
    if not unused:
        return values
    return (values << unused) >> unused


def _compare(path: Path, frame: LargeFrame, *, exact: bool) -> tuple[str, int]:
    """The hash of the stored values, and the largest error."""
    digest, max_error = hashlib.sha256(), 0
    for decoded, values in zip(decode_strips(path, frame.shape), frame.strips(), strict=True):
        if not np.array_equal(decoded, values):
            if exact:
                raise DecodeError("read back: other pixels than were written")
            max_error = max(max_error, int(np.abs(decoded - values.astype(np.int32)).max()))
        digest.update(np.ascontiguousarray(values).data)
    return digest.hexdigest(), max_error


def _level_ends(codestream: mmap.mmap) -> tuple[int, ...]:
    reader = IndexReader(len(codestream))
    while (wanted := reader.wanted) is not None:
        reader.feed(wanted.start, codestream[wanted.start : wanted.stop])
    if reader.index is None or not reader.index.complete:
        raise DecodeError("read back: no index")
    return tuple(reader.index.level_ends)
