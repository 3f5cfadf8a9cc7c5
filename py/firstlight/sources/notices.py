"""What is left out of a source, in words for the reader."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST: Final = 5
"""Reasons in one notice; a folder may hold thousands of files that are no images."""


def listed(reasons: Sequence[str]) -> str:
    """The first reasons one after the other, and how many more there are."""
    more = len(reasons) - MOST
    text = "; ".join(reasons[:MOST])
    return f"{text}; and {more} more" if more > 0 else text
