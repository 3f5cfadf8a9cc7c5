"""DICOM JSON (PS3.18 F) of a header, most of it straight from the bytes that were read.

What is in any way unusual is left to pydicom, whose answer this is, value for value; what it
refuses is given as the file has it (`dicom_json_irregular.py`).
"""

from __future__ import annotations

import functools
import json
import math
import operator
import re
import struct
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pydicom.config import strict_reading
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from firstlight.errors import FirstlightError
from firstlight.prepare.dicom_json_irregular import as_stored, json_number

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pydicom.dataelem import DataElement
    from pydicom.tag import BaseTag

    BulkData = Callable[[DataElement], str]

_MAX_TEXT: Final = {"LO": 64, "SH": 16, "ST": 1024, "LT": 10240}
"""Longer ones are not valid."""

_ONE_TEXT: Final = re.compile(rb"[ -\[\]-}]*\0?")
"""One value, which is the same in every character repertoire of DICOM."""

_CODES: Final = frozenset({"CS", "DA", "TM", "AS"})
_CODE: Final = re.compile(rb"[ -\[\]-}\\]*\0?")
_UID: Final = re.compile(rb"(?:0|[1-9][0-9]*)(?:\.(?:0|[1-9][0-9]*))*\0?")
_MAX_UID_BYTES: Final = 64
_DECIMAL: Final = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,9}")
_BINARY: Final = {"US": "H", "SS": "h", "UL": "I", "SL": "i", "FL": "f", "FD": "d"}
_LUT_DESCRIPTORS: Final = frozenset({0x00281101, 0x00281102, 0x00281103, 0x00283002})
"""Their first value is read in a way of its own."""

_FLOATS: Final = frozenset({"DS", "FL", "FD"})
_ELEMENT: Final = 0xFFFF
"""Zero in the tag of a group length."""

_BEGINS_A_SEQUENCE: Final = frozenset(
    bytes.fromhex(tag) for tag in ("fffee000", "feff00e0", "fffee0dd", "feffdde0")
)
"""Item or Sequence Delimitation Item, in both byte orders (PS3.5 7.5)."""

_EMPTY_TOO: Final = _CODES | _BINARY.keys() | _MAX_TEXT.keys() | {"UI", "DS", "IS"}

_REMEMBERED: Final = 1 << 13
"""Answers: those of some series, whose instances have most of their elements in common."""

_REMEMBERED_BYTES: Final = 1 << 10
"""Longer values are not remembered: together they stay below some 10 MB."""

Record = dict[str, dict[str, Any]]
"""Elements by tag, eight hexadecimal digits; nobody changes what is in them."""

_text: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class _Written(dict[str, Any]):
    """An element that is remembered, and with it its JSON text."""

    __slots__ = ("text",)

    def __init__(self, element: dict[str, Any]) -> None:
        super().__init__(element)
        self.text = _text(element)


def json_text(record: Record) -> str:
    """The JSON text of a record, sorted by tag."""
    texts = (
        f'"{tag}":{element.text if isinstance(element, _Written) else _text(element)}'
        for tag, element in sorted(record.items(), key=_first)
    )
    return "{" + ",".join(texts) + "}"


_first: Final = operator.itemgetter(0)


def dicom_json(header: Dataset, *, bulk_data: BulkData, max_inline_bytes: int) -> Record:
    """The record of a dataset, in its order, without group lengths (PS3.18 F.2.2).

    Longer binary values are handed to ``bulk_data``, whose errors are raised. An element whose
    value breaks the rules of its VR is there as the file has it.
    """
    with strict_reading():
        return _record(header, bulk_data, max_inline_bytes, _surroundings(header))


def picked_json(header: Dataset, keywords: Iterable[str]) -> Record:
    """The record of those attributes that are there, by tag; none of them may be a sequence."""
    with strict_reading():
        around = _surroundings(header)
        return {
            name: _json(header, tag, header.get_item(tag), None, 0, around)
            for tag, name in _tags_of(tuple(keywords))
            if tag in header
        }


@functools.cache
def _tags_of(keywords: tuple[str, ...]) -> tuple[tuple[BaseTag, str], ...]:
    tags = (Tag(tag) for tag in filter(None, map(tag_for_keyword, keywords)))
    return tuple((tag, f"{tag:08X}") for tag in sorted(tags))


_name: Final = functools.lru_cache(1 << 12)("{:08X}".format)


class _Surroundings(NamedTuple):
    """What beside its own bytes decides how an element is read."""

    repertoire: tuple[str, ...]
    pixel_representation: int


def _surroundings(header: Dataset) -> _Surroundings | None:
    """None where they are not as usual, and nothing may be concluded from them."""
    found, signed = header.original_character_set, header.get("PixelRepresentation", None)
    repertoire = (found,) if isinstance(found, str) else tuple(found)
    return _Surroundings(repertoire, signed) if found and signed in (0, 1) else None


def _record(
    dataset: Dataset,
    bulk_data: BulkData | None,
    max_inline_bytes: int,
    around: _Surroundings | None = None,
) -> Record:
    return {
        _name(tag): _json(dataset, tag, held, bulk_data, max_inline_bytes, around)
        for tag, held in list(dataset.items())
        if tag & _ELEMENT
    }


def _json(
    dataset: Dataset,
    tag: BaseTag,
    held: RawDataElement | DataElement,
    bulk_data: BulkData | None,
    max_inline_bytes: int,
    around: _Surroundings | None = None,
) -> dict[str, Any]:
    """One element: its VR, and its value or what stands for it.

    With ``around`` the answers are remembered, from file to file.
    """
    if isinstance(held, RawDataElement):
        data = held.value
        few = held.length <= _REMEMBERED_BYTES
        plain = (_plain if few else _plain.__wrapped__)(tag, held.VR, data, held.is_little_endian)
        if plain is not None:
            return plain
        inline = bulk_data is None or 2 * held.length <= max_inline_bytes
        if few and inline and around is not None and not tag.is_private:
            return _remembered(held._replace(value_tell=0), around)
    return _answer(dataset, tag, held, bulk_data, max_inline_bytes)


@functools.lru_cache(_REMEMBERED)
def _remembered(held: RawDataElement, around: _Surroundings) -> dict[str, Any]:
    """The answer for a public element, which depends on nothing else."""
    alone = Dataset({held.tag: held})
    alone.PixelRepresentation = around.pixel_representation
    alone.set_original_encoding(held.is_implicit_VR, held.is_little_endian, list(around.repertoire))
    return _Written(_answer(alone, held.tag, held, None, _REMEMBERED_BYTES * 2))


def _answer(
    dataset: Dataset,
    tag: BaseTag,
    held: RawDataElement | DataElement,
    bulk_data: BulkData | None,
    max_inline_bytes: int,
) -> dict[str, Any]:
    """As pydicom has it, or as it is stored."""
    try:
        found = _by_pydicom(dataset[tag], bulk_data, max_inline_bytes)
        if not _is_lost(held, found):
            return found
    except (FirstlightError, OSError):  # bulk data could not be written
        raise
    except Exception:  # whatever pydicom's converters raise
        pass
    return as_stored(dataset, tag, held, bulk_data=bulk_data, max_inline_bytes=max_inline_bytes)


def _is_lost(held: RawDataElement | DataElement, found: dict[str, Any]) -> bool:
    """Whether bytes became nothing, or a sequence was seen where there is no item."""
    if not isinstance(held, RawDataElement) or not held.value:
        return False
    if found["vr"] == "SQ":
        return held.value[:4] not in _BEGINS_A_SEQUENCE
    return len(found) == 1 and bool(held.value.strip(b" \0\\"))


def _by_pydicom(
    element: DataElement, bulk_data: BulkData | None, max_inline_bytes: int
) -> dict[str, Any]:
    if element.VR == "SQ":
        items = [_record(item, bulk_data, max_inline_bytes) for item in element.value]
        return {"vr": "SQ", "Value": items}
    found: dict[str, Any] = element.to_json_dict(bulk_data, max_inline_bytes)
    if element.VR in _FLOATS and "Value" in found:
        found["Value"] = [
            json_number(value) if isinstance(value, float) else value for value in found["Value"]
        ]
    return found


@functools.lru_cache(_REMEMBERED)
def _plain(
    tag: int, vr: str | None, data: bytes | None, little_endian: bool
) -> dict[str, Any] | None:
    """An element whose value is of the simplest form; None of all others."""
    if vr is None:
        try:
            vr = dictionary_VR(tag)
        except KeyError:
            return None
    if data is None or vr not in _EMPTY_TOO or tag in _LUT_DESCRIPTORS:
        return None
    if not data:
        return _Written({"vr": str(vr)})
    code = _BINARY.get(vr)
    values = _numbers(data, code, little_endian) if code else _texts(vr, data)
    if values is None:
        return None
    return _Written({"vr": str(vr), "Value": values} if values else {"vr": str(vr)})


def _numbers(data: bytes, code: str, little_endian: bool) -> list[Any] | None:
    order = "<" if little_endian else ">"
    count, rest = divmod(len(data), struct.calcsize(f"={code}"))
    if rest:
        return None
    numbers = list(struct.unpack(f"{order}{count}{code}", data))
    return [json_number(number) for number in numbers] if code in "fd" else numbers


def _texts(vr: str, data: bytes) -> list[Any] | None:
    """Values of a VR that is written as text; empty where there is nothing but padding."""
    most = _MAX_TEXT.get(vr)
    if most is not None:
        if len(data) > most or not _ONE_TEXT.fullmatch(data):
            return None
        text = data.decode("ascii").rstrip("\0 ")
        return [text] if text else []
    if vr in _CODES:
        if not _CODE.fullmatch(data):
            return None
        values = data.decode("ascii").rstrip(" \0").split("\\")
        return values if values != [""] else []
    if vr == "UI":
        if len(data) > _MAX_UID_BYTES or not _UID.fullmatch(data):
            return None
        return [data.decode("ascii").rstrip("\0")]
    return _written_numbers(vr, data)


def _written_numbers(vr: str, data: bytes) -> list[Any] | None:
    """Values of DS and IS, each without spaces around it but for the padding of all."""
    try:
        texts = data.decode("ascii").rstrip(" ").split("\\")
    except UnicodeDecodeError:
        return None
    if vr == "IS":
        return [int(text) for text in texts] if all(map(_INTEGER.fullmatch, texts)) else None
    if not all(map(_DECIMAL.fullmatch, texts)):
        return None
    numbers = [float(text) for text in texts]
    return numbers if all(map(math.isfinite, numbers)) else None
