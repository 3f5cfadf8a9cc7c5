"""The frames of one open source, encoded or kept, one at a time."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pydicom.uid import VLWholeSlideMicroscopyImageStorage

from firstlight.dicom.metadata import frame_attributes
from firstlight.errors import DecodeError, MalformedCodestream
from firstlight.j2k.rewrite import rewrite
from firstlight.prepare.encode import EncodedFrame, encode_frame, level_ends_of
from firstlight.prepare.formats import FORMATS, format_of
from firstlight.prepare.header import bits_stored_of, uses_colour_transform
from firstlight.prepare.large import encode_large, is_large
from firstlight.prepare.layout import AlternateFrame
from firstlight.prepare.proof import decoded
from firstlight.prepare.recipe import Representation
from firstlight.prepare.shrink import shrink
from firstlight.prepare.stored import (
    encapsulated_frames,
    photometric_of_stored,
    stored_frames,
    stored_sha256,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydicom.dataset import Dataset

    from firstlight.prepare.formats import Format
    from firstlight.prepare.recipe import AlternateChoice, Recipe
    from firstlight.prepare.stored import Pixels

_NATIVE: Final = FORMATS["uncompressed"]


@dataclass(frozen=True, slots=True)
class FramePlan:
    """How the frames of one source are written: ``kept`` as they are, or as ``choice`` says."""

    form: Format
    choice: Representation
    kept: bool


def plan_frames(dataset: Dataset, recipe: Recipe) -> FramePlan:
    """Decide by transfer syntax, colour and kind of image."""
    syntax = str(dataset.file_meta.TransferSyntaxUID)
    form = format_of(syntax)
    slide = dataset.get("SOPClassUID", None) == VLWholeSlideMicroscopyImageStorage
    if syntax in recipe.keep or (slide and recipe.keep_slides):
        if form is not None and form.family != "native":
            return FramePlan(form, Representation(), kept=True)
        if syntax in recipe.keep:  # native stays native, in the one byte order that is left
            return FramePlan(_NATIVE, Representation(_NATIVE.name), kept=False)
    colour = int(dataset.get("SamplesPerPixel", 1) or 1) == 3
    choice = recipe.main_for(colour=colour)
    return FramePlan(choice.form, choice, kept=False)


def frames_of(
    dataset: Dataset, plan: FramePlan, recipe: Recipe, *, resource: str
) -> Iterator[tuple[EncodedFrame, Pixels | None]]:
    """Yield each frame as it is written, with its stored values unless they are too many.

    Raises:
        FormatError, DecodeError: as `stored_frames` and `encode_frame`.
    """
    if plan.kept:
        yield from _kept(dataset, plan.form, resource=resource, rewritten=recipe.rewrite)
        return
    if is_large(dataset, plan.choice):
        yield from ((frame, None) for frame in encode_large(dataset, plan.choice))
        return
    for values in stored_frames(dataset, resource=resource):
        frame = encode_frame(
            values,
            bits_stored=bits_stored_of(dataset),
            colour_transform=uses_colour_transform(dataset, plan.form),
            representation=plan.choice,
        )
        yield frame, values


def alternate_of(dataset: Dataset, values: Pixels, choice: AlternateChoice) -> AlternateFrame:
    """One frame in an alternate representation.

    Raises:
        DecodeError: as `encode_frame`.
    """
    palette = photometric_of_stored(dataset) == "PALETTE COLOR"
    smaller = shrink(values, choice.reduction, indices=palette)
    frame = encode_frame(
        smaller,
        bits_stored=bits_stored_of(dataset),
        colour_transform=uses_colour_transform(dataset, choice.representation.form),
        representation=choice.representation,
    )
    return AlternateFrame(choice, frame, rows=smaller.shape[0], columns=smaller.shape[1])


def _kept(
    dataset: Dataset, form: Format, *, resource: str, rewritten: bool
) -> Iterator[tuple[EncodedFrame, Pixels]]:
    """Frames as they are; decoded all the same, for the hash and to know that they can be."""
    for frame_index, codestream in enumerate(_encapsulated(dataset, resource=resource)):
        image = frame_attributes(dataset, frame_index)
        values = decoded(codestream, image, form.uid, resource=resource)
        kept = _rewritten(codestream) if rewritten else codestream
        try:
            ends = level_ends_of(kept, form)
        except MalformedCodestream:  # it decodes; how it is built is the decoder's affair
            ends = (len(kept),)
        yield (
            EncodedFrame(
                codestream=kept,
                level_ends=ends,
                bits_stored=bits_stored_of(dataset),
                sha256=stored_sha256(values) if form.exact else "",
                form=form,
                encoded_sha256="" if form.exact else hashlib.sha256(kept).hexdigest(),
                pixel_bytes=values.nbytes,
            ),
            values,
        )


def _encapsulated(dataset: Dataset, *, resource: str) -> Iterator[bytes]:
    try:
        yield from encapsulated_frames(dataset)
    except (ValueError, AttributeError) as error:
        raise DecodeError(f"fragments: {error}", resource=resource) from error


def _rewritten(codestream: bytes) -> bytes:
    """With packet and tile-part lengths, and a tile-part for each level where its order allows."""
    if codestream[:2] != b"\xff\x4f":
        return codestream
    for by_level in (True, False):
        try:
            return rewrite(codestream, tile_parts_by_resolution=by_level)
        except MalformedCodestream:
            continue
    return codestream
