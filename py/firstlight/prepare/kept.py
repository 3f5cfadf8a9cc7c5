"""Frames that keep the packets of their source: as they are, or arranged anew."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from firstlight.dicom.metadata import frame_attributes, frame_count
from firstlight.dicom.uids import HTJ2K_LOSSLESS_RPCL
from firstlight.errors import DecodeError, FormatError, MalformedCodestream
from firstlight.j2k.markers import codestream_start
from firstlight.j2k.rewrite import rewrite
from firstlight.prepare.encode import EncodedFrame, level_ends_of
from firstlight.prepare.header import bits_stored_of
from firstlight.prepare.proof import decoded
from firstlight.prepare.stored import encapsulated_frames, stored_sha256

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydicom.dataset import Dataset

    from firstlight.prepare.formats import Format
    from firstlight.prepare.recipe import Recipe
    from firstlight.prepare.stored import Pixels

_UNDECODED = "codestream "
"""Stands before the hash of a source's frame that was not decoded."""


def kept_frames(
    dataset: Dataset, form: Format, recipe: Recipe, *, resource: str
) -> Iterator[tuple[EncodedFrame, Pixels | None]]:
    """Frames as they are, or with their packets arranged anew where the recipe says so.

    They are decoded all the same, for the hash and to know that they can be; unless
    ``decode_kept`` is off: then only what pictures and alternates need is.

    Raises:
        DecodeError: the fragments do not make frames, or one cannot be decoded.
        FormatError: an order was asked for that the transfer syntax forbids, or that a frame
            cannot be brought into.
    """
    order = recipe.rewrite_order
    if recipe.rewrite and order not in (None, "RPCL") and form.uid == HTJ2K_LOSSLESS_RPCL:
        raise FormatError("its transfer syntax promises RPCL, and no other order")
    shown = (frame_count(dataset) - 1) // 2 if recipe.thumbnails or recipe.rendered else None
    for frame_index, codestream in enumerate(coded_frames(dataset, resource=resource)):
        values = None
        if recipe.decode_kept or recipe.alternates or frame_index == shown:
            image = frame_attributes(dataset, frame_index)
            values = decoded(codestream, image, form.uid, resource=resource)
        kept = _rewritten(codestream, recipe) if recipe.rewrite else codestream
        try:
            ends = level_ends_of(kept, form)
        except MalformedCodestream:  # it decodes; how it is built is the decoder's affair
            ends = (len(kept),)
        hashed = recipe.decode_kept and values is not None
        yield (
            EncodedFrame(
                codestream=kept,
                level_ends=ends,
                bits_stored=bits_stored_of(dataset),
                sha256=stored_sha256(values) if hashed and form.exact else "",
                form=form,
                encoded_sha256="" if hashed and form.exact else _sha256(kept),
                pixel_bytes=_pixel_bytes(dataset),
                source_sha256=stored_sha256(values) if hashed else _UNDECODED + _sha256(codestream),
            ),
            values,
        )


def coded_frames(dataset: Dataset, *, resource: str) -> Iterator[bytes]:
    """Encapsulated frames as they are.

    Raises:
        DecodeError: the fragments do not say which belong to which frame.
    """
    try:
        yield from encapsulated_frames(dataset)
    except (ValueError, AttributeError) as error:
        raise DecodeError(f"fragments: {error}", resource=resource) from error


def coded_hashes(dataset: Dataset, *, resource: str) -> tuple[str, ...]:
    """What stands for the stored values of frames that are not decoded."""
    return tuple(_UNDECODED + _sha256(data) for data in coded_frames(dataset, resource=resource))


def is_undecoded(source_sha256: str) -> bool:
    """Whether such a hash is of a codestream."""
    return source_sha256.startswith(_UNDECODED)


def _rewritten(codestream: bytes, recipe: Recipe) -> bytes:
    """With packet and tile-part lengths, and a tile-part for each level where its order allows."""
    order = recipe.rewrite_order
    if order is not None:  # a JP2 file's boxes would be in the way
        codestream = codestream[codestream_start(codestream) :]
    elif codestream[:2] != b"\xff\x4f":
        return codestream
    reason = ""
    for by_level in (True, False):
        try:
            return rewrite(codestream, tile_parts_by_resolution=by_level, progression_order=order)
        except MalformedCodestream as error:
            reason = error.message
    if order is not None:
        raise FormatError(f"cannot be brought into the order {order}: {reason}")
    return codestream


def _pixel_bytes(dataset: Dataset) -> int:
    samples = int(dataset.get("SamplesPerPixel", 1) or 1)
    container = 1 if int(dataset.BitsAllocated) <= 8 else 2
    return int(dataset.Rows) * int(dataset.Columns) * samples * container


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
