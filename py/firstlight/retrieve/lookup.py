"""Which configuration a series gets, where several were given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from firstlight.dicom import uids
from firstlight.retrieve.configuration import DEFAULT_TYPE, HTJ2K_FAMILY, standard_uid

if TYPE_CHECKING:
    from collections.abc import ItemsView, Mapping

    from firstlight.retrieve.configuration import RetrieveConfiguration

STACK: Final = "stack"
VOLUME: Final = "volume"

_SCHEMES: Final = ("wadors:", "wadouri:", "dicomweb:", "jphuri:")


@dataclass(frozen=True, slots=True)
class SeriesFacts:
    """What a configuration can be looked up by.

    ``frame_url`` is the URL of the frame shown first. ``volume``: it is shown as a volume.
    """

    frame_url: str = ""
    series_instance_uid: str = ""
    transfer_syntax_uid: str = ""
    volume: bool = False

    def keys(self) -> tuple[str, ...]:
        """The keys that fit, the most particular first."""
        uid = standard_uid(self.transfer_syntax_uid)
        family = uids.HTJ2K_PRIVATE if uid in HTJ2K_FAMILY else ""
        kind = VOLUME if self.volume else STACK
        found = (self.frame_url, self.series_instance_uid, uid, family, kind, DEFAULT_TYPE)
        return tuple(key for key in found if key)


class Configurations:
    """Configurations by key: the first that is defined wins.

    A key is the URL of a frame (or the reference's ``wadors:`` image id of it), a Series Instance
    UID, a Transfer Syntax UID, ``stack``, ``volume``, or ``default`` for what has no other.
    """

    def __init__(self, known: Mapping[str, RetrieveConfiguration] | None = None) -> None:
        self._known = dict(known or {})

    def add(self, key: str, configuration: RetrieveConfiguration) -> None:
        """Define the configuration of a key, in place of the one it had."""
        self._known[_plain(key)] = configuration

    def clear(self) -> None:
        """Forget all."""
        self._known.clear()

    def clone(self) -> Configurations:
        """The same, apart: what is added to one is not in the other."""
        return Configurations(self._known)

    def restore(self, earlier: Configurations) -> None:
        """Be as ``earlier`` is, apart from it."""
        self._known = dict(earlier._known)

    def items(self) -> ItemsView[str, RetrieveConfiguration]:
        """All keys with their configurations."""
        return self._known.items()

    def find(self, *keys: str) -> RetrieveConfiguration | None:
        """The configuration of the first key that has one."""
        known = self._known
        return next((known[key] for key in map(_plain, keys) if key in known), None)

    def for_series(self, facts: SeriesFacts) -> RetrieveConfiguration | None:
        """The configuration of a series, None if nothing was defined that fits."""
        return self.find(*facts.keys())


def _plain(key: str) -> str:
    for scheme in _SCHEMES:
        key = key.removeprefix(scheme)
    return standard_uid(key)
