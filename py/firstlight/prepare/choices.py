"""From words on a command line to a `Recipe`, or to one line that says what does not fit."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from firstlight.dicom import uids
from firstlight.errors import FirstlightError
from firstlight.j2k.parameters import PROGRESSION_ORDERS
from firstlight.prepare.formats import FORMATS
from firstlight.prepare.lines import has_ojph
from firstlight.prepare.recipe import AlternateChoice, Recipe, Representation

if TYPE_CHECKING:
    from firstlight.j2k.parameters import ProgressionOrder

SOURCE_FAMILIES: Final[dict[str, tuple[str, ...]]] = {
    "uncompressed": (
        uids.IMPLICIT_VR_LITTLE_ENDIAN,
        uids.EXPLICIT_VR_LITTLE_ENDIAN,
        uids.DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN,
        uids.EXPLICIT_VR_BIG_ENDIAN,
    ),
    "rle": (uids.RLE_LOSSLESS,),
    "jpeg": (uids.JPEG_BASELINE, uids.JPEG_EXTENDED),
    "jpeg-lossless": (uids.JPEG_LOSSLESS, uids.JPEG_LOSSLESS_SV1),
    "jpegls": (uids.JPEG_LS_LOSSLESS, uids.JPEG_LS_NEAR_LOSSLESS),
    "jpeg2000": (uids.JPEG_2000_LOSSLESS, uids.JPEG_2000),
    "htj2k": (uids.HTJ2K_LOSSLESS, uids.HTJ2K_LOSSLESS_RPCL, uids.HTJ2K),
}
"""What ``--recompress`` may name."""

_ALTERNATES: Final = {
    "jls": "jpegls",
    "jlsThumbnail": "jpegls:reduction=4",
    "lossy": "htj2k-lossy",
    "htj2k": "htj2k",
    "htj2kThumbnail": "htj2k:reduction=4",
}
"""Names that need no further words."""

_MAX_REDUCTION: Final = 64
_MAX_NEAR: Final = 255
_BROWSED_PRECINCT_PX: Final = 128
_RARELY_WISE_PRECINCTS_PX: Final = (64, 1024)


class BadChoice(FirstlightError):
    """Choices that contradict each other or the standard."""


@dataclass(frozen=True, slots=True)
class ChosenRecipe:
    """A recipe, and what its user should know about it."""

    recipe: Recipe
    warnings: tuple[str, ...]


def default_precinct_px() -> int:
    """Side of the precincts where none is asked for: 128 with the package that can, else none."""
    return _BROWSED_PRECINCT_PX if has_ojph() else 0


def progression_order(word: str | None) -> ProgressionOrder | None:
    """The order that a word names, None for no word.

    Raises:
        BadChoice: there is no such order.
    """
    found = next((order for order in PROGRESSION_ORDERS if order == word), None)
    if word is not None and found is None:
        raise BadChoice(f"the progression is one of {', '.join(PROGRESSION_ORDERS)}")
    return found


def checked(recipe: Recipe) -> ChosenRecipe:
    """Check that the parts of a recipe fit each other.

    Raises:
        BadChoice: they do not.
    """
    warnings: list[str] = []
    for choice in filter(None, (recipe.main, recipe.colour)):
        warnings += _check_representation(choice)
        if recipe.layout == "jp2" and choice.form.family not in ("htj2k", "jpeg2000"):
            raise BadChoice(f"{choice.format} does not fit the layout jp2")
    names = [alternate.name for alternate in recipe.alternates]
    paths = [alternate.path for alternate in recipe.alternates]
    if len(set(names)) < len(names) or len(set(paths)) < len(paths):
        raise BadChoice("two alternates have the same name or path")
    if recipe.alternates and recipe.layout in ("part10", "jp2"):
        raise BadChoice(f"the layout {recipe.layout} has no alternates")
    if recipe.index_boxes and recipe.layout != "jp2":
        raise BadChoice("only the layout jp2 has index boxes")
    if recipe.single_part and recipe.layout != "dicomweb":
        raise BadChoice("only the layout dicomweb knows single parts")
    return ChosenRecipe(recipe, tuple(warnings))


def kept_syntaxes(recompress: str) -> frozenset[str]:
    """Transfer syntaxes to keep, from the list of those to recompress, ``all`` or ``none``.

    Raises:
        BadChoice: a family is not known.
    """
    words = {word.strip() for word in recompress.split(",")} - {""}
    if words == {"all"}:
        return frozenset()
    unknown = words - set(SOURCE_FAMILIES) - {"none"}
    if unknown or ("none" in words and len(words) > 1):
        known = ", ".join(("all", "none", *SOURCE_FAMILIES))
        raise BadChoice(f"--recompress takes a list of: {known}")
    families = (members for name, members in SOURCE_FAMILIES.items() if name not in words)
    return frozenset(uid for members in families for uid in members)


def parse_alternate(text: str, defaults: Representation) -> AlternateChoice:
    """``NAME`` or ``NAME=FORMAT[:near=N][:step=X][:psnr=DB][:reduction=N][:path=P]``.

    Raises:
        BadChoice: it is not of that form.
    """
    name, _, spec = text.partition("=")
    spec = spec or _ALTERNATES.get(name, "")
    form, *options = spec.split(":")
    if not name or form not in FORMATS:
        raise BadChoice(f"alternate {text!r}: say NAME=FORMAT, FORMAT one of {', '.join(FORMATS)}")
    given = dict(option.partition("=")[::2] for option in options)
    unknown = set(given) - {"near", "step", "psnr", "reduction", "path"}
    if unknown:
        raise BadChoice(f"alternate {name}: {sorted(unknown)[0]!r} is not known")
    path = given.get("path", name)
    if path in ("frames", "metadata", "thumbnail", "rendered") or not _is_plain(path):
        raise BadChoice(f"alternate {name}: {path!r} cannot be its path")
    try:
        reduction = int(given.get("reduction", 1))
        representation = replace(
            defaults,
            format=form,
            near=int(given.get("near", defaults.near)),
            step=float(given.get("step", defaults.step)),
            psnr_db=float(given["psnr"]) if "psnr" in given else defaults.psnr_db,
        )
    except ValueError as error:
        raise BadChoice(f"alternate {name}: a number is wanted") from error
    if not 1 <= reduction <= _MAX_REDUCTION:
        raise BadChoice(f"alternate {name}: reduction goes from 1 to {_MAX_REDUCTION}")
    _check_representation(representation)
    return AlternateChoice(name, path, representation, reduction)


def _check_representation(choice: Representation) -> list[str]:
    arrangement, warnings = choice.arrangement, []
    if not 0 < choice.step < 1:
        raise BadChoice("the quantisation step lies between 0 and 1")
    if not 0 <= choice.near <= _MAX_NEAR:
        raise BadChoice(f"near goes from 0 to {_MAX_NEAR}")
    if choice.format == "jpegls-near" and choice.near == 0:
        raise BadChoice("near 0 is lossless: the format is called jpegls")
    if arrangement.progression not in PROGRESSION_ORDERS:
        raise BadChoice(f"the progression is one of {', '.join(PROGRESSION_ORDERS)}")
    if choice.format == "htj2k" and arrangement.progression != "RPCL":
        raise BadChoice("its transfer syntax promises RPCL: choose the format htj2k-lossless")
    if not arrangement.level_by_level:
        warnings.append(
            f"{arrangement.progression} does not go level by level: nothing can be shown early"
        )
    small, large = _RARELY_WISE_PRECINCTS_PX
    px = arrangement.precinct_px
    if px and (px & (px - 1) or px < 4):
        raise BadChoice("the side of a precinct is a power of two")
    if px and px <= small:
        warnings.append(f"precincts of {px}: many small packets, 1 % larger, slow to index")
    if px and px >= large:
        warnings.append(f"precincts of {px}: a window costs nearly the whole picture")
    block = arrangement.block_px
    if block not in (4, 8, 16, 32, 64):
        raise BadChoice("the side of a code-block is 4, 8, 16, 32 or 64")
    return warnings


def _is_plain(path: str) -> bool:
    return bool(path) and all(c.isalnum() or c in "-_" for c in path)
