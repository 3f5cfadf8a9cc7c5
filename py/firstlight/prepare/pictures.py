"""Pictures for browsing (PS3.18 8.7.4): an image as it is displayed, as JPEG."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, Final

import imagecodecs
import numpy as np

from firstlight.errors import NotDicom

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from firstlight.dicom.attributes import ImageAttributes
    from firstlight.prepare.stored import Pixels

THUMBNAIL_SIDE_PX: Final = 256
_THUMBNAIL_QUALITY: Final = 75
_RENDERED_QUALITY: Final = 90


def displayed(values: Pixels, image: ImageAttributes) -> NDArray[np.uint8]:
    """Eight bits as they are displayed: (rows, columns) or (rows, columns, 3) in RGB.

    The first window of its attributes, else the range of the values. Palettes are applied.
    """
    if image.photometric_interpretation == "PALETTE COLOR":
        return _palette(values, image)
    if values.ndim == 3:
        eight = values if values.dtype == np.uint8 else values >> (image.bits_stored - 8)
        colour: NDArray[np.uint8] = eight.astype(np.uint8)
        ybr = image.photometric_interpretation == "YBR_FULL"
        return _rgb_of_ybr(colour) if ybr else colour
    return _windowed(values, image)


def thumbnail_jpeg(values: Pixels, image: ImageAttributes) -> bytes:
    """At most `THUMBNAIL_SIDE_PX` a side, of stored values that are averaged and then displayed."""
    step = -(-max(values.shape[:2]) // THUMBNAIL_SIDE_PX)
    rows, columns = values.shape[0] // step, values.shape[1] // step
    indices = image.photometric_interpretation == "PALETTE COLOR"
    small = values
    if step > 1 and rows and columns:
        small = _picked(values, step, rows, columns) if indices else _averaged(values, step)
    shown = np.ascontiguousarray(displayed(small, image))
    return bytes(imagecodecs.jpeg8_encode(shown, level=_THUMBNAIL_QUALITY))


def _picked(values: Pixels, step: int, rows: int, columns: int) -> Pixels:
    """The middle pixel of each block: indices cannot be averaged."""
    return values[step // 2 :: step, step // 2 :: step][:rows, :columns]


def _averaged(values: Pixels, step: int) -> Pixels:
    """Means of blocks of ``step`` by ``step``; what is left at the edges is cut off."""
    rows, columns = values.shape[0] // step, values.shape[1] // step
    cut = values[: rows * step, : columns * step]
    # without mixing types, and in 16 bits where sums fit, this takes half as long
    fits = cut.dtype == np.uint16 and int(cut.max()) * step <= np.iinfo(np.uint16).max
    total = cut[::step].astype(np.uint16 if fits else np.int32)
    for row in range(1, step):
        total += cut[row::step].astype(total.dtype, copy=False)
    across = total[:, ::step].astype(np.int32)
    for column in range(1, step):
        across += total[:, column::step].astype(np.int32, copy=False)
    return (across // (step * step)).astype(values.dtype)


def averaged_by_rows(
    rows: Callable[[int, int], Pixels], shape: tuple[int, ...], side_px: int, *, indices: bool
) -> Pixels:
    """Stored values at most ``side_px`` a side, of an image of which some rows are held at a time.

    ``rows`` returns those from a first to before a last; ``shape`` is that of the whole.
    """
    step = -(-max(shape[:2]) // side_px)
    height, width = max(1, shape[0] // step), max(1, shape[1] // step)
    done = []
    for row in range(height):
        block = rows(row * step, min((row + 1) * step, shape[0]))
        whole = len(block) == step and not indices
        done.append(_averaged(block, step) if whole else _picked(block, step, 1, width))
    return np.concatenate(done)


def rendered_jpeg(shown: NDArray[np.uint8]) -> bytes:
    """In full size."""
    return bytes(imagecodecs.jpeg8_encode(np.ascontiguousarray(shown), level=_RENDERED_QUALITY))


def _windowed(values: Pixels, image: ImageAttributes) -> NDArray[np.uint8]:
    """A linear ramp over the window (PS3.3 C.11.2.1.2), inverted for MONOCHROME1."""
    modality = values.astype(np.float32)
    modality *= image.rescale_slope
    modality += image.rescale_intercept
    if image.windows:
        center, width = image.windows[0].center, image.windows[0].width
        low, span = center - 0.5 - (width - 1) / 2, max(width - 1, 1e-6)
    else:
        low = float(modality.min())
        span = max(float(modality.max()) - low, 1e-6)
    modality -= low
    modality /= span
    ramp = np.clip(modality, 0, 1, out=modality)
    if image.photometric_interpretation == "MONOCHROME1":
        np.subtract(1, ramp, out=ramp)
    ramp *= 255
    shown: NDArray[np.uint8] = np.rint(ramp, out=ramp).astype(np.uint8)
    return shown


def _palette(values: Pixels, image: ImageAttributes) -> NDArray[np.uint8]:
    palette = image.palette_color
    if palette is None:
        raise NotDicom("no palette")
    table = np.frombuffer(base64.b64decode(palette.data), np.uint8).reshape(-1, 3)
    index = np.clip(values.astype(np.int32) - palette.first_value, 0, len(table) - 1)
    shown: NDArray[np.uint8] = table[index]
    return shown


def _rgb_of_ybr(values: NDArray[Any]) -> NDArray[np.uint8]:
    """PS3.3 C.7.6.3.1.2, backwards."""
    y, cb, cr = (values[..., index].astype(np.float32) for index in range(3))
    cb, cr = cb - 128, cr - 128
    rgb = np.stack([y + 1.402 * cr, y - 0.344136 * cb - 0.714136 * cr, y + 1.772 * cb], axis=-1)
    shown: NDArray[np.uint8] = np.clip(np.rint(rgb), 0, 255).astype(np.uint8)
    return shown
