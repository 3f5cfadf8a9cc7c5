"""DICOM JSON (PS3.18 F) of a header, most of it straight from the bytes that were read.

What is in any way unusual is left to pydicom, whose answer this is, value for value.
"""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING, Any, Final

from pydicom.config import strict_reading
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import RawDataElement

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pydicom.dataelem import DataElement
    from pydicom.dataset import Dataset

    BulkData = Callable[[DataElement], str]

_MAX_TEXT: Final = {"LO": 64, "SH": 16, "ST": 1024, "LT": 10240}
"""Longer ones are not valid; pydicom says what becomes of them."""

_ONE_TEXT: Final = re.compile(rb"[ -\[\]-}]*\0?")
"""One value, which is the same in every character repertoire of DICOM."""

_CODES: Final = frozenset({"CS", "DA", "TM", "AS"})
_CODE: Final = re.compile(rb"[ -\[\]-}\\]*\0?")
_UID: Final = re.compile(rb"(?:0|[1-9][0-9]*)(?:\.(?:0|[1-9][0-9]*))*\0?")
_MAX_UID_BYTES: Final = 64
_DECIMAL: Final = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_MAX_DECIMAL_CHARACTERS: Final = 16
_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,9}")
_BINARY: Final = {"US": "H", "SS": "h", "UL": "I", "SL": "i", "FL": "f", "FD": "d"}
_LUT_DESCRIPTORS: Final = frozenset({0x00281101, 0x00281102, 0x00281103, 0x00283002})
"""Their first value is read in a way of its own."""

_EMPTY_TOO: Final = _CODES | _BINARY.keys() | _MAX_TEXT.keys() | {"UI", "DS", "IS"}

Record = dict[str, dict[str, Any]]
"""Elements by tag, eight hexadecimal digits."""


def dicom_json(header: Dataset, *, bulk_data: BulkData, max_inline_bytes: int) -> Record:
    """The record of a dataset, in its order; longer binary values are handed to ``bulk_data``.

    An element whose value breaks the rules of its VR is left out.
    """
    record = {}
    with strict_reading():
        for tag, element in list(header.items()):
            try:
                record[f"{tag:08X}"] = _json(header, tag, element, bulk_data, max_inline_bytes)
            except Exception:  # whatever pydicom's converters raise
                continue
    return record


def picked_json(header: Dataset, keywords: Iterable[str]) -> Record:
    """The record of those attributes that are there, by tag; none of them may be a sequence."""
    record = {}
    for tag in filter(None, map(tag_for_keyword, keywords)):
        if tag not in header:
            continue
        raw = header.get_item(tag)
        found = _plain(tag, raw) if isinstance(raw, RawDataElement) else None
        if found is None:
            element = header[tag]
            try:
                found = element.to_json_dict(None, 0)
            except Exception:  # as above
                continue
        record[f"{tag:08X}"] = found
    return dict(sorted(record.items()))


def _json(
    dataset: Dataset, tag: int, element: object, bulk_data: BulkData, max_inline_bytes: int
) -> dict[str, Any]:
    """One element: its VR, and its value or what stands for it."""
    if isinstance(element, RawDataElement):
        plain = _plain(tag, element)
        if plain is not None:
            return plain
    converted = dataset[tag]
    if converted.VR == "SQ":
        items = [
            {
                f"{inner:08X}": _json(item, inner, held, bulk_data, max_inline_bytes)
                for inner, held in list(item.items())
            }
            for item in converted.value
        ]
        return {"vr": "SQ", "Value": items}
    return converted.to_json_dict(bulk_data, max_inline_bytes)


def _plain(tag: int, raw: RawDataElement) -> dict[str, Any] | None:
    """An element whose value is of the simplest form; None of all others."""
    vr, data = raw.VR, raw.value
    if vr is None:
        try:
            vr = dictionary_VR(tag)
        except KeyError:
            return None
    if data is None or vr not in _EMPTY_TOO or tag in _LUT_DESCRIPTORS:
        return None
    if not data:
        return {"vr": str(vr)}
    code = _BINARY.get(vr)
    values = _numbers(data, code, raw.is_little_endian) if code else _texts(vr, data)
    if values is None:
        return None
    return {"vr": str(vr), "Value": values} if values else {"vr": str(vr)}


def _numbers(data: bytes, code: str, little_endian: bool) -> list[Any] | None:
    order = "<" if little_endian else ">"
    count, rest = divmod(len(data), struct.calcsize(f"={code}"))
    return None if rest else list(struct.unpack(f"{order}{count}{code}", data))


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
    if max(map(len, texts)) > _MAX_DECIMAL_CHARACTERS or not all(map(_DECIMAL.fullmatch, texts)):
        return None
    return [float(text) for text in texts]
