"""DICOM JSON of elements that break the rules of their VR: as the file has them, nothing left out.

Readers differ in what they forgive, so nothing is repaired here either.
"""

from __future__ import annotations

import base64
import math
import re
from typing import TYPE_CHECKING, Any, Final

from pydicom.config import disable_value_validation
from pydicom.datadict import dictionary_VR
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.multival import MultiValue

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydicom.dataset import Dataset
    from pydicom.tag import BaseTag

_NUMBERS: Final = frozenset({"DS", "IS"})
_IN_A_REPERTOIRE: Final = frozenset({"LO", "LT", "PN", "SH", "ST", "UC", "UT"})
"""Specific Character Set says how these are coded (PS3.5 6.1.2.3)."""

_PLAIN_TEXT: Final = frozenset({"AE", "AS", "CS", "DA", "DT", "TM", "UI", "UR"})
_ONE_VALUE: Final = frozenset({"LT", "ST", "UR", "UT"})
_COMPONENTS: Final = ("Alphabetic", "Ideographic", "Phonetic")
_DECIMAL: Final = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?", re.ASCII)
_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,15}", re.ASCII)
"""What a JSON number holds exactly in JavaScript."""

_REPLACED: Final = "\ufffd"


def as_stored(
    dataset: Dataset,
    tag: BaseTag,
    held: RawDataElement | DataElement,
    *,
    bulk_data: Callable[[DataElement], str] | None,
    max_inline_bytes: int,
) -> dict[str, Any]:
    """One element that pydicom refuses.

    Numbers are JSON numbers where they are finite, else strings (PS3.18 F.2.3). Text that its
    repertoire cannot explain is read as UTF-8, or byte for byte as ISO 8859-1. What has the wrong
    length for its VR, or is no sequence though it says so, becomes UN with all its bytes.
    """
    if isinstance(held, DataElement):
        found = held.value
        values = list(found) if isinstance(found, MultiValue | list) else [found]
        return {"vr": str(held.VR), "Value": [str(value) for value in values]}
    vr, data = _vr(tag, held), bytes(held.value or b"")
    if vr in _NUMBERS:
        return _valued(vr, [_number(text, vr) for text in _values(vr, data.decode("latin-1"))])
    if vr in _PLAIN_TEXT:
        return _valued(vr, [text or None for text in _values(vr, data.decode("latin-1"))])
    if vr in _IN_A_REPERTOIRE:
        return _by_repertoire(dataset, tag) or _text(vr, data)
    if bulk_data is not None and len(data) > max_inline_bytes // 4 * 3:
        return {"vr": "UN", "BulkDataURI": bulk_data(DataElement(tag, "UN", data))}
    return {"vr": "UN", "InlineBinary": base64.b64encode(data).decode()}


def json_number(value: float) -> float | str:
    """A number, or the words that stand for one that JSON cannot write."""
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _vr(tag: BaseTag, raw: RawDataElement) -> str:
    try:
        return str(raw.VR or dictionary_VR(tag))
    except KeyError:
        return "UN"


def _valued(vr: str, values: list[Any]) -> dict[str, Any]:
    return {"vr": vr, "Value": values} if values not in ([], [None]) else {"vr": vr}


def _values(vr: str, text: str) -> list[str]:
    if vr in _ONE_VALUE:
        return [text.rstrip(" \0")]
    return [value.strip(" \0") for value in text.split("\\")]


def _number(text: str, vr: str) -> float | str | None:
    """A component of DS or IS, None if it is empty."""
    if vr == "IS" and _INTEGER.fullmatch(text):
        return int(text)
    if _DECIMAL.fullmatch(text) and not (vr == "IS" and text.lstrip("+-").isdigit()):
        number = float(text)
        return number if math.isfinite(number) else text
    return text or None


def _by_repertoire(dataset: Dataset, tag: BaseTag) -> dict[str, Any] | None:
    """By Specific Character Set, whatever the length; None if bytes would be replaced."""
    try:
        with disable_value_validation():
            element = dataset[tag]
            record: dict[str, Any] = element.to_json_dict(None, 0)
    except Exception:  # whatever pydicom's decoders raise
        return None
    return None if _REPLACED in repr(record.get("Value")) else record


def _text(vr: str, data: bytes) -> dict[str, Any]:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    values = _values(vr, text)
    if vr != "PN":
        return _valued(vr, [value or None for value in values])
    names: list[dict[str, str] | None] = []
    for value in values:
        groups = dict(zip(_COMPONENTS, value.split("=", 2), strict=False))
        names.append({name: group for name, group in groups.items() if group} or None)
    return _valued(vr, names)
