"""What the user chose: how frames are written, and what is written beside them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Final

from firstlight.prepare.formats import FORMATS, Format

if TYPE_CHECKING:
    from firstlight.j2k.parameters import ProgressionOrder

VERSION: Final = 4
"""Changes whenever the same source and choices would give other bytes."""

PROGRESSIONS: Final = ("LRCP", "RLCP", "RPCL", "PCRL", "CPRL")


@dataclass(frozen=True, slots=True)
class Arrangement:
    """How an HTJ2K codestream is laid out for reading by ranges and windows.

    ``precinct_px`` 0 stands for precincts as large as possible. ``decompositions`` None takes as
    many as bring both sides down to 64 pixels. Other than by default it needs the package ojph.
    """

    progression: str = "RPCL"
    precinct_px: int = 0
    block_px: int = 64
    decompositions: int | None = None

    @property
    def level_by_level(self) -> bool:
        """Whether a prefix is a smaller picture."""
        return self.progression in ("RPCL", "RLCP")


@dataclass(frozen=True, slots=True)
class Representation:
    """A format and how much it may lose; what a format does not know is ignored.

    ``step`` is the quantisation step relative to the full range, ``psnr_db`` a target that
    overrides it; ``near`` the largest error of a stored value; ``ratios`` those of the quality
    layers of JPEG 2000, the last being that of the whole. ``indices``: the values are those of a
    palette, where the nearest is another colour; they are coded exactly whatever the format.
    """

    format: str = "htj2k"
    step: float = 1 / 1024
    psnr_db: float | None = None
    near: int = 2
    ratios: tuple[float, ...] = (40.0, 20.0, 10.0)
    arrangement: Arrangement = field(default_factory=Arrangement)
    indices: bool = False

    @property
    def exact(self) -> bool:
        """Whether every value comes back."""
        return self.form.exact or self.indices

    @property
    def form(self) -> Format:
        """Its format."""
        return FORMATS[self.format]


@dataclass(frozen=True, slots=True)
class AlternateChoice:
    """One more representation of every frame, ``reduction`` times smaller, in its own folder."""

    name: str
    path: str
    representation: Representation
    reduction: int = 1


@dataclass(frozen=True, slots=True)
class Recipe:
    """All choices that decide the bytes written for a source.

    ``keep`` are the transfer syntaxes whose frames are taken over as they are; ``rewrite`` gives
    those in JPEG 2000 or HTJ2K packet and tile-part lengths on the way, and the progression order
    ``rewrite_order`` if there is one; without ``decode_kept`` their pixels are not looked at, and
    the hash in the descriptor is that of the codestream. ``index_boxes`` adds those of JPIP to
    layout jp2. ``keep_slides`` leaves the
    encapsulated frames of whole slide images as they are, which are lossy and many.
    """

    layout: str = "dicomweb"
    main: Representation = field(default_factory=Representation)
    colour: Representation | None = None
    alternates: tuple[AlternateChoice, ...] = ()
    keep: frozenset[str] = frozenset()
    keep_slides: bool = True
    rewrite: bool = False
    rewrite_order: ProgressionOrder | None = None
    decode_kept: bool = True
    index_boxes: bool = False
    single_part: bool = False
    thumbnails: bool = True
    rendered: bool = False

    @property
    def digest(self) -> str:
        """A short name that changes with every choice."""
        record = asdict(self) | {"keep": sorted(self.keep), "version": VERSION}
        text = json.dumps(record, sort_keys=True)
        return f"{VERSION}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"

    def main_for(self, *, colour: bool) -> Representation:
        """How frames of gray or colour images are written."""
        return self.colour if colour and self.colour is not None else self.main
