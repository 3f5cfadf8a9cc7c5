"""The forms in which the bytes of a frame are to be had: its own, and other representations."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from firstlight.dicomweb.urls import alternate_frame_url
from firstlight.errors import FormatError

if TYPE_CHECKING:
    from firstlight.dicom.attributes import ImageAttributes
    from firstlight.dicom.codecs import Coding
    from firstlight.sources.base import Frame, FrameExtent


@dataclass(frozen=True, slots=True)
class Form:
    """Where the bytes of a frame lie, how they are coded, and which image they make.

    ``coding`` None: its own first bytes tell. ``has_own_size``: the image may be smaller than
    ``image`` says. ``exact``: it has all pixels as the source has them.
    """

    extent: FrameExtent
    image: ImageAttributes
    coding: Coding | None
    has_own_size: bool = False
    exact: bool = True


def form_of(frame: Frame, frames_path: str = "", url_arguments: str = "") -> Form:
    """The form that a frames path and URL arguments name; the frame itself for neither.

    A representation of the frame that has the path's name is that; else the URL is rewritten.

    Raises:
        FormatError: the URL has no ``/frames/`` that the path could take the place of.
    """
    if not frames_path and not url_arguments:
        return Form(frame.extent, frame.image, frame.coding, exact=frame.coding.reversible)
    for other in frame.representations:
        if other.name == frames_path.strip("/") and not url_arguments:
            exact = other.exact and other.coding.reversible
            return Form(other.extent, other.image, other.coding, exact=exact)
    own = frame.extent.url
    url = alternate_frame_url(own, frames_path, url_arguments)
    if url == own:
        raise FormatError(f"this frame has no representation {frames_path}", resource=own)
    elsewhere = replace(
        frame.extent,
        url=url,
        start=0,
        length=None,
        level_ends=(),
        fragments=(),
        framing="",
        item_checked=True,
    )
    return Form(elsewhere, frame.image, None, has_own_size=True, exact=False)


@lru_cache(maxsize=64)
def origin_of(url: str) -> str:
    """Scheme, host and port of a URL: who serves it."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
