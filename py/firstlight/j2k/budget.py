"""A bound on the work that one codestream may cause, whatever its headers claim."""

from __future__ import annotations

MAX_UNITS = 1 << 20
"""Precincts listed and code-blocks looked at: 2 s of work. 40,000 x 40,000 pixels need half."""


class TooComplex(Exception):
    """A codestream that is not read packet by packet, and why."""


class Budget:
    """Counts work down."""

    __slots__ = ("_left",)

    def __init__(self, units: int = MAX_UNITS) -> None:
        self._left = units

    def spend(self, units: int) -> None:
        """Take ``units`` away.

        Raises:
            TooComplex: there are not so many left.
        """
        self._left -= units
        if self._left < 0:
            raise TooComplex("it has too many precincts and code-blocks")
