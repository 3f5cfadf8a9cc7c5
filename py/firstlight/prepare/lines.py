"""HTJ2K line by line with the package ojph: images of any height, precincts, any order."""

from __future__ import annotations

import ctypes
import importlib.util
from typing import TYPE_CHECKING, Any

import numpy as np

from firstlight.errors import DecodeError, FirstlightError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from firstlight.prepare.recipe import Arrangement
    from firstlight.prepare.stored import Pixels

Codestream = Any
"""An ojph `Codestream`."""

Line = Any
Bindings = Any

_LEAST_BUFFER_BYTES = 1 << 16

STRIP_ROWS = 64
"""Rows that are read, converted and handed over together."""


class MissingPackage(FirstlightError):
    """A choice needs a package that is not installed."""


def encode_in_memory(
    values: Pixels,
    *,
    bits: int,
    levels: int,
    arrangement: Arrangement,
    colour_transform: bool,
    step: float | None,
) -> bytes:
    """A codestream with TLM of a whole array; ``step`` None for the reversible transform.

    Raises:
        MissingPackage: ojph is not installed.
    """
    ojph = _ojph()
    samples = values.shape[2] if values.ndim == 3 else 1
    out, lines = ojph.MemOutfile(), values
    if samples > 1:  # pushed as if one plane: each row by component
        lines = values.transpose(0, 2, 1).reshape(-1, values.shape[1])
    out.open(max(values.nbytes // 2, _LEAST_BUFFER_BYTES), False)
    codestream = _codestream(
        ojph,
        values.shape,
        signed=values.dtype.kind == "i",
        bits=bits,
        levels=levels,
        arrangement=arrangement,
        colour_transform=colour_transform,
        step=step,
    )
    try:
        codestream.write_headers(out, None, 0)
        codestream.push_all_components(np.ascontiguousarray(lines), 1, "HW")
        codestream.flush()
        return bytes(out.get_data())
    except RuntimeError as error:
        raise DecodeError(f"the encoder refused: {error}") from error
    finally:
        codestream.close()
        out.close()


def encode_lines(
    path: Path,
    strips: Callable[[], Iterator[Pixels]],
    shape: tuple[int, ...],
    *,
    signed: bool,
    bits: int,
    levels: int,
    arrangement: Arrangement,
    colour_transform: bool,
    step: float | None,
) -> None:
    """Write a codestream with TLM to a file, holding a few rows of the image at a time.

    Raises:
        MissingPackage: ojph is not installed.
    """
    ojph = _ojph()
    out = ojph.J2COutfile()
    codestream = _codestream(
        ojph,
        shape,
        signed=signed,
        bits=bits,
        levels=levels,
        arrangement=arrangement,
        colour_transform=colour_transform,
        step=step,
    )
    out.open(str(path))
    try:
        codestream.write_headers(out)
        _push(codestream, strips(), shape[2] if len(shape) == 3 else 1)
        codestream.flush()
    finally:
        codestream.close()


def has_ojph() -> bool:
    """Whether the package is installed."""
    return importlib.util.find_spec("ojph") is not None


def _codestream(
    ojph: Bindings,
    shape: tuple[int, ...],
    *,
    signed: bool,
    bits: int,
    levels: int,
    arrangement: Arrangement,
    colour_transform: bool,
    step: float | None,
) -> Codestream:
    """An encoder, set up and waiting for its headers to be written."""
    samples = shape[2] if len(shape) == 3 else 1
    codestream = ojph.Codestream()
    siz = codestream.access_siz()
    siz.set_image_extent(ojph.Point(shape[1], shape[0]))
    siz.set_num_components(samples)
    for component in range(samples):
        siz.set_component(component, ojph.Point(1, 1), bits, signed)
    cod = codestream.access_cod()
    cod.set_num_decomposition(levels)
    cod.set_progression_order(arrangement.progression)
    cod.set_block_dims(arrangement.block_px, arrangement.block_px)
    cod.set_reversible(step is None)
    cod.set_color_transform(colour_transform and samples == 3)
    if arrangement.precinct_px:
        cod.set_precinct_size(1, ojph.Size(arrangement.precinct_px, arrangement.precinct_px))
    if step is not None:
        codestream.access_qcd().set_irrev_quant(step)
    codestream.set_planar(False)
    codestream.set_tilepart_divisions(arrangement.level_by_level, False)
    codestream.request_tlm_marker(True)
    return codestream


def decode_strips(path: Path, shape: tuple[int, ...]) -> Iterator[NDArray[np.int32]]:
    """Decode a file line by line, `STRIP_ROWS` rows at a time, (rows, columns[, samples]).

    Raises:
        DecodeError: the decoder refused.
    """
    ojph = _ojph()
    samples = shape[2] if len(shape) == 3 else 1
    codestream, source = ojph.Codestream(), ojph.J2CInfile()
    source.open(str(path))
    try:
        codestream.read_headers(source)
        codestream.set_planar(False)
        codestream.create()
        for start in range(0, shape[0], STRIP_ROWS):
            rows = min(STRIP_ROWS, shape[0] - start)
            strip = np.empty((rows, samples, shape[1]), np.int32)
            for row in range(rows):
                for component in range(samples):
                    strip[row, component] = _samples_of(codestream.pull(component))
            yield strip.transpose(0, 2, 1).reshape(rows, *shape[1:])
    except RuntimeError as error:
        raise DecodeError(f"read back: {error}") from error
    finally:
        codestream.close()


def _push(codestream: Codestream, strips: Iterator[Pixels], samples: int) -> None:
    line = codestream.exchange()
    for strip in strips:
        rows = strip.reshape(strip.shape[0], strip.shape[1], samples)
        for row in rows:
            for component in range(samples):
                _samples_of(line)[:] = row[:, component]
                line = codestream.exchange(line, component)


def _samples_of(line: Line) -> NDArray[np.int32]:
    """A line of the codec as an array; it is the codec's memory."""
    address, size = line.i32_address, line.size
    address = address() if callable(address) else address
    size = size() if callable(size) else size
    pointer = ctypes.cast(address, ctypes.POINTER(ctypes.c_int32))
    return np.ctypeslib.as_array(pointer, (size,))


def _ojph() -> Bindings:
    try:
        from ojph import ojph_bindings
    except ImportError:
        raise MissingPackage(
            "precincts, and images too large for memory, need the package ojph (Python 3.12)"
        ) from None
    return ojph_bindings
