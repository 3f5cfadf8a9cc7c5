"""Values of a configuration as somebody wrote them, checked; errors have the path of the field."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final, TypeVar

from firstlight.errors import ConfigurationError

E = TypeVar("E", bound=IntEnum)

Convert = Callable[[object, str], Any]
"""Makes the value of a field of what was written at a path, or raises ConfigurationError."""

MAX_WHOLE: Final = 2**53
"""The largest whole number that JSON carries exactly everywhere."""

_SHOWN_CHARACTERS: Final = 40


@dataclass(frozen=True, slots=True)
class Field:
    """A field of an object: its name here, and what it may be called in a configuration.

    The first of ``spellings`` is the usual one.
    """

    name: str
    spellings: tuple[str, ...]
    convert: Convert


def wrong(path: str, wanted: str, value: object) -> ConfigurationError:
    """The error for a value: ``stages[2].decimate: must be ..., not 0``."""
    shown = repr(value)
    if len(shown) > _SHOWN_CHARACTERS:
        shown = shown[: _SHOWN_CHARACTERS - 3] + "..."
    return ConfigurationError(f"{path}: must be {wanted}, not {shown}")


def under(path: str, name: str) -> str:
    """The path of a field of the object at a path."""
    plain = re.fullmatch(r"[A-Za-z_]\w*", name) is not None
    name = name if len(name) <= _SHOWN_CHARACTERS else name[: _SHOWN_CHARACTERS - 3] + "..."
    if not plain:
        return f"{path}[{name!r}]"
    return f"{path}.{name}" if path else name


def read(value: object, path: str, fields: Sequence[Field]) -> dict[str, Any]:
    """The fields that an object has, by their names here; those left out or null are not there.

    Raises:
        ConfigurationError: it is no object, one of its fields is wrong or unknown, or two of them
            mean the same.
    """
    if not isinstance(value, Mapping):
        raise wrong(path or "configuration", "an object", value)
    known = {spelling: one for one in fields for spelling in (*one.spellings, one.name)}
    found: dict[str, Any] = {}
    spelled: dict[str, str] = {}
    for key, written in value.items():
        field = known.get(key) if isinstance(key, str) else None
        if field is None:
            usual = ", ".join(one.spellings[0] for one in fields)
            raise ConfigurationError(f"{under(path, str(key))}: not known here; there are {usual}")
        if written is None:
            continue
        if field.name in found:
            text = f"{under(path, key)}: the same as {spelled[field.name]}, give one of them"
            raise ConfigurationError(text)
        found[field.name] = field.convert(written, under(path, key))
        spelled[field.name] = key
    return found


def as_object(value: object, path: str) -> Mapping[str, object]:
    """An object, its fields unread."""
    if not isinstance(value, Mapping):
        raise wrong(path, "an object", value)
    return value


def items(value: object, path: str, convert: Convert, *, most: int) -> tuple[Any, ...]:
    """A list, each of its items converted."""
    if isinstance(value, str | bytes | Mapping) or not isinstance(value, Sequence):
        raise wrong(path, "a list", value)
    if not 1 <= len(value) <= most:
        text = f"{path}: must have from 1 to {most} items, not {len(value)}"
        raise ConfigurationError(text)
    return tuple(convert(item, f"{path}[{index}]") for index, item in enumerate(value))


def whole(least: int, most: int = MAX_WHOLE) -> Convert:
    """A whole number within bounds; 4.0 is one."""
    wanted = f"a whole number of at least {least}"
    if most < MAX_WHOLE:
        wanted = f"a whole number from {least} to {most}"

    def convert(value: object, path: str) -> int:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise wrong(path, wanted, value)
        if not math.isfinite(value) or value != int(value) or not least <= value <= most:
            raise wrong(path, wanted, value)
        return int(value)

    return convert


def number(value: object, path: str) -> float:
    """A number of at least 0."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise wrong(path, "a number of at least 0", value)
    if not 0 <= value <= MAX_WHOLE:
        raise wrong(path, "a number of at least 0", value)
    return float(value)


def flag(value: object, path: str) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise wrong(path, "true or false", value)
    return value


def text(value: object, path: str) -> str:
    """A text that is not empty."""
    if not isinstance(value, str) or not value.strip():
        raise wrong(path, "a text", value)
    return value


def member(kind: type[E], allowed: Sequence[E] | None = None, *, numbers: bool = True) -> Convert:
    """One of an enumeration, by its name in any case, or by its number."""
    members = tuple(kind) if allowed is None else tuple(allowed)
    names = [f"{one.name} ({one.value})" if numbers else one.name.lower() for one in members]
    wanted = f"one of {', '.join(names)}"

    def convert(value: object, path: str) -> E:
        for one in members:
            if value is one or (isinstance(value, str) and value.upper() == one.name):
                return one
            if numbers and not isinstance(value, bool | str) and value == one.value:
                return one
        raise wrong(path, wanted, value)

    return convert
