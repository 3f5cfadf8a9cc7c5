"""DICOM JSON made from raw elements: the same, value for value, as pydicom's own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pydicom
import pytest
from pydicom.dataelem import RawDataElement
from pydicom.tag import Tag

from firstlight.prepare.dicom_json import dicom_json, picked_json
from firstlight.prepare.work import quiet_pydicom

if TYPE_CHECKING:
    from pydicom.dataelem import DataElement
    from pydicom.dataset import Dataset

INLINE_BYTES = 1 << 12
KEYWORDS = ("PatientName", "StudyDate", "Rows", "InstanceNumber", "StudyInstanceUID", "Modality")


def bulk_data(element: DataElement) -> str:
    return f"bulk/{element.tag:08X}/{len(element.value)}"


def by_pydicom(header: Dataset) -> dict[str, Any]:
    return header.to_json_dict(
        bulk_data_threshold=INLINE_BYTES,
        bulk_data_element_handler=bulk_data,
        suppress_invalid_tags=True,
    )


def part10_files(folder: Path) -> list[Path]:
    found = []
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            with path.open("rb") as stream:
                if stream.read(132)[128:] == b"DICM":
                    found.append(path)
    return found


def compare_all(paths: list[Path]) -> None:
    compared = 0
    with quiet_pydicom():
        for path in paths:
            try:
                expected = by_pydicom(pydicom.dcmread(path, stop_before_pixels=True))
            except Exception:  # broken on purpose
                continue
            header = pydicom.dcmread(path, stop_before_pixels=True)
            record = dicom_json(header, bulk_data=bulk_data, max_inline_bytes=INLINE_BYTES)
            assert json.dumps(record) == json.dumps(expected), path.name
            picked = picked_json(pydicom.dcmread(path, stop_before_pixels=True), KEYWORDS)
            for tag, element in picked.items():
                assert json.dumps(element) == json.dumps(expected.get(tag, element)), path.name
            compared += 1
    assert compared > len(paths) // 2


def test_as_pydicom_of_all_its_own_files() -> None:
    folder = Path(pydicom.__file__).parent / "data" / "test_files"
    compare_all(part10_files(folder))


def test_as_pydicom_of_all_shared_files(shared_data: Path) -> None:
    compare_all([p for name in ("dicom", "wg04") for p in part10_files(shared_data / name)])


@pytest.mark.parametrize("little_endian", [True, False])
@pytest.mark.parametrize("vr", ["CS", "DA", "TM", "AS", "LO", "SH", "ST", "LT", "UI", "DS", "IS"])
def test_as_pydicom_of_unusual_values(vr: str, little_endian: bool) -> None:
    values = [
        b"", b" ", b"\0", b"\0\0", b"A ", b" A", b"A\\B", b"\\", b"A\\", b"1", b"1 ", b" 1",
        b"1\\2",
        b"1 \\2", b"1\\ 2", b"+1", b"-1", b"1.5", b".5", b"1.", b"1e3", b"1E-3 ", b"nan", b"inf",
        b"1_0", b"0x1", b"1.2.3", b"1.2.3\0", b"1.02", b"1.2.", b"12345678901234567890",
        b"1.23456789012345678", b"99999999999", b"-2147483649", b"2147483648", b"x" * 65, b"x" * 17,
        b"a\nb", b"\x1b$B", b"caf\xc3\xa9", b"~", b"\\\\", b"1\\\\2", b"\t1", b"1\t", b"1\0",
        b"20260101",
    ]  # fmt: skip
    for value in values:
        compare_one(vr, value, little_endian)


@pytest.mark.parametrize("little_endian", [True, False])
@pytest.mark.parametrize("vr", ["US", "SS", "UL", "SL", "FL", "FD", "AT", "OB", "UN", "PN"])
def test_as_pydicom_of_binary_values(vr: str, little_endian: bool) -> None:
    for value in (b"", b"\1", b"\1\2", b"\xff" * 4, bytes(range(8)), b"\x80" * 12, b"\0" * 16):
        compare_one(vr, value, little_endian)


def compare_one(vr: str, value: bytes, little_endian: bool) -> None:
    """In two data sets, since reading an element changes the one it is in."""
    records = []
    for ours in (False, True):
        header = pydicom.Dataset()
        tag = Tag(0x00091001 if vr == "UN" else 0x00081030)
        raw = RawDataElement(tag, vr, len(value), value, 0, False, little_endian)
        header[tag] = raw
        with quiet_pydicom():
            if ours:
                record = dicom_json(header, bulk_data=bulk_data, max_inline_bytes=INLINE_BYTES)
            else:
                record = by_pydicom(header)
        records.append(json.dumps(record))
    assert records[0] == records[1], (vr, value)
