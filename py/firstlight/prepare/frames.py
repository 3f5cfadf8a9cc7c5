"""The frames of one open source, encoded or kept, one at a time."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from pydicom.uid import VLWholeSlideMicroscopyImageStorage

from firstlight.dicom.metadata import frame_count
from firstlight.prepare.encode import EncodedFrame, encode_frame
from firstlight.prepare.formats import FORMATS, format_of
from firstlight.prepare.header import bits_stored_of, uses_colour_transform
from firstlight.prepare.kept import kept_frames
from firstlight.prepare.large import (
    LargeFrame,
    check_large_alternate,
    encoded_large,
    is_large,
)
from firstlight.prepare.layout import AlternateFrame
from firstlight.prepare.pictures import averaged_by_rows
from firstlight.prepare.recipe import Representation
from firstlight.prepare.shrink import shrink, shrink_by_rows
from firstlight.prepare.stored import (
    photometric_of_stored,
    stored_frames,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydicom.dataset import Dataset

    from firstlight.prepare.encode import Proof
    from firstlight.prepare.formats import Format
    from firstlight.prepare.recipe import AlternateChoice, Recipe
    from firstlight.prepare.stored import Pixels

_NATIVE: Final = FORMATS["uncompressed"]
_OVERVIEW_SIDE_PX: Final = 2048


@dataclass(frozen=True, slots=True)
class FramePlan:
    """How the frames of one source are written: ``kept`` as they are, or as ``choice`` says.

    ``large`` ones are never in memory as a whole.
    """

    form: Format
    choice: Representation
    kept: bool
    large: bool = False


def plan_frames(dataset: Dataset, recipe: Recipe) -> FramePlan:
    """Decide by transfer syntax, colour and kind of image.

    Raises:
        FormatError: an alternate cannot be made of frames so large.
    """
    syntax = str(dataset.file_meta.TransferSyntaxUID)
    form = format_of(syntax)
    slide = dataset.get("SOPClassUID", None) == VLWholeSlideMicroscopyImageStorage
    if syntax in recipe.keep or (slide and recipe.keep_slides):
        if form is not None and form.family != "native":
            return FramePlan(form, Representation(), kept=True)
        if syntax in recipe.keep:  # native stays native, in the one byte order that is left
            return FramePlan(_NATIVE, Representation(_NATIVE.name), kept=False)
    colour = int(dataset.get("SamplesPerPixel", 1) or 1) == 3
    choice = _for_palette(dataset, recipe.main_for(colour=colour))
    large = is_large(dataset, choice)
    if large:
        for alternate in recipe.alternates:
            if LargeFrame(dataset, 0).stays_large(alternate.reduction):
                check_large_alternate(alternate.name, alternate.representation)
    return FramePlan(choice.form, choice, kept=False, large=large)


def frames_of(
    dataset: Dataset, plan: FramePlan, recipe: Recipe, *, resource: str, proof: Proof
) -> Iterator[tuple[EncodedFrame, Pixels | None]]:
    """Yield each frame as it is written, with its stored values; of a large one with fewer.

    A kept one may come without, if nothing needs them.

    The codestream of a large one is gone when the next is asked for.

    Raises:
        FormatError, DecodeError: as `stored_frames` and `encode_frame`.
    """
    if plan.kept:
        yield from kept_frames(dataset, plan.form, recipe, resource=resource)
        return
    if plan.large:
        for frame_index in range(frame_count(dataset)):
            source = LargeFrame(dataset, frame_index)
            with encoded_large(source, plan.choice) as encoded:
                yield encoded, _overview(source)
        return
    for values in stored_frames(dataset, resource=resource):
        frame = encode_frame(
            values,
            bits_stored=bits_stored_of(dataset),
            colour_transform=uses_colour_transform(dataset, plan.form),
            representation=plan.choice,
            proof=proof,
        )
        yield frame, values


@contextmanager
def alternate_of(
    dataset: Dataset, values: Pixels, choice: AlternateChoice, plan: FramePlan, frame_index: int
) -> Iterator[AlternateFrame]:
    """One frame in an alternate representation, for a ``with`` block.

    Raises:
        DecodeError: as `encode_frame`.
    """
    palette = photometric_of_stored(dataset) == "PALETTE COLOR"
    representation = _for_palette(dataset, choice.representation)
    if plan.large:
        source = LargeFrame(dataset, frame_index)
        if source.stays_large(choice.reduction):
            with encoded_large(source, representation) as encoded:
                yield AlternateFrame(choice, encoded, *source.shape[:2])
            return
        smaller = shrink_by_rows(source.rows, source.shape, choice.reduction, indices=palette)
    else:
        smaller = shrink(values, choice.reduction, indices=palette)
    frame = encode_frame(
        smaller,
        bits_stored=bits_stored_of(dataset),
        colour_transform=uses_colour_transform(dataset, choice.representation.form),
        representation=representation,
    )
    yield AlternateFrame(choice, frame, rows=smaller.shape[0], columns=smaller.shape[1])


def _for_palette(dataset: Dataset, choice: Representation) -> Representation:
    palette = photometric_of_stored(dataset) == "PALETTE COLOR"
    return replace(choice, indices=True) if palette else choice


def _overview(source: LargeFrame) -> Pixels:
    """As many pixels as pictures for browsing can use."""
    palette = photometric_of_stored(source.dataset) == "PALETTE COLOR"
    return averaged_by_rows(source.rows, source.shape, _OVERVIEW_SIDE_PX, indices=palette)
